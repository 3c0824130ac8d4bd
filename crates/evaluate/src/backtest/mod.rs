//! The backtest: refit in every fold, predict eras that the model did not see, score each of them.
//!
//! Folds run one after another, so memory holds one fitted model at a time; eras are scored in
//! parallel and collected in order, so results are the same bits for any number of threads. Fits go through
//! [`Fit::fit_each`], so a learner whose fits share work does that work once.
//!
//! The model predicts a panel without targets and weights. Eras that a split leaves out between training
//! and test stand before the test eras in that panel, because their features are known by then: a step
//! that looks back, warmed with the training eras, would otherwise see a hole that training does not
//! have. Each stretch of eras without a training era is predicted by itself, from its first era to its
//! last test era, so that it continues the training eras before it; predictions of eras that are not
//! tested are dropped. Only a split that trains between its test eras makes more than one stretch; there
//! the test eras of an earlier stretch are no history of a later one.
//!
//! The constant predictor answers the mean of the known targets of the fold's training eras. A score that
//! is not defined is NaN with a reason.

mod paths;
mod run;

use fattail_core::{Fit, Metric, Observer, Panel, Predict, Result};

use crate::split::check_order;
use crate::{Backtest, Predictions, Scores, Split};
use run::{Runner, append, empty, score_panel};

pub use paths::{PathBacktest, PathRun, PathSpread, backtest_paths};

/// Refits `learner` in every fold of `split` and scores what it predicts.
///
/// # Errors
/// When the split cannot be made, a fit or prediction fails, a model answers with a wrong number of
/// predictions or one that is not finite, or a metric needs a column that is not there.
pub fn backtest<L>(
    learner: &L,
    panel: &Panel,
    split: &dyn Split,
    metrics: &[&dyn Metric],
    observer: Observer<'_>,
) -> Result<Backtest>
where
    L: Fit + ?Sized,
    L::Fitted: Predict,
{
    let folds = split.folds(panel.eras())?;
    check_order(&folds)?;
    let mut result =
        Backtest { scores: empty(metrics), constant: empty(metrics), ..Backtest::default() };
    let runner = Runner::new(panel, metrics, observer);
    runner.refit(learner, &folds, &mut |number, tested| {
        result.folds.push(tested.run);
        result.predictions.eras.extend(&folds[number].test);
        result.predictions.values.extend(tested.values);
        append(&mut result.scores, tested.scores);
        append(&mut result.constant, tested.constant);
    })?;
    Ok(result)
}

/// Scores predictions that are already made.
///
/// # Errors
/// When the predictions do not fit the panel or a metric needs a column that is not there.
pub fn score_predictions(
    panel: &Panel,
    predictions: &Predictions,
    metrics: &[&dyn Metric],
) -> Result<Vec<Scores>> {
    let panel = panel.cut(&predictions.eras)?;
    score_panel(&panel, &predictions.values, metrics)
}
