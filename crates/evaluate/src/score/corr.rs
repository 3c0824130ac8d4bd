//! Numerai's correlation and its plainer relatives.
//!
//! `pearson(pow(g), pow(t - t̄))` with `g = Φ⁻¹(tie-kept rank of the predictions)` and
//! `pow(x) = sign(x) |x|^1.5`. The mean of the targets is that of all known targets, before rows with
//! unknown predictions go.
//!
//! Constant predictions or targets: NaN. Ties are kept. One row, or more than 20 of 100 unknown rows:
//! refused.
//!
//! Cost: one rank and five passes.
//!
//! Reference: numerai-tools 0.7.2, `numerai_corr`, `spearman_correlation`,
//! `tie_broken_rank_correlation`, `pearson_correlation`.

use fattail_stats::{Ties, mean, pearson, power_signed};
use serde::{Deserialize, Serialize};

use super::EraScorer;
use crate::error::{Result, same_length};

/// The settings of Numerai's correlation; also its metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corr {
    /// Whether targets are raised to the power 1.5 too; `false` when they are raw returns.
    pub target_pow15: bool,
    /// Only this many rows with the highest and with the lowest predictions.
    pub top_bottom: Option<usize>,
}

impl Default for Corr {
    fn default() -> Self {
        Self { target_pow15: true, top_bottom: None }
    }
}

impl EraScorer {
    /// [`numerai_corr`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ or too few rows are known.
    pub fn corr(&mut self, prediction: &[f64], target: &[f64], settings: &Corr) -> Result<f64> {
        let centre = known_mean(target);
        let [p, t] = self.known.rows([prediction, target], None)?;
        let scores = self.prediction.of(p, &mut self.ranking)?;
        self.left.clear();
        self.left.extend(scores.iter().map(|&score| power_signed(score)));
        self.right.clear();
        if settings.target_pow15 {
            self.right.extend(t.iter().map(|&value| power_signed(value - centre)));
        } else {
            self.right.extend(t.iter().map(|&value| value - centre));
        }
        let ranker = &mut self.ranking.ranker;
        let (x, y) = self.extremes.of(&self.left, &self.right, settings.top_bottom, ranker)?;
        Ok(pearson(x, y)?)
    }
}

/// Numerai's correlation (CORR, `numerai_corr`).
///
/// ```
/// use fattail_evaluate::{Corr, numerai_corr};
/// let up = [0.0, 1.0, 2.0, 3.0, 4.0];
/// let score = numerai_corr(&up, &[0.0, 0.25, 0.5, 0.75, 1.0], &Corr::default())?;
/// assert!(score > 0.98);
/// assert!(numerai_corr(&[0.5; 5], &up, &Corr::default())?.is_nan());
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn numerai_corr(prediction: &[f64], target: &[f64], settings: &Corr) -> Result<f64> {
    EraScorer::new().corr(prediction, target, settings)
}

/// Pearson's correlation of predictions and targets over the known rows.
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn pearson_corr(prediction: &[f64], target: &[f64]) -> Result<f64> {
    let mut scorer = EraScorer::new();
    let [p, t] = scorer.known.rows([prediction, target], None)?;
    Ok(pearson(p, t)?)
}

/// Spearman's rank correlation over the known rows.
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn spearman_corr(prediction: &[f64], target: &[f64]) -> Result<f64> {
    EraScorer::new().rank_corr(prediction, target, Ties::Average, true)
}

/// Pearson's correlation of the targets with the predictions' ranks, ties broken by position.
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn tie_broken_rank_corr(prediction: &[f64], target: &[f64]) -> Result<f64> {
    EraScorer::new().rank_corr(prediction, target, Ties::Broken, false)
}

impl EraScorer {
    pub(crate) fn rank_corr(
        &mut self,
        prediction: &[f64],
        target: &[f64],
        ties: Ties,
        rank_target: bool,
    ) -> Result<f64> {
        same_length("targets", target.len(), prediction.len())?;
        let [p, t] = self.known.rows([prediction, target], None)?;
        self.left.resize(p.len(), 0.0);
        self.ranking.ranker.uniform(p, ties, &mut self.left)?;
        if !rank_target {
            return Ok(pearson(&self.left, t)?);
        }
        self.right.resize(t.len(), 0.0);
        self.ranking.ranker.uniform(t, Ties::Average, &mut self.right)?;
        Ok(pearson(&self.left, &self.right)?)
    }
}

/// The mean of the values that are not NaN.
fn known_mean(values: &[f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        mean(&known)
    } else {
        mean(values)
    }
}
