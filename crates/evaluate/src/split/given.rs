//! Folds that someone else made.
//!
//! Their shape is checked: training and test eras are there, increase, and do not meet; test eras
//! increase over the folds. The gap is not, because folds alone do not tell the horizon: with a rule and a
//! horizon, [`Given::apart`] checks it, and with label spans [`Spans::first_overlap`](crate::Spans::first_overlap).

use fattail_core::{Eras, Error as CoreError, Result};
use serde::{Deserialize, Serialize};

use super::{Fold, Split};
use crate::{EmbargoRule, Error, Horizon};

/// Hands out the folds that it holds.
///
/// ```
/// use fattail_core::Eras;
/// use fattail_evaluate::{Fold, Given, Split};
/// let eras = Eras::from_labels((1..=9).map(|era| era.to_string()))?;
/// let fold = Fold { train: vec![0, 1], test: vec![7, 8] };
/// assert_eq!(Given(vec![fold.clone()]).folds(&eras)?, [fold]);
/// assert!(Given(vec![Fold { train: vec![0, 7], test: vec![7, 8] }]).folds(&eras).is_err());
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Given(pub Vec<Fold>);

impl Given {
    /// Folds none of which trains on an era within the gap of an era that it tests, on either side.
    ///
    /// ```
    /// use fattail_evaluate::{EmbargoRule, Fold, Given, Horizon};
    /// let (rule, horizon) = (EmbargoRule::LabelDisjoint, Horizon::NUMERAI_20);
    /// let folds = |test| vec![Fold { train: vec![0, 1, 2], test: vec![test] }];
    /// // Four whole eras must lie between.
    /// assert!(Given::apart(folds(7), rule, &horizon).is_ok());
    /// let error = Given::apart(folds(6), rule, &horizon).unwrap_err().to_string();
    /// let told = "fold 0 trains on era 2 and tests era 6: 4 eras must lie between";
    /// assert_eq!(error, told);
    /// ```
    ///
    /// # Errors
    /// When a fold has such eras, or an era has no days or the label has none.
    pub fn apart(folds: Vec<Fold>, rule: EmbargoRule, horizon: &Horizon) -> Result<Self, Error> {
        let gap = rule.gap(horizon)?;
        for (fold, Fold { train, test }) in folds.iter().enumerate() {
            let mut tests = test.clone();
            tests.sort_unstable();
            for &train in train {
                // The first test era that is not too early is too late, or it is within the gap.
                let at = tests.partition_point(|&test| test < train.saturating_sub(gap));
                let near = tests.get(at).filter(|&&test| test.abs_diff(train) <= gap);
                if let Some(&test) = near {
                    return Err(Error::FoldGap { fold, train, test, gap });
                }
            }
        }
        Ok(Self(folds))
    }
}

impl Split for Given {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        if self.0.is_empty() {
            return Err(CoreError::empty("the list of folds"));
        }
        for (number, fold) in self.0.iter().enumerate() {
            for (part, list) in [("training", &fold.train), ("test", &fold.test)] {
                if list.is_empty() {
                    return Err(CoreError::empty(format!(
                        "the list of {part} eras of fold {number}"
                    )));
                }
                eras.cut(list)?;
            }
        }
        check_order(&self.0)?;
        Ok(self.0.clone())
    }
}

/// Refuses folds that train on what they test, or whose test eras do not increase over the folds.
pub(crate) fn check_order(folds: &[Fold]) -> Result<(), Error> {
    let mut last: Option<usize> = None;
    for (number, fold) in folds.iter().enumerate() {
        for &era in &fold.test {
            if let Some(previous) = last.filter(|&previous| previous >= era) {
                return Err(Error::FoldOrder { fold: number, era, previous });
            }
            last = Some(era);
        }
        // Test eras increase.
        if let Some(&era) = fold.train.iter().find(|era| fold.test.binary_search(era).is_ok()) {
            return Err(Error::FoldOverlap { fold: number, era });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_are_wrong_are_refused() {
        let eras = Eras::from_labels((0..9).map(|era| era.to_string())).unwrap();
        let refusal = |folds: &[(&[usize], &[usize])]| {
            let fold = |&(train, test): &(&[usize], &[usize])| Fold {
                train: train.to_vec(),
                test: test.to_vec(),
            };
            Given(folds.iter().map(fold).collect()).folds(&eras).unwrap_err().to_string()
        };
        assert_eq!(refusal(&[]), "the list of folds is empty");
        assert_eq!(refusal(&[(&[0], &[])]), "the list of test eras of fold 0 is empty");
        assert_eq!(refusal(&[(&[], &[3])]), "the list of training eras of fold 0 is empty");
        assert!(refusal(&[(&[1, 0], &[3])]).starts_with("era index 0 at position 1"));
        assert!(refusal(&[(&[0], &[9])]).starts_with("era index 9 at position 0"));
        assert_eq!(refusal(&[(&[0, 3], &[3])]), "fold 0 trains and tests on era 3");
        let order = "fold 1 tests era 2 after era 3: test eras increase over the folds";
        assert_eq!(refusal(&[(&[0], &[3]), (&[0], &[2])]), order);
    }
}
