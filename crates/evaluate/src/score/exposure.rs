//! How much of a prediction is a plain feature.
//!
//! Exposure `e_f = pearson(prediction, feature f)` in one era; dissimilarity of two models
//! `1 - U·E / E·E` with `U` and `E` their exposures.
//!
//! Rows with a NaN prediction or a NaN in the feature go; when more than 20 of 100 predictions are NaN,
//! the era is refused. A constant feature or prediction, and a feature of which less than 80 of 100 rows
//! are left, has exposure NaN, and is passed over where the largest is sought.
//!
//! Cost: four passes a feature.
//!
//! Reference: numerai-tools 0.7.2, `max_feature_correlation`; Numerai's diagnostics.

use fattail_core::Values;
use fattail_stats::pearson;

use super::rows::expect_share;
use super::{EraScorer, dot};
use crate::error::{Error, Result, same_length};

impl EraScorer {
    /// [`feature_exposures`] over the rows with the highest and lowest predictions, if `top_bottom`
    /// says how many, in the buffers of this scorer.
    ///
    /// # Errors
    /// When lengths differ, too few predictions are known, or there are too few rows.
    pub fn exposures(
        &mut self,
        prediction: &[f64],
        features: &[Values<'_>],
        top_bottom: Option<usize>,
    ) -> Result<Vec<f64>> {
        let known = prediction.iter().filter(|value| !value.is_nan()).count();
        expect_share("predictions", known, prediction.len())?;
        let exposure = |feature: &Values<'_>| {
            same_length("feature", feature.len(), prediction.len())?;
            self.left.resize(feature.len(), 0.0);
            feature.write_f64(&mut self.left);
            let ranker = &mut self.ranking.ranker;
            let (p, f) = match self.known.rows([prediction, &self.left], None) {
                Ok([p, f]) => (p, f),
                Err(Error::Overlap { .. }) => return Ok(f64::NAN),
                Err(error) => return Err(error),
            };
            let (x, y) = self.extremes.of(p, f, top_bottom, ranker)?;
            Ok(pearson(x, y)?)
        };
        features.iter().map(exposure).collect()
    }
}

/// Pearson's correlation of predictions with each feature of an era.
///
/// # Errors
/// When lengths differ or too few predictions are known.
pub fn feature_exposures(prediction: &[f64], features: &[Values<'_>]) -> Result<Vec<f64>> {
    EraScorer::new().exposures(prediction, features, None)
}

/// The position of the feature with the largest absolute correlation, and that correlation's size;
/// nothing when none is defined.
///
/// # Errors
/// When lengths differ, too few predictions are known, or there are too few rows.
pub fn max_feature_correlation(
    prediction: &[f64],
    features: &[Values<'_>],
    top_bottom: Option<usize>,
) -> Result<Option<(usize, f64)>> {
    let exposures = EraScorer::new().exposures(prediction, features, top_bottom)?;
    let sizes = exposures.iter().map(|exposure| exposure.abs()).enumerate();
    let defined = sizes.filter(|(_, size)| !size.is_nan());
    Ok(defined.reduce(|best, next| if next.1 > best.1 { next } else { best }))
}

/// `1 - U·E / E·E` of a model's exposures `U` and an example's `E`: 0 for the same, above 1 for
/// opposite ones.
///
/// # Errors
/// When lengths differ.
pub fn exposure_dissimilarity(own: &[f64], example: &[f64]) -> Result<f64> {
    same_length("exposures", own.len(), example.len())?;
    Ok(1.0 - dot(own, example) / dot(example, example))
}
