//! Intervals of means, Sharpe ratios and any other metric of a dependent series.
//!
//! Two families: [`Bootstrap`] resamples blocks, [`Hac`] estimates a long-run variance. Both answer with
//! an [`Estimate`].

mod bootstrap;
mod hac;
mod ratio;

use serde::{Deserialize, Serialize};

use crate::null;

pub use bootstrap::Bootstrap;
pub use hac::{Hac, LongRun};

/// An estimate with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The metric of the series itself.
    #[serde(with = "null")]
    pub estimate: f64,
    /// Its standard error.
    #[serde(with = "null")]
    pub standard_error: f64,
    /// Lower end of the interval.
    #[serde(with = "null")]
    pub lower: f64,
    /// Upper end of the interval.
    #[serde(with = "null")]
    pub upper: f64,
    /// Two-sided p-value against 0.
    #[serde(with = "null")]
    pub p_value: f64,
    /// Length of the blocks; none where eras are not drawn.
    pub block_length: Option<f64>,
}
