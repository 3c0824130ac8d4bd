//! What predictions add to another model: MMC against the meta model, BMC against a benchmark.
//!
//! `Σ t q / n` with `q = g - m (g·m) / (m·m)`, `g` and `m` the Gaussianised tie-kept ranks of the
//! predictions and of the other model, `t` the scaled targets less their mean: the first-order change
//! of the other model's covariance when a little of the predictions is blended in.
//!
//! Constant predictions: 0. A constant other model: NaN. Constant targets: 0. One row, or more than 20
//! of 100 unknown rows: refused.
//!
//! Cost: two ranks and six passes.
//!
//! Reference: numerai-tools 0.7.2, `correlation_contribution`, `contribution_scores`.

use fattail_stats::{covariance, mean, orthogonalise};
use serde::{Deserialize, Serialize};

use super::rows::Extremes;
use super::{EraScorer, Ranking, dot};
use crate::Result;

/// How targets are scaled before a contribution is taken.
///
/// Numerai's targets in `[0, 1]` count as `0..4` there. A raw return must not: the rule of
/// numerai-tools looks at the values, and multiplies positive returns by 4 as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetScale {
    /// Targets lie in `[0, 1]` and are multiplied by 4.
    #[default]
    UnitToFour,
    /// Targets count as they are.
    AsIs,
    /// As numerai-tools decides in each era: times 4 when every target lies in `[0, 1]`.
    GuessAsNumeraiTools,
}

impl TargetScale {
    fn factor(self, target: &[f64]) -> f64 {
        let unit = |value: &f64| (0.0..=1.0).contains(value);
        match self {
            Self::UnitToFour => 4.0,
            Self::AsIs => 1.0,
            Self::GuessAsNumeraiTools if target.iter().all(unit) => 4.0,
            Self::GuessAsNumeraiTools => 1.0,
        }
    }
}

/// The settings of a contribution.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contribution {
    /// How targets are scaled.
    pub scale: TargetScale,
    /// Only this many rows with the highest and with the lowest orthogonal part.
    pub top_bottom: Option<usize>,
}

impl EraScorer {
    /// [`correlation_contribution`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ or too few rows are known.
    pub fn contribution(
        &mut self,
        prediction: &[f64],
        other: &[f64],
        target: &[f64],
        settings: &Contribution,
    ) -> Result<f64> {
        let [p, t, m] = self.known.rows([prediction, target, other], None)?;
        let p = self.prediction.of(p, &mut self.ranking)?;
        let m = self.other.of(m, &mut self.ranking)?;
        self.left.resize(p.len(), 0.0);
        orthogonalise(p, m, &mut self.left)?;
        covary(&self.left, t, settings, &mut self.extremes, &mut self.ranking)
    }
}

/// `Σ t q / n` with centred targets, over all rows or both ends of `q`.
pub(super) fn covary(
    q: &[f64],
    t: &[f64],
    settings: &Contribution,
    extremes: &mut Extremes,
    ranking: &mut Ranking,
) -> Result<f64> {
    let factor = settings.scale.factor(t);
    if settings.top_bottom.is_none() {
        return Ok(factor * covariance(t, q, 0)?);
    }
    let centre = mean(t);
    let (q, t) = extremes.of(q, t, settings.top_bottom, &mut ranking.ranker)?;
    let total = dot(q, t) - centre * q.iter().sum::<f64>();
    Ok(factor * total / q.len() as f64)
}

/// The contribution of predictions to another model (MMC, BMC).
///
/// ```
/// use fattail_evaluate::{Contribution, correlation_contribution};
/// let (p, meta) = ([0.1, 0.9, 0.3, 0.6], [0.4, 0.5, 0.1, 0.2]);
/// let mmc = |p: &[f64]| correlation_contribution(p, &meta, &[0.0, 1.0, 0.5, 0.5], &Contribution::default());
/// assert!(mmc(&p)? > 0.5);
/// assert!(mmc(&meta)?.abs() < 1e-15);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn correlation_contribution(
    prediction: &[f64],
    other: &[f64],
    target: &[f64],
    settings: &Contribution,
) -> Result<f64> {
    EraScorer::new().contribution(prediction, other, target, settings)
}
