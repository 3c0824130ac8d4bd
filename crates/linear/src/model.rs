//! The fitted line, with what a person needs to explain it.

use std::sync::Arc;

use fattail_core::{Panel, Predict, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{PathPoint, gather::add_scaled, problem::Line};

/// A coefficient and how well it is known.
///
/// `std_error`, `low` and `high` are NaN (null in JSON) where they are not defined: with fewer than
/// two eras, without an intercept for the intercept, and for features that an elastic net did not
/// choose. Those of an elastic net are about a refit on the features it chose, conditional on that
/// choice: their middle is the refit's coefficient, not `value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// The feature, or `intercept`.
    pub name: String,
    /// The value, in units of the target per unit of the feature.
    pub value: f64,
    /// The standard error, robust to any dependence inside an era.
    #[serde(with = "fattail_core::null")]
    pub std_error: f64,
    /// The lower end of the confidence interval.
    #[serde(with = "fattail_core::null")]
    pub low: f64,
    /// The upper end.
    #[serde(with = "fattail_core::null")]
    pub high: f64,
}

/// A fitted linear model. Constant features have coefficient 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearModel {
    /// The intercept; 0 for a fit without one.
    pub intercept: Coefficient,
    /// One coefficient a feature, in panel order.
    pub coefficients: Vec<Coefficient>,
    /// The penalty used.
    pub penalty: f64,
    /// The score of each penalty that was tried, by increasing penalty; empty when there was one.
    pub path: Vec<PathPoint>,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// The rows that counted.
    pub rows: usize,
    /// The eras that counted; 0 where standard errors are not computed.
    pub eras: usize,
}

impl LinearModel {
    /// The coefficient of a feature.
    #[must_use]
    pub fn coefficient(&self, name: &str) -> Option<&Coefficient> {
        self.coefficients.iter().find(|coefficient| coefficient.name == name)
    }

    /// The names of the features, in order.
    pub fn features(&self) -> impl ExactSizeIterator<Item = &str> {
        self.coefficients.iter().map(|coefficient| &*coefficient.name)
    }
}

impl Predict for LinearModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let names: Vec<Arc<str>> = self.features().map(Arc::from).collect();
        panel.schema().expect_features(&names)?;
        panel.expect_finite()?;
        let slopes = self.coefficients.iter().map(|coefficient| coefficient.value).collect();
        let line = Line { intercept: self.intercept.value, slopes };
        let eras: Vec<Vec<f64>> =
            (0..panel.eras().len()).into_par_iter().map(|era| line.at(panel, era)).collect();
        Ok(eras.into_iter().flatten().map(|value| value as f32).collect())
    }
}

impl Line {
    /// The line's values in an era.
    pub(crate) fn at(&self, panel: &Panel, era: usize) -> Vec<f64> {
        let era = panel.era(era);
        let mut out = vec![self.intercept; era.rows()];
        for (column, &slope) in era.features().zip(&self.slopes) {
            if slope != 0.0 {
                add_scaled(&column, slope, &mut out);
            }
        }
        out
    }
}
