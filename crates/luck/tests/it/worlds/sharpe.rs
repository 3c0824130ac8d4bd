//! Probabilistic and deflated Sharpe ratios.

use fattail_luck::{SharpeSample, Trials};

use super::draw::{Law, slices, source};
use super::{Effort, SIZE, print_power, print_sizes};

fn shifted(law: Law, eras: usize, sharpe: f64, world: u32) -> SharpeSample {
    let series = source(11, world).series(law, eras);
    SharpeSample::of(&series.iter().map(|v| v + sharpe).collect::<Vec<_>>()).unwrap()
}

/// Rejection rates of 2012, of 2025 for independent eras, and of 2025.
fn probabilistic(effort: Effort, law: Law, eras: usize, sharpe: f64) -> [f64; 3] {
    let forms: [fn(SharpeSample) -> f64; 3] = [
        |sample| sample.probabilistic_2012(0.0),
        |sample| sample.independent().probabilistic(0.0),
        |sample| sample.probabilistic(0.0),
    ];
    let rate = |form: fn(SharpeSample) -> f64| {
        effort.rate(|world| form(shifted(law, eras, sharpe, world)) > 1.0 - SIZE)
    };
    forms.map(rate)
}

/// Trials without skill, the best of them with `sharpe`.
fn best(
    eras: usize,
    count: usize,
    correlation: f64,
    sharpe: f64,
    world: u32,
) -> (SharpeSample, Vec<Vec<f64>>) {
    let mut columns = source(12, world).columns(Law::Normal, eras, count, correlation);
    columns[0].iter_mut().for_each(|v| *v += sharpe);
    let samples = columns.iter().map(|column| SharpeSample::of(column).unwrap());
    let best = samples.max_by(|a, b| a.sharpe.total_cmp(&b.sharpe)).unwrap();
    // Deflation is asked for independent eras here.
    (best.independent(), columns)
}

fn sharpes(columns: &[Vec<f64>]) -> Trials {
    let each = columns.iter().map(|column| SharpeSample::of(column).unwrap().sharpe);
    Trials::from_sharpes(&each.collect::<Vec<_>>())
}

type Deflate = fn(&SharpeSample, &Trials) -> f64;
const DEFLATE: [Deflate; 3] =
    [SharpeSample::deflated_2014, SharpeSample::deflated, SharpeSample::best_of];

fn deflated(
    effort: Effort,
    eras: usize,
    (count, correlation, sharpe): (usize, f64, f64),
    trials: impl Fn(&[Vec<f64>]) -> Trials + Sync,
) -> [f64; 3] {
    DEFLATE.map(|form| {
        effort.rate(|world| {
            let (best, columns) = best(eras, count, correlation, sharpe, world);
            form(&best, &trials(&columns)) > 1.0 - SIZE
        })
    })
}

pub(crate) fn brief(effort: Effort) -> Vec<(&'static str, f64)> {
    let psr = |law| probabilistic(effort, law, 120, 0.0)[2];
    vec![
        ("PSR normal", psr(Law::Normal)),
        ("PSR fat", psr(Law::Fat)),
        ("PSR autoregressive", psr(Law::Autoregressive(0.3))),
        ("DSR", deflated(effort, 120, (20, 0.0, 0.0), sharpes)[1]),
    ]
}

pub(crate) fn tables(effort: Effort) {
    println!("\n| PSR, null: Sharpe ratio 0 | 2012 | 2025, ρ = 0 | 2025 |\n|---|---|---|---|");
    let laws = [
        ("normal", Law::Normal),
        ("Student t5", Law::Fat),
        ("crashes", Law::Crash),
        ("AR(1) 0.3", Law::Autoregressive(0.3)),
    ];
    for (name, law) in laws {
        for eras in [60, 250, 1000] {
            let rates = probabilistic(effort, law, eras, 0.0);
            print_sizes(effort, &format!("{name}, {eras} eras"), &rates);
        }
    }
    println!("\n| DSR, null: best of K without skill | 2014 | 2025 | best of |\n|---|---|---|---|");
    for (count, eras) in [(10, 250), (100, 250), (100, 1000), (1000, 250)] {
        let rates = deflated(effort, eras, (count, 0.0, 0.0), sharpes);
        print_sizes(effort, &format!("K = {count}, {eras} eras, all count"), &rates);
    }
    let rank = |columns: &[Vec<f64>]| Trials::from_scores(&slices(columns)).unwrap();
    let clusters = |columns: &[Vec<f64>]| Trials::from_clusters(&slices(columns), 0.5).unwrap();
    for correlation in [0.0, 0.5] {
        let world = (50, correlation, 0.0);
        let name = |how: &str| format!("K = 50, correlation {correlation}, 250 eras, {how}");
        print_sizes(effort, &name("all count"), &deflated(effort, 250, world, sharpes));
        print_sizes(effort, &name("effective rank"), &deflated(effort, 250, world, rank));
        print_sizes(effort, &name("clusters"), &deflated(effort, 250, world, clusters));
    }
    let effects = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3];
    println!("\n| power, 250 eras, Sharpe ratio | 0 | 0.05 | 0.1 | 0.15 | 0.2 | 0.3 |");
    println!("|---|---|---|---|---|---|---|");
    for (at, name) in ["PSR 2012", "PSR 2025, ρ = 0", "PSR 2025"].into_iter().enumerate() {
        for (law, mark) in [(Law::Normal, "normal"), (Law::Crash, "crashes")] {
            let rates = effects.map(|s| probabilistic(effort, law, 250, s)[at]);
            print_power(&format!("{name}, {mark}"), &rates);
        }
    }
    for (at, name) in ["DSR 2014", "DSR 2025", "best of"].into_iter().enumerate() {
        let rates = effects.map(|s| deflated(effort, 250, (20, 0.0, s), sharpes)[at]);
        print_power(&format!("{name}, one of 20 trials has it"), &rates);
    }
}
