//! What overlapping scores tell beside the interval of their mean ([`EraMean`](crate::EraMean)).

use fattail_stats::{self as stats, Blocks, Counter};

/// Resamples of the bootstrap interval.
const DRAWS: u32 = 1_000;

/// `ω` with Bartlett weights up to `lag`, or as far as the scores reach; NaN of fewer than two.
pub(super) fn bartlett_std(s: &[f64], lag: usize) -> f64 {
    if s.len() < 2 {
        return f64::NAN;
    }
    stats::long_run_variance(s, lag.min(s.len() - 2)).map_or(f64::NAN, f64::sqrt)
}

/// The stationary bootstrap with blocks of at least `least` eras.
pub(super) fn bootstrap(s: &[f64], least: usize) -> [f64; 2] {
    if s.len() < 2 {
        return [f64::NAN; 2];
    }
    let chosen = stats::optimal_block_length(s).map_or(f64::NAN, |length| length.stationary);
    let length = chosen.max(least as f64).clamp(1.0, s.len() as f64);
    let blocks = Blocks::Stationary(length);
    stats::bootstrap_interval(s, blocks, DRAWS, 0.95, Counter::new(0), stats::mean)
        .map_or([f64::NAN; 2], |found| [found.lower, found.upper])
}
