//! What numbers a column may hold, learnt so that outliers are an error and never a fence.
//!
//! With many distinct values, those that fill a tenth of the column or more are left out and the quartiles
//! `a, b` of the others taken (of the distinct values, where they are one). The core is `[a, b]` and a value
//! that fills half of the column; its spread is `s_0 = b - a`. The quantiles `q_t, q_{1-t}` of all values
//! must lie within `r s_0` of the core, with `r` the reach, and the least and largest value within `r s` of
//! both, with `s = max(s_0, q_{1-t} - q_t)`. So a column may have a fat tail, or be zero nearly everywhere,
//! and a share of outliers above `t` is seen all the same. For the least and largest value the reach is
//! `r max(1, n t / 50)` with `n` the number of values, because the extremes of a fat tail grow with it: those of
//! a Cauchy column as fast as `n`.
//!
//! With few distinct values, those that fill a hundredth of the column, twice at least, are known; the
//! others must lie within `r` spreads of them. Known values that are one have no spread: then it is their
//! size, 1 at least. From five distinct values on, all must lie within `r (b - a)` of their own quartiles.
//!
//! The fences of a range are `q_t - m s` and `q_{1-t} + m s` with `s = q_{1-t} - q_t`, or the whole range of
//! the values where that is 0. They are moved out beyond the least value `a` and the largest `b`, to
//! `a - m (q_t - a)` and `b + m (b - q_{1-t})`, and cut at the hard bounds: a fence at the extremes of `n`
//! rows is broken by a fresh one with chance `2 / n` for each column, and of `F` columns `2 F / n` of all
//! rows would be refused. With `m = 1` a tail `x^{-a}` breaks it about `2^a` times less often.
//!
//! Limit: outliers that are a quarter of what is looked at are no outliers. A column that is zero but for a
//! few wild values, and has no others, learns the wild ones unless hard bounds or a reach forbid it.

use fattail_stats::quantile_sorted;

use super::{GateRecipe, Kind};

/// Training rows that must stand behind each value of a set.
const ROWS_A_VALUE: usize = 100;
/// Distinct values from which their own quartiles say something.
const TELLING: usize = 5;
/// Values of a tail from which on the reach grows with their number.
const TAIL_ROWS: f64 = 50.0;

/// The sorted values of a column.
pub(super) struct Numbers<'a> {
    sorted: &'a [f64],
    /// Each distinct value and how often it stands, signs of zeros aside.
    counts: Vec<(f64, usize)>,
}

impl<'a> Numbers<'a> {
    /// Of values in rising order, of which there is at least one.
    pub(super) fn of(sorted: &'a [f64]) -> Self {
        let mut counts: Vec<(f64, usize)> = Vec::new();
        for &value in sorted {
            match counts.last_mut() {
                Some((last, count)) if *last == value => *count += 1,
                _ => counts.push((value, 1)),
            }
        }
        Self { sorted, counts }
    }

    fn ends(values: &[f64]) -> (f64, f64) {
        let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        (end(values.first()), end(values.last()))
    }

    fn tails(&self, tail: f64) -> (f64, f64) {
        (quantile(self.sorted, tail), quantile(self.sorted, 1.0 - tail))
    }

    /// The fences beyond which a training value is an error.
    pub(super) fn far(&self, recipe: &GateRecipe) -> (f64, f64) {
        match self.counts.len() {
            1 => (f64::NEG_INFINITY, f64::INFINITY),
            few if few <= recipe.most_set => self.far_of_few(recipe.reach),
            _ => {
                let (low, high, inner) = self.core();
                let near = around(low, high, recipe.reach, inner);
                let (q_low, q_high) = self.tails(recipe.tail);
                // A tail of outliers is no measure.
                if q_low < near.0 || q_high > near.1 {
                    return near;
                }
                let spread = inner.max(q_high - q_low);
                let tail = recipe.tail * self.sorted.len() as f64;
                let reach = recipe.reach * (tail / TAIL_ROWS).max(1.0);
                around(low.min(q_low), high.max(q_high), reach, spread)
            }
        }
    }

    /// Ends and spread of the core.
    fn core(&self) -> (f64, f64, f64) {
        let n = self.sorted.len();
        let heavy = |count: usize| count >= 10 && 10 * count >= n;
        let rest = self.counts.iter().filter(|(_, count)| !heavy(*count));
        let rest: Vec<f64> =
            rest.flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
        let quartiles = |values: &[f64]| (quantile(values, 0.25), quantile(values, 0.75));
        let (mut low, mut high) = quartiles(&rest);
        if rest.is_empty() || high <= low {
            let distinct: Vec<f64> = self.counts.iter().map(|(value, _)| *value).collect();
            (low, high) = quartiles(&distinct);
        }
        let spread = high - low;
        for &(value, _) in self.counts.iter().filter(|(_, count)| 2 * count >= n) {
            (low, high) = (low.min(value), high.max(value));
        }
        (low, high, spread)
    }

    fn far_of_few(&self, reach: f64) -> (f64, f64) {
        let n = self.sorted.len();
        let known = |count: usize| count >= 2 && 100 * count >= n;
        let distinct = |all: bool| -> Vec<f64> {
            let kept = self.counts.iter().filter(|(_, count)| all || known(*count));
            kept.map(|(value, _)| *value).collect()
        };
        let (mut values, all) = (distinct(false), distinct(true));
        if values.is_empty() {
            values.clone_from(&all);
        }
        let (low, high) = Self::ends(&values);
        let spread = if high > low { high - low } else { low.abs().max(1.0) };
        let (mut far_low, mut far_high) = around(low, high, reach, spread);
        if all.len() >= TELLING {
            let (low, high) = (quantile(&all, 0.25), quantile(&all, 0.75));
            let (inner_low, inner_high) = around(low, high, reach, high - low);
            (far_low, far_high) = (far_low.max(inner_low), far_high.min(inner_high));
        }
        (far_low, far_high)
    }

    /// What a column of these values may hold.
    pub(super) fn kind(&self, recipe: &GateRecipe, subnormal: bool) -> Kind {
        if let Some(allowed) = self.set(recipe.most_set) {
            return Kind::Set { allowed };
        }
        let (least, most) = Self::ends(self.sorted);
        let (q_low, q_high) = self.tails(recipe.tail);
        let spread = if q_high > q_low { q_high - q_low } else { most - least };
        let (hard_low, hard_high) = (f64::from(recipe.hard_low), f64::from(recipe.hard_high));
        let margin = recipe.margin;
        let low = (q_low - margin * spread).min(least - margin * (q_low - least));
        let high = (q_high + margin * spread).max(most + margin * (most - q_high));
        let (low, high) = (low.max(hard_low).min(least), high.min(hard_high).max(most));
        // Rounding to f32 is monotone, so bounds stay around the values.
        Kind::Number { low: low as f32, high: high as f32, subnormal }
    }

    /// The distinct values, when they are few beside the rows and no zero has a sign.
    fn set(&self, most: usize) -> Option<Vec<f32>> {
        let signed = |value: &&f64| **value == 0.0 && value.is_sign_negative();
        let n = self.sorted.len();
        let few = self.counts.len() <= most && self.counts.len() * ROWS_A_VALUE <= n;
        let plain = few && !self.sorted.iter().any(|value| signed(&value));
        plain.then(|| self.counts.iter().map(|(value, _)| *value as f32).collect())
    }
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    quantile_sorted(sorted, q).unwrap_or(f64::NAN)
}

/// So many spreads around, which are not NaN even where the reach is infinite.
fn around(low: f64, high: f64, reach: f64, spread: f64) -> (f64, f64) {
    let beyond = if spread > 0.0 { reach * spread } else { 0.0 };
    (low - beyond, high + beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the column is refused for its outliers.
    fn refused(mut values: Vec<f64>) -> bool {
        values.sort_unstable_by(f64::total_cmp);
        let recipe = GateRecipe::default();
        let numbers = Numbers::of(&values);
        let (low, high) = numbers.far(&recipe);
        let (least, most) = Numbers::ends(&values);
        least < low || most > high
    }

    /// Normal quantiles, all distinct.
    fn normals(n: usize) -> Vec<f64> {
        (1..=n).map(|i| fattail_stats::normal_quantile(i as f64 / (n + 1) as f64)).collect()
    }

    fn with(mut values: Vec<f64>, value: f64, times: usize) -> Vec<f64> {
        values.extend(std::iter::repeat_n(value, times));
        values
    }

    #[test]
    fn outliers_are_seen_behind_any_mode() {
        for outliers in [1, 40, 100, 500] {
            assert!(refused(with(normals(9_000), 1e30, outliers)), "{outliers}");
            assert!(refused(with(normals(9_000), -1e30, outliers)), "{outliers}");
        }
        // A sentinel that fills a fifth.
        assert!(refused(with(normals(8_000), 3e38, 2_000)));
        let zeros = |n| with(Vec::new(), 0.0, n);
        assert!(refused(with(with(normals(39), 0.0, 9_960), 1e30, 1)));
        assert!(refused(with(zeros(9_999), 1e30, 1)));
        assert!(refused(with(zeros(9_960), 1e30, 40)));
        assert!(refused(with(with(zeros(6_000), 1.0, 3_999), 1e30, 1)));
        let quarters = || (0..10_000).map(|i| f64::from(i % 5) / 4.0).collect::<Vec<f64>>();
        assert!(refused(with(quarters(), 1e30, 1)));
        assert!(refused(with(quarters(), 1e30, 400)));
        // Two modes, and a few numbers among which is one.
        let two = with(with(normals(99), 0.0, 6_000), 1.0, 3_900);
        assert!(refused(with(two, 1e30, 1)));
    }

    #[test]
    fn ordinary_columns_are_learnt() {
        assert!(!refused(normals(10_000)));
        // Fat tails: log-normal of a spread of 2.5, Cauchy.
        assert!(!refused(normals(100_000).into_iter().map(|z| (2.5 * z).exp()).collect()));
        let cauchy = (1..10_000).map(|i| (std::f64::consts::PI * (f64::from(i) / 1e4 - 0.5)).tan());
        assert!(!refused(cauchy.collect()));
        // Zero nearly everywhere; rare flags; prices where there are any; counts.
        assert!(!refused(with(normals(40), 0.0, 9_960)));
        assert!(!refused(with(with(Vec::new(), 0.0, 9_999), 1.0, 1)));
        assert!(!refused(with(with(Vec::new(), 0.0, 149), 1.0, 1)));
        let prices = normals(100).into_iter().map(|z| 100.0 + 1e-3 * z).collect();
        assert!(!refused(with(prices, 0.0, 9_900)));
        let mut counts = with(with(with(Vec::new(), 0.0, 6_000), 1.0, 3_000), 2.0, 800);
        counts.extend((3..23).map(f64::from));
        assert!(!refused(counts));
        for few in [vec![1.5], vec![0.5, 0.25, 1.0], vec![7.0; 1000], vec![0.0, 5.0, 5.0]] {
            assert!(!refused(few));
        }
    }
}
