//! The checks, each with the leak that it must see.
//!
//! A check disturbs what was not to be seen and runs the procedure again. What it must see is planted into its
//! predictions: a hundredth of their spread times a number in `[0, 1)` a row, made of just that which was
//! disturbed. A check that does not see its plant says nothing about the procedure.
//!
//! Spreads are those of the fold (see [`compare`]). Where training eras lie on both sides, folds are disturbed and
//! compared alone: what adapts from fold to fold is then found once, by [`Check::Threads`], which compares folds
//! alone with the run of all of them.

mod audit;
mod canary;
mod compare;
mod copies;
mod cut;
mod finding;
mod leak;
mod reads;
mod threads;
mod trials;

use std::sync::atomic::{AtomicUsize, Ordering};

use fattail_core::{Panel, Progress};
use fattail_evaluate::Fold;
use serde::{Deserialize, Serialize};

use crate::{Certifier, Procedure, Result, Run, Side, certificate::CostFacts};

use compare::{Difference, Trial};
pub use finding::{Finding, Skip, State};

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The same run twice gives the same predictions.
    Repeat,
    /// Other labels to learn from give other predictions.
    Alive,
    /// Training labels of every fold are allowed for its test eras.
    Folds,
    /// Without later eras, earlier predictions are the same.
    Prefix,
    /// With other values in later eras, earlier predictions are the same.
    FutureValues,
    /// With missing values in later eras, earlier predictions are the same.
    FutureMissing,
    /// With fewer rows in later eras, earlier predictions are the same.
    FutureRows,
    /// With ids in later eras that were never seen, earlier predictions are the same.
    FutureIds,
    /// With other labels that are not known yet, predictions are the same.
    Labels,
    /// With other values in later test rows, predictions of the test rows before them are the same.
    TestRows,
    /// With the rows of a test era in another order, each row's prediction is the same.
    Order,
    /// Test eras are predicted alike without those that come after them.
    Streaming,
    /// Runs of some of the folds, in several threads at once, give the same predictions: of the folds up to a cut
    /// where the past is claimed, of each cut's fold alone where training eras lie on both sides.
    Threads,
    /// With shuffled targets there is no skill.
    Shuffled,
    /// No decision reads a score that is not known yet.
    Ledger,
    /// Test rows are not copies of training rows.
    Copies,
    /// The order of rows does not tell their targets.
    RowOrder,
    /// No feature tells the target better than a feature can.
    Oracle,
}

impl Check {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 18] = [
        Self::Repeat,
        Self::Alive,
        Self::Folds,
        Self::Copies,
        Self::Oracle,
        Self::Prefix,
        Self::FutureValues,
        Self::FutureMissing,
        Self::FutureRows,
        Self::FutureIds,
        Self::Labels,
        Self::TestRows,
        Self::Order,
        Self::RowOrder,
        Self::Streaming,
        Self::Threads,
        Self::Shuffled,
        Self::Ledger,
    ];

    /// What holds where it passes, as a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Repeat => "the same run twice gives the same predictions",
            Self::Alive => "other labels to learn from give other predictions",
            Self::Folds => "training labels of every fold are allowed for its test eras",
            Self::Copies => "test rows are not copies of training rows",
            Self::RowOrder => "the order of rows does not tell their targets",
            Self::Oracle => "no feature tells the target better than a feature can",
            Self::Prefix => "without later eras, earlier predictions are the same",
            Self::FutureValues => "other values in later eras change no earlier prediction",
            Self::FutureMissing => "missing values in later eras change no earlier prediction",
            Self::FutureRows => "fewer rows in later eras change no earlier prediction",
            Self::FutureIds => "new ids in later eras change no earlier prediction",
            Self::Labels => "labels that are not known yet change no prediction",
            Self::TestRows => "later test rows change no prediction of the test rows before them",
            Self::Order => "the order of rows changes no prediction",
            Self::Streaming => "test eras are predicted alike without those that come after them",
            Self::Threads => "some of the folds, run in threads, give the same predictions",
            Self::Shuffled => "with shuffled targets there is no skill",
            Self::Ledger => "no decision reads a score that is not known yet",
        }
    }
}

/// A procedure on its panel, with the run that others are compared with.
pub(crate) struct Bench<'a> {
    settings: &'a Certifier,
    procedure: &'a dyn Procedure,
    panel: &'a Panel,
    folds: &'a [Fold],
    /// The run of all folds.
    base: Run,
    /// Where training eras lie on both sides, the predictions of each cut's fold alone; of other folds nothing.
    alone: Vec<Vec<f32>>,
    /// The spread of the predictions of each fold.
    spreads: Vec<f64>,
    runs: AtomicUsize,
    fits: AtomicUsize,
}

impl<'a> Bench<'a> {
    /// Runs the procedure on the panel as it is.
    pub(crate) fn new(
        settings: &'a Certifier,
        procedure: &'a dyn Procedure,
        panel: &'a Panel,
        folds: &'a [Fold],
    ) -> Result<Self> {
        let (runs, fits) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (base, alone, spreads) = (Run::default(), Vec::new(), Vec::new());
        let mut bench =
            Self { settings, procedure, panel, folds, base, alone, spreads, runs, fits };
        bench.base = bench.run(panel, folds)?;
        bench.spreads = compare::spreads(&bench.base);
        if settings.claim.side == Side::Both {
            bench.alone = vec![Vec::new(); folds.len()];
            for cut in bench.cuts() {
                let mut run = bench.run(panel, &folds[cut.fold..=cut.fold])?;
                bench.alone[cut.fold] = run.predictions.remove(0);
            }
        }
        Ok(bench)
    }

    /// What was run so far.
    pub(crate) fn cost(&self) -> CostFacts {
        let [runs, folds] = [&self.runs, &self.fits].map(|count| count.load(Ordering::Relaxed));
        CostFacts { runs, folds }
    }

    /// Runs a check, given what those before it found.
    pub(crate) fn check(&self, check: Check, before: &[Finding]) -> Result<Finding> {
        match check {
            Check::Repeat => self.repeat(),
            Check::Folds => self.folds_allowed(),
            Check::Ledger => self.ledger(),
            Check::Copies => self.copies(),
            Check::RowOrder => {
                let order = before.iter().find(|finding| finding.check == Check::Order);
                self.row_order(order.is_some_and(|order| order.state == State::Passed))
            }
            Check::Oracle => self.oracle(),
            Check::Shuffled => self.shuffled(),
            Check::Alive => self.alive(),
            Check::Threads => Ok(self.threads()),
            _ => self.compared(check),
        }
    }

    /// A check that compares runs.
    fn compared(&self, check: Check) -> Result<Finding> {
        let plans = match self.plans(check)? {
            Ok(plans) => plans,
            Err(finding) => return Ok(finding),
        };
        let (mut worst, mut caught) = (Difference::default(), true);
        for plan in plans {
            let trial = self.trial(check, plan)?;
            let run = match self.run(&trial.panel, &trial.folds) {
                Ok(run) => run,
                Err(error) => return Ok(self.broken(check, &error.to_string())),
            };
            worst = worst.max(self.difference(&trial, &run, false));
            caught &= self.difference(&trial, &run, true).spreads > self.settings.tolerance;
        }
        Ok(self.finding(check, worst.spreads, Some(caught), worst.place))
    }

    /// The procedure could not run where what it was not to see had changed.
    fn broken(&self, check: Check, error: &str) -> Finding {
        let note = format!("the procedure fails when what it is not to see changes: {error}");
        self.finding(check, f64::INFINITY, None, note)
    }

    fn finding(&self, check: Check, figure: f64, caught: Option<bool>, note: String) -> Finding {
        Finding::of(check, figure, self.settings.tolerance, caught, note)
    }

    /// A run whose shape is checked.
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.fits.fetch_add(folds.len(), Ordering::Relaxed);
        let run = self.procedure.run(panel, folds)?;
        let shape = |what, given, expected| {
            if given == expected {
                Ok(())
            } else {
                Err(crate::Error::Shape { what, given, expected })
            }
        };
        shape("folds", run.predictions.len(), folds.len())?;
        for (fold, values) in folds.iter().zip(&run.predictions) {
            let rows = fold.test.iter().map(|&era| panel.eras().range(era).len()).sum();
            shape("predictions", values.len(), rows)?;
        }
        Ok(run)
    }

    /// The predictions that those of a cut are compared with.
    fn first(&self) -> &[Vec<f32>] {
        if self.alone.is_empty() { &self.base.predictions } else { &self.alone }
    }
}

/// Tells how many checks are done.
pub(crate) fn told(done: usize) -> Progress<'static> {
    Progress { stage: "certifying", done: done as u64, total: Check::ALL.len() as u64 }
}
