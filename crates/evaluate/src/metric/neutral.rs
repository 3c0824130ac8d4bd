//! Metrics of predictions from which features are taken out.

use fattail_core::{Era, Error as CoreError, Metric, Result};
use serde::{Deserialize, Serialize};

use super::{chosen, score};
use crate::{Contribution, Corr, alpha, meta_portfolio_contribution};

/// Numerai's correlation after the features are taken out (FNC).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureNeutralCorr {
    /// The features; all of the panel when none are named.
    pub features: Option<Vec<String>>,
    /// The correlation that is taken afterwards.
    pub settings: Corr,
}

impl Metric for FeatureNeutralCorr {
    fn name(&self) -> &str {
        "fnc"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let features = chosen(era, self.features.as_deref())?;
        score(self.name(), era, prediction, None, |scorer, inputs| {
            let (p, t) = (inputs.prediction, inputs.target);
            scorer.feature_neutral_corr(p, &features, t, &self.settings)
        })
    }
}

/// Spearman's rank correlation after the features are taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureNeutralSpearman {
    /// The features; all of the panel when none are named.
    pub features: Option<Vec<String>>,
}

impl Metric for FeatureNeutralSpearman {
    fn name(&self) -> &str {
        "feature_neutral_spearman"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let features = chosen(era, self.features.as_deref())?;
        score(self.name(), era, prediction, None, |scorer, inputs| {
            scorer.feature_neutral_spearman(inputs.prediction, &features, inputs.target)
        })
    }
}

/// Pearson's correlation of targets and Gaussianised ranks without the features.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeutralCorrelation {
    /// The features; all of the panel when none are named.
    pub features: Option<Vec<String>>,
    /// Only this many rows at each end.
    pub top_bottom: Option<usize>,
}

impl Metric for NeutralCorrelation {
    fn name(&self) -> &str {
        "neutral_correlation"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let features = chosen(era, self.features.as_deref())?;
        score(self.name(), era, prediction, None, |scorer, inputs| {
            let (p, t) = (inputs.prediction, inputs.target);
            scorer.neutral_correlation(p, &features, t, self.top_bottom)
        })
    }
}

/// The contribution to the model in an extra column after the features are taken out of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeutralContribution {
    /// The extra column with the other model's predictions.
    pub column: String,
    /// The features; all of the panel when none are named.
    pub features: Option<Vec<String>>,
    /// How it is taken.
    pub settings: Contribution,
}

impl Metric for NeutralContribution {
    fn name(&self) -> &str {
        "neutral_contribution"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let features = chosen(era, self.features.as_deref())?;
        score(self.name(), era, prediction, Some(&self.column), |scorer, inputs| {
            let (p, other, t) = (inputs.prediction, inputs.other, inputs.target);
            scorer.neutral_contribution(p, other, &features, t, &self.settings)
        })
    }
}

/// The return of neutralised weights (alpha). Sample weights `v` and neutralisers `N` stand in extra
/// columns.
///
/// `s - N (Nᵀ (v ⊙ s))` takes the neutralisers out only when their columns are orthonormal under the
/// weights in each era, `Nᵀ diag(v) N = I`. Raw features are not: their bins would be multiplied into
/// the weights instead of being taken out of them. This is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alpha {
    /// The extra column with the sample weights.
    pub weights: String,
    /// The extra columns with the neutralisers, at least one.
    pub neutralizers: Vec<String>,
}

impl Metric for Alpha {
    fn name(&self) -> &str {
        "alpha"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let columns = neutralizers(era, &self.neutralizers)?;
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        score(self.name(), era, prediction, Some(&self.weights), |_, inputs| {
            alpha(inputs.prediction, &columns, inputs.other, inputs.target)
        })
    }
}

/// What the prediction adds to a stake-weighted portfolio of it and other submissions (MPC). Sample
/// weights, neutralisers and the other submissions stand in extra columns; for the neutralisers the
/// same holds as for [`Alpha`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortfolioContribution {
    /// The extra columns with the other submissions.
    pub others: Vec<String>,
    /// The stake on the prediction, then those on the others.
    pub stakes: Vec<f64>,
    /// The extra column with the sample weights.
    pub weights: String,
    /// The extra columns with the neutralisers, at least one.
    pub neutralizers: Vec<String>,
}

impl Metric for PortfolioContribution {
    fn name(&self) -> &str {
        "mpc"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let columns = neutralizers(era, &self.neutralizers)?;
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let others = wide(era, &self.others)?;
        score(self.name(), era, prediction, Some(&self.weights), |_, inputs| {
            let mut all = vec![inputs.prediction];
            all.extend(others.iter().map(Vec::as_slice));
            let (weights, target) = (inputs.other, inputs.target);
            Ok(meta_portfolio_contribution(&all, &self.stakes, &columns, weights, target)?[0])
        })
    }
}

fn neutralizers(era: &Era<'_>, names: &[String]) -> Result<Vec<Vec<f64>>> {
    if names.is_empty() {
        return Err(CoreError::setting("neutralizers", "empty", "at least one column"));
    }
    wide(era, names)
}

/// Extra columns as `f64`.
fn wide(era: &Era<'_>, names: &[String]) -> Result<Vec<Vec<f64>>> {
    let column = |name: &String| -> Result<Vec<f64>> {
        Ok(era.extra(name)?.iter().map(|&value| f64::from(value)).collect())
    };
    names.iter().map(column).collect()
}
