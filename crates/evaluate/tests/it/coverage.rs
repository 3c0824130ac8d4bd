//! How often the 95 % intervals of a mean hold the true one, over seeded series whose dependence is that of
//! overlapping labels: moving sums of `k` independent normal values, of mean 0.

use fattail_evaluate::{EraMean, EraScore, Horizon, Scores, Summary};
use fattail_stats::{Counter, long_run_variance, mean, normal_quantile, unit};

const WORLDS: u32 = 1_000;

/// Scores whose labels span `span` eras.
fn world(seed: u32, eras: usize, span: usize) -> Vec<f64> {
    let mut random = Counter::new(95).draw(seed);
    let steps: Vec<f64> =
        (0..eras + span - 1).map(|_| normal_quantile(unit(&mut random))).collect();
    steps.windows(span).map(|window| window.iter().sum()).collect()
}

/// The share of worlds whose interval holds 0.
fn coverage(eras: usize, span: usize, interval: impl Fn(&[f64]) -> [f64; 2]) -> f64 {
    let holds = |seed: &u32| {
        let [low, high] = interval(&world(*seed, eras, span));
        low <= 0.0 && 0.0 <= high
    };
    (0..WORLDS).filter(holds).count() as f64 / f64::from(WORLDS)
}

/// Three deviations of a share of 95 % of the worlds.
fn three_deviations() -> f64 {
    3.0 * (0.95 * 0.05 / f64::from(WORLDS)).sqrt()
}

fn horizon(span: usize) -> Horizon {
    Horizon { days: 5 * span as u32, ..Horizon::NUMERAI_20 }
}

#[test]
fn intervals_of_means_cover_what_they_promise() {
    for (eras, span) in [(150, 1), (120, 4), (250, 4), (52, 4), (120, 12), (250, 12), (52, 12)] {
        let found = coverage(eras, span, |scores| EraMean::of(scores, span - 1).interval);
        let off = (found - 0.95).abs();
        assert!(off < three_deviations(), "{eras} eras, labels of {span}: {found}");
    }
}

/// The interval that was here before: Bartlett weights up to the overlap lag, normal values.
#[test]
fn newey_and_west_promise_more_than_they_keep() {
    let bartlett = |scores: &[f64], lag: usize| {
        let error = (long_run_variance(scores, lag).unwrap() / scores.len() as f64).sqrt();
        [mean(scores) - 1.96 * error, mean(scores) + 1.96 * error]
    };
    for (eras, span) in [(120, 4), (250, 4), (120, 12), (250, 12)] {
        let found = coverage(eras, span, |scores| bartlett(scores, span - 1));
        assert!(found < 0.95 - three_deviations(), "{eras} eras, labels of {span}: {found}");
    }
}

/// One interval for all: what a summary and a rolling window show is that of a mean over eras.
#[test]
fn summaries_show_the_same_interval() {
    for span in [1, 4, 12] {
        let scores = world(1, 150, span);
        let mean = EraMean::of(&scores, span - 1);
        let summary = Summary::with_horizon(&scores, &horizon(span));
        assert_eq!((summary.interval, summary.t_degrees), (mean.interval, mean.degrees));
        let era = |(i, &value): (usize, &f64)| EraScore { era: i.to_string(), value, reason: None };
        let eras = scores.iter().enumerate().map(era).collect();
        let all = Scores { metric: "corr".into(), eras };
        let one = Summary::by(&all, &horizon(span), |_| "all".into());
        assert_eq!(one[0].1.interval, mean.interval);
    }
}
