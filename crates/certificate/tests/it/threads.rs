//! What runs share, and what adapts from fold to fold.

use std::sync::atomic::{AtomicUsize, Ordering};

use fattail_certificate::{
    Certifier, Check, Claim, Procedure, Run, SealedFold, Side, State, Verdict,
};
use fattail_core::{Fit, Panel, Result, silent};
use fattail_evaluate::{EmbargoRule, Fold, PurgedKFold, Split};

use crate::support::{Covariance, found, market, of, plus};

/// Leaves the number of its test eras in a place that all runs share, and reads it after the fit.
#[derive(Debug, Default)]
struct Sharing(AtomicUsize);

impl Procedure for Sharing {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let mut run = Run::default();
        for (number, fold) in folds.iter().enumerate() {
            let own = fold.test[0];
            self.0.store(own, Ordering::SeqCst);
            let sealed = SealedFold::new(panel, number, fold)?;
            let model = Covariance.fit(sealed.train())?;
            // The longer the fit, the likelier.
            for _ in (0..1 << 12).take_while(|_| self.0.load(Ordering::SeqCst) == own) {
                std::thread::yield_now();
            }
            let found = self.0.load(Ordering::SeqCst) as f32 - own as f32;
            run.predictions.push(plus(sealed.predict(&model)?, found));
        }
        Ok(run)
    }
}

#[test]
fn what_runs_share_is_found_in_threads() {
    let (panel, folds) = market();
    let made = Certifier::default().certify(&Sharing::default(), &panel, &folds, &silent).unwrap();
    assert_eq!((made.verdict, found(&made)), (Verdict::Failed, vec![Check::Threads]), "{made}");
}

/// Adds how many folds it has predicted before.
#[derive(Debug)]
struct Adapting;

impl Procedure for Adapting {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let mut run = Run::default();
        for (number, fold) in folds.iter().enumerate() {
            let sealed = SealedFold::new(panel, number, fold)?;
            let honest = sealed.predict(&Covariance.fit(sealed.train())?)?;
            run.predictions.push(plus(honest, number as f32));
        }
        Ok(run)
    }
}

#[test]
fn what_adapts_from_fold_to_fold_has_to_have_a_past() {
    let (panel, folds) = market();
    let made = Certifier::default().certify(&Adapting, &panel, &folds, &silent).unwrap();
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
    // On both sides there is none, and that is the one thing that is found.
    let folds = PurgedKFold { folds: 4, ..PurgedKFold::default() }.folds(panel.eras()).unwrap();
    let claim = Claim { side: Side::Both, rule: EmbargoRule::LabelDisjoint, ..Claim::default() };
    let certifier = Certifier { claim, ..Certifier::default() };
    let made = certifier.certify(&Adapting, &panel, &folds, &silent).unwrap();
    assert_eq!((made.verdict, found(&made)), (Verdict::Failed, vec![Check::Threads]), "{made}");
    assert_eq!(of(&made, Check::Repeat).state, State::Passed);
}
