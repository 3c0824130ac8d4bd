//! What do attention, a transformer's encoder layers and a layer of an autoencoder cost, forward and backward?
//!
//! Sizes of attention are those of `peers/neural/attention.py`, which times PyTorch: run both side by side.

use criterion::{Criterion, criterion_group, criterion_main};
use fattail::fused::attention::{Attention, Gradients, Inputs, Outputs};
use fattail::fused::encoder::{self, Encoder, Layer, Parameters};
use fattail::fused::linear::{Activation, Linear, LinearGradients};
use fattail_benches::normal;

/// Weights and biases of an encoder layer, in order.
type Values = [(Vec<f32>, Vec<f32>); 6];

fn attention(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attention/16_heads_of_64");
    group.sample_size(10);
    for length in [1_024, 4_096] {
        let attention = Attention {
            heads: 16,
            queries: length,
            keys: length,
            width: 64,
            ..Attention::default()
        };
        let len = 16 * length * 64;
        let [query, key, value, grad_out] = [1, 2, 3, 4].map(|seed| normal(seed, len));
        let inputs = Inputs { query: &query, key: &key, value: &value, visible: None };
        let (mut out, mut log_sum) = (vec![0.0; len], vec![0.0; 16 * length]);
        let mut gradients = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
        group.bench_function(format!("{length}_forward_backward"), |b| {
            b.iter(|| {
                attention.forward(&inputs, &mut out, &mut log_sum).expect("the shapes fit");
                let outputs = Outputs { out: &out, log_sum: &log_sum, grad_out: &grad_out };
                let [query, key, value] = &mut gradients;
                attention
                    .backward(&inputs, &outputs, Gradients { query, key, value })
                    .expect("the shapes fit");
            });
        });
    }
    group.finish();
}

fn values(encoder: &Encoder, seed: u64) -> Values {
    let (width, hidden) = (encoder.width, encoder.hidden);
    let sizes = [
        (3 * width, width),
        (width, width),
        (hidden, width),
        (width, hidden),
        (1, width),
        (1, width),
    ];
    sizes.map(|(outputs, inputs)| {
        let weight = normal(seed, outputs * inputs).into_iter().map(|value| 0.1 * value).collect();
        (weight, vec![0.0; if outputs == 1 { inputs } else { outputs }])
    })
}

fn view(values: &Values) -> Parameters<&[f32]> {
    let [project_in, project_out, feed_in, feed_out, norm1, norm2] =
        values.each_ref().map(|(weight, bias)| Layer { weight: &weight[..], bias: &bias[..] });
    Parameters { project_in, project_out, feed_in, feed_out, norm1, norm2 }
}

fn view_mut(values: &mut Values) -> Parameters<&mut [f32]> {
    let [project_in, project_out, feed_in, feed_out, norm1, norm2] = values
        .each_mut()
        .map(|(weight, bias)| Layer { weight: &mut weight[..], bias: &mut bias[..] });
    Parameters { project_in, project_out, feed_in, feed_out, norm1, norm2 }
}

fn transformer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transformer/256_x_32_x_64_2_layers");
    group.sample_size(20);
    for (name, dropout, recompute) in
        [("plain", 0.0, false), ("dropout", 0.1, false), ("recompute", 0.0, true)]
    {
        let encoder = Encoder {
            batch: 256,
            length: 32,
            width: 64,
            heads: 4,
            hidden: 256,
            dropout,
            recompute,
            ..Encoder::default()
        };
        let len = 256 * 32 * 64;
        let (input, grad_out) = (normal(1, len), normal(2, len));
        let layers = [values(&encoder, 3), values(&encoder, 4)];
        let mut gradients = layers.clone();
        let mut saved = [vec![0.0; encoder.saved_len()], vec![0.0; encoder.saved_len()]];
        let [mut middle, mut out, mut grad_middle, mut grad_input] = [0; 4].map(|_| vec![0.0; len]);
        group.bench_function(format!("{name}_forward_backward"), |b| {
            b.iter(|| {
                let [first, second] = [view(&layers[0]), view(&layers[1])];
                encoder
                    .forward(&input, &first, &mut middle, &mut saved[0])
                    .expect("the shapes fit");
                encoder.forward(&middle, &second, &mut out, &mut saved[1]).expect("the shapes fit");
                let [to_first, to_second] = gradients.each_mut().map(view_mut);
                let to = encoder::Gradients { input: &mut grad_middle, parameters: to_second };
                encoder
                    .backward(&middle, &second, &saved[1], &grad_out, to)
                    .expect("the shapes fit");
                let to = encoder::Gradients { input: &mut grad_input, parameters: to_first };
                encoder
                    .backward(&input, &first, &saved[0], &grad_middle, to)
                    .expect("the shapes fit");
            });
        });
    }
    group.finish();
}

fn layer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("linear/4096_x_512_to_256");
    group.sample_size(20);
    for activation in [Activation::Identity, Activation::Relu, Activation::Gelu] {
        let linear = Linear { rows: 4_096, inputs: 512, outputs: 256, activation };
        let (input, weight) = (normal(1, 4_096 * 512), normal(2, 512 * 256));
        let (bias, grad_out) = (normal(3, 256), normal(4, 4_096 * 256));
        let (mut out, mut sums) = (vec![0.0; 4_096 * 256], vec![0.0; linear.saved_len()]);
        let (mut to_input, mut to_weight) = (input.clone(), weight.clone());
        let mut to_bias = bias.clone();
        group.bench_function(format!("{activation:?}_forward_backward"), |b| {
            b.iter(|| {
                linear
                    .forward(&input, &weight, &bias, &mut out, &mut sums)
                    .expect("the shapes fit");
                let to = LinearGradients {
                    input: Some(&mut to_input),
                    weight: &mut to_weight,
                    bias: &mut to_bias,
                };
                let kept = linear.kept(&sums, &out);
                linear.backward(&input, &weight, kept, &grad_out, to).expect("the shapes fit");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, attention, transformer, layer);
criterion_main!(benches);
