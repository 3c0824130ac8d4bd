//! Correlations as metrics.

use fattail_core::{Era, Metric, Result};
use fattail_stats::Ties;
use serde::{Deserialize, Serialize};

use super::score;
use crate::{Corr, pearson_corr};

impl Metric for Corr {
    fn name(&self) -> &str {
        "corr"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        score(self.name(), era, prediction, None, |scorer, inputs| {
            scorer.corr(inputs.prediction, inputs.target, self)
        })
    }
}

/// Spearman's rank correlation of predictions and targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpearmanCorr;

impl Metric for SpearmanCorr {
    fn name(&self) -> &str {
        "spearman"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        score(self.name(), era, prediction, None, |scorer, inputs| {
            scorer.rank_corr(inputs.prediction, inputs.target, Ties::Average, true)
        })
    }
}

/// Pearson's correlation of the targets with the predictions' ranks, ties broken by position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TieBrokenRankCorr;

impl Metric for TieBrokenRankCorr {
    fn name(&self) -> &str {
        "tie_broken_rank_corr"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        score(self.name(), era, prediction, None, |scorer, inputs| {
            scorer.rank_corr(inputs.prediction, inputs.target, Ties::Broken, false)
        })
    }
}

/// Pearson's correlation of predictions and targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PearsonCorr;

impl Metric for PearsonCorr {
    fn name(&self) -> &str {
        "pearson"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        score(self.name(), era, prediction, None, |_, inputs| {
            pearson_corr(inputs.prediction, inputs.target)
        })
    }
}
