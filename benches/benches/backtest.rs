//! What does a doubt cost: the probability of overfitting, superior ability, every combination of test groups for a
//! ridge regression, and a row at the input gate?

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::{
    Panel,
    evaluate::{Corr, Cpcv, backtest_paths},
    guard::GateRecipe,
    linear::Ridge,
    luck::{Cscv, Superior},
    silent,
    stats::{Counter, normal_quantile, unit},
};

/// Columns of standard normal numbers.
fn columns(count: usize, rows: usize) -> Vec<Vec<f64>> {
    let column = |at: usize| {
        let mut generator = Counter::new(1).draw(at as u32);
        (0..rows).map(|_| normal_quantile(unit(&mut generator).max(1e-300))).collect()
    };
    (0..count).map(column).collect()
}

/// Eras of rows with features of five bins and a target of noise.
fn panel(eras: usize, rows: usize, features: usize) -> Panel {
    let total = eras * rows;
    let label: Vec<String> = (0..total).map(|row| format!("{:04}", row / rows)).collect();
    let draws = columns(features + 1, total);
    let mut builder = Panel::builder().eras(&label).expect("eras increase");
    for (at, draw) in draws[..features].iter().enumerate() {
        let bins = draw.iter().map(|value| ((value + 2.5) as u8).min(4));
        builder = builder.feature(format!("f{at}"), bins.collect::<Vec<u8>>());
    }
    let target = draws[features].iter().map(|&value| value as f32);
    builder.target("y", target.collect::<Vec<f32>>()).build().expect("a panel")
}

fn overfitting(criterion: &mut Criterion) {
    let all = columns(200, 1_000);
    let slices: Vec<&[f64]> = all.iter().map(Vec::as_slice).collect();
    let cscv = Cscv { blocks: 12, ..Cscv::default() };
    let mut group = criterion.benchmark_group("luck");
    group.sample_size(10);
    group.bench_function("pbo_200x1000_S12", |b| b.iter(|| cscv.run(black_box(&slices))));
    let test = Superior::default();
    group.bench_function("spa_50x1000", |b| {
        b.iter(|| test.spa(black_box(&slices[..50]), black_box(slices[50])));
    });
    group.finish();
}

fn paths(criterion: &mut Criterion) {
    let panel = panel(120, 100, 20);
    let splits = Cpcv { groups: 10, tests: 3, ..Cpcv::default() };
    let splits = splits.splits(panel.eras()).expect("eras enough");
    let ridge = Ridge { penalties: vec![0.01], ..Ridge::default() };
    let mut group = criterion.benchmark_group("evaluate");
    group.sample_size(10).throughput(Throughput::Elements(splits.folds().len() as u64));
    group.bench_function("cpcv_10_3_ridge_120x100x20", |b| {
        b.iter(|| backtest_paths(&ridge, &panel, &splits, &[&Corr::default()], &silent));
    });
    group.finish();
}

fn gate(criterion: &mut Criterion) {
    let panel = panel(20, 100, 100);
    let gate = GateRecipe::default().learn(&panel).expect("a gate");
    let row: Vec<f32> = (0..100).map(|at| panel.feature(at).to_f32()[7]).collect();
    criterion.bench_function("guard/row_of_100", |b| b.iter(|| gate.row(black_box(&row))));
}

criterion_group!(benches, overfitting, paths, gate);
criterion_main!(benches);
