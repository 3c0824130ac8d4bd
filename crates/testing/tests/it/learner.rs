//! A learner that keeps the laws, and one violator a law.

use std::sync::Arc;

use fattail_core::{Error, Fit, Panel, Predict, Result};
use fattail_testing::{Law, check_learner};

use crate::fault::{caught, unseeded};

/// Weights each feature by its own slope on the target; `fault` breaks one law.
#[derive(Debug)]
struct Slopes {
    fault: Option<Law>,
}

struct SlopesModel {
    fault: Option<Law>,
    names: Vec<Arc<str>>,
    weights: Vec<f64>,
    mean: f64,
}

impl Slopes {
    fn has(&self, law: Law) -> bool {
        self.fault == Some(law)
    }

    /// Rows with a known target, and the targets.
    fn known(&self, train: &Panel) -> Result<(Vec<usize>, Vec<f64>)> {
        let mut target = train.target()?.to_f64();
        if self.has(Law::UnknownTarget) {
            target.iter_mut().filter(|t| t.is_nan()).for_each(|t| *t = 0.5);
        }
        let rows: Vec<usize> = (0..target.len()).filter(|&row| target[row].is_finite()).collect();
        let target = rows.iter().map(|&row| target[row]).collect();
        Ok((rows, target))
    }

    fn slope(&self, x: &[f64], y: &[f64]) -> f64 {
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (mx, my) = (mean(x), mean(y));
        let xx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        let xy: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
        if xx > 0.0 || self.has(Law::ConstantFeature) { xy / xx } else { 0.0 }
    }
}

impl Fit for Slopes {
    type Fitted = SlopesModel;

    fn fit(&self, train: &Panel) -> Result<SlopesModel> {
        let names = train.schema().features().to_vec();
        let fault = self.fault;
        if self.has(Law::NoTarget) && !train.has_target() {
            return Ok(SlopesModel { fault, weights: vec![0.0; names.len()], names, mean: 0.0 });
        }
        if !self.has(Law::MissingFeature) {
            train.expect_finite()?;
        }
        if self.has(Law::Works) {
            return Err(Error::empty("the learner"));
        }
        let (rows, target) = self.known(train)?;
        let column = |position: usize| {
            let values = train.feature(position).to_f64();
            let values: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
            self.slope(&values, &target)
        };
        let mut weights: Vec<f64> = (0..names.len()).map(column).collect();
        let lost = if self.has(Law::FewRows) { 1 } else { 0 };
        let mut mean = target.iter().sum::<f64>() / (target.len() - lost) as f64;
        match self.fault {
            Some(Law::Deterministic) => mean += unseeded(),
            Some(Law::Threads) => mean += rayon::current_num_threads() as f64,
            Some(Law::RowOrder) => mean += target[0],
            Some(Law::Learns) => weights.fill(0.0),
            _ => {}
        }
        Ok(SlopesModel { fault, names, weights, mean })
    }

    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, SlopesModel) -> Result<()>,
    ) -> Result<()> {
        for (at, cut) in cuts.iter().enumerate() {
            // The level of the whole panel is that of eras outside the cut as well.
            let mean = self.fit(panel)?.mean;
            let model = self.fit(&panel.cut(cut)?)?;
            each(at, if self.has(Law::CutAlone) { SlopesModel { mean, ..model } } else { model })?;
        }
        Ok(())
    }
}

impl Predict for SlopesModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let has = |law| self.fault == Some(law);
        if !has(Law::Columns) {
            panel.schema().expect_features(&self.names)?;
        }
        if !has(Law::MissingFeature) {
            panel.expect_finite()?;
        }
        let mut sums = vec![self.mean; panel.rows()];
        for (position, weight) in self.weights.iter().enumerate().take(panel.width()) {
            let values = panel.feature(position).to_f64();
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        }
        if has(Law::EraAlone) {
            let mean = sums.iter().sum::<f64>() / sums.len() as f64;
            sums.iter_mut().for_each(|sum| *sum -= mean);
        }
        if has(Law::TargetBlind) && panel.has_target() {
            let target = panel.target()?.to_f64();
            sums.iter_mut().zip(target).for_each(|(sum, target)| *sum += target);
        }
        if has(Law::Finite) {
            sums.pop();
        }
        Ok(sums.into_iter().map(|sum| sum as f32).collect())
    }
}

#[test]
fn a_good_learner_passes() {
    check_learner(&Slopes { fault: None }).unwrap();
}

#[test]
fn every_violator_is_caught() {
    for law in [
        Law::Works,
        Law::Finite,
        Law::Deterministic,
        Law::Threads,
        Law::RowOrder,
        Law::Columns,
        Law::ConstantFeature,
        Law::UnknownTarget,
        Law::EraAlone,
        Law::TargetBlind,
        Law::NoTarget,
        Law::MissingFeature,
        Law::FewRows,
        Law::CutAlone,
        Law::Learns,
    ] {
        caught(check_learner(&Slopes { fault: Some(law) }), law);
    }
}

/// Predicts by the position of the row in its era.
struct ByPosition(Slopes);

struct ByPositionModel(SlopesModel);

impl Fit for ByPosition {
    type Fitted = ByPositionModel;

    fn fit(&self, train: &Panel) -> Result<ByPositionModel> {
        self.0.fit(train).map(ByPositionModel)
    }
}

impl Predict for ByPositionModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let mut predicted = self.0.predict(panel)?;
        for rows in panel.eras().ranges() {
            predicted[rows].iter_mut().zip(0u8..).for_each(|(p, at)| *p += f32::from(at));
        }
        Ok(predicted)
    }
}

#[test]
fn a_prediction_by_position_is_caught() {
    caught(check_learner(&ByPosition(Slopes { fault: None })), Law::RowOrder);
}
