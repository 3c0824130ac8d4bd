//! Detectors on series of era scores: two years of weeks, and 5 % for an alarm within them.

use std::sync::LazyLock;

use fattail_drift::{
    Adwin, Alarm, Baseline, Cusum, Dependence, FalseAlarms, PageHinkley, average_run_length,
};
use rayon::prelude::*;

use super::{Case, LEVEL, SEED, Size};
use crate::draws::Draws;

const ERAS: usize = 104;
const SHIFTS: [f64; 5] = [0.25, 0.5, 1.0, 1.5, 2.0];
const WIDE: [f64; 5] = [0.5, 1.0, 2.0, 3.0, 4.0];
const KNOWN: Baseline = Baseline::Known { mean: 0.0, std: 1.0 };
const LEARNT: Baseline = Baseline::Learnt { warm_up: 12 };

pub(super) const CASES: &[Case] = &[
    Case { name: "CUSUM, level known", world: cusum_known, size: Size::Exact, effects: SHIFTS },
    Case {
        name: "CUSUM, level learnt",
        world: cusum_learnt,
        size: Size::Conservative,
        effects: SHIFTS,
    },
    Case { name: "Page-Hinkley, calibrated", world: hinkley, size: Size::Exact, effects: SHIFTS },
    Case {
        name: "ADWIN, δ = 0.05, range ±4 deviations",
        world: adwin,
        size: Size::Conservative,
        effects: WIDE,
    },
    Case {
        name: "CUSUM, overlapping scores, nothing done",
        world: cusum_naive,
        size: Size::Broken(0.5),
        effects: SHIFTS,
    },
    Case {
        name: "CUSUM, overlapping scores, thinned",
        world: cusum_thinned,
        size: Size::Exact,
        effects: WIDE,
    },
    Case {
        name: "CUSUM, overlapping scores, whitened by 6 lags of 300 eras",
        world: cusum_whitened,
        size: Size::Broken(0.02),
        effects: WIDE,
    },
    Case {
        name: "Page-Hinkley, overlapping scores, thinned",
        world: hinkley_thinned,
        size: Size::Exact,
        effects: WIDE,
    },
    Case {
        name: "ADWIN, overlapping scores, nothing done",
        world: adwin_naive,
        size: Size::Conservative,
        effects: WIDE,
    },
];

/// Half of the series without a change, and half shifted.
fn shifted(mut scores: Vec<f64>, shift: f64) -> Vec<f64> {
    scores[ERAS / 2..].iter_mut().for_each(|score| *score += shift);
    scores
}

fn independent(world: u32, shift: f64) -> Vec<f64> {
    shifted(Draws::new(SEED, world).normals(ERAS, 0.0), shift)
}

fn overlapping(world: u32, shift: f64) -> Vec<f64> {
    shifted(Draws::new(SEED, world).overlapping(ERAS), shift)
}

fn alarmed(alarms: Vec<Alarm>) -> f64 {
    if alarms.is_empty() { 1.0 } else { 0.0 }
}

/// Thresholds are found once: by settings, not by world.
static PLAIN: LazyLock<f64> = LazyLock::new(|| threshold(Dependence::None));
static THIN: LazyLock<f64> = LazyLock::new(|| threshold(Dependence::Thin { lag: 3 }));

fn threshold(dependence: Dependence) -> f64 {
    let false_alarms = FalseAlarms::Within { eras: ERAS, probability: LEVEL };
    let settings = Cusum { baseline: KNOWN, false_alarms, dependence, ..Cusum::default() };
    settings.detector().unwrap().threshold()
}

fn cusum(scores: &[f64], baseline: Baseline, dependence: Dependence) -> f64 {
    let thin = matches!(dependence, Dependence::Thin { .. });
    let false_alarms = FalseAlarms::Threshold(if thin { *THIN } else { *PLAIN });
    let settings = Cusum { baseline, false_alarms, dependence, ..Cusum::default() };
    alarmed(settings.alarms(scores).unwrap())
}

fn cusum_known(world: u32, shift: f64) -> f64 {
    cusum(&independent(world, shift), KNOWN, Dependence::None)
}

fn cusum_learnt(world: u32, shift: f64) -> f64 {
    cusum(&independent(world, shift), LEARNT, Dependence::None)
}

fn cusum_naive(world: u32, shift: f64) -> f64 {
    cusum(&overlapping(world, shift), KNOWN, Dependence::None)
}

fn cusum_thinned(world: u32, shift: f64) -> f64 {
    cusum(&overlapping(world, shift), KNOWN, Dependence::Thin { lag: 3 })
}

/// The autoregression and the spread of what it leaves come from 300 eras of another world.
fn cusum_whitened(world: u32, shift: f64) -> f64 {
    let before = Draws::new(SEED + 1, world).overlapping(300);
    let rule = Dependence::whitening(&before, 6).unwrap();
    let Dependence::Whiten { mean, coefficients } = &rule else { unreachable!() };
    let left: Vec<f64> = (coefficients.len()..before.len())
        .map(|at| {
            let known: f64 =
                coefficients.iter().zip(1..).map(|(c, j)| c * (before[at - j] - mean)).sum();
            before[at] - known
        })
        .collect();
    let baseline = Baseline::Known { mean: *mean, std: fattail_stats::std(&left, 1) };
    cusum(&overlapping(world, shift), baseline, rule)
}

static HINKLEY: LazyLock<PageHinkley> = LazyLock::new(|| calibrated(Dependence::None, 12));
static HINKLEY_THIN: LazyLock<PageHinkley> =
    LazyLock::new(|| calibrated(Dependence::Thin { lag: 3 }, 4));

fn calibrated(dependence: Dependence, min_scores: u64) -> PageHinkley {
    let settings = PageHinkley { delta: 0.5, min_scores, dependence, ..PageHinkley::default() };
    settings.calibrated(1.0, ERAS, LEVEL, 99).unwrap()
}

fn hinkley(world: u32, shift: f64) -> f64 {
    alarmed(HINKLEY.alarms(&independent(world, shift)).unwrap())
}

fn hinkley_thinned(world: u32, shift: f64) -> f64 {
    alarmed(HINKLEY_THIN.alarms(&overlapping(world, shift)).unwrap())
}

fn adwin_of(scores: &[f64]) -> f64 {
    let settings = Adwin { delta: 0.05, range: [-4.0, 4.0], ..Adwin::default() };
    alarmed(settings.alarms(scores).unwrap())
}

fn adwin(world: u32, shift: f64) -> f64 {
    adwin_of(&independent(world, shift))
}

fn adwin_naive(world: u32, shift: f64) -> f64 {
    adwin_of(&overlapping(world, shift))
}

/// The average eras to the first false alarm, against the stated.
pub(super) fn print_run_lengths(worlds: u32) {
    println!("| CUSUM, allowance | stated: one in | found | error |\n|---|---|---|---|");
    for (allowance, stated) in [(0.25, 100.0), (0.5, 100.0), (0.5, 370.0), (1.0, 200.0)] {
        let (mean, error) = run_length(worlds, allowance, stated);
        println!("| {allowance} | {stated} | {mean:.1} | ± {error:.1} |");
    }
}

fn run_length(worlds: u32, allowance: f64, stated: f64) -> (f64, f64) {
    let false_alarms = FalseAlarms::Every(stated);
    let settings = Cusum { baseline: KNOWN, allowance, false_alarms, ..Cusum::default() };
    let ready = settings.detector().unwrap();
    let run = |world: u32| {
        let (mut draws, mut detector) = (Draws::new(SEED, world), ready.clone());
        let first = (1..100_000).find(|_| detector.update(draws.normal()).is_some());
        f64::from(first.unwrap())
    };
    let runs: Vec<f64> = (0..worlds).into_par_iter().map(run).collect();
    let error = 1.96 * fattail_stats::std(&runs, 1) / f64::from(worlds).sqrt();
    (fattail_stats::mean(&runs), error)
}

#[test]
fn run_lengths_are_the_stated_ones() {
    let (mean, error) = run_length(400, 0.5, 60.0);
    assert!((mean - 60.0).abs() < 2.5 * error, "{mean} ± {error}");
    let h = FalseAlarms::Every(60.0);
    let settings = Cusum { baseline: KNOWN, false_alarms: h, ..Cusum::default() };
    let threshold = settings.detector().unwrap().threshold();
    assert!((average_run_length(threshold, 0.5) - 60.0).abs() < 0.01);
}
