//! The information coefficient: rank correlation of predictions with targets of several horizons.
//!
//! `IC_e` is Spearman's correlation in era `e` of the predictions with a target, as
//! [`spearman_corr`](crate::spearman_corr); its mean over eras carries the standard error of the target's own
//! overlap; ratio `mean / σ_0`.
//!
//! An era of which more than 20 of 100 rows are unknown, or that is constant on one side, is NaN. A target
//! that the panel does not have is NaN with the reason.
//!
//! Cost: two ranks an era and target.
//!
//! Reference: Grinold and Kahn (1999), Active Portfolio Management, chapter 6.

use fattail_stats::Ties;
use serde::{Deserialize, Serialize};

use super::{
    predicted::Predicted,
    settings::{TargetColumn, TearSettings},
};
use crate::EraMean;

/// Rank correlation of the predictions with one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Information {
    /// The target.
    pub target: String,
    /// The days that it covers.
    pub days: u32,
    /// The correlation over eras.
    pub correlation: EraMean,
    /// `mean / σ_0`.
    #[serde(with = "fattail_core::null")]
    pub ratio: f64,
    /// The share of eras with a correlation above zero.
    #[serde(with = "fattail_core::null")]
    pub positive: f64,
    /// The correlation of each predicted era; empty without the target.
    #[serde(with = "fattail_core::null::list")]
    pub by_era: Vec<f64>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One entry a target of the settings; the panel's own without any.
pub(super) fn by_target(predicted: &Predicted<'_>, settings: &TearSettings) -> Vec<Information> {
    let main = predicted.panel.schema().target();
    let main = main.map(|name| TargetColumn::new(name, settings.horizon.days));
    let named = &settings.targets[..];
    let targets = if named.is_empty() { main.as_slice() } else { named };
    targets.iter().map(|target| information(predicted, target, settings)).collect()
}

fn information(
    predicted: &Predicted<'_>,
    target: &TargetColumn,
    settings: &TearSettings,
) -> Information {
    let (by_era, reason) = match correlations(predicted, &target.name) {
        Ok(values) if values.iter().all(|value| value.is_nan()) => {
            (values, Some("no era has a rank correlation with it".to_owned()))
        }
        Ok(values) => (values, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let correlation = EraMean::of(&by_era, settings.lag_of(target));
    let above = by_era.iter().filter(|&&value| value > 0.0).count();
    Information {
        target: target.name.clone(),
        days: target.days,
        ratio: if correlation.std > 0.0 { correlation.mean / correlation.std } else { f64::NAN },
        positive: above as f64 / correlation.eras as f64,
        correlation,
        by_era,
        reason,
    }
}

/// The rank correlation of each predicted era; NaN where it is not defined.
pub(super) fn correlations(predicted: &Predicted<'_>, target: &str) -> Result<Vec<f64>, String> {
    let eras = predicted.each(Some(target), |_, buffers| {
        let (prediction, target) = (&buffers.prediction[..], &buffers.target[..]);
        buffers.scorer.rank_corr(prediction, target, Ties::Average, true)
    })?;
    Ok(eras.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}
