//! What does it cost to rank the predictions of an era, or of a whole panel, and what do ties cost?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::stats::{GaussTable, Ranker, Ties};
use fattail_benches::{bins, normal};
use std::hint::black_box;

fn inputs() -> [(&'static str, Vec<f64>); 3] {
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let tied = bins(1, 5_000).into_iter().map(f64::from).collect();
    [
        ("5000_untied", wide(normal(1, 5_000))),
        ("5000_of_5_values", tied),
        ("1000000_untied", wide(normal(2, 1_000_000))),
    ]
}

fn rank(criterion: &mut Criterion) {
    let (mut ranker, mut table) = (Ranker::new(), GaussTable::new());
    for (name, values) in inputs() {
        let mut out = vec![0.0; values.len()];
        let mut group = criterion.benchmark_group(format!("rank/{name}"));
        group.throughput(Throughput::Elements(values.len() as u64)).sample_size(20);
        group.bench_function("ties_kept", |b| {
            b.iter(|| ranker.uniform(black_box(&values), Ties::Average, &mut out))
        });
        group.bench_function("ties_broken", |b| {
            b.iter(|| ranker.uniform(black_box(&values), Ties::Broken, &mut out))
        });
        group.bench_function("gaussian", |b| {
            b.iter(|| ranker.gaussian(black_box(&values), Ties::Average, &mut table, &mut out))
        });
        group.finish();
    }
}

criterion_group!(benches, rank);
criterion_main!(benches);
