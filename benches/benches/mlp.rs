//! What does a training step of a small network cost, and an epoch of 914,247 rows in batches of 16?
//!
//! `peers/networks` asks PyTorch the same steps: forward, backward, clipping and AdamW, with dropout.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::mlp::{Batch, Head, Kernel, Network, RowLoss, Update};
use fattail_benches::normal;

/// Rows to draw batches from, in an order that an epoch shuffles anew.
struct Data {
    inputs: usize,
    features: Vec<f32>,
    target: Vec<f32>,
    order: Vec<u32>,
    state: u64,
}

impl Data {
    fn new(rows: usize, inputs: usize) -> Self {
        let features = normal(1, rows * inputs);
        let noise = normal(2, rows);
        let signal =
            |(row, noise): (&[f32], &f32)| 0.5 + 0.1 * row[0] - 0.05 * row[1] + 0.1 * noise;
        let target = features.chunks(inputs).zip(&noise).map(signal).collect();
        Self { inputs, features, target, order: (0..rows as u32).collect(), state: 3 }
    }

    /// Fisher and Yates, on a xorshift generator.
    fn shuffle(&mut self) {
        for last in (1..self.order.len()).rev() {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let other = ((self.state >> 32) * (last as u64 + 1)) >> 32;
            self.order.swap(last, other as usize);
        }
    }
}

/// A kernel, and the buffers of a batch.
struct Trainer {
    kernel: Kernel,
    features: Vec<f32>,
    target: Vec<f32>,
    key: u64,
}

impl Trainer {
    fn new(inputs: usize, hidden: &[usize]) -> Self {
        let network = Network {
            inputs,
            hidden: hidden.to_vec(),
            input_norm: true,
            norm: true,
            residual: false,
            dropout: 0.1,
            head: Head::Sigmoid,
        };
        let start = network.initial(1).expect("a network in range");
        let loss = RowLoss::Huber { delta: 0.1 };
        let kernel = Kernel::new(network, loss, &start).expect("as many weights as it has");
        Self { kernel, features: Vec::new(), target: Vec::new(), key: 0 }
    }

    fn step(&mut self, data: &Data, rows: &[u32]) -> f64 {
        self.features.clear();
        self.target.clear();
        for &row in rows {
            let at = row as usize * data.inputs;
            self.features.extend_from_slice(&data.features[at..at + data.inputs]);
            self.target.push(data.target[row as usize]);
        }
        let batch = Batch { features: &self.features, target: &self.target, weight: None };
        let update = Update { rate: 1e-4, clip_norm: Some(1.0), ..Update::default() };
        self.key += 1;
        let loss = self.kernel.gradient(&batch, 1.0, self.key).expect("a batch of its shape");
        self.kernel.apply(&update).expect("an update in range");
        loss
    }
}

fn epoch(criterion: &mut Criterion) {
    let mut data = Data::new(914_247, 5);
    let mut trainer = Trainer::new(5, &[16, 8]);
    let mut group = criterion.benchmark_group("mlp/epoch");
    group.throughput(Throughput::Elements(914_247)).sample_size(10);
    group.bench_function("914247x5_16_8_batch_16", |b| {
        b.iter(|| {
            data.shuffle();
            let order = std::mem::take(&mut data.order);
            let loss: f64 = order.chunks(16).map(|rows| trainer.step(&data, rows)).sum();
            data.order = order;
            loss
        })
    });
    group.finish();
}

fn step(criterion: &mut Criterion) {
    let questions: [(usize, &[usize], usize); 5] = [
        (5, &[16, 8], 16),
        (5, &[16, 8], 4_096),
        (64, &[64, 32], 4_096),
        (64, &[128, 128], 4_096),
        (64, &[256, 256], 4_096),
    ];
    for (inputs, hidden, batch) in questions {
        let mut data = Data::new(200_000, inputs);
        data.shuffle();
        let mut trainer = Trainer::new(inputs, hidden);
        let widths: Vec<String> = hidden.iter().map(usize::to_string).collect();
        let mut group =
            criterion.benchmark_group(format!("mlp/step_{inputs}_{}", widths.join("_")));
        group.throughput(Throughput::Elements(batch as u64)).sample_size(20);
        let mut at = 0;
        group.bench_function(format!("batch_{batch}"), |b| {
            b.iter(|| {
                at = (at + batch) % (data.order.len() - batch);
                trainer.step(&data, &data.order[at..at + batch])
            })
        });
        group.finish();
    }
}

fn predict(criterion: &mut Criterion) {
    let data = Data::new(200_000, 5);
    let trainer = Trainer::new(5, &[16, 8]);
    let mut out = vec![0.0; data.target.len()];
    let mut group = criterion.benchmark_group("mlp/predict_5_16_8");
    group.throughput(Throughput::Elements(out.len() as u64)).sample_size(20);
    group.bench_function("200000", |b| b.iter(|| trainer.kernel.predict(&data.features, &mut out)));
    group.finish();
}

criterion_group!(benches, epoch, step, predict);
criterion_main!(benches);
