//! Splits of eras into training and test, with a gap that follows from the label's horizon.

mod forward;
mod sided;

use std::ops::Range;

use fattail_core::{Eras, Result};
use serde::{Deserialize, Serialize};

pub use forward::{Expanding, WalkForward, Window};
pub use sided::{Blocked, PurgedKFold};

/// Cuts eras into folds. It sees labels only, never values.
pub trait Split: Send + Sync {
    /// The folds, in time order of their test eras.
    ///
    /// # Errors
    /// When a setting is out of range or there are too few eras.
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>>;
}

/// One fold: positions of eras, increasing.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_by_hand() {
        let cut: Vec<_> = runs(7, 3).collect();
        assert_eq!(cut, [0..3, 3..5, 5..7]);
    }
}
