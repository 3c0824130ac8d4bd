//! Schedules that go one way.
//!
//! With s the step: linear `from + (to - from) min(s / steps, 1)`, polynomial
//! `to + (from - to) (1 - min(s / steps, 1))^power`, exponential `start gamma^s`, staircase
//! `start gamma^floor(s / every)`. Cost: constant.

use fattail_core::Result;
use serde::{Deserialize, Serialize};

use super::{Schedule, positive, rate, steps};

/// The same rate for ever.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// The rate.
    pub rate: f64,
}

impl Schedule for Constant {
    fn check(&self) -> Result<()> {
        rate("rate", self.rate)
    }

    fn rate(&self, _step: u64) -> f64 {
        self.rate
    }
}

/// A straight line, up for a warm-up or down for a decay; then `to` for ever.
///
/// ```
/// use fattail_descent::{Linear, Schedule};
/// let warm_up = Linear { from: 0.0, to: 1e-3, steps: 1000 };
/// assert_eq!((warm_up.rate(0), warm_up.rate(500), warm_up.rate(5000)), (0.0, 5e-4, 1e-3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// The rate at step 0.
    pub from: f64,
    /// The rate from `steps` on.
    pub to: f64,
    /// The steps between.
    pub steps: u64,
}

impl Schedule for Linear {
    fn check(&self) -> Result<()> {
        rate("from", self.from)?;
        rate("to", self.to)?;
        steps("steps", self.steps)
    }

    fn rate(&self, step: u64) -> f64 {
        let way = progress(step, self.steps);
        self.from * (1.0 - way) + self.to * way
    }
}

/// A power of the way left; then `to` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Polynomial {
    /// The rate at step 0.
    pub from: f64,
    /// The rate from `steps` on.
    pub to: f64,
    /// The steps between.
    pub steps: u64,
    /// The power; 1 is linear.
    pub power: f64,
}

impl Schedule for Polynomial {
    fn check(&self) -> Result<()> {
        rate("from", self.from)?;
        rate("to", self.to)?;
        steps("steps", self.steps)?;
        positive("power", self.power)
    }

    fn rate(&self, step: u64) -> f64 {
        let left = (1.0 - progress(step, self.steps)).powf(self.power);
        self.to + (self.from - self.to) * left
    }
}

/// Every step multiplies by `gamma`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Exponential {
    /// The rate at step 0.
    pub start: f64,
    /// The factor.
    pub gamma: f64,
}

impl Schedule for Exponential {
    fn check(&self) -> Result<()> {
        rate("start", self.start)?;
        positive("gamma", self.gamma)
    }

    fn rate(&self, step: u64) -> f64 {
        self.start * self.gamma.powf(step as f64)
    }
}

/// Every `every` steps multiply by `gamma`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Staircase {
    /// The rate at step 0.
    pub start: f64,
    /// The factor.
    pub gamma: f64,
    /// The steps on a stair.
    pub every: u64,
}

impl Schedule for Staircase {
    fn check(&self) -> Result<()> {
        rate("start", self.start)?;
        positive("gamma", self.gamma)?;
        steps("every", self.every)
    }

    fn rate(&self, step: u64) -> f64 {
        self.start * self.gamma.powf((step / self.every.max(1)) as f64)
    }
}

/// The share of the way, at most 1.
fn progress(step: u64, steps: u64) -> f64 {
    step.min(steps) as f64 / steps as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let square = Polynomial { from: 1.0, to: 0.0, steps: 10, power: 2.0 };
        assert_eq!((square.rate(0), square.rate(5), square.rate(99)), (1.0, 0.25, 0.0));
        let stairs = Staircase { start: 1.0, gamma: 0.5, every: 3 };
        assert_eq!((stairs.rate(2), stairs.rate(3), stairs.rate(6)), (1.0, 0.5, 0.25));
        assert_eq!(Exponential { start: 8.0, gamma: 0.5 }.rate(3), 1.0);
        assert_eq!(Constant { rate: 0.3 }.rate(7), 0.3);
    }

    #[test]
    fn settings_out_of_range() {
        let error = Linear { from: 0.0, to: f64::NAN, steps: 1 }.check().unwrap_err();
        assert_eq!(error.to_string(), "setting 'to' is NaN, allowed is finite and not negative");
        assert!(Linear { from: 0.0, to: 1.0, steps: 0 }.check().is_err());
    }
}
