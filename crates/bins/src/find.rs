//! Boundaries of numbers, chosen as LightGBM chooses them.
//!
//! Zero, which is what lies within 1e-35 of it, has a bin of its own. On each side of it, `m` distinct
//! values get a bin each where the limit allows, unless a bin would hold too few sampled values; else
//! bins of about equal counts are filled from the left, a value with at least the mean count alone in
//! its bin. A boundary is the number after the middle of its neighbours. NaN is not among the values
//! here. Cost: linear in the distinct values.
//! Reference: LightGBM 4.7, `src/io/bin.cpp`.

use fattail_trees::Tree;

/// Distinct values, increasing, and how often the sample has each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distinct {
    pub(crate) values: Vec<f64>,
    pub(crate) counts: Vec<usize>,
}

/// Beyond this LightGBM writes a threshold as this.
pub(crate) const LARGEST: f64 = 1e300;

impl Distinct {
    /// Puts zero among the other values, where LightGBM has it: when it was seen, and between
    /// negative and positive values even when not.
    pub(crate) fn with_zeros(others: impl Iterator<Item = (f64, usize)>, zeros: usize) -> Self {
        let mut all = Self::default();
        for (value, count) in others {
            let crosses = match all.values.last() {
                None => value > 0.0 && zeros > 0,
                Some(&last) => last < 0.0 && value > 0.0,
            };
            if crosses {
                all.push(0.0, zeros);
            }
            all.push(value, count);
        }
        if all.values.last().is_none_or(|&last| last < 0.0 && zeros > 0) {
            all.push(0.0, zeros);
        }
        all
    }

    fn push(&mut self, value: f64, count: usize) {
        self.values.push(value);
        self.counts.push(count);
    }

    fn all(&self) -> Part<'_> {
        Part { values: &self.values, counts: &self.counts }
    }

    /// The largest value of each bin, the last infinite, at most `max_bins` of them.
    pub(crate) fn bounds(&self, max_bins: usize, min_data: usize, forced: &[f64]) -> Vec<f64> {
        let mut upper = if forced.is_empty() {
            self.all().around_zero(max_bins, min_data)
        } else {
            self.all().with_forced(max_bins, min_data, forced)
        };
        let inner = upper.len() - 1;
        // Next to an infinite value the middle is infinite too.
        upper[..inner].iter_mut().for_each(|bound| *bound = bound.clamp(-LARGEST, LARGEST));
        upper
    }
}

/// A run of distinct values.
#[derive(Clone, Copy)]
struct Part<'a> {
    values: &'a [f64],
    counts: &'a [usize],
}

impl<'a> Part<'a> {
    fn cut(self, from: usize, to: usize) -> Self {
        Self { values: &self.values[from..to], counts: &self.counts[from..to] }
    }

    fn total(self) -> usize {
        self.counts.iter().sum()
    }

    /// The values below, at and above zero.
    fn sides(self) -> [Self; 3] {
        let left = self.values.partition_point(|&value| value <= -Tree::ZERO);
        let right = self.values.partition_point(|&value| value <= Tree::ZERO);
        [self.cut(0, left), self.cut(left, right), self.cut(right, self.values.len())]
    }

    fn around_zero(self, max_bins: usize, min_data: usize) -> Vec<f64> {
        let [left, _, right] = self.sides();
        let mut upper = Vec::new();
        if !left.values.is_empty() && max_bins > 1 {
            let others = (left.total() + right.total()) as f64;
            let share = (left.total() as f64 / others * (max_bins - 1) as f64) as usize;
            upper = left.greedy(share.max(1), min_data);
            upper.pop();
            upper.push(-Tree::ZERO);
        }
        let rest = (max_bins - 1).saturating_sub(upper.len());
        if right.values.is_empty() || rest == 0 {
            upper.push(f64::INFINITY);
        } else {
            upper.push(Tree::ZERO);
            upper.extend(right.greedy(rest, min_data));
        }
        upper
    }

    fn with_forced(self, max_bins: usize, min_data: usize, forced: &[f64]) -> Vec<f64> {
        let mut upper = self.first_bounds(max_bins);
        let room = max_bins - upper.len();
        upper.extend(forced.iter().filter(|bound| bound.abs() > Tree::ZERO).take(room));
        upper.sort_by(f64::total_cmp);
        let (free, total) = (max_bins - upper.len(), self.total());
        let (mut added, mut from) = (Vec::new(), 0);
        for (at, &bound) in upper.iter().enumerate() {
            let to = from + self.values[from..].partition_point(|&value| value < bound);
            let part = self.cut(from, to);
            let left = free - added.len();
            let share = (part.total() as f64 * free as f64 / total as f64).round();
            let bins = if at + 1 == upper.len() { left } else { left.min(share as usize) };
            let mut inner = part.greedy(bins + 1, min_data);
            inner.pop();
            added.extend(inner);
            from = to;
        }
        upper.extend(added);
        upper.sort_by(f64::total_cmp);
        upper
    }

    /// The boundaries around zero that come before forced ones.
    fn first_bounds(self, max_bins: usize) -> Vec<f64> {
        let [left, _, right] = self.sides();
        let mut upper = Vec::new();
        if max_bins == 2 {
            upper.push(if left.values.is_empty() { Tree::ZERO } else { -Tree::ZERO });
        } else if max_bins > 2 {
            upper.extend((!left.values.is_empty()).then_some(-Tree::ZERO));
            upper.extend((!right.values.is_empty()).then_some(Tree::ZERO));
        }
        upper.push(f64::INFINITY);
        upper
    }

    /// Bounds of at most `max_bins` bins, the last infinite.
    fn greedy(self, max_bins: usize, min_data: usize) -> Vec<f64> {
        let mut upper = Vec::new();
        if self.values.len() <= max_bins {
            self.one_each(min_data, &mut upper);
        } else {
            let most = max_bins.min(self.total() / min_data.max(1)).max(1);
            self.filled(most, &mut upper);
        }
        upper.push(f64::INFINITY);
        upper
    }

    fn one_each(self, min_data: usize, upper: &mut Vec<f64>) {
        let mut held = 0;
        for (pair, count) in self.values.windows(2).zip(self.counts) {
            held += count;
            if held >= min_data && push_bound(upper, pair[0], pair[1]) {
                held = 0;
            }
        }
    }

    fn filled(self, max_bins: usize, upper: &mut Vec<f64>) {
        let mean = self.total() as f64 / max_bins as f64;
        let big = |at: usize| self.counts[at] as f64 >= mean;
        let bigs = (0..self.counts.len()).filter(|&at| big(at));
        let (mut bins, mut rest) = (max_bins as f64, self.total() as f64);
        for at in bigs {
            bins -= 1.0;
            rest -= self.counts[at] as f64;
        }
        let (mut mean, mut held, mut made) = (rest / bins, 0.0, 0);
        for at in 0..self.values.len() - 1 {
            let count = self.counts[at] as f64;
            rest -= if big(at) { 0.0 } else { count };
            held += count;
            // The maximum ignores NaN, which the mean is when every bin holds one big value.
            let half = (mean * 0.5).max(1.0);
            if big(at) || held >= mean || (big(at + 1) && held >= half) {
                push_bound(upper, self.values[at], self.values[at + 1]);
                made += 1;
                if made + 1 >= max_bins {
                    return;
                }
                held = 0.0;
                if !big(at) {
                    bins -= 1.0;
                    mean = rest / bins;
                }
            }
        }
    }
}

/// Adds the number after the middle, unless the last bound is it already.
fn push_bound(upper: &mut Vec<f64>, below: f64, above: f64) -> bool {
    let bound = ((below + above) / 2.0).next_up();
    let fresh = upper.last().is_none_or(|last| bound > last.next_up());
    if fresh {
        upper.push(bound);
    }
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distinct(pairs: &[(f64, usize)], zeros: usize) -> Distinct {
        Distinct::with_zeros(pairs.iter().copied(), zeros)
    }

    #[test]
    fn five_bins_have_the_known_thresholds() {
        let numbers = distinct(&[(1.0, 9), (2.0, 9), (3.0, 9), (4.0, 9)], 9);
        let upper = numbers.bounds(255, 3, &[]);
        let known =
            [1.0000000180025095e-35, 1.5000000000000002, 2.5000000000000004, 3.5000000000000004];
        assert_eq!(upper[..4], known);
        assert_eq!(upper[4], f64::INFINITY);
    }

    #[test]
    fn zero_stands_between_the_signs() {
        assert_eq!(distinct(&[(-1.0, 2), (1.0, 2)], 0).values, [-1.0, 0.0, 1.0]);
        assert_eq!(distinct(&[(1.0, 2)], 0).values, [1.0]);
        assert_eq!(distinct(&[(1.0, 2)], 1).values, [0.0, 1.0]);
        assert_eq!(distinct(&[(-1.0, 2)], 1).values, [-1.0, 0.0]);
        assert_eq!(distinct(&[(-1.0, 2)], 0).values, [-1.0]);
        assert_eq!(distinct(&[], 0).values, [0.0]);
    }

    #[test]
    fn rare_values_join_the_next_bin() {
        let upper = distinct(&[(1.0, 2), (2.0, 9), (3.0, 9)], 9).bounds(255, 3, &[]);
        assert_eq!(upper, [Tree::ZERO, 2.5_f64.next_up(), f64::INFINITY]);
    }

    #[test]
    fn big_values_stand_alone() {
        let numbers = distinct(&[(1.0, 1), (2.0, 1), (3.0, 90), (4.0, 1), (5.0, 1)], 0);
        let upper = numbers.bounds(4, 1, &[]);
        assert_eq!(upper, [Tree::ZERO, 2.5_f64.next_up(), 3.5_f64.next_up(), f64::INFINITY]);
    }

    #[test]
    fn forced_bounds_are_kept() {
        let pairs: Vec<_> = (1..100).map(|at| (f64::from(at), 5)).collect();
        let upper = distinct(&pairs, 5).bounds(10, 3, &[20.25, 70.75]);
        assert!(upper.contains(&20.25) && upper.contains(&70.75) && upper.len() <= 10);
    }

    #[test]
    fn infinite_values_leave_the_inner_bounds_finite() {
        let infinite = [(f64::NEG_INFINITY, 5), (1.0, 5), (f64::INFINITY, 5)];
        let upper = distinct(&infinite, 0).bounds(255, 3, &[]);
        assert_eq!(upper, [-Tree::ZERO, Tree::ZERO, LARGEST, f64::INFINITY]);
    }
}
