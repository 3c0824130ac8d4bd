//! What does it cost to bin a panel: small integers that are codes already, the same with eras left
//! out, and numbers at 255 and at many more bins?

use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use fattail::Panel;
use fattail::bins::{Binning, Mappers};
use fattail_benches::{fat_tails, market, normal};
use std::hint::black_box;

fn numbers(rows: usize, width: usize) -> Panel {
    let column = |seed| if seed % 4 == 0 { fat_tails(seed, rows) } else { normal(seed, rows) };
    let start = Panel::builder();
    let named = |panel: fattail::PanelBuilder, at: usize| {
        panel.feature(format!("feature_{at:03}"), column(at as u64))
    };
    (0..width).fold(start, named).build().expect("the panel has rows")
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, panel: &Panel, binning: &Binning) {
    group.bench_function(format!("{name}/learn"), |b| {
        b.iter(|| Mappers::learn(black_box(panel), binning))
    });
    let mappers = Mappers::learn(panel, binning).expect("the settings are in range");
    group.bench_function(format!("{name}/apply"), |b| b.iter(|| mappers.apply(black_box(panel))));
}

fn bins(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bins");
    group.sample_size(10);
    let panel = market(160, 1_000, 100).expect("the panel has rows");
    measure(&mut group, "160000x100_of_5_values", &panel, &Binning::default());
    let even: Vec<usize> = (0..160).step_by(2).collect();
    let cut = panel.cut(&even).expect("the eras increase");
    measure(&mut group, "80000x100_of_5_values_copied", &cut, &Binning::default());
    let panel = numbers(500_000, 4);
    measure(&mut group, "500000x4_255_bins", &panel, &Binning::default());
    let many = Binning { max_bins: 65_535, min_data_in_bin: 1, ..Binning::default() };
    measure(&mut group, "500000x4_65535_bins", &panel, &many);
    group.finish();
}

criterion_group!(benches, bins);
criterion_main!(benches);
