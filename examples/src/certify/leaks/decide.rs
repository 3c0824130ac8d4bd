//! What is decided by scores: when to stop, which penalty, which model.

use fattail::{
    Panel, Predict, Result,
    certificate::{Run, SealedFold},
    evaluate::{EmbargoRule, Fold, Horizon, Predictions, Read, SpearmanCorr, score_predictions},
    gbdt::{Beside, EarlyStop, Gbdt, Limits},
    linear::Ridge,
    silent,
};

use super::{each, fit, ridge};

fn gap() -> Result<usize> {
    Ok(EmbargoRule::RealTime.gap(&Horizon::NUMERAI_20)?)
}

pub(super) fn early_stopping(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let stop = EarlyStop { rounds: 3, holdout: 0.3, gap: gap()?, ..EarlyStop::default() };
    let limits = Limits { min_data_in_leaf: 20, ..Limits::default() };
    let learner = Gbdt { rounds: 40, leaves: 6, limits, stop: Some(stop), ..Gbdt::default() };
    let fitted = |fold: &SealedFold<'_>| -> Result<Box<dyn Predict>> {
        if leaks {
            let valid = panel.cut(&folds[fold.number()].test)?;
            let beside = Beside { valid: Some(&valid), forest: None };
            return Ok(Box::new(learner.fit_with(fold.train(), beside, &silent)?));
        }
        fit(&learner, fold.train())
    };
    each(panel, folds, |fold| fold.predict(&fitted(fold)?))
}

pub(super) fn tuning(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let penalties = vec![1e-4, 1e-2, 1.0, 10.0];
    let honest = Ridge { penalties: penalties.clone(), gap: gap()?, ..ridge() };
    each(panel, folds, |fold| {
        if !leaks {
            return fold.predict(&fit(&honest, fold.train())?);
        }
        let mut best: Option<(f64, Vec<f32>)> = None;
        for &penalty in &penalties {
            let model = fit(&Ridge { penalties: vec![penalty], ..ridge() }, fold.train())?;
            let values = fold.predict(&model)?;
            let error = squared_error(panel, &folds[fold.number()], &values)?;
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, values));
            }
        }
        Ok(best.map(|(_, values)| values).unwrap_or_default())
    })
}

fn squared_error(panel: &Panel, fold: &Fold, values: &[f32]) -> Result<f64> {
    let target = panel.cut(&fold.test)?.target()?.to_f32();
    let errors = target.iter().zip(values).map(|(y, p)| f64::from(y - p).powi(2));
    Ok(errors.filter(|error| !error.is_nan()).sum())
}

/// A ridge regression and the mean of all features, weighted by their mean scores: those of the test eras, or those
/// that are known when the fold begins. Who looks at test eras keeps no ledger.
pub(super) fn ensemble(panel: &Panel, folds: &[Fold], leaks: bool) -> Result<Run> {
    let (gap, mut run) = (gap()?, Run::default());
    let mut scores: [Vec<(usize, f64)>; 2] = Default::default();
    for (number, fold) in folds.iter().enumerate() {
        let sealed = SealedFold::new(panel, number, fold)?;
        let models = [fit(&ridge(), sealed.train())?, Box::new(Mean) as Box<dyn Predict>];
        let predicted = models.map(|model| sealed.predict(&model));
        let predicted: Vec<Vec<f32>> = predicted.into_iter().collect::<Result<_>>()?;
        for (scores, values) in scores.iter_mut().zip(&predicted) {
            scores.extend(era_scores(panel, fold, values)?);
        }
        let at = fold.test[0];
        let read = |&&(era, _): &&(usize, f64)| leaks || era + gap <= at;
        let weights = scores.each_ref().map(|scores| {
            let read: Vec<f64> = scores.iter().filter(read).map(|(_, score)| *score).collect();
            let mean = read.iter().sum::<f64>() / read.len().max(1) as f64;
            mean.max(0.0) as f32 + 1e-3
        });
        let latest = scores[0].iter().filter(read).map(|&(era, _)| era).max();
        if !leaks {
            run.reads.push(Read { era: at, latest, purpose: "weights of the ensemble".into() });
        }
        let blend = predicted[0].iter().zip(&predicted[1]);
        let blend =
            blend.map(|(a, b)| (weights[0] * a + weights[1] * b) / (weights[0] + weights[1]));
        run.predictions.push(blend.collect());
    }
    Ok(run)
}

fn era_scores(panel: &Panel, fold: &Fold, values: &[f32]) -> Result<Vec<(usize, f64)>> {
    let predictions = Predictions { eras: fold.test.clone(), values: values.to_vec() };
    let scores = score_predictions(panel, &predictions, &[&SpearmanCorr])?;
    let defined = fold.test.iter().copied().zip(scores[0].values());
    Ok(defined.filter(|(_, score)| score.is_finite()).collect())
}

/// Predicts the mean of the features.
struct Mean;

impl Predict for Mean {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let mut sums = vec![0.0; panel.rows()];
        for at in 0..panel.width() {
            sums.iter_mut().zip(panel.feature(at).to_f32()).for_each(|(sum, value)| *sum += value);
        }
        let width = panel.width() as f32;
        Ok(sums.into_iter().map(|sum| sum / width / 4.0).collect())
    }
}
