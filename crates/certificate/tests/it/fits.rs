//! What a backtest calls is certified: a fit of many cuts that looks outside of them is caught.

use fattail_certificate::{Backtested, Certifier, Check, Procedure, Refit, Sealed, Verdict};
use fattail_core::{Fit, Panel, Result, silent};
use fattail_evaluate::{Given, backtest};

use crate::support::{Covariance, Weights, found, market};

/// The covariance learner; where it fits many cuts of a panel, a little of what all rows say comes into each.
#[derive(Debug, Clone)]
struct Peeking;

impl Fit for Peeking {
    type Fitted = Weights;

    fn fit(&self, train: &Panel) -> Result<Weights> {
        Covariance.fit(train)
    }

    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, Weights) -> Result<()>,
    ) -> Result<()> {
        let all = Covariance.fit(panel)?;
        for (at, cut) in cuts.iter().enumerate() {
            let own = Covariance.fit(&panel.cut(cut)?)?;
            let mixed = own.0.iter().zip(&all.0).map(|(own, all)| own + 0.01 * all).collect();
            each(at, Weights(mixed))?;
        }
        Ok(())
    }
}

#[test]
fn a_fit_of_many_cuts_that_looks_outside_of_them_is_caught() {
    let (panel, folds) = market();
    let certify = |procedure: &dyn Procedure| {
        Certifier::default().certify(procedure, &panel, &folds, &silent).unwrap()
    };
    let honest = certify(&Backtested(Covariance));
    assert_eq!(honest.verdict, Verdict::Passed, "{honest}");
    let peeking = certify(&Backtested(Peeking));
    assert_eq!(peeking.verdict, Verdict::Failed);
    for check in [Check::Prefix, Check::FutureValues, Check::Labels] {
        assert!(found(&peeking).contains(&check), "{check:?}: {peeking}");
    }
    // A fit on training rows alone never comes to that place.
    assert_eq!(certify(&Sealed(Refit(Peeking))).verdict, Verdict::Passed);
    assert!(!peeking.is_of(&Sealed(Refit(Peeking))) && peeking.is_of(&Backtested(Peeking)));
}

#[test]
fn predictions_are_those_of_the_backtest() {
    let (panel, folds) = market();
    let run = Backtested(Peeking).run(&panel, &folds).unwrap();
    let made = backtest(&Peeking, &panel, &Given(folds), &[], &silent).unwrap();
    assert_eq!(run.predictions.concat(), made.predictions.values);
}
