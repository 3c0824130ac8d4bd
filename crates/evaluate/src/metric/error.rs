//! Prediction errors as metrics, with a minus so that larger is better. A constant has a defined error,
//! which is why they stand beside correlations in a report.
//!
//! Less the mean over rows with a known target of `e²`, `|e|`, or Huber's `e² / 2` up to `delta` and
//! `delta (|e| - delta / 2)` beyond, where `e` is the prediction less the target.

use fattail_core::{Era, Error as CoreError, Metric, Result};
use serde::{Deserialize, Serialize};

/// Less the mean squared error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SquaredError;

impl Metric for SquaredError {
    fn name(&self) -> &str {
        "negative_squared_error"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        negative_mean(self.name(), era, prediction, |error| error * error)
    }
}

/// Less the mean absolute error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsoluteError;

impl Metric for AbsoluteError {
    fn name(&self) -> &str {
        "negative_absolute_error"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        negative_mean(self.name(), era, prediction, f64::abs)
    }
}

/// Less the mean Huber error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HuberError {
    /// Where the error turns from squared to absolute.
    pub delta: f64,
}

impl Default for HuberError {
    fn default() -> Self {
        Self { delta: 0.1 }
    }
}

impl Metric for HuberError {
    fn name(&self) -> &str {
        "negative_huber_error"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        if !(self.delta.is_finite() && self.delta > 0.0) {
            return Err(CoreError::setting("delta", self.delta, "finite and above 0"));
        }
        negative_mean(self.name(), era, prediction, |error| {
            let size = error.abs();
            if size <= self.delta {
                0.5 * size * size
            } else {
                self.delta * (size - 0.5 * self.delta)
            }
        })
    }
}

fn negative_mean(
    metric: &str,
    era: &Era<'_>,
    prediction: &[f32],
    loss: impl Fn(f64) -> f64,
) -> Result<f64> {
    let target = era.target()?;
    if prediction.len() != target.len() {
        let (name, given) = ("prediction".into(), prediction.len());
        return Err(CoreError::Length { name, given, expected: target.len() });
    }
    let (mut sum, mut count) = (0.0, 0_usize);
    for (&p, &t) in prediction.iter().zip(target) {
        if !t.is_nan() {
            sum += loss(f64::from(p) - f64::from(t));
            count += 1;
        }
    }
    let mean = sum / count as f64;
    match count {
        0 => Err(era.undefined(metric, "no target is known")),
        _ if mean.is_nan() => Err(era.undefined(metric, "a prediction is not a number")),
        _ => Ok(-mean),
    }
}
