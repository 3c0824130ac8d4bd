//! What do SHAP values and interactions cost a row, for shallow trees, for deep ones, and for a row
//! alone?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::Panel;
use fattail::stats::{Counter, unit};
use fattail::trees::{Child, Feature, Forest, Missing, Node, Rule, Tree, explain::Explainer};
use fattail_benches::normal;
use std::hint::black_box;

const ROWS: usize = 5_000;
const TREES: usize = 20;

/// Splits leaves one by one: the oldest first, or with `deep` one of the four youngest.
fn tree(seed: u64, features: usize, leaves: usize, deep: bool) -> Tree {
    let mut random = Counter::new(seed).draw(0);
    let mut tree = Tree::constant(vec![0.0], 0);
    for new in 0..leaves - 1 {
        let pick = (4.0 * unit(&mut random)) as usize;
        let split = if deep { new - pick.min(new) } else { oldest(&tree) } as u32;
        for node in &mut tree.nodes {
            for child in [&mut node.left, &mut node.right] {
                if *child == Child::Leaf(split) {
                    *child = Child::Node(new as u32);
                }
            }
        }
        let threshold = 2.0 * unit(&mut random) - 1.0;
        tree.nodes.push(Node {
            feature: (features as f64 * unit(&mut random)) as u32,
            rule: Rule::Numeric { threshold, missing: Missing::Nan, default_left: true },
            left: Child::Leaf(split),
            right: Child::Leaf(new as u32 + 1),
            gain: 1.0,
            value: 0.0,
            weight: 1.0,
            count: 1,
        });
    }
    tree.values = (0..leaves).map(|_| unit(&mut random) - 0.5).collect();
    tree.counts = (0..leaves).map(|_| 1 + (100.0 * unit(&mut random)) as u64).collect();
    tree.weights = tree.counts.iter().map(|&count| count as f64).collect();
    tree
}

/// The leaf of the smallest depth, the first of several.
fn oldest(tree: &Tree) -> usize {
    let mut queue = std::collections::VecDeque::from([Child::Node(0)]);
    while let Some(at) = queue.pop_front() {
        match at {
            Child::Leaf(leaf) => return leaf as usize,
            Child::Node(node) => match tree.nodes.get(node as usize) {
                Some(node) => queue.extend([node.left, node.right]),
                None => return 0,
            },
        }
    }
    0
}

fn input(features: usize, leaves: usize, deep: bool) -> fattail::Result<(Forest, Panel)> {
    let name = |at: usize| format!("feature_{at:03}");
    let trees = (0..TREES).map(|at| tree(at as u64, features, leaves, deep)).collect();
    let named = (0..features).map(|at| Feature { name: name(at), ..Feature::default() });
    let forest = Forest { features: named.collect(), trees, ..Forest::default() };
    let column =
        |panel: fattail::PanelBuilder, at: usize| panel.feature(name(at), normal(at as u64, ROWS));
    Ok((forest, (0..features).fold(Panel::builder(), column).build()?))
}

fn run(criterion: &mut Criterion) -> fattail::Result<()> {
    for (name, features, leaves, deep) in
        [("500_columns_31_leaves", 500, 31, false), ("28_columns_255_leaves", 28, 255, true)]
    {
        let (forest, panel) = input(features, leaves, deep)?;
        let explainer = Explainer::new(&forest)?;
        let row: Vec<f64> =
            (0..features).map(|at| panel.feature(at).era(0).get(0).into()).collect();
        let mut group = criterion.benchmark_group(format!("shap/20_trees_{name}"));
        group.sample_size(10);
        group.bench_function("one_row", |b| b.iter(|| explainer.shap_row(black_box(&row))));
        group.throughput(Throughput::Elements(ROWS as u64));
        group.bench_function("5000_rows", |b| b.iter(|| explainer.shap(black_box(&panel))));
        if features < 100 {
            group.bench_function("5000_rows_interactions", |b| {
                b.iter(|| explainer.interactions(black_box(&panel)))
            });
        }
        group.finish();
    }
    Ok(())
}

fn shap(criterion: &mut Criterion) {
    run(criterion).expect("the synthetic forest fits its panel");
}

criterion_group!(benches, shap);
criterion_main!(benches);
