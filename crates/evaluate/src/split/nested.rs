//! Folds inside the training eras of folds: settings are tuned on the inner ones, and what was chosen is
//! tested on eras that no choice has seen.
//!
//! The inner split cuts the eras of one outer training set as if no others were there. Era counts across
//! the hole that the outer test eras and their gap leave are therefore too small: the inner gap is kept
//! more widely than it must be there, never less.
//!
//! Inner folds are positions of the whole panel. A backtest of them on that panel predicts the eras that
//! lie between training and test as well, as history and without their answers, so features of outer test
//! eras may be seen by a step that looks back. [`NestedFold::inside`] gives the same folds for the panel
//! cut to the outer training eras, where nothing of the outer test eras exists.
//!
//! Reference: Varma and Simon (2006), Bias in error estimation when using cross-validation for model
//! selection, BMC Bioinformatics 7:91; Cawley and Talbot (2010), JMLR 11, section 5.

use fattail_core::{Eras, Result};
use serde::{Deserialize, Serialize};

use super::{Fold, Split};

/// An outer split, and an inner one that cuts each outer training set.
///
/// ```
/// use fattail_core::Eras;
/// use fattail_evaluate::{Expanding, Nested, PurgedKFold};
/// let eras = Eras::from_labels((1..=200).map(|era| format!("{era:04}")))?;
/// let split = Nested { outer: PurgedKFold::default(), inner: Expanding::default() };
/// for fold in split.folds(&eras)? {
///     let inner = fold.inner.iter().flat_map(|inner| inner.train.iter().chain(&inner.test));
///     assert!(inner.clone().all(|era| fold.outer.train.contains(era)));
/// }
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Nested<O, I> {
    /// Cuts what the tuned learner is tested on.
    pub outer: O,
    /// Cuts the training eras of each outer fold, to tune on.
    pub inner: I,
}

/// An outer fold and the folds inside its training eras, as positions of the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NestedFold {
    /// The fold that tests.
    pub outer: Fold,
    /// The folds that tune, all of whose eras are training eras of the outer one.
    pub inner: Vec<Fold>,
}

impl<O: Split, I: Split> Nested<O, I> {
    /// The folds, outer ones in time order.
    ///
    /// # Errors
    /// When a split refuses its eras; an inner one refuses an outer training set that is too short.
    pub fn folds(&self, eras: &Eras) -> Result<Vec<NestedFold>> {
        let inside = |outer: Fold| {
            let place = |list: &[usize]| list.iter().map(|&at| outer.train[at]).collect();
            let inner = self.inner.folds(&eras.cut(&outer.train)?)?;
            let inner = inner.iter();
            let inner = inner.map(|f| Fold { train: place(&f.train), test: place(&f.test) });
            Ok(NestedFold { inner: inner.collect(), outer })
        };
        self.outer.folds(eras)?.into_iter().map(inside).collect()
    }
}

impl NestedFold {
    /// The inner folds as positions of the panel cut to the outer training eras.
    #[must_use]
    pub fn inside(&self) -> Vec<Fold> {
        let train = &self.outer.train;
        let place =
            |list: &[usize]| list.iter().map(|era| train.partition_point(|t| t < era)).collect();
        let inner = self.inner.iter();
        inner.map(|fold| Fold { train: place(&fold.train), test: place(&fold.test) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Blocked, EmbargoRule, Horizon};

    #[test]
    fn a_hole_by_hand() {
        let eras = Eras::from_labels((0..12).map(|era| format!("{era:02}"))).unwrap();
        let horizon = Horizon { days: 1, lag_days: 0, data_lag_days: 0, era_days: 1 };
        let split = |folds| Blocked { folds, horizon, rule: EmbargoRule::LabelDisjoint };
        let folds = Nested { outer: split(3), inner: split(2) }.folds(&eras).unwrap();
        let fold = &folds[1];
        assert_eq!(
            (&fold.outer.train, &fold.outer.test),
            (&vec![0, 1, 2, 9, 10, 11], &vec![4, 5, 6, 7])
        );
        // One era goes on either side of the inner test block, be it beside the hole or not.
        assert_eq!(fold.inner[0], Fold { train: vec![10, 11], test: vec![0, 1, 2] });
        assert_eq!(fold.inner[1], Fold { train: vec![0, 1], test: vec![9, 10, 11] });
        assert_eq!(fold.inside()[0], Fold { train: vec![4, 5], test: vec![0, 1, 2] });
        assert_eq!(fold.inside()[1], Fold { train: vec![0, 1], test: vec![3, 4, 5] });
    }
}
