//! The best question about a feature when leaves hold a value for each of several outputs.
//!
//! What a split wins is the sum over outputs of what it wins for each. A side's hessian is the mean
//! over outputs. Thresholds are tried in the order of a single output's; of categories each is tried
//! against the rest, because several outputs give them no common order.
//! Cost: bins x outputs, twice where the feature has missing values.
//! Reference: Zhang & Jung (2020), GBDT-MO; XGBoost's `multi_output_tree`.

use fattail_trees::Missing;

use super::{EPSILON, Side, Valuer};
use crate::histogram::Sums;

/// A split of a node with several outputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VectorSplit {
    pub(crate) feature: usize,
    pub(crate) side: Side,
    /// What it wins over the node as a leaf and the least gain.
    pub(crate) gain: f64,
    /// What goes left, by output.
    pub(crate) left: Vec<Sums>,
    pub(crate) right: Vec<Sums>,
    pub(crate) left_values: Vec<f64>,
    pub(crate) right_values: Vec<f64>,
}

impl VectorSplit {
    /// Whether this split is better than another: more gain, or the same on an earlier feature.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        self.gain > other.gain || (self.gain == other.gain && self.feature < other.feature)
    }
}

/// One feature of one node.
pub(crate) struct VectorTask<'a> {
    pub(crate) feature: usize,
    pub(crate) missing: Missing,
    pub(crate) zero_bin: usize,
    pub(crate) is_categorical: bool,
    /// The node's sums by output, twice epsilon in the hessian.
    pub(crate) total: &'a [Sums],
    pub(crate) valuers: &'a [Valuer],
    pub(crate) min_rows: f64,
    pub(crate) min_hessian: f64,
    /// What two children must be worth more than.
    pub(crate) floor: f64,
    /// The only question to try, of all there are.
    pub(crate) only: Option<usize>,
}

/// The best split so far: its gain, its side, and what goes left.
type Best = Option<(f64, Side, Vec<Sums>)>;

impl VectorTask<'_> {
    /// The best split of the feature, if any beats the floor. `bins` holds the sums of each bin, the
    /// outputs of a bin together.
    pub(crate) fn best(&self, bins: &[Sums]) -> Option<VectorSplit> {
        let mut best = None;
        if self.is_categorical {
            for (bin, sums) in bins.chunks(self.total.len()).enumerate().skip(1) {
                let left = sums.iter().map(|&sums| with_epsilon(sums)).collect::<Vec<_>>();
                self.offer(Side::Categories(vec![bin as u32]), &left, &mut best);
            }
        } else {
            self.thresholds(bins, &mut best);
        }
        best.map(|(gain, side, left)| self.split(gain, side, left))
    }

    fn thresholds(&self, bins: &[Sums], best: &mut Best) {
        let count = bins.len() / self.total.len();
        let apart = match self.missing {
            Missing::Zero if count > 2 => Some(self.zero_bin),
            Missing::Nan if count > 2 => Some(count - 1),
            _ => None,
        };
        let zeros = vec![with_epsilon(Sums::default()); self.total.len()];
        let bin_sums = |bin: usize| &bins[bin * self.total.len()..(bin + 1) * self.total.len()];
        // Missing values on the left, thresholds from the right to the left.
        let default_left = self.missing != Missing::Nan || count > 2;
        let mut right = zeros.clone();
        for bin in (1..count).rev().filter(|&bin| apart != Some(bin)) {
            add(&mut right, bin_sums(bin));
            let left: Vec<Sums> =
                self.total.iter().zip(&right).map(|(all, &r)| all.minus(r)).collect();
            self.offer(Side::Threshold { bin: bin - 1, default_left }, &left, best);
        }
        if apart.is_some() {
            let mut left = zeros;
            for bin in (0..count - 1).filter(|&bin| apart != Some(bin)) {
                add(&mut left, bin_sums(bin));
                self.offer(Side::Threshold { bin, default_left: false }, &left, best);
            }
        }
    }

    fn offer(&self, side: Side, left: &[Sums], best: &mut Best) {
        let (mut gain, mut h_left, mut h_right) = (0.0, 0.0, 0.0);
        for ((&left, &all), valuer) in left.iter().zip(self.total).zip(self.valuers) {
            let right = all.minus(left);
            if left.n < self.min_rows || right.n < self.min_rows {
                return;
            }
            gain += valuer.pair_gain(left, right);
            (h_left, h_right) = (h_left + left.h, h_right + right.h);
        }
        let least = self.min_hessian * self.total.len() as f64;
        let asked = match (&side, self.only) {
            (Side::Threshold { bin, .. }, Some(only)) => *bin == only,
            (Side::Categories(bins), Some(only)) => bins[0] as usize == only + 1,
            (_, None) => true,
        };
        let wins = gain > self.floor && best.as_ref().is_none_or(|best| gain > best.0);
        if wins && asked && h_left >= least && h_right >= least {
            *best = Some((gain, side, left.to_vec()));
        }
    }

    fn split(&self, gain: f64, side: Side, left: Vec<Sums>) -> VectorSplit {
        let right: Vec<Sums> =
            self.total.iter().zip(&left).map(|(all, &left)| all.minus(left)).collect();
        let sides = left.iter().zip(&right).zip(self.valuers);
        let (left_values, right_values) =
            sides.map(|((&left, &right), valuer)| valuer.outputs(left, right)).unzip();
        let without = |sums: Vec<Sums>| -> Vec<Sums> {
            sums.into_iter().map(|sums| Sums { h: sums.h - EPSILON, ..sums }).collect()
        };
        VectorSplit {
            feature: self.feature,
            side,
            gain: gain - self.floor,
            left: without(left),
            right: without(right),
            left_values,
            right_values,
        }
    }
}

fn with_epsilon(sums: Sums) -> Sums {
    Sums { h: sums.h + EPSILON, ..sums }
}

fn add(sums: &mut [Sums], more: &[Sums]) {
    sums.iter_mut().zip(more).for_each(|(sum, &more)| *sum = sum.plus(more));
}
