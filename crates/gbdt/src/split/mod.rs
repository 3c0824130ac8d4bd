//! Which question about a feature wins most.

mod categorical;
mod gain;
mod numeric;
mod screen;
mod vector;

use fattail_trees::Missing;

pub(crate) use gain::{Bounds, EPSILON, Valuer};
pub(crate) use screen::{Outlook, Screen};
pub(crate) use vector::{VectorSplit, VectorTask};

use crate::{Categorical, histogram::Sums};

/// Which bins go left.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Side {
    /// Bins up to `bin`, and missing values where `default_left` says so.
    Threshold { bin: usize, default_left: bool },
    /// These bins.
    Categories(Vec<u32>),
}

impl Side {
    /// Whether a bin goes left, `missing` being the bin of missing values.
    pub(crate) fn goes_left(&self, bin: usize, missing: Option<usize>) -> bool {
        match self {
            Self::Threshold { default_left, .. } if missing == Some(bin) => *default_left,
            Self::Threshold { bin: last, .. } => bin <= *last,
            Self::Categories(bins) => bins.contains(&(bin as u32)),
        }
    }
}

/// A split of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    /// The feature asked about.
    pub(crate) feature: usize,
    /// Which bins go left.
    pub(crate) side: Side,
    /// What it wins over the node as a leaf and the least gain.
    pub(crate) gain: f64,
    /// What goes left.
    pub(crate) left: Sums,
    /// What goes right.
    pub(crate) right: Sums,
    /// The value of the left child.
    pub(crate) left_output: f64,
    /// The value of the right child.
    pub(crate) right_output: f64,
}

impl Split {
    /// Whether this split is better than another: more gain, or the same on an earlier feature.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        self.gain > other.gain || (self.gain == other.gain && self.feature < other.feature)
    }

    /// The better of two.
    pub(crate) fn better(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.beats(&a) { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// Draws one of that many choices.
pub(crate) type Draw<'a> = &'a (dyn Fn(usize) -> usize + Sync);

/// One feature of one node.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) feature: usize,
    pub(crate) missing: Missing,
    pub(crate) zero_bin: usize,
    pub(crate) missing_bin: Option<usize>,
    pub(crate) is_categorical: bool,
    /// The node's sums, twice epsilon in the hessian.
    pub(crate) total: Sums,
    pub(crate) valuer: Valuer,
    /// Rows of a leaf at least.
    pub(crate) min_rows: f64,
    /// Sum of hessians of a leaf at least.
    pub(crate) min_hessian: f64,
    /// What two children must be worth more than.
    pub(crate) floor: f64,
    pub(crate) categorical: &'a Categorical,
    /// Draws the only question to try.
    pub(crate) random: Option<Draw<'a>>,
}

impl Task<'_> {
    /// The best split of the feature, if any beats the floor. `bins` holds the sums of each bin.
    pub(crate) fn best(&self, bins: &[Sums]) -> Option<Split> {
        if bins.len() < 2 {
            return None;
        }
        if self.is_categorical { categorical::best(self, bins) } else { numeric::best(self, bins) }
    }

    /// Whether a bin goes left.
    pub(crate) fn goes_left(&self, side: &Side, bin: usize) -> bool {
        side.goes_left(bin, self.missing_bin)
    }

    /// A split from what goes left, epsilon in its hessian.
    pub(crate) fn split(&self, side: Side, gain: f64, left: Sums, valuer: &Valuer) -> Split {
        let right = self.total.minus(left);
        let (left_output, right_output) = valuer.outputs(left, right);
        let without = |sums: Sums| Sums { h: sums.h - EPSILON, ..sums };
        Split {
            feature: self.feature,
            side,
            gain: gain - self.floor,
            left: without(left),
            right: without(right),
            left_output,
            right_output,
        }
    }
}
