//! Splits into training and test, with a gap that follows from the label's horizon or from the labels' own
//! spans.

mod combine;
mod forward;
mod given;
mod nested;
mod rows;
mod sided;
mod spans;

use std::ops::Range;

use fattail_core::{Eras, Result};
use serde::{Deserialize, Serialize};

pub use combine::{Combinations, Cpcv};
pub use forward::{Expanding, WalkForward, Window};
pub use given::Given;
pub use nested::{Nested, NestedFold};
pub use rows::{CpcvRows, PurgedRows, WalkForwardRows};
pub use sided::{Blocked, PurgedKFold};
pub use spans::Spans;

pub(crate) use given::check_order;

/// Cuts eras into folds. It sees labels only, never values.
pub trait Split: Send + Sync {
    /// The folds, in time order of their test eras.
    ///
    /// # Errors
    /// When a setting is out of range or there are too few eras.
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>>;
}

impl<S: Split + ?Sized> Split for Box<S> {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        (**self).folds(eras)
    }
}

/// One fold: positions of eras, increasing. Splits of rows answer positions of rows instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// The eras to train on.
    pub train: Vec<usize>,
    /// The eras to predict.
    pub test: Vec<usize>,
}

/// Cuts `0..eras` into `count` runs whose lengths differ by one at most, the longer ones first.
fn runs(eras: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    let (length, longer) = (eras / count, eras % count);
    let start = move |i: usize| i * length + i.min(longer);
    (0..count).map(move |i| start(i)..start(i + 1))
}

/// The eras that stand outside every test block, `gap` eras before it, and `gap + embargo` after it.
fn outside(
    blocks: impl IntoIterator<Item = Range<usize>>,
    eras: usize,
    gap: usize,
    embargo: usize,
) -> Vec<usize> {
    let mut free = vec![true; eras];
    for block in blocks {
        let end = block.end.saturating_add(gap).saturating_add(embargo);
        free[block.start.saturating_sub(gap)..end.min(eras)].fill(false);
    }
    (0..eras).filter(|&era| free[era]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_by_hand() {
        let cut: Vec<_> = runs(7, 3).collect();
        assert_eq!(cut, [0..3, 3..5, 5..7]);
    }
}
