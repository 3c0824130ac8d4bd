//! What runs share, and what adapts from fold to fold.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use fattail_certificate::{
    Backtested, Certifier, Check, Claim, Procedure, Recipe, Refit, Run, Sealed, SealedFold, Side,
    State, Verdict,
};
use fattail_core::{Fit, Panel, Predict, Result, silent};
use fattail_evaluate::{EmbargoRule, Fold, PurgedKFold, Split};

use crate::support::{Covariance, found, market, of, plus};

/// Leaves how many eras it has in a place that all folds share, and reads it at once: threads at will hardly ever
/// come between.
#[derive(Debug, Default)]
struct Sharing(AtomicUsize);

impl Recipe for Sharing {
    fn predict(&self, fold: &SealedFold<'_>) -> Result<Vec<f32>> {
        let own = fold.train().eras().len();
        self.0.store(own, Ordering::SeqCst);
        let train = fold.train();
        let found = self.0.load(Ordering::SeqCst) as f32 - own as f32;
        Ok(plus(fold.predict(&Covariance.fit(train)?)?, found))
    }
}

/// Its models read what the last fit has left in the learner.
#[derive(Debug, Default)]
struct Leaving(Arc<AtomicUsize>);

struct Left(<Covariance as Fit>::Fitted, usize, Arc<AtomicUsize>);

impl Fit for Leaving {
    type Fitted = Left;

    fn fit(&self, train: &Panel) -> Result<Left> {
        let left = Left(Covariance.fit(train)?, train.eras().len(), Arc::clone(&self.0));
        self.0.store(left.1, Ordering::SeqCst);
        Ok(left)
    }
}

impl Predict for Left {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let found = self.2.load(Ordering::SeqCst) as f32 - self.1 as f32;
        Ok(plus(self.0.predict(panel)?, found))
    }
}

#[test]
fn what_runs_share_is_found_in_turns() {
    let (panel, folds) = market();
    for seed in 0..10 {
        let certifier = Certifier { seed, ..Certifier::default() };
        let procedures: [&dyn Procedure; 2] =
            [&Sealed(Sharing::default()), &Backtested(Leaving::default())];
        for procedure in procedures {
            let made = certifier.certify(procedure, &panel, &folds, &silent).unwrap();
            let leaks = found(&made);
            assert_eq!((made.verdict, leaks), (Verdict::Failed, vec![Check::Threads]), "{made}");
            let note = &of(&made, Check::Threads).note;
            assert!(note.contains("in turns: fold "), "{note}");
        }
    }
}

/// Holds a lock over a whole fold, so that one at a time is fitted.
#[derive(Debug, Default)]
struct OneAtATime(Mutex<()>);

impl Recipe for OneAtATime {
    fn predict(&self, fold: &SealedFold<'_>) -> Result<Vec<f32>> {
        let _held = self.0.lock();
        fold.predict(&Covariance.fit(fold.train())?)
    }
}

#[test]
fn who_holds_a_lock_over_a_fold_passes_and_it_is_told_that_turns_were_given_up() {
    let (panel, folds) = market();
    let procedure = Sealed(OneAtATime::default());
    let made = Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap();
    assert_eq!((made.verdict, found(&made)), (Verdict::Passed, vec![]), "{made}");
    assert!(of(&made, Check::Threads).note.starts_with("turns were given up"), "{made}");
}

/// Cuts its training rows itself: nothing that takes turns is asked.
#[derive(Debug)]
struct OnItsOwn;

impl Procedure for OnItsOwn {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let predict = |fold: &Fold| {
            Covariance.fit(&panel.cut(&fold.train)?)?.predict(&panel.cut(&fold.test)?)
        };
        let predictions = folds.iter().map(predict).collect::<Result<_>>()?;
        Ok(Run { predictions, reads: Vec::new() })
    }
}

#[test]
fn who_takes_no_turn_is_told() {
    let (panel, folds) = market();
    let made = Certifier::default().certify(&OnItsOwn, &panel, &folds, &silent).unwrap();
    assert_eq!((made.verdict, found(&made)), (Verdict::Passed, vec![]), "{made}");
    assert_eq!(of(&made, Check::Threads).note, "no turn was taken within a fold");
    let made = Certifier::default().certify(&Sealed(Refit(Covariance)), &panel, &folds, &silent);
    assert_eq!(of(&made.unwrap(), Check::Threads).note, "");
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
