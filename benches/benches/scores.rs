//! What does each score of an era cost, and what does FNC cost as features grow?

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fattail::evaluate::{ContributionTo, Corr, FeatureNeutralCorr, SpearmanCorr};
use fattail::{Metric, Panel, Result};
use fattail_benches::{market, normal};
use std::hint::black_box;

const ROWS: usize = 5_000;

/// Scores eras with other predictions each time: a scorer remembers the ranks of the last ones.
fn one_metric(criterion: &mut Criterion, panel: &Panel, name: &str, metric: &dyn Metric) {
    let predictions = [normal(8, ROWS), normal(9, ROWS)];
    let mut turn = 0;
    let mut group = criterion.benchmark_group("scores/5000");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    group.bench_function(BenchmarkId::new(name, panel.width()), |b| {
        b.iter(|| {
            turn = 1 - turn;
            metric.score(&panel.era(0), black_box(&predictions[turn]))
        });
    });
    group.finish();
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let panel = market(1, ROWS, 10)?;
    one_metric(criterion, &panel, "spearman", &SpearmanCorr);
    one_metric(criterion, &panel, "corr", &Corr::default());
    one_metric(criterion, &panel, "mmc", &ContributionTo::mmc("meta"));
    for features in [10, 42, 160] {
        let panel = market(1, ROWS, features)?;
        one_metric(criterion, &panel, "fnc_by_features", &FeatureNeutralCorr::default());
    }
    Ok(())
}

fn scores(criterion: &mut Criterion) {
    run(criterion).expect("the synthetic market is a panel");
}

criterion_group!(benches, scores);
criterion_main!(benches);
