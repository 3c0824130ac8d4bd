//! Folds that someone else made.
//!
//! Their shape is checked: training and test eras are there, increase, and do not meet; test eras
//! increase over the folds. The gap is not, because folds alone do not tell the horizon:
//! `fattail-testing` checks that of a split.

use fattail_core::{Eras, Error as CoreError, Result};
use serde::{Deserialize, Serialize};

use super::{Fold, Split};
use crate::Error;

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
        check_apart(number, fold)?;
        for &era in &fold.test {
            if let Some(previous) = last.filter(|&previous| previous >= era) {
                return Err(Error::FoldOrder { fold: number, era, previous });
            }
            last = Some(era);
        }
    }
    Ok(())
}

fn check_apart(number: usize, fold: &Fold) -> Result<(), Error> {
    match fold.test.iter().find(|era| fold.train.contains(era)) {
        Some(&era) => Err(Error::FoldOverlap { fold: number, era }),
        None => Ok(()),
    }
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
