//! How sure the mean of overlapping scores is.

use fattail_stats::{self as stats, Blocks, Counter};

use crate::Horizon;

/// The normal quantile of 97.5 %.
const TWO_SIDED_95: f64 = 1.959_963_984_540_054;
/// Resamples of the bootstrap interval.
const DRAWS: u32 = 1_000;

/// The long-run variance and what follows from it.
pub(super) struct Certainty {
    pub(super) lag: usize,
    pub(super) long_run_std: f64,
    pub(super) effective: f64,
    pub(super) standard_error: f64,
    pub(super) interval: [f64; 2],
    pub(super) bootstrap: [f64; 2],
}

impl Certainty {
    pub(super) fn of(s: &[f64], horizon: &Horizon) -> Self {
        let (n, mean) = (s.len() as f64, stats::mean(s));
        let lag = horizon.overlap_lag().unwrap_or(0).min(s.len().saturating_sub(2));
        let variance = if s.len() < 2 { f64::NAN } else { long_run(s, lag) };
        let standard_error = (variance / n).sqrt();
        let half = TWO_SIDED_95 * standard_error;
        Self {
            lag,
            long_run_std: variance.sqrt(),
            effective: super::ratios::over(n * stats::variance(s, 0), variance),
            standard_error,
            interval: [mean - half, mean + half],
            bootstrap: bootstrap(s, lag + 1),
        }
    }
}

fn long_run(s: &[f64], lag: usize) -> f64 {
    stats::long_run_variance(s, lag).unwrap_or(f64::NAN)
}

/// The stationary bootstrap with blocks of at least `least` eras.
fn bootstrap(s: &[f64], least: usize) -> [f64; 2] {
    if s.len() < 2 {
        return [f64::NAN; 2];
    }
    let chosen = stats::optimal_block_length(s).map_or(f64::NAN, |length| length.stationary);
    let length = chosen.max(least as f64).clamp(1.0, s.len() as f64);
    let blocks = Blocks::Stationary(length);
    stats::bootstrap_interval(s, blocks, DRAWS, 0.95, Counter::new(0), stats::mean)
        .map_or([f64::NAN; 2], |found| [found.lower, found.upper])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_scores_count_less() {
        // Each value four times: four eras tell as much as one.
        let s: Vec<f64> = (0..400).map(|i| f64::from((i / 4) * 7919 % 101)).collect();
        let overlapping = Certainty::of(&s, &Horizon::NUMERAI_20);
        let plain = Certainty::of(&s, &Horizon { days: 5, ..Horizon::NUMERAI_20 });
        assert_eq!((overlapping.lag, plain.lag), (3, 0));
        assert!((plain.effective - 400.0).abs() < 1e-9);
        assert!(overlapping.effective < 200.0, "{}", overlapping.effective);
        assert!(overlapping.standard_error > 1.4 * plain.standard_error);
        let width = |ends: [f64; 2]| ends[1] - ends[0];
        assert!(width(overlapping.bootstrap) > width(plain.interval));
    }
}
