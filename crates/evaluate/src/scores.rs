//! Scores era by era, as every report shows them.
//!
//! A score that is not defined is NaN with a reason, and `null` in JSON.

use serde::{Deserialize, Serialize};

/// The score of one era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EraScore {
    /// The era's label.
    pub era: String,
    /// The score; NaN when it is not defined.
    #[serde(with = "fattail_core::null")]
    pub value: f64,
    /// Why the score is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The scores of one metric, in the order of the eras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The metric's name.
    pub metric: String,
    /// One score an era.
    pub eras: Vec<EraScore>,
}

impl Scores {
    /// The values, NaN where the score is not defined.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.eras.iter().map(|era| era.value).collect()
    }

    /// The mean of the scores that are defined; NaN when none is.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let defined = self.eras.iter().map(|era| era.value).filter(|value| !value.is_nan());
        let (sum, count) = defined.fold((0.0, 0u32), |(sum, count), v| (sum + v, count + 1));
        if count == 0 { f64::NAN } else { sum / f64::from(count) }
    }
}
