//! Splits of the house, and violators of each law.

use fattail_core::{Eras, Error, Result};
use fattail_evaluate::{Blocked, Expanding, Fold, PurgedKFold, Split, WalkForward};
use fattail_testing::{Law, check_split};

use crate::fault::{caught, unseeded};

/// Two folds, each trained on the eras before it; changed by the function before they are handed out.
struct Changed<F>(F);

impl<F: Fn(&mut Vec<Fold>) + Send + Sync> Split for Changed<F> {
    fn folds(&self, eras: &Eras) -> Result<Vec<Fold>> {
        let third = eras.len() / 3;
        if third < 10 {
            return Err(Error::empty("the first third"));
        }
        let fold = |start: usize| Fold {
            train: (0..start - 5).collect(),
            test: (start..start + third).collect(),
        };
        let mut folds = vec![fold(third), fold(2 * third)];
        (self.0)(&mut folds);
        Ok(folds)
    }
}

#[test]
fn good_splits_pass() {
    check_split(&Changed(|_: &mut Vec<Fold>| {}), 5).unwrap();
    check_split(&Expanding::default(), 4).unwrap();
    check_split(&WalkForward::default(), 4).unwrap();
    check_split(&Blocked::default(), 4).unwrap();
    check_split(&PurgedKFold::default(), 4).unwrap();
}

#[test]
fn a_gap_that_is_too_short_is_caught() {
    caught(check_split(&Changed(|_: &mut Vec<Fold>| {}), 6), Law::Gap);
    let after = |folds: &mut Vec<Fold>| {
        let last = folds[0].test.len() + folds[0].test[0] + 3;
        folds[0].train.push(last);
    };
    caught(check_split(&Changed(after), 5), Law::Gap);
    let inside = |folds: &mut Vec<Fold>| {
        let era = folds[0].test[7];
        folds[0].train.push(era);
    };
    caught(check_split(&Changed(inside), 0), Law::Gap);
}

#[test]
fn shapes_that_are_wrong_are_caught() {
    let shape =
        |change: fn(&mut Vec<Fold>)| caught(check_split(&Changed(change), 5), Law::FoldShape);
    shape(|folds| folds.clear());
    shape(|folds| folds[0].train.clear());
    shape(|folds| folds[1].test.clear());
    shape(|folds| folds[0].train.swap(0, 1));
    shape(|folds| folds[1].test.push(5000));
}

#[test]
fn other_violators_are_caught() {
    let twice = |folds: &mut Vec<Fold>| folds.push(folds[1].clone());
    caught(check_split(&Changed(twice), 5), Law::TestedOnce);
    let chance =
        |folds: &mut Vec<Fold>| folds[0].train.truncate(1 + (8.0 * unseeded()) as usize % 7);
    caught(check_split(&Changed(chance), 5), Law::Deterministic);
}
