//! The checks, each with the leak that it must see.
//!
//! A check disturbs what was not to be seen and runs the procedure again. What it must see is planted into its
//! predictions: a hundredth of their spread times a number in `[0, 1)` made of just that which was disturbed. A
//! check that does not see its plant says nothing about the procedure.

mod audit;
mod canary;
mod compare;
mod cut;
mod leak;
mod reads;
mod trials;

use fattail_core::{Panel, Progress};
use fattail_evaluate::Fold;
use serde::{Deserialize, Serialize};

use crate::{Certifier, Procedure, Result, Run};

use compare::{Difference, Trial};

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
    /// Folds run again, alone, in another order and in several threads give the same predictions.
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

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was found.
    Passed,
    /// A leak was found.
    Failed,
    /// The check does not apply.
    Skipped,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// How it ended.
    pub state: State,
    /// Whether it saw its planted leak; `None` where nothing is planted.
    pub plant_caught: Option<bool>,
    /// The largest figure that was found: of disturbances a difference in spreads of the predictions, of others
    /// what `note` says.
    #[serde(with = "fattail_core::null")]
    pub figure: f64,
    /// The figure above which the check fails.
    #[serde(with = "fattail_core::null")]
    pub limit: f64,
    /// Where the largest figure was found, or why the check was skipped.
    pub note: String,
}

impl Check {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 18] = [
        Self::Repeat,
        Self::Alive,
        Self::Folds,
        Self::Copies,
        Self::RowOrder,
        Self::Oracle,
        Self::Prefix,
        Self::FutureValues,
        Self::FutureMissing,
        Self::FutureRows,
        Self::FutureIds,
        Self::Labels,
        Self::TestRows,
        Self::Order,
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
            Self::Threads => {
                "folds alone, in another order and in threads give the same predictions"
            }
            Self::Shuffled => "with shuffled targets there is no skill",
            Self::Ledger => "no decision reads a score that is not known yet",
        }
    }
}

/// A procedure on its panel, with the run that others are compared with.
pub(crate) struct Bench<'a> {
    pub(crate) settings: &'a Certifier,
    pub(crate) procedure: &'a dyn Procedure,
    pub(crate) panel: &'a Panel,
    pub(crate) folds: &'a [Fold],
    pub(crate) base: Run,
    /// The standard deviation of the predictions; 1 where they are constant.
    pub(crate) spread: f64,
}

impl Bench<'_> {
    /// Runs a check.
    pub(crate) fn check(&self, check: Check) -> Result<Finding> {
        match check {
            Check::Folds => self.folds_allowed(),
            Check::Ledger => self.ledger(),
            Check::Copies => self.copies(),
            Check::RowOrder => self.row_order(),
            Check::Oracle => self.oracle(),
            Check::Shuffled => self.shuffled(),
            Check::Alive => self.alive(),
            _ => self.compared(check),
        }
    }

    /// A check that compares runs.
    fn compared(&self, check: Check) -> Result<Finding> {
        let trials = match self.trials(check)? {
            Ok(trials) => trials,
            Err(reason) => return Ok(Finding::skipped(check, reason)),
        };
        let (mut worst, mut caught) = (Difference::default(), true);
        for trial in &trials {
            let run = match self.run(&trial.panel, &trial.folds) {
                Ok(run) => run,
                Err(error) => return Ok(self.broken(check, &error.to_string())),
            };
            worst = worst.max(self.difference(trial, &run, false));
            caught &= self.difference(trial, &run, true).spreads > self.settings.tolerance;
        }
        if check == Check::Threads {
            match self.threads()? {
                Ok(found) => worst = worst.max(found),
                Err(error) => return Ok(self.broken(check, &error)),
            }
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
    pub(crate) fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        run(self.procedure, panel, folds)
    }
}

impl Finding {
    /// Failed where the figure is not below the limit, NaN included.
    fn of(check: Check, figure: f64, limit: f64, caught: Option<bool>, note: String) -> Self {
        let state = if figure <= limit { State::Passed } else { State::Failed };
        Self { check, state, plant_caught: caught, figure, limit, note }
    }

    fn skipped(check: Check, note: impl Into<String>) -> Self {
        let (figure, limit) = (f64::NAN, f64::NAN);
        Self { check, state: State::Skipped, plant_caught: None, figure, limit, note: note.into() }
    }
}

/// Runs a procedure and checks the shape of what it answers.
pub(crate) fn run(procedure: &dyn Procedure, panel: &Panel, folds: &[Fold]) -> Result<Run> {
    let run = procedure.run(panel, folds)?;
    let shape = |what, given, expected| {
        if given == expected { Ok(()) } else { Err(crate::Error::Shape { what, given, expected }) }
    };
    shape("folds", run.predictions.len(), folds.len())?;
    for (fold, values) in folds.iter().zip(&run.predictions) {
        let rows = fold.test.iter().map(|&era| panel.eras().range(era).len()).sum();
        shape("predictions", values.len(), rows)?;
    }
    Ok(run)
}

/// Tells how many checks are done.
pub(crate) fn told(done: usize) -> Progress<'static> {
    Progress { stage: "certifying", done: done as u64, total: Check::ALL.len() as u64 }
}
