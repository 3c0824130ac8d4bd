//! Rates as functions of the step alone: nothing to save, nothing to resume.

mod compose;
mod curve;
mod cycle;
mod plateau;

pub use compose::{Product, Rate, Sequence};
pub use curve::{Constant, Exponential, Linear, Polynomial, Staircase};
pub use cycle::{Cosine, OneCycle};
pub use plateau::Plateau;

use fattail_core::{Error, Result};

/// A learning rate, or any other number that changes as training goes on.
pub trait Schedule: Send + Sync + std::fmt::Debug {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    fn check(&self) -> Result<()>;

    /// The rate at `step`; the first step is 0. Steps past the end keep the last rate, except where
    /// a schedule says that it begins again. Settings out of range give an unspecified number.
    fn rate(&self, step: u64) -> f64;
}

/// Refuses a rate that is negative or not finite.
fn rate(name: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(name, value, "finite and not negative"))
}

fn positive(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(name, value, "positive and finite"))
}

fn steps(name: &'static str, value: u64) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(Error::setting(name, value, "at least 1")) }
}
