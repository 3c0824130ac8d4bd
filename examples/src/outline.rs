//! What every run takes from the names of its columns: the horizon of a target, the metrics.

use fattail::{
    Metric, Panel,
    evaluate::{
        ContributionTo, Corr, FeatureNeutralCorr, Horizon, HuberError, MaxExposure, SpearmanCorr,
    },
};

/// The horizon of a Numerai target: 60 days for `..._60`, 20 days otherwise.
#[must_use]
pub fn numerai_horizon(target: &str) -> Horizon {
    if target.ends_with("_60") { Horizon::NUMERAI_60 } else { Horizon::NUMERAI_20 }
}

/// The metrics of a run: CORR and Spearman's correlation side by side, the contribution to the meta
/// model where there is one, what is left without the features, the largest exposure, and an error
/// that is defined for a constant as well.
#[must_use]
pub fn metrics(panel: &Panel, meta: Option<&str>) -> Vec<Box<dyn Metric>> {
    let mut metrics: Vec<Box<dyn Metric>> = vec![Box::new(Corr::default()), Box::new(SpearmanCorr)];
    if let Some(column) = meta {
        metrics.push(Box::new(ContributionTo::mmc(column)));
    }
    if panel.width() > 0 {
        metrics.push(Box::new(FeatureNeutralCorr::default()));
        metrics.push(Box::new(MaxExposure::default()));
    }
    metrics.push(Box::new(HuberError::default()));
    metrics
}
