//! Predictions beside the predictions of others.
//!
//! Stake-weighted model `Σ s_k p_k / Σ s_k`; CWMM `pearson(pow(g), stake-weighted model)` with `g` the
//! Gaussianised tie-kept ranks; correlation with others: the largest and the mean Pearson correlation.
//!
//! Stakes that sum to zero, as no stakes do, are refused. Constant predictions: NaN. Others that are
//! constant are passed over.
//!
//! Reference: numerai-tools 0.7.2, `stake_weight`; Numerai's documentation of CWMM, MCWNM and APCWNM.

use fattail_stats::{mean, pearson};

use super::{Corr, EraScorer};
use crate::error::{Error, Result, same_length};

/// `Σ s_k p_k / Σ s_k`, row by row.
///
/// # Errors
/// When lengths differ, or stakes sum to zero or to no finite number.
pub fn stake_weighted(predictions: &[&[f64]], stakes: &[f64]) -> Result<Vec<f64>> {
    same_length("stakes", stakes.len(), predictions.len())?;
    let total: f64 = stakes.iter().sum();
    if total == 0.0 || !total.is_finite() {
        return Err(Error::StakeTotal { total });
    }
    let mut blend = vec![0.0; predictions.first().map_or(0, |first| first.len())];
    for (prediction, stake) in predictions.iter().zip(stakes) {
        same_length("predictions", prediction.len(), blend.len())?;
        blend.iter_mut().zip(*prediction).for_each(|(slot, value)| *slot += stake * value);
    }
    blend.iter_mut().for_each(|value| *value /= total);
    Ok(blend)
}

impl EraScorer {
    /// [`correlation_with_stake_weighted`] in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ or too few rows are known.
    pub fn correlation_with(&mut self, prediction: &[f64], model: &[f64]) -> Result<f64> {
        // Centring the model changes nothing in a correlation.
        self.corr(prediction, model, &Corr { target_pow15: false, top_bottom: None })
    }
}

/// The correlation with the stake-weighted meta model (CWMM).
///
/// # Errors
/// When lengths differ or too few rows are known.
pub fn correlation_with_stake_weighted(prediction: &[f64], model: &[f64]) -> Result<f64> {
    EraScorer::new().correlation_with(prediction, model)
}

/// The largest and the mean Pearson correlation with other submissions (MCWNM, APCWNM); NaN when none
/// is defined.
///
/// # Errors
/// When lengths differ.
pub fn correlation_with_others(prediction: &[f64], others: &[&[f64]]) -> Result<(f64, f64)> {
    let all: Result<Vec<f64>, _> = others.iter().map(|other| pearson(prediction, other)).collect();
    let defined: Vec<f64> = all?.into_iter().filter(|value| !value.is_nan()).collect();
    Ok((defined.iter().copied().fold(f64::NAN, f64::max), mean(&defined)))
}
