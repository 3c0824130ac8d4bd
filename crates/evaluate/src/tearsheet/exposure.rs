//! How closely predictions follow single features, era by era.
//!
//! Exposure `x_f,e` is Pearson's correlation of the predictions with feature `f` in era `e`, as
//! [`feature_exposures`](crate::feature_exposures). Of an era: `max_f |x_f,e|` and the mean over features of
//! `|x_f,e|`. Of a feature: the mean over eras of `|x_f,e|`, by which the features shown are chosen, equal
//! ones in panel order.
//!
//! A feature that is constant in an era, or of which more than 20 of 100 rows are unknown, has no exposure
//! there and is passed over.
//!
//! Cost: four passes a feature and era; 8 bytes each.
//!
//! Reference: Numerai's diagnostics (feature exposure).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use fattail_core::Values;
use fattail_stats::mean;

use super::{part::Part, predicted::Predicted};

/// Exposure over the eras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExposurePath {
    /// The labels of the eras.
    pub eras: Vec<String>,
    /// The largest absolute exposure of each era.
    #[serde(with = "fattail_core::null::list")]
    pub largest: Vec<f64>,
    /// The feature that has it.
    pub largest_feature: Vec<Option<String>>,
    /// The mean absolute exposure of each era.
    #[serde(with = "fattail_core::null::list")]
    pub mean: Vec<f64>,
    /// The features followed most closely, the first the most.
    pub features: Vec<FeatureExposure>,
    /// Features in all.
    pub all_features: usize,
}

/// Exposure to one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureExposure {
    /// The feature.
    pub name: String,
    /// The mean over eras of the absolute exposure.
    #[serde(with = "fattail_core::null")]
    pub mean_size: f64,
    /// The mean over eras of the exposure: near zero, with a large size, when its sign changes.
    #[serde(with = "fattail_core::null")]
    pub mean: f64,
    /// The exposure of each era.
    #[serde(with = "fattail_core::null::list")]
    pub by_era: Vec<f64>,
}

/// Exposure of the predicted eras, and the `most` features followed most closely.
pub(super) fn path(predicted: &Predicted<'_>, most: usize) -> Part<ExposurePath> {
    if predicted.panel.width() == 0 {
        return Part::Missing { reason: "the panel has no features".into() };
    }
    let eras = predicted.each(None, |place, buffers| {
        let era = predicted.panel.era(predicted.eras[place]);
        let features: Vec<Values<'_>> = era.features().collect();
        buffers.scorer.exposures(&buffers.prediction, &features, None)
    });
    let width = predicted.panel.width();
    let gather = |eras: Vec<Option<Vec<f64>>>| {
        let none = || vec![f64::NAN; width];
        let eras: Vec<Vec<f64>> = eras.into_iter().map(|era| era.unwrap_or_else(none)).collect();
        if eras.iter().flatten().all(|value| value.is_nan()) {
            return Err("no feature has an exposure in any era".to_owned());
        }
        Ok(gather(predicted, &eras, most))
    };
    eras.and_then(gather).into()
}

fn gather(predicted: &Predicted<'_>, eras: &[Vec<f64>], most: usize) -> ExposurePath {
    let names = predicted.panel.schema().features();
    let sizes: Vec<f64> = (0..names.len())
        .into_par_iter()
        .map(|feature| mean_known(eras.iter().map(|era| era[feature].abs())))
        .collect();
    let mut order: Vec<usize> = (0..names.len()).filter(|&at| !sizes[at].is_nan()).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]));
    let feature = |&at: &usize| {
        let by_era: Vec<f64> = eras.iter().map(|era| era[at]).collect();
        let mean = mean_known(by_era.iter().copied());
        FeatureExposure { name: names[at].to_string(), mean_size: sizes[at], mean, by_era }
    };
    let largest: Vec<Option<(usize, f64)>> = eras.iter().map(|era| largest(era)).collect();
    ExposurePath {
        eras: predicted.labels(),
        largest: largest.iter().map(|found| found.map_or(f64::NAN, |(_, size)| size)).collect(),
        largest_feature: largest.iter().map(|found| Some(names[(*found)?.0].to_string())).collect(),
        mean: eras.iter().map(|era| mean_known(era.iter().map(|value| value.abs()))).collect(),
        features: order.iter().take(most).map(feature).collect(),
        all_features: names.len(),
    }
}

/// The position and size of the largest absolute value; the first of equal ones.
fn largest(values: &[f64]) -> Option<(usize, f64)> {
    let sizes =
        values.iter().map(|value| value.abs()).enumerate().filter(|(_, size)| !size.is_nan());
    sizes.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// The mean of the values that are not NaN.
fn mean_known(values: impl Iterator<Item = f64>) -> f64 {
    mean(&values.filter(|value| !value.is_nan()).collect::<Vec<f64>>())
}
