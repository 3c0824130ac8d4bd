//! Means under overlap, Sharpe ratios and their differences.

use fattail_luck::{Bootstrap, Estimate, Hac, LongRun, Resampling};

use super::draw::{Law, source};
use super::{Effort, SIZE, Size, print_power, print_sizes};

fn mean_rate(effort: Effort, law: Law, eras: usize, long_run: LongRun, shift: f64) -> f64 {
    let hac = Hac { long_run, ..Hac::default() };
    effort.rate(|world| {
        let series = source(31, world).series(law, eras);
        let moved: Vec<f64> = series.iter().map(|v| v + shift).collect();
        hac.mean(&moved).unwrap().p_value <= SIZE
    })
}

/// Two series of correlation 0.5, the first with a larger Sharpe ratio by `gain`, both with 0.1 before.
fn difference_rate(
    effort: Effort,
    (law, eras, gain): (Law, usize, f64),
    test: impl Fn(&[f64], &[f64], u32) -> Estimate + Sync + Send,
) -> f64 {
    effort.rate(|world| {
        let columns = source(32, world).columns(law, eras, 2, 0.5);
        let moved = |at: usize, by: f64| columns[at].iter().map(|v| v + by).collect::<Vec<f64>>();
        test(&moved(0, 0.1 + gain), &moved(1, 0.1), world).p_value <= SIZE
    })
}

fn bootstrap(effort: Effort, world: u32) -> Bootstrap {
    let seed = 2_000_000 + u64::from(world);
    let resampling = Resampling { draws: effort.draws, seed, ..Resampling::default() };
    Bootstrap { resampling, ..Bootstrap::default() }
}

fn studentised(effort: Effort, world: (Law, usize, f64)) -> f64 {
    difference_rate(effort, world, |a, b, seed| {
        bootstrap(effort, seed).sharpe_difference(a, b).unwrap()
    })
}

fn percentile(effort: Effort, world: (Law, usize, f64)) -> f64 {
    let sharpe = |x: &[f64]| fattail_stats::mean(x) / fattail_stats::std(x, 1);
    difference_rate(effort, world, |a, b, seed| {
        bootstrap(effort, seed).percentile_difference(a, b, sharpe).unwrap()
    })
}

fn hac(effort: Effort, world: (Law, usize, f64), long_run: LongRun) -> f64 {
    let hac = Hac { long_run, ..Hac::default() };
    difference_rate(effort, world, |a, b, _| hac.sharpe_difference(a, b).unwrap())
}

const COSINES: LongRun = LongRun::Cosines { count: None };

pub(crate) fn brief(effort: Effort) -> Vec<Size> {
    let near = |name, rate| Size { name, rate, conservative: false };
    let mean = |law, span| mean_rate(effort, law, 120, LongRun::Overlap { span }, 0.0);
    vec![
        near("mean", mean_rate(effort, Law::Normal, 120, COSINES, 0.0)),
        near("mean of overlap", mean(Law::Overlap(4), 4)),
        near("mean of long overlap", mean(Law::Overlap(12), 12)),
        near("studentised difference", studentised(effort, (Law::Fat, 120, 0.0))),
        near("difference, cosines", hac(effort, (Law::Normal, 120, 0.0), COSINES)),
    ]
}

pub(crate) fn power(effort: Effort, gain: f64) -> f64 {
    studentised(effort, (Law::Normal, 250, gain))
}

pub(crate) fn tables(effort: Effort) {
    println!(
        "\n| HAC mean, null: mean 0 | overlap k | cosines | Newey-West, lags k-1, normal \
         | fixed-b, lags k-1 | fixed-b, lags 1.3√n |\n|---|---|---|---|---|---|"
    );
    let laws = [
        ("normal", Law::Normal, 1),
        ("overlap of 4", Law::Overlap(4), 4),
        ("overlap of 12", Law::Overlap(12), 12),
        ("AR(1) 0.5", Law::Autoregressive(0.5), 4),
    ];
    for (name, law, span) in laws {
        for eras in [120, 250, 500] {
            let many = (1.3 * (eras as f64).sqrt()) as usize;
            let rates = [
                LongRun::Overlap { span },
                COSINES,
                LongRun::NeweyWest { lags: span - 1 },
                LongRun::FixedB { lags: span - 1 },
                LongRun::FixedB { lags: many },
            ]
            .map(|long_run| mean_rate(effort, law, eras, long_run, 0.0));
            print_sizes(effort, &format!("{name}, {eras} eras"), &rates);
        }
    }
    println!(
        "\n| Sharpe difference, null: both 0.1 | studentised bootstrap | percentile bootstrap \
         | HAC, cosines | HAC, Newey-West 5 |\n|---|---|---|---|---|"
    );
    let laws = [
        ("normal", Law::Normal),
        ("Student t5", Law::Fat),
        ("crashes", Law::Crash),
        ("AR(1) 0.3", Law::Autoregressive(0.3)),
        ("overlap of 4", Law::Overlap(4)),
    ];
    for (name, law) in laws {
        for eras in [120, 250, 500] {
            let world = (law, eras, 0.0);
            let rates = [
                studentised(effort, world),
                percentile(effort, world),
                hac(effort, world, COSINES),
                hac(effort, world, LongRun::NeweyWest { lags: 5 }),
            ];
            print_sizes(effort, &format!("{name}, {eras} eras"), &rates);
        }
    }
    let effects = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3];
    println!("\n| power, 250 eras, effect | 0 | 0.05 | 0.1 | 0.15 | 0.2 | 0.3 |");
    println!("|---|---|---|---|---|---|---|");
    for (name, law, span) in [
        ("normal", Law::Normal, 1),
        ("overlap of 4", Law::Overlap(4), 4),
        ("overlap of 12", Law::Overlap(12), 12),
    ] {
        let long_run = LongRun::Overlap { span };
        let rates = effects.map(|shift| mean_rate(effort, law, 250, long_run, shift));
        print_power(&format!("mean, {name}"), &rates);
    }
    for (name, law) in [("normal", Law::Normal), ("Student t5", Law::Fat)] {
        let rates = effects.map(|gain| studentised(effort, (law, 250, gain)));
        print_power(&format!("Sharpe difference, studentised, {name}"), &rates);
        let rates = effects.map(|gain| hac(effort, (law, 250, gain), COSINES));
        print_power(&format!("Sharpe difference, cosines, {name}"), &rates);
    }
}
