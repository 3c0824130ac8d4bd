//! The fitted line, with what a person needs to explain it.

use std::sync::Arc;

use fattail_core::{Panel, Predict, Result, Values};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{PathPoint, gather::add_together, problem::Line};

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
        let slopes = self.coefficients.iter().map(|coefficient| coefficient.value).collect();
        let line = Line { intercept: self.intercept.value, slopes };
        let eras: Vec<Vec<f32>> = (0..panel.eras().len())
            .into_par_iter()
            .map(|era| {
                let values = line.at(panel, era);
                // A feature that is not finite shows in the prediction, unless it counts for nothing.
                if !(values.iter().all(|value| value.is_finite())
                    && line.idle_are_finite(panel, era))
                {
                    panel.expect_finite()?;
                }
                Ok(values.into_iter().map(|value| value as f32).collect())
            })
            .collect::<Result<_>>()?;
        Ok(eras.concat())
    }
}

/// Columns that are added at a time: their sum is written once.
const TOGETHER: usize = 4;

impl Line {
    /// The line's values in an era.
    pub(crate) fn at(&self, panel: &Panel, era: usize) -> Vec<f64> {
        let era = panel.era(era);
        let mut out = vec![self.intercept; era.rows()];
        let pairs = era.features().zip(&self.slopes).filter(|(_, slope)| **slope != 0.0);
        let pairs: Vec<(Values<'_>, f64)> = pairs.map(|(column, &slope)| (column, slope)).collect();
        for some in pairs.chunks(TOGETHER) {
            add_together(some, &mut out);
        }
        out
    }

    /// Whether the features without a slope are finite in an era.
    fn idle_are_finite(&self, panel: &Panel, era: usize) -> bool {
        let mut idle =
            panel.era(era).features().zip(&self.slopes).filter(|(_, slope)| **slope == 0.0);
        idle.all(|(column, _)| match column {
            Values::U8(_) => true,
            Values::F32(values) => values.iter().all(|value| value.is_finite()),
        })
    }
}
