//! One fold: refit, predict, score.

use std::ops::Range;

use fattail_core::{Error as CoreError, Fit, Metric, Observer, Panel, Predict, Progress, Result};
use rayon::prelude::*;

use crate::{EraScore, Error, Fold, FoldRun, Scores};

/// What every fold of a backtest shares.
pub(super) struct Runner<'a> {
    panel: &'a Panel,
    /// The panel without targets and weights.
    blind: Panel,
    metrics: &'a [&'a dyn Metric],
    observer: Observer<'a>,
}

/// A fold as it ran, with what it predicted and how that scored.
pub(super) struct Tested {
    pub(super) run: FoldRun,
    pub(super) values: Vec<f32>,
    pub(super) scores: Vec<Scores>,
    pub(super) constant: Vec<Scores>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        panel: &'a Panel,
        metrics: &'a [&'a dyn Metric],
        observer: Observer<'a>,
    ) -> Self {
        Self { panel, blind: panel.without_targets(), metrics, observer }
    }

    /// Fits on the training eras of each fold and hands on what its model does in the test eras.
    pub(super) fn refit<L>(
        &self,
        learner: &L,
        folds: &[Fold],
        take: &mut dyn FnMut(usize, Tested),
    ) -> Result<()>
    where
        L: Fit + ?Sized,
        L::Fitted: Predict,
    {
        let told = |done: usize| {
            let (done, total) = (done as u64, folds.len() as u64);
            (self.observer)(Progress { stage: "backtest", done, total });
        };
        told(0);
        let cuts: Vec<Vec<usize>> = folds.iter().map(|fold| fold.train.clone()).collect();
        let mut done = 0;
        learner.fit_each(self.panel, &cuts, &mut |number, model| {
            if number != done || number >= folds.len() {
                return Err(Error::LostFit { fold: done }.into());
            }
            take(number, self.test(number, &folds[number], model)?);
            done += 1;
            told(done);
            Ok(())
        })?;
        if done < folds.len() { Err(Error::LostFit { fold: done }.into()) } else { Ok(()) }
    }

    fn test(&self, number: usize, fold: &Fold, model: impl Predict) -> Result<Tested> {
        let (train, test) = (self.panel.cut(&fold.train)?, self.panel.cut(&fold.test)?);
        let values = predict_fold(&model, &self.blind, number, fold)?;
        drop(model);
        check_predictions(number, &test, &values)?;
        let scores = score_panel(&test, &values, self.metrics)?;
        let constant = vec![mean_target(&train)?; test.rows()];
        let constant = score_panel(&test, &constant, self.metrics)?;
        let last = |panel: &Panel| panel.eras().labels().next_back().unwrap_or_default().to_owned();
        let run = FoldRun {
            train_first: train.eras().label(0).to_owned(),
            train_last: last(&train),
            train_eras: fold.train.len(),
            test_first: test.eras().label(0).to_owned(),
            test_last: last(&test),
            test_eras: fold.test.len(),
            scores: scores.iter().map(|s| (s.metric.clone(), s.mean())).collect(),
        };
        Ok(Tested { run, values, scores, constant })
    }
}

/// Predicts the test eras of a fold, with the eras left out before them as their past.
fn predict_fold(
    model: &impl Predict,
    blind: &Panel,
    number: usize,
    fold: &Fold,
) -> Result<Vec<f32>> {
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
pub(super) fn score_panel(
    panel: &Panel,
    values: &[f32],
    metrics: &[&dyn Metric],
) -> Result<Vec<Scores>> {
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

pub(super) fn empty(metrics: &[&dyn Metric]) -> Vec<Scores> {
    let scores = |metric: &&dyn Metric| Scores { metric: metric.name().into(), eras: Vec::new() };
    metrics.iter().map(scores).collect()
}

pub(super) fn append(all: &mut [Scores], more: Vec<Scores>) {
    all.iter_mut().zip(more).for_each(|(all, more)| all.eras.extend(more.eras));
}

/// The mean of the known targets, as a prediction.
fn mean_target(train: &Panel) -> Result<f32> {
    // Era by era, so that threads share the work and any number of them gives the same bits.
    let of_era = |era: usize| -> Result<(f64, usize)> {
        let known = train.era(era).target()?.iter().filter(|value| !value.is_nan());
        Ok(known.fold((0.0, 0), |(sum, count), &value| (sum + f64::from(value), count + 1)))
    };
    let eras: Vec<(f64, usize)> =
        (0..train.eras().len()).into_par_iter().map(of_era).collect::<Result<_>>()?;
    let (sum, count) = eras.iter().fold((0.0, 0), |all, era| (all.0 + era.0, all.1 + era.1));
    if count == 0 {
        Err(CoreError::empty("the list of known training targets"))
    } else {
        Ok((sum / count as f64) as f32)
    }
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
