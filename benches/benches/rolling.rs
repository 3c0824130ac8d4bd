//! What does a rolling feature cost a row, alone and with others in one pass, and does the window's
//! length matter?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::prepare::{Rolling, Stat};
use fattail_benches::fat_tails;
use std::hint::black_box;

const ROWS: usize = 100_000;

fn rolling(criterion: &mut Criterion) {
    let values = fat_tails(1, ROWS);
    let asked: [(&str, &[Stat]); 4] = [
        ("mean", &[Stat::Mean]),
        ("std", &[Stat::Std]),
        ("min", &[Stat::Min]),
        ("mean_std_min_max", &[Stat::Mean, Stat::Std, Stat::Min, Stat::Max]),
    ];
    for window in [20, 200, 2_000] {
        let mut group = criterion.benchmark_group(format!("rolling/100000_window_{window}"));
        group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
        for (name, stats) in asked {
            let mut out = vec![vec![0.0f32; ROWS]; stats.len()];
            group.bench_function(name, |b| {
                b.iter(|| {
                    let mut slices: Vec<&mut [f32]> =
                        out.iter_mut().map(Vec::as_mut_slice).collect();
                    Rolling::new(window).apply(black_box(&values), stats, &mut slices)
                })
            });
        }
        group.finish();
    }
}

criterion_group!(benches, rolling);
criterion_main!(benches);
