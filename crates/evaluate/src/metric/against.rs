//! Metrics against another model, whose predictions stand in an extra column.

use fattail_core::{Era, Metric, Result};
use serde::{Deserialize, Serialize};

use super::score;
use crate::Contribution;

/// The contribution to the model in an extra column: MMC, BMC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionTo {
    /// The metric's name.
    pub name: String,
    /// The extra column with the other model's predictions.
    pub column: String,
    /// How it is taken.
    pub settings: Contribution,
}

impl ContributionTo {
    /// The contribution to the meta model in `column`.
    pub fn mmc(column: impl Into<String>) -> Self {
        Self { name: "mmc".into(), column: column.into(), settings: Contribution::default() }
    }

    /// The contribution to the benchmark model in `column`.
    pub fn bmc(column: impl Into<String>) -> Self {
        Self { name: "bmc".into(), ..Self::mmc(column) }
    }
}

impl Metric for ContributionTo {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        score(&self.name, era, prediction, Some(&self.column), |scorer, inputs| {
            scorer.contribution(inputs.prediction, inputs.other, inputs.target, &self.settings)
        })
    }
}

/// Less the correlation with the model in an extra column (CWMM), so that larger is more original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrelationWith {
    /// The extra column with the other model's predictions.
    pub column: String,
}

impl Metric for CorrelationWith {
    fn name(&self) -> &str {
        "negative_cwmm"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        score(self.name(), era, prediction, Some(&self.column), |scorer, inputs| {
            Ok(-scorer.correlation_with(inputs.prediction, inputs.other)?)
        })
    }
}
