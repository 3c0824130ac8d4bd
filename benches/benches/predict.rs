//! What does a prediction of 300 trees cost a row, in batches of bins, in batches of numbers with
//! large trees, and alone?

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fattail::Panel;
use fattail::stats::{Counter, unit};
use fattail::trees::{Child, Feature, Forest, Missing, Node, Predictor, Rule, Tree};
use fattail_benches::{bins, normal};
use std::hint::black_box;

/// A forest of random trees: leaves are split breadth first, at thresholds of a grid.
fn forest(features: usize, trees: usize, leaves: usize, grid: &[f64]) -> Forest {
    let mut generator = Counter::new(5).draw(0);
    let mut below = |count: usize| (unit(&mut generator) * count as f64) as usize;
    let mut tree = || {
        let node = |at: usize| Node {
            feature: below(features) as u32,
            rule: Rule::Numeric {
                threshold: grid[below(grid.len())],
                missing: Missing::Nan,
                default_left: at.is_multiple_of(2),
            },
            left: child(2 * at + 1, leaves),
            right: child(2 * at + 2, leaves),
            gain: 1.0,
            value: 0.0,
            weight: 1.0,
            count: 1,
        };
        let nodes = (0..leaves - 1).map(node).collect();
        let values = (0..leaves).map(|leaf| leaf as f64 / 7.0 - 1.0).collect();
        let (weights, counts) = (vec![1.0; leaves], vec![1; leaves]);
        Tree { nodes, values, weights, counts, ..Tree::constant(vec![0.0], 0) }
    };
    let trees = (0..trees).map(|_| tree()).collect();
    let feature = |at| Feature { name: format!("x{at}"), ..Feature::default() };
    Forest { features: (0..features).map(feature).collect(), trees, ..Forest::default() }
}

/// Heap order: nodes first, then leaves.
fn child(at: usize, leaves: usize) -> Child {
    match at.checked_sub(leaves - 1) {
        Some(leaf) => Child::Leaf(leaf as u32),
        None => Child::Node(at as u32),
    }
}

fn cases() -> fattail::Result<Vec<(&'static str, Forest, Panel)>> {
    let rows = 50_000;
    let (mut small, mut deep) = (Panel::builder(), Panel::builder());
    for at in 0..500 {
        small = small.feature(format!("x{at}"), bins(at, rows));
    }
    for at in 0..28 {
        deep = deep.feature(format!("x{at}"), normal(at, rows));
    }
    let grid: Vec<f64> = (1..255).map(|at| f64::from(at) / 64.0 - 2.0).collect();
    Ok(vec![
        (
            "300_trees_31_leaves_500_bins",
            forest(500, 300, 31, &[0.5, 1.5, 2.5, 3.5]),
            small.build()?,
        ),
        ("200_trees_255_leaves_28_numbers", forest(28, 200, 255, &grid), deep.build()?),
    ])
}

fn predict(criterion: &mut Criterion) {
    let Ok(cases) = cases() else { return };
    for (name, forest, panel) in cases {
        let Ok(predictor) = Predictor::new(&forest) else { return };
        let mut group = criterion.benchmark_group(format!("predict/{name}"));
        group.sample_size(10).throughput(Throughput::Elements(panel.rows() as u64));
        group.bench_function("batch", |b| b.iter(|| predictor.raw(black_box(&panel))));
        group.throughput(Throughput::Elements(1));
        let values: Vec<f64> =
            (0..panel.width()).map(|at| f64::from(panel.feature(at).era(0).get(17))).collect();
        group.bench_function("row", |b| {
            let mut raw = [0.0];
            b.iter(|| predictor.raw_row(black_box(&values), black_box(&mut raw)))
        });
        group.throughput(Throughput::Elements(forest.trees.len() as u64));
        group.bench_function("layout", |b| {
            b.iter_batched(|| (), |()| Predictor::new(black_box(&forest)), BatchSize::PerIteration)
        });
        group.finish();
    }
}

criterion_group!(benches, predict);
criterion_main!(benches);
