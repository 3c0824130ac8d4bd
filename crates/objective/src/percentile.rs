//! LightGBM's percentiles, plain and weighted.
//!
//! Plain: with n values falling, `p = (n - 1)(1 - alpha)`, between the values at `floor p` and the
//! next. Weighted: with the values rising and their weights summed up to `c_i`, the first i with
//! `c_i > alpha c_n`; it is v_i at either end, else `v_(i-1)` moved towards `v_i` by
//! `(alpha c_n - c_(i-1)) / (c_i - c_(i-1))` where that step of the weights is at least 1, and plain
//! `v_(i-1)` where it is smaller. Without values there is none. NaN must not come; ties need nothing.
//! Cost: a selection, or a sort. Reference: LightGBM 4.7 `regression_objective.hpp`.

use std::cmp::Ordering;

/// A number that percentiles are taken of, with the precision of its differences and results.
pub(crate) trait Real: Copy {
    fn order(&self, other: &Self) -> Ordering;
    fn wide(self) -> f64;
    fn minus(self, other: Self) -> f64;
    fn rounded(value: f64) -> f64;
}

impl Real for f64 {
    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }

    fn wide(self) -> f64 {
        self
    }

    fn minus(self, other: Self) -> f64 {
        self - other
    }

    fn rounded(value: f64) -> f64 {
        value
    }
}

impl Real for f32 {
    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn minus(self, other: Self) -> f64 {
        f64::from(self - other)
    }

    fn rounded(value: f64) -> f64 {
        f64::from(value as f32)
    }
}

/// The percentile `alpha` of values of equal weight, which it reorders.
pub(crate) fn plain<T: Real>(values: &mut [T], alpha: f64) -> Option<f64> {
    let count = values.len();
    if count <= 1 {
        return values.first().map(|value| value.wide());
    }
    let place = (count - 1) as f64 * (1.0 - alpha);
    let position = place as usize + 1;
    let falling = |a: &T, b: &T| b.order(a);
    if position >= count {
        return values.iter().copied().min_by(T::order).map(T::wide);
    }
    let (_, &mut upper, below) = values.select_nth_unstable_by(position - 1, falling);
    let lower = below.iter().copied().max_by(T::order)?;
    let share = place - (position - 1) as f64;
    Some(T::rounded(upper.wide() - upper.minus(lower) * share))
}

/// The percentile `alpha` of pairs of value and weight, which it sorts.
pub(crate) fn weighted<T: Real>(pairs: &mut [(T, f32)], alpha: f64) -> Option<f64> {
    if pairs.len() <= 1 {
        return pairs.first().map(|pair| pair.0.wide());
    }
    pairs.sort_by(|a, b| a.0.order(&b.0));
    let mut sum = 0.0;
    let reached: Vec<f64> = pairs
        .iter()
        .map(|pair| {
            sum += f64::from(pair.1);
            sum
        })
        .collect();
    let goal = sum * alpha;
    let last = pairs.len() - 1;
    let position = reached.partition_point(|&weight| weight <= goal).min(last);
    if position == 0 || position == last {
        return Some(pairs[position].0.wide());
    }
    let (lower, upper) = (pairs[position - 1].0, pairs[position].0);
    let step = reached[position] - reached[position - 1];
    if step < 1.0 {
        return Some(lower.wide());
    }
    let share = (goal - reached[position - 1]) / step;
    Some(T::rounded(share * upper.minus(lower) + lower.wide()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_percentiles_by_hand() {
        assert_eq!(plain::<f64>(&mut [], 0.5), None);
        assert_eq!(plain(&mut [3.0], 0.9), Some(3.0));
        assert_eq!(plain(&mut [1.0, 4.0, 2.0], 0.5), Some(2.0));
        assert_eq!(plain(&mut [1.0, 4.0, 2.0, 3.0], 0.5), Some(2.5));
        assert_eq!(plain(&mut [0.0, 10.0, 20.0, 30.0, 40.0], 0.9), Some(36.0));
        assert_eq!(plain(&mut [5.0, 1.0], 0.0), Some(1.0));
        assert_eq!(plain(&mut [5.0, 1.0], 1.0), Some(5.0));
    }

    #[test]
    fn weighted_percentiles_by_hand() {
        assert_eq!(weighted::<f64>(&mut [], 0.5), None);
        // Weights sum up to 1, 2, 3, 4; the goal 2 is reached exactly: no step towards the next.
        let mut even = [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0)];
        assert_eq!(weighted(&mut even, 0.5), Some(2.0));
        assert_eq!(weighted(&mut even, 0.625), Some(2.5));
        assert_eq!(weighted(&mut even, 1.0), Some(4.0));
        // A step below one of weight does not count.
        assert_eq!(weighted(&mut [(1.0, 0.5), (2.0, 0.5), (3.0, 0.5)], 0.5), Some(1.0));
    }
}
