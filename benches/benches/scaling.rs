//! What do learning and applying a scale cost a value of a fat-tailed column, and what do ties cost?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::prepare::{Method, QuantileNormal, Robust};
use fattail_benches::{bins, fat_tails};
use std::hint::black_box;

fn methods() -> [(&'static str, Method); 3] {
    [
        ("standard", Method::Standard),
        ("robust", Method::Robust(Robust::default())),
        ("quantile_normal", Method::Quantile(QuantileNormal::default())),
    ]
}

fn scaling(criterion: &mut Criterion) {
    let columns = [
        ("100000_untied", fat_tails(1, 100_000).into_iter().map(f64::from).collect::<Vec<_>>()),
        ("100000_of_5_values", bins(1, 100_000).into_iter().map(f64::from).collect()),
    ];
    for (name, values) in columns {
        let mut out = vec![0.0; values.len()];
        let mut group = criterion.benchmark_group(format!("scaling/{name}"));
        group.throughput(Throughput::Elements(values.len() as u64)).sample_size(20);
        for (method_name, method) in methods() {
            group.bench_function(format!("learn/{method_name}"), |b| {
                b.iter(|| method.learn(black_box(&values)))
            });
            let Ok(scale) = method.learn(&values) else { continue };
            group.bench_function(format!("apply/{method_name}"), |b| {
                b.iter(|| scale.apply_slice(black_box(&values), &mut out))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, scaling);
criterion_main!(benches);
