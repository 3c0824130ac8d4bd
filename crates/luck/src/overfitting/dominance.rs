//! Whether the chosen strategies did better than a strategy taken blindly: distribution functions.
//!
//! `F` is the empirical distribution of a statistic OOS over the combinations. The chosen dominate the
//! mean strategy in first order when `F_chosen(x) <= F_mean(x)` for all `x`, and in second order when
//! `∫ (F_mean - F_chosen) >= 0` up to every `x`; both are decided on all values, not on the grid of the
//! curves. First order implies second order.
//!
//! Values that are not finite are left out of the curves; where one of the chosen is NaN or a loss without end,
//! both answers are no. Without any value the curves are empty, which they are for no points, too.
//!
//! Cost: sorting the combinations; the curves count every statistic once.
//!
//! Reference: Bailey, Borwein, López de Prado and Zhu (2017), The probability of backtest overfitting,
//! section 4.3.

use serde::{Deserialize, Serialize};

/// How the chosen compare with the mean of all strategies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dominance {
    /// The chosen are at least as good at every probability.
    pub first_order: bool,
    /// Everyone who shuns risk prefers the chosen.
    pub second_order: bool,
    /// The largest `F_chosen - F_mean`, 0 under first order.
    pub largest_gap: f64,
    /// The largest `∫ (F_chosen - F_mean)`, 0 under second order.
    pub largest_area: f64,
}

/// Distribution functions on one grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Statistics OOS, rising.
    pub at: Vec<f64>,
    /// Share of the chosen at or below it.
    pub chosen: Vec<f64>,
    /// Share of all strategies in all combinations.
    pub all: Vec<f64>,
    /// Share of the combinations' mean strategies.
    pub mean: Vec<f64>,
}

impl Dominance {
    /// Compares two samples; rounding is forgiven.
    pub(super) fn of(chosen: &[f64], mean: &[f64]) -> Self {
        // What is not defined for the chosen, or a loss without end, is below everything.
        let ruined = chosen.iter().any(|v| v.is_nan() || *v == f64::NEG_INFINITY);
        let (chosen, mean) = (sorted(chosen), sorted(mean));
        if chosen.is_empty() || mean.is_empty() {
            let (largest_gap, largest_area) = (1.0, 0.0);
            return Self { first_order: false, second_order: false, largest_gap, largest_area };
        }
        let mut steps = sorted(&[&chosen[..], &mean].concat());
        steps.dedup();
        let (mut gap, mut area, mut largest_area) = (0.0_f64, 0.0_f64, 0.0_f64);
        let (mut i, mut j) = (0, 0);
        let mut last: Option<(f64, f64)> = None;
        for at in steps {
            if let Some((before, difference)) = last {
                area += difference * (at - before);
                largest_area = largest_area.max(area);
            }
            i += chosen[i..].iter().take_while(|v| **v <= at).count();
            j += mean[j..].iter().take_while(|v| **v <= at).count();
            let difference = i as f64 / chosen.len() as f64 - j as f64 / mean.len() as f64;
            gap = gap.max(difference);
            last = Some((at, difference));
        }
        let width = chosen[chosen.len() - 1].max(mean[mean.len() - 1]) - chosen[0].min(mean[0]);
        Self {
            first_order: !ruined && gap <= 1e-12,
            second_order: !ruined && largest_area <= 1e-12 * width,
            largest_gap: gap,
            largest_area,
        }
    }
}

impl Curves {
    /// Puts the counts of the chunks together and adds the two small samples.
    pub(super) fn new(grid: Vec<f64>, chosen: &[f64], mean: &[f64], counted: &[Vec<u64>]) -> Self {
        let mut all = vec![0_u64; grid.len() + 1];
        for counts in counted {
            all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let below = |values: &[f64]| {
            let mut counts = vec![0; grid.len() + 1];
            count(&grid, values, &mut counts);
            running(&counts)
        };
        let (chosen, mean, all) = (below(chosen), below(mean), running(&all));
        Self { at: grid, chosen, all, mean }
    }
}

/// Equal steps from the smallest to the largest value.
pub(super) fn grid(values: &[f64], points: usize) -> Vec<f64> {
    let defined = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (defined().fold(f64::INFINITY, f64::min), defined().fold(f64::MIN, f64::max));
    if points < 2 || low > high {
        return Vec::new();
    }
    let step = (high - low) / (points - 1) as f64;
    let mut grid: Vec<f64> = (0..points).map(|i| low + step * i as f64).collect();
    grid[points - 1] = high;
    grid
}

/// Counts values by the first grid point at or above them; the last count takes those above all.
pub(super) fn count(grid: &[f64], values: &[f64], counts: &mut [u64]) {
    let Some((&low, &high)) = grid.first().zip(grid.last()) else {
        return;
    };
    let last = grid.len() - 1;
    let per = if high > low { last as f64 / (high - low) } else { 0.0 };
    for &value in values {
        if value.is_nan() {
            continue;
        }
        if value > high {
            counts[last + 1] += 1;
            continue;
        }
        // The guess may be off by one through rounding.
        let mut at = (((value - low) * per).max(0.0).ceil() as usize).min(last);
        while at > 0 && grid[at - 1] >= value {
            at -= 1;
        }
        while at < last && grid[at] < value {
            at += 1;
        }
        counts[at] += 1;
    }
}

/// Shares at or below each grid point.
fn running(counts: &[u64]) -> Vec<f64> {
    let total: u64 = counts.iter().sum();
    let mut sum = 0;
    let shares = counts[..counts.len() - 1].iter().map(|count| {
        sum += count;
        sum as f64 / total as f64
    });
    shares.collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifted_up_dominates_and_spread_out_does_not() {
        let plain = [1.0, 2.0, 3.0, 4.0];
        let up = Dominance::of(&[1.5, 2.5, 3.5, 4.5], &plain);
        assert!(up.first_order && up.second_order);
        // The same mean, narrower: second order alone.
        let narrow = Dominance::of(&[2.0, 2.5, 2.5, 3.0], &plain);
        assert!(!narrow.first_order && narrow.second_order);
        assert_eq!(narrow.largest_gap, 0.25);
        let wide = Dominance::of(&plain, &[2.0, 2.5, 2.5, 3.0]);
        assert!(!wide.second_order && wide.largest_area > 0.0);
        let ruined = Dominance::of(&[1.5, f64::NAN, 3.5, 4.5], &plain);
        assert!(!ruined.first_order && !ruined.second_order);
        let same = Dominance::of(&plain, &plain);
        assert!(same.first_order && same.second_order && same.largest_gap == 0.0);
    }

    #[test]
    fn curves_count_at_or_below() {
        let values = [0.0, 0.25, 0.25, 1.0];
        let grid = grid(&values, 5);
        assert_eq!(grid, [0.0, 0.25, 0.5, 0.75, 1.0]);
        let mut counts = vec![0; 6];
        count(&grid, &[-1.0, 0.1, 0.25, 0.26, 1.0, 2.0, f64::NAN], &mut counts);
        assert_eq!(counts, [1, 2, 1, 0, 1, 1]);
        let curves = Curves::new(grid, &values, &values, &[counts]);
        assert_eq!(curves.chosen, [0.25, 0.75, 0.75, 0.75, 1.0]);
        assert_eq!(curves.all[0], 1.0 / 6.0);
    }
}
