//! How fast do a Parquet file's bins become a panel, all columns and a few of them?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fattail::silent;
use fattail::store::{Features, ReadOptions, read_parquet, write_parquet};
use fattail_benches::market;
use std::error::Error;

const FEATURES: usize = 100;

fn run(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("panel.parquet");
    let panel = market(10, 5_000, FEATURES)?;
    write_parquet(&panel, &path)?;
    let all = ReadOptions { id: None, ..ReadOptions::default() };
    let few = (0..10).map(|at| format!("feature_{at:03}")).collect();
    let few = ReadOptions { features: Features::Named(few), ..all.clone() };
    let mut group = criterion.benchmark_group("parquet/50000");
    for (name, features, options) in [("all_100", FEATURES, all), ("10_of_100", 10, few)] {
        group.throughput(Throughput::Elements((panel.rows() * features) as u64)).sample_size(20);
        group.bench_function(name, |b| {
            b.iter(|| read_parquet(&path, &options, &silent).map_err(Box::new))
        });
    }
    group.finish();
    Ok(())
}

fn parquet(criterion: &mut Criterion) {
    run(criterion).expect("a temporary folder can be written and read");
}

criterion_group!(benches, parquet);
criterion_main!(benches);
