//! Signs that training is not well, from numbers alone.

mod curvature;
mod norms;
mod tridiagonal;
mod units;

pub use curvature::{Curvature, Spectrum};
pub(crate) use norms::{Bounds, Norms};
pub(crate) use units::units;

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where a sign begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// A gradient explodes when its norm is above so many times the typical one, ...
    pub exploding: f64,
    /// ... and its logarithm above it by so many typical changes from step to step, ...
    pub deviations: f64,
    /// ... after so many steps.
    pub settle: u64,
    /// Gradients vanish when the typical norm is below this share of the largest it ever was.
    pub vanishing: f64,
    /// A layer is saturated from this share of its activations on.
    pub saturated: f64,
    /// A layer is dead from this share of its units on.
    pub dead: f64,
    /// The loss is flat when it moved in so many epochs ...
    pub flat_epochs: usize,
    /// ... by at most this share of its size.
    pub flat: f64,
    /// Samples that activations are looked at with, spread over the training part.
    pub samples: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            exploding: 100.0,
            deviations: 5.0,
            settle: 50,
            vanishing: 1e-6,
            saturated: 0.9,
            dead: 0.9,
            flat_epochs: 3,
            flat: 1e-7,
            samples: 512,
        }
    }
}

impl Thresholds {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let shares = [
            ("vanishing", self.vanishing),
            ("saturated", self.saturated),
            ("dead", self.dead),
            ("flat", self.flat),
        ];
        if let Some((name, value)) =
            shares.into_iter().find(|&(_, value)| !(0.0..=1.0).contains(&value))
        {
            return Err(Error::setting(name, value, "between 0 and 1"));
        }
        if self.exploding <= 1.0 || self.exploding.is_nan() {
            return Err(Error::setting("exploding", self.exploding, "above 1"));
        }
        if self.deviations < 0.0 || self.deviations.is_nan() {
            return Err(Error::setting("deviations", self.deviations, "not negative"));
        }
        if self.settle == 0 {
            return Err(Error::setting("settle", self.settle, "at least 1"));
        }
        if self.flat_epochs < 2 {
            return Err(Error::setting("flat_epochs", self.flat_epochs, "at least 2"));
        }
        if self.samples == 0 {
            return Err(Error::setting("samples", self.samples, "at least 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_of_no_step_is_refused() {
        let odd = Thresholds { settle: 0, ..Thresholds::default() };
        let told = odd.check().unwrap_err().to_string();
        assert_eq!(told, "setting 'settle' is 0, allowed is at least 1");
    }
}
