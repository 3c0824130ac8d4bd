//! Feature exposure as metrics, with a minus so that larger is better.

use fattail_core::{Era, Metric, Result};
use fattail_stats::mean;
use serde::{Deserialize, Serialize};

use super::{chosen, score};

/// Less the largest absolute exposure to a feature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxExposure {
    /// The features; all of the panel when none are named.
    pub features: Option<Vec<String>>,
}

impl Metric for MaxExposure {
    fn name(&self) -> &str {
        "negative_max_exposure"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let sizes = |sizes: &[f64]| sizes.iter().copied().fold(f64::NAN, f64::max);
        negative(self.name(), era, prediction, self.features.as_deref(), sizes)
    }
}

/// Less the mean absolute exposure to the features.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeanExposure {
    /// The features; all of the panel when none are named.
    pub features: Option<Vec<String>>,
}

impl Metric for MeanExposure {
    fn name(&self) -> &str {
        "negative_mean_exposure"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        negative(self.name(), era, prediction, self.features.as_deref(), mean)
    }
}

/// Less the statistic of the absolute exposures that are defined.
fn negative(
    metric: &str,
    era: &Era<'_>,
    prediction: &[f32],
    features: Option<&[String]>,
    statistic: impl Fn(&[f64]) -> f64,
) -> Result<f64> {
    let features = chosen(era, features)?;
    score(metric, era, prediction, None, |scorer, inputs| {
        let exposures = scorer.exposures(inputs.prediction, &features, None)?;
        let sizes: Vec<f64> =
            exposures.iter().map(|e| e.abs()).filter(|size| !size.is_nan()).collect();
        Ok(-statistic(&sizes))
    })
}
