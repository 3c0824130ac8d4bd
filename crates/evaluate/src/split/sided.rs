//! Splits that train on both sides of the test block.
//!
//! For a test block `s..e`: training eras are those before `s - gap` and from `e + gap + embargo` on.
//! The test blocks partition the eras.
//!
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, section 7.4.

use fattail_core::{Eras, Result};
use serde::{Deserialize, Serialize};

use super::{Fold, Split, outside, runs};
use crate::{EmbargoRule, Error, Horizon};

/// Blocks of eras, each tested once, trained on all others but a gap on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The number of blocks.
    pub folds: usize,
    /// How far the label looks ahead.
    pub horizon: Horizon,
    /// What the gap must ensure.
    pub rule: EmbargoRule,
}

impl Default for Blocked {
    fn default() -> Self {
        Self { folds: 5, horizon: Horizon::NUMERAI_20, rule: EmbargoRule::default() }
    }
}

impl Split for Blocked {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        let gap = self.rule.gap(&self.horizon)?;
        both_sides("a blocked split", eras.len(), self.folds, gap, 0)
    }
}

/// K folds whose training eras are purged of overlapping labels on both sides, and of some more days
/// after the test block.
///
/// ```
/// use fattail_core::Eras;
/// use fattail_evaluate::{PurgedKFold, Split};
/// let eras = Eras::from_labels((1..=100).map(|era| format!("{era:04}")))?;
/// let folds = PurgedKFold { folds: 4, embargo_days: 10, ..PurgedKFold::default() }.folds(&eras)?;
/// assert_eq!(folds[1].test, (25..50).collect::<Vec<_>>());
/// assert!(folds[1].train.contains(&20) && !folds[1].train.contains(&21));
/// assert!(folds[1].train.contains(&56) && !folds[1].train.contains(&55));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgedKFold {
    /// The number of folds.
    pub folds: usize,
    /// How far the label looks ahead.
    pub horizon: Horizon,
    /// What the gap must ensure.
    pub rule: EmbargoRule,
    /// Days after the test block and its gap that are left out as well, against serial correlation.
    pub embargo_days: u32,
}

impl Default for PurgedKFold {
    fn default() -> Self {
        let rule = EmbargoRule::LabelDisjoint;
        Self { folds: 5, horizon: Horizon::NUMERAI_20, rule, embargo_days: 5 }
    }
}

impl Split for PurgedKFold {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        let gap = self.rule.gap(&self.horizon)?;
        let embargo = self.horizon.eras_of(self.embargo_days)?;
        both_sides("a purged split", eras.len(), self.folds, gap, embargo)
    }
}

fn both_sides(
    split: &'static str,
    eras: usize,
    folds: usize,
    gap: usize,
    embargo: usize,
) -> Result<Vec<Fold>> {
    if folds < 2 || folds > eras {
        let allowed = "at least 2 and at most the number of eras";
        return Err(Error::Setting { name: "folds", given: folds, allowed }.into());
    }
    let blocks = runs(eras, folds).enumerate();
    let folds = blocks.map(|(fold, test)| match outside([test.clone()], eras, gap, embargo) {
        train if train.is_empty() => Err(Error::TooFewEras { split, fold, eras, gap }.into()),
        train => Ok(Fold { train, test: test.collect() }),
    });
    folds.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A published purged split left 9 training rows whose 10-day labels overlap the test labels of
    /// 120 daily rows in each of folds 2 to 5, because its test window began at the first label's
    /// end.
    #[test]
    fn no_label_of_ten_days_overlaps_in_daily_rows() {
        let eras = Eras::from_labels((0..120).map(|day| format!("{day:03}"))).unwrap();
        let horizon = Horizon { days: 10, lag_days: 0, data_lag_days: 0, era_days: 1 };
        let split = PurgedKFold { horizon, embargo_days: 0, ..Default::default() };
        for fold in split.folds(&eras).unwrap() {
            for (a, b) in fold.train.iter().flat_map(|a| fold.test.iter().map(move |b| (a, b))) {
                let (first, last) = (a.min(b), a.max(b));
                assert!(first + 10 < *last, "labels of {a} and {b} overlap");
            }
            assert_eq!(fold.test.len(), 24);
        }
    }

    #[test]
    fn wrong_settings_and_too_few_eras() {
        let eras = Eras::from_labels((0..9).map(|era| era.to_string())).unwrap();
        assert!(Blocked { folds: 1, ..Default::default() }.folds(&eras).is_err());
        assert!(Blocked { folds: 10, ..Default::default() }.folds(&eras).is_err());
        assert!(Blocked { folds: 2, ..Default::default() }.folds(&eras).is_err());
    }
}
