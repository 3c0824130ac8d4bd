//! Metrics of labels that are probabilities.
//!
//! `cross_entropy` is the weighted mean of `-y ln p - (1-y) ln(1-p)`, logarithms of at least 1e-12.
//! `cross_entropy_lambda` has `p = 1 - exp(-w x)` with the prediction x (softplus of the score) and is
//! a mean over known rows, not weights. `kullback_leibler` is the cross entropy less the mean entropy
//! of the labels. Cost: one pass. Reference: LightGBM 4.7 `xentropy_metric.hpp`.

use super::{Evaluation, View};
use crate::{Error, chunks, known::Range};

pub(super) fn value(metric: &Evaluation, view: &View<'_>) -> Result<f64, Error> {
    let scores = view.single()?;
    view.check(&Range::unit(view.by))?;
    let target = view.labels.target();
    let label = |row: usize| f64::from(target[row]);
    if *metric == Evaluation::CrossEntropyLambda {
        return lambda(view, target, scores);
    }
    let (sum, total) = view.sums(target, |row| entropy(target[row], view.predict(scores[row])))?;
    if *metric == Evaluation::CrossEntropy {
        return Ok(sum / total);
    }
    let own = view.sums(target, |row| part(label(row)) + part(1.0 - label(row)))?.0;
    Ok((own + sum) / total)
}

fn lambda(view: &View<'_>, target: &[f32], scores: &[f64]) -> Result<f64, Error> {
    let known = |row: usize| !target[row].is_nan();
    let count = chunks::sum(view.rows(), |row| f64::from(u8::from(known(row))));
    if count == 0.0 {
        return Err(Error::NothingKnown { rows: view.rows() });
    }
    let weights = view.labels.weights.unwrap_or_default();
    if let Some(row) = weights.iter().position(|&weight| weight <= 0.0) {
        return Err(Error::Weight { value: weights[row], row, allowed: "above zero" });
    }
    let loss = |row: usize| {
        let p = 1.0 - (-view.weight(target, row) * view.predict(scores[row])).exp();
        if known(row) { entropy(target[row], p) } else { 0.0 }
    };
    Ok(chunks::sum(view.rows(), loss) / count)
}

fn entropy(label: f32, p: f64) -> f64 {
    let log = |p: f64| p.max(1e-12).ln();
    // One less the label is single in LightGBM.
    -(f64::from(label) * log(p) + f64::from(1.0 - label) * log(1.0 - p))
}

fn part(p: f64) -> f64 {
    if p > 0.0 { p * p.ln() } else { 0.0 }
}
