//! How bad it gets: drawdowns, streaks and tails of a series.

use fattail_stats as stats;

/// `max(peak - value)` of the running sum, the peak counted from the first score on.
pub(super) fn drawdown(s: &[f64]) -> f64 {
    let (mut sum, mut peak, mut deepest) = (0.0, f64::NEG_INFINITY, 0.0_f64);
    for score in s {
        sum += score;
        peak = f64::max(peak, sum);
        deepest = deepest.max(peak - sum);
    }
    if s.is_empty() { f64::NAN } else { deepest }
}

/// `max((peak - value) / peak)` of the running product of `1 + s`.
pub(super) fn payout_drawdown(s: &[f64]) -> f64 {
    let (mut product, mut peak, mut deepest) = (1.0, f64::NEG_INFINITY, 0.0_f64);
    for score in s {
        product *= 1.0 + score;
        peak = f64::max(peak, product);
        deepest = deepest.max((peak - product) / peak);
    }
    if s.is_empty() { f64::NAN } else { deepest }
}

/// The longest run of eras in which the running sum stays below its peak.
pub(super) fn drawdown_eras(s: &[f64]) -> usize {
    let mut state = (0.0, f64::NEG_INFINITY);
    longest(s.iter().map(|score| {
        let sum = state.0 + score;
        state = (sum, f64::max(state.1, sum));
        sum < state.1
    }))
}

/// The longest run of `true`.
pub(super) fn longest(marks: impl Iterator<Item = bool>) -> usize {
    let (mut run, mut most) = (0, 0);
    for mark in marks {
        run = if mark { run + 1 } else { 0 };
        most = most.max(run);
    }
    most
}

/// The share of scores that `accept` takes.
pub(super) fn share(s: &[f64], accept: impl Fn(f64) -> bool) -> f64 {
    s.iter().filter(|&&score| accept(score)).count() as f64 / s.len() as f64
}

/// The mean of the worst `⌈share · n⌉` scores.
pub(super) fn worst_mean(s: &[f64], share: f64) -> f64 {
    let mut sorted = s.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = (share * s.len() as f64).ceil() as usize;
    stats::mean(&sorted[..count.min(s.len())])
}

/// `|mean of the first half - mean of the second half|`.
pub(super) fn half_delta(s: &[f64]) -> f64 {
    let (first, second) = s.split_at(s.len() / 2);
    (stats::mean(first) - stats::mean(second)).abs()
}
