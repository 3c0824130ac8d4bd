//! A metric that keeps the laws, and one violator a law.

use fattail_core::{Era, Metric, Result};
use fattail_evaluate::{ContributionTo, Corr, FeatureNeutralCorr, MeanExposure, SquaredError};
use fattail_stats::pearson;
use fattail_testing::{Law, Market, check_metric, check_metric_except, check_metric_on};

use crate::fault::caught;

/// Correlation with the target; `fault` breaks one law.
struct Correlation {
    fault: Option<Law>,
}

impl Metric for Correlation {
    fn name(&self) -> &str {
        "correlation"
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        let has = |law| self.fault == Some(law);
        if has(Law::Works) || (prediction.len() != era.rows() && !has(Law::Length)) {
            return Err(era.undefined(self.name(), "the lengths differ"));
        }
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        let target = wide(&era.target()?[..prediction.len()]);
        let score = pearson(&wide(prediction), &target).unwrap_or(f64::NAN);
        match self.fault {
            Some(Law::Finite) => Ok(f64::INFINITY),
            Some(Law::RowOrder) => Ok(score + f64::from(prediction[0])),
            Some(Law::Nearer) => Ok(-score),
            Some(Law::Undefined) if score.is_nan() => Ok(0.0),
            _ if score.is_nan() => Err(era.undefined(self.name(), "predictions are constant")),
            _ => Ok(score),
        }
    }
}

#[test]
fn a_good_metric_passes() {
    let metric = Correlation { fault: None };
    check_metric(&metric).unwrap();
    let panel = Market { eras: 3, rows: 300, ..Market::default() }.panel().unwrap();
    check_metric_on(&metric, &panel).unwrap();
}

#[test]
fn every_violator_is_caught() {
    for law in [Law::Works, Law::Finite, Law::RowOrder, Law::Undefined, Law::Length, Law::Nearer] {
        caught(check_metric(&Correlation { fault: Some(law) }), law);
    }
}

#[test]
fn laws_broken_on_purpose_are_left_out() {
    let reversed = Correlation { fault: Some(Law::Nearer) };
    check_metric_except(&reversed, &[Law::Nearer]).unwrap();
    caught(check_metric_except(&reversed, &[Law::Undefined]), Law::Nearer);
}

#[test]
fn metrics_of_the_house_pass() {
    check_metric(&Corr::default()).unwrap();
    check_metric(&FeatureNeutralCorr::default()).unwrap();
    // Numerai's own tools give a constant a contribution of 0.
    check_metric_except(&ContributionTo::mmc("meta_model"), &[Law::Undefined]).unwrap();
    check_metric_except(&ContributionTo::bmc("benchmark"), &[Law::Undefined]).unwrap();
    check_metric_except(&SquaredError, &[Law::Undefined]).unwrap();
    check_metric_except(&MeanExposure::default(), &[Law::Nearer]).unwrap();
}
