//! The backtest: refit in every fold, predict eras that the model did not see, score each of them.
//!
//! Folds run one after another, so memory holds one fitted model at a time; eras are scored in
//! parallel and collected in order, so results are the same bits for any number of threads.
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

use std::ops::Range;

use fattail_core::{Error as CoreError, Fit, Metric, Observer, Panel, Predict, Progress, Result};
use rayon::prelude::*;

use crate::{Backtest, EraScore, Error, Fold, FoldRun, Predictions, Scores, Split};

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
    let told = |done: usize| {
        observer(Progress { stage: "backtest", done: done as u64, total: folds.len() as u64 });
    };
    told(0);
    for (number, fold) in folds.iter().enumerate() {
        run_fold(learner, panel, number, fold, metrics, &mut result)?;
        told(number + 1);
    }
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

fn run_fold<L>(
    learner: &L,
    panel: &Panel,
    number: usize,
    fold: &Fold,
    metrics: &[&dyn Metric],
    result: &mut Backtest,
) -> Result<()>
where
    L: Fit + ?Sized,
    L::Fitted: Predict,
{
    let (train, test) = (panel.cut(&fold.train)?, panel.cut(&fold.test)?);
    let model = learner.fit(&train)?;
    let values = predict_fold(&model, panel, number, fold)?;
    drop(model);
    check_predictions(number, &test, &values)?;
    let scores = score_panel(&test, &values, metrics)?;
    let constant = vec![mean_target(&train)?; test.rows()];
    let constant = score_panel(&test, &constant, metrics)?;
    result.folds.push(FoldRun {
        train_first: panel.eras().label(fold.train[0]).to_owned(),
        train_last: train.eras().labels().next_back().unwrap_or_default().to_owned(),
        train_eras: fold.train.len(),
        test_first: panel.eras().label(fold.test[0]).to_owned(),
        test_last: test.eras().labels().next_back().unwrap_or_default().to_owned(),
        test_eras: fold.test.len(),
        scores: scores.iter().map(|s| (s.metric.clone(), s.mean())).collect(),
    });
    result.predictions.eras.extend(&fold.test);
    result.predictions.values.extend(values);
    append(&mut result.scores, scores);
    append(&mut result.constant, constant);
    Ok(())
}

/// Predicts the test eras of a fold, with the eras left out before them as their past.
fn predict_fold(
    model: &(impl Predict + ?Sized),
    panel: &Panel,
    number: usize,
    fold: &Fold,
) -> Result<Vec<f32>> {
    let blind = panel.without_targets();
    let mut values = Vec::new();
    for stretch in stretches(fold) {
        let eras: Vec<usize> = stretch.collect();
        let part = blind.cut(&eras)?;
        let predicted = model.predict(&part)?;
        if predicted.len() != part.rows() {
            let (given, expected) = (predicted.len(), part.rows());
            return Err(Error::PredictionLength { fold: number, given, expected }.into());
        }
        for (era, rows) in eras.iter().zip(part.eras().ranges()) {
            if fold.test.binary_search(era).is_ok() {
                values.extend_from_slice(&predicted[rows]);
            }
        }
    }
    Ok(values)
}

/// The eras to predict, cut where training eras lie between them: each stretch runs from the era after a
/// training era, or the first of all, to its last test era.
fn stretches(fold: &Fold) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for &era in &fold.test {
        let before = fold.train.partition_point(|&train| train < era);
        let start = before.checked_sub(1).map_or(0, |last| fold.train[last] + 1);
        match all.last_mut().filter(|stretch| stretch.start == start) {
            Some(stretch) => stretch.end = era + 1,
            None => all.push(start..era + 1),
        }
    }
    all
}

/// Scores every era of `panel`, in parallel.
fn score_panel(panel: &Panel, values: &[f32], metrics: &[&dyn Metric]) -> Result<Vec<Scores>> {
    if values.len() != panel.rows() {
        let (name, given) = ("prediction".into(), values.len());
        return Err(CoreError::Length { name, given, expected: panel.rows() });
    }
    let ranges: Vec<Range<usize>> = panel.eras().ranges().collect();
    let of_era = |(index, rows): (usize, Range<usize>)| -> Result<Vec<EraScore>> {
        let era = panel.era(index);
        let score = |metric: &&dyn Metric| {
            era_score(era.label(), metric.score(&era, &values[rows.clone()]))
        };
        metrics.iter().map(score).collect()
    };
    let eras: Vec<Vec<EraScore>> =
        ranges.into_par_iter().enumerate().map(of_era).collect::<Result<_>>()?;
    let mut scores = empty(metrics);
    for era in eras {
        scores.iter_mut().zip(era).for_each(|(scores, score)| scores.eras.push(score));
    }
    Ok(scores)
}

fn era_score(era: &str, score: Result<f64>) -> Result<EraScore> {
    let era = era.to_owned();
    match score {
        Ok(value) => {
            let reason = value.is_nan().then(|| "the metric answered NaN".to_owned());
            Ok(EraScore { era, value, reason })
        }
        Err(CoreError::Undefined { reason, .. }) => {
            Ok(EraScore { era, value: f64::NAN, reason: Some(reason) })
        }
        Err(error) => Err(error),
    }
}

fn empty(metrics: &[&dyn Metric]) -> Vec<Scores> {
    let scores = |metric: &&dyn Metric| Scores { metric: metric.name().into(), eras: Vec::new() };
    metrics.iter().map(scores).collect()
}

fn append(all: &mut [Scores], more: Vec<Scores>) {
    all.iter_mut().zip(more).for_each(|(all, more)| all.eras.extend(more.eras));
}

/// The mean of the known targets, as a prediction.
fn mean_target(train: &Panel) -> Result<f32> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for era in train.iter() {
        for &value in era.target()?.iter().filter(|value| !value.is_nan()) {
            sum += f64::from(value);
            count += 1;
        }
    }
    if count == 0 {
        Err(CoreError::empty("the list of known training targets"))
    } else {
        Ok((sum / count as f64) as f32)
    }
}

/// Refuses folds that train on what they test, or whose test eras do not increase over the folds.
fn check_order(folds: &[Fold]) -> Result<(), Error> {
    let mut last: Option<usize> = None;
    for (fold, Fold { train, test }) in folds.iter().enumerate() {
        for &era in test {
            if let Some(previous) = last.filter(|&previous| previous >= era) {
                return Err(Error::FoldOrder { fold, era, previous });
            }
            if train.contains(&era) {
                return Err(Error::FoldOverlap { fold, era });
            }
            last = Some(era);
        }
    }
    Ok(())
}

fn check_predictions(fold: usize, test: &Panel, values: &[f32]) -> Result<(), Error> {
    for (rows, era) in test.eras().ranges().zip(test.eras().labels()) {
        if let Some(row) = values[rows.clone()].iter().position(|value| !value.is_finite()) {
            let (era, value) = (era.to_owned(), values[rows.start + row]);
            return Err(Error::PredictionNotFinite { fold, era, row, value });
        }
    }
    Ok(())
}
