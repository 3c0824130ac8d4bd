//! Scores of predictions from which features are taken out.
//!
//! `residual = p - proportion · Z Z⁺ p` with `Z` the features and a column of ones; singular values of
//! `Z` at most 1e-6 of the largest count as zero. FNC ranks the residual again and takes Numerai's
//! correlation, its Spearman twin takes Spearman's; the neutral correlation is Pearson's of residual and
//! targets; the neutral contribution takes the features out of both models before it takes the
//! contribution.
//!
//! Constant predictions: NaN. A NaN feature or prediction is refused by FNC and its twin, and takes its
//! row out of the neutral scores.
//!
//! Cost: `n k² / 2` for `k` features of `n` rows, and two to four ranks.
//!
//! Reference: numerai-tools 0.7.2, `neutralize`, `feature_neutral_corr`, `neutral_correlation`,
//! `neutral_contribution`.

use fattail_core::Values;
use fattail_stats::{Projector, Ties, orthogonalise, pearson};

use super::contribution::{Contribution, covary};
use super::{Corr, EraScorer, is_constant};
use crate::error::{Error, Result, same_length};

/// Singular values at most this share of the largest count as zero.
const RCOND: f64 = 1e-6;

impl EraScorer {
    /// [`feature_neutral_corr`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ, a prediction or feature is NaN, or too few targets are known.
    pub fn feature_neutral_corr(
        &mut self,
        prediction: &[f64],
        features: &[Values<'_>],
        target: &[f64],
        settings: &Corr,
    ) -> Result<f64> {
        let Some(residual) = self.residual(prediction, features, target)? else {
            return Ok(f64::NAN);
        };
        // The residual is ranked in the other slot: the predictions' ranks stay for the next score.
        std::mem::swap(&mut self.prediction, &mut self.other);
        let score = self.corr(&residual, target, settings);
        std::mem::swap(&mut self.prediction, &mut self.other);
        score
    }

    /// [`feature_neutral_spearman`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ, a prediction or feature is NaN, or too few targets are known.
    pub fn feature_neutral_spearman(
        &mut self,
        prediction: &[f64],
        features: &[Values<'_>],
        target: &[f64],
    ) -> Result<f64> {
        match self.residual(prediction, features, target)? {
            Some(residual) => self.rank_corr(&residual, target, Ties::Average, true),
            None => Ok(f64::NAN),
        }
    }

    /// The Gaussianised ranks without the features; nothing of constant predictions.
    fn residual(
        &mut self,
        prediction: &[f64],
        features: &[Values<'_>],
        target: &[f64],
    ) -> Result<Option<Vec<f64>>> {
        same_length("targets", target.len(), prediction.len())?;
        expect_known("predictions", prediction)?;
        if is_constant(prediction) {
            return Ok(None);
        }
        let mut residual = vec![0.0; prediction.len()];
        let scores = self.prediction.of(prediction, &mut self.ranking)?;
        projector(features, None, scores.len())?.residual(scores, 1.0, &mut residual)?;
        Ok(Some(residual))
    }

    /// [`neutral_correlation`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ or too few rows are known.
    pub fn neutral_correlation(
        &mut self,
        prediction: &[f64],
        features: &[Values<'_>],
        target: &[f64],
        top_bottom: Option<usize>,
    ) -> Result<f64> {
        let known = rows_known(&[prediction, target], features)?;
        let [p, t] = self.known.rows([prediction, target], known.as_deref())?;
        if is_constant(p) {
            return Ok(f64::NAN);
        }
        let scores = self.prediction.of(p, &mut self.ranking)?;
        self.left.resize(p.len(), 0.0);
        projector(features, known.as_deref(), p.len())?.residual(scores, 1.0, &mut self.left)?;
        let (x, y) = self.extremes.of(&self.left, t, top_bottom, &mut self.ranking.ranker)?;
        Ok(pearson(x, y)?)
    }

    /// [`neutral_contribution`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ or too few rows are known.
    pub fn neutral_contribution(
        &mut self,
        prediction: &[f64],
        other: &[f64],
        features: &[Values<'_>],
        target: &[f64],
        settings: &Contribution,
    ) -> Result<f64> {
        let known = rows_known(&[prediction, target, other], features)?;
        let [p, t, m] = self.known.rows([prediction, target, other], known.as_deref())?;
        if is_constant(p) || is_constant(m) {
            return Ok(f64::NAN);
        }
        let projector = projector(features, known.as_deref(), p.len())?;
        self.left.resize(p.len(), 0.0);
        self.right.resize(p.len(), 0.0);
        projector.residual(self.prediction.of(p, &mut self.ranking)?, 1.0, &mut self.left)?;
        projector.residual(self.other.of(m, &mut self.ranking)?, 1.0, &mut self.right)?;
        let mut q = vec![0.0; p.len()];
        orthogonalise(&self.left, &self.right, &mut q)?;
        covary(&q, t, settings, &mut self.extremes, &mut self.ranking)
    }
}

/// Takes `proportion` of the least-squares fit on the features and a constant out of `values`.
///
/// # Errors
/// When lengths differ, a value or feature is NaN or infinite, or there is no feature.
pub fn neutralize(values: &[f64], features: &[Values<'_>], proportion: f64) -> Result<Vec<f64>> {
    expect_known("values", values)?;
    if values.len() > 1 && is_constant(values) {
        return Ok(vec![f64::NAN; values.len()]);
    }
    let mut residual = vec![0.0; values.len()];
    projector(features, None, values.len())?.residual(values, proportion, &mut residual)?;
    Ok(residual)
}

/// Numerai's correlation of predictions from which the features are taken out (FNC).
///
/// # Errors
/// When lengths differ, a prediction or feature is NaN, or too few targets are known.
pub fn feature_neutral_corr(
    prediction: &[f64],
    features: &[Values<'_>],
    target: &[f64],
    settings: &Corr,
) -> Result<f64> {
    EraScorer::new().feature_neutral_corr(prediction, features, target, settings)
}

/// Spearman's rank correlation of targets and predictions from which the features are taken out.
///
/// # Errors
/// When lengths differ, a prediction or feature is NaN, or too few targets are known.
pub fn feature_neutral_spearman(
    prediction: &[f64],
    features: &[Values<'_>],
    target: &[f64],
) -> Result<f64> {
    EraScorer::new().feature_neutral_spearman(prediction, features, target)
}

/// Pearson's correlation of targets and predictions from which the features are taken out.
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn neutral_correlation(
    prediction: &[f64],
    features: &[Values<'_>],
    target: &[f64],
    top_bottom: Option<usize>,
) -> Result<f64> {
    EraScorer::new().neutral_correlation(prediction, features, target, top_bottom)
}

/// The contribution of predictions to another model after the features are taken out of both.
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn neutral_contribution(
    prediction: &[f64],
    other: &[f64],
    features: &[Values<'_>],
    target: &[f64],
    settings: &Contribution,
) -> Result<f64> {
    EraScorer::new().neutral_contribution(prediction, other, features, target, settings)
}

/// Factorises the features of one era, all rows or the accepted ones.
pub(crate) fn projector(
    features: &[Values<'_>],
    accept: Option<&[bool]>,
    rows: usize,
) -> Result<Projector> {
    if features.is_empty() {
        return Err(Error::NoFeatures);
    }
    if accept.is_none() {
        for feature in features {
            same_length("feature", feature.len(), rows)?;
        }
        let bins: Option<Vec<&[u8]>> = features.iter().map(bins).collect();
        if let Some(bins) = bins {
            return Ok(Projector::from_columns(&bins, true, RCOND)?);
        }
        let numbers: Option<Vec<&[f32]>> = features.iter().map(numbers).collect();
        if let Some(numbers) = numbers {
            return Ok(Projector::from_columns(&numbers, true, RCOND)?);
        }
    }
    let wide: Vec<Vec<f64>> = features.iter().map(|feature| widened(*feature, accept)).collect();
    let wide: Vec<&[f64]> = wide.iter().map(Vec::as_slice).collect();
    Ok(Projector::from_columns(&wide, true, RCOND)?)
}

fn bins<'a>(values: &Values<'a>) -> Option<&'a [u8]> {
    if let Values::U8(values) = values { Some(values) } else { None }
}

fn numbers<'a>(values: &Values<'a>) -> Option<&'a [f32]> {
    if let Values::F32(values) = values { Some(values) } else { None }
}

fn widened(feature: Values<'_>, accept: Option<&[bool]>) -> Vec<f64> {
    let accepted = |row: usize| accept.is_none_or(|accept| accept[row]);
    let rows = feature.iter().enumerate().filter(|&(row, _)| accepted(row));
    rows.map(|(_, value)| f64::from(value)).collect()
}

/// Which rows are known in all columns and features; nothing when all are.
fn rows_known(columns: &[&[f64]], features: &[Values<'_>]) -> Result<Option<Vec<bool>>> {
    let rows = columns[0].len();
    for column in columns {
        same_length("targets", column.len(), rows)?;
    }
    let mut known: Vec<bool> =
        (0..rows).map(|row| columns.iter().all(|column| !column[row].is_nan())).collect();
    for feature in features {
        same_length("feature", feature.len(), rows)?;
        if let Values::F32(values) = feature {
            known.iter_mut().zip(*values).for_each(|(known, value)| *known &= !value.is_nan());
        }
    }
    Ok(known.contains(&false).then_some(known))
}

pub(crate) fn expect_known(name: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| value.is_nan()) {
        Some(row) => Err(Error::Missing { name, row }),
        None => Ok(()),
    }
}
