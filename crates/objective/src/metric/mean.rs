//! Metrics that are means over rows of a loss of label y and prediction x.
//!
//! | metric | loss |
//! |---|---|
//! | l1, l2 | abs(x - y), its square |
//! | quantile | alpha (y - x), or (alpha - 1)(y - x) where x is above |
//! | expectile | alpha (x - y)^2, or (1 - alpha) (x - y)^2 where x is above |
//! | mape | abs(x - y) / max(1, abs y) |
//! | huber | (x - y)^2 / 2, or alpha (abs(x - y) - alpha / 2) beyond alpha |
//! | fair | c r - c^2 ln(1 + r / c), r = abs(x - y) |
//! | pseudo_huber, log_cosh | as in the objectives |
//! | poisson | x - y ln x |
//! | gamma | y / x + ln x |
//! | gamma_deviance | 2 (r - ln r - 1), r = y / (x + 1e-9); a sum over rows |
//! | tweedie | x^(2-p) / (2-p) - y x^(1-p) / (1-p) |
//! | rmsle | (ln(1 + x) - ln(1 + y))^2, x and y above -1; the root of the mean |
//!
//! x is at least 1e-10 in poisson and tweedie. Where all labels are the same, `r2` is 1 for a perfect
//! prediction and 0 for every other. Cost: one pass an output. Reference: LightGBM 4.7
//! `regression_metric.hpp`.

use fattail_descent::{LogCosh, RowLoss};

use super::{Evaluation, View};
use crate::{
    Error,
    known::Range,
    objectives::{Expectile, PseudoHuber},
};

/// The mean over outputs of the metric.
pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    check(metric, view)?;
    let (rows, targets) = (view.rows(), view.labels.targets);
    if !view.outputs.is_multiple_of(targets.len()) {
        let (by, given, allowed) = (view.by, targets.len(), "1, or a divisor of the outputs");
        return Err(Error::Targets { by, given, allowed });
    }
    let each = view.outputs / targets.len();
    if let Evaluation::Quantile { alphas } | Evaluation::Expectile { alphas } = metric {
        crate::labels::length("the list of alphas", alphas.len(), each)?;
    }
    let mut sum = 0.0;
    for (output, scores) in view.scores.chunks(rows).enumerate() {
        let target = targets[output / each];
        sum += one(metric, view, output % each, target, scores)?;
    }
    Ok(sum / view.outputs as f64)
}

fn check(metric: &Evaluation, view: &View<'_>) -> Result<(), Error> {
    let by = view.by;
    let above = |label: f32| label > -1.0 && label.is_finite();
    view.check(&match metric {
        Evaluation::Gamma | Evaluation::GammaDeviance => Range::positive(by),
        Evaluation::Rmsle => Range { by, allowed: "above -1", holds: above },
        _ => Range::finite(by),
    })
}

fn one(
    metric: &Evaluation,
    view: &View<'_>,
    output: usize,
    target: &[f32],
    scores: &[f64],
) -> Result<f64, Error> {
    let mean = |loss: &(dyn Fn(f64, f64) -> f64 + Sync)| {
        let value = |row: usize| loss(f64::from(target[row]), view.predict(scores[row]));
        view.sums(target, value)
    };
    let ratio = |(sum, total): (f64, f64)| sum / total;
    let bend = |loss: &dyn RowLossAt| mean(&|y, x| loss.loss(x - y)).map(ratio);
    match metric {
        Evaluation::L1 => mean(&|y, x| (x - y).abs()).map(ratio),
        Evaluation::Rmse => mean(&|y, x| (x - y) * (x - y)).map(|sums| ratio(sums).sqrt()),
        Evaluation::R2 => r2(view, target, mean(&|y, x| (x - y) * (x - y))?),
        Evaluation::Rmsle => {
            let square = |y: f64, x: f64| (x.ln_1p() - y.ln_1p()).powi(2);
            mean(&square).map(|sums| ratio(sums).sqrt())
        }
        Evaluation::Quantile { alphas } => {
            let alpha = alphas[output];
            mean(&|y, x| (y - x) * if y < x { alpha - 1.0 } else { alpha }).map(ratio)
        }
        Evaluation::Expectile { alphas } => bend(&Expectile { alpha: alphas[output] }),
        Evaluation::Mape => mean(&|y, x| (x - y).abs() / y.abs().max(1.0)).map(ratio),
        Evaluation::Huber { alpha } => bend(&fattail_descent::Huber { delta: *alpha }),
        Evaluation::Fair { c } => mean(&|y, x| fair(*c, (x - y).abs())).map(ratio),
        Evaluation::PseudoHuber { delta } => bend(&PseudoHuber { delta: *delta }),
        Evaluation::LogCosh => bend(&LogCosh),
        Evaluation::Poisson => mean(&|y, x| x.max(LEAST) - y * x.max(LEAST).ln()).map(ratio),
        Evaluation::Gamma => mean(&|y, x| y / x + x.ln()).map(ratio),
        Evaluation::GammaDeviance => mean(&gamma_deviance).map(|sums| 2.0 * sums.0),
        Evaluation::Tweedie { variance_power } => {
            mean(&|y, x| tweedie(*variance_power, y, x)).map(ratio)
        }
        _ => mean(&|y, x| (x - y) * (x - y)).map(ratio),
    }
}

/// The least prediction whose logarithm is taken.
const LEAST: f64 = 1e-10f32 as f64;

/// A loss of the residual, whatever its type.
trait RowLossAt: Sync {
    fn loss(&self, residual: f64) -> f64;
}

impl<L: RowLoss> RowLossAt for L {
    fn loss(&self, residual: f64) -> f64 {
        self.at(residual)
    }
}

fn fair(c: f64, size: f64) -> f64 {
    c * size - c * c * (size / c).ln_1p()
}

fn gamma_deviance(label: f64, prediction: f64) -> f64 {
    let ratio = label / (prediction + 1e-9);
    ratio - ratio.ln() - 1.0
}

fn tweedie(power: f64, label: f64, prediction: f64) -> f64 {
    let log = prediction.max(LEAST).ln();
    let (one, two) = (1.0 - power, 2.0 - power);
    (two * log).exp() / two - label * (one * log).exp() / one
}

fn r2(view: &View<'_>, target: &[f32], (residual, total): (f64, f64)) -> Result<f64, Error> {
    let mean = view.sums(target, |row| f64::from(target[row]))?.0 / total;
    let spread = view.sums(target, |row| (f64::from(target[row]) - mean).powi(2))?.0;
    let zero = f64::from(1e-35f32);
    if spread.abs() < zero {
        return Ok(if residual.abs() < zero { 1.0 } else { 0.0 });
    }
    Ok(1.0 - residual / spread)
}
