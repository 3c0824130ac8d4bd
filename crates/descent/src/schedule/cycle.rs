//! Schedules that rise again.
//!
//! Cosine with restarts: `low + (high - low) (1 + cos(pi u / T_k)) / 2`, u the step since the last
//! restart, `T_k = period growth^k`. One cycle: two arcs of a cosine between `peak / div`, `peak` and
//! `peak / div / final_div`, the first `warm steps - 1` steps long, with a step that need not be whole.
//! Cost: constant; cosine with growth: the number of restarts so far, which grows as a logarithm.
//! Reference: Loshchilov & Hutter (2017), SGDR, eq. 5; Smith & Topin (2018), in the form of torch's
//! `OneCycleLR` (two phases, cosine).

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

use super::{Schedule, positive, rate, steps};

/// A cosine from `high` to `low` that begins again, each time `growth` times as long. It never ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cosine {
    /// The rate at each restart.
    pub high: f64,
    /// The rate just before a restart.
    pub low: f64,
    /// The steps to the first restart.
    pub period: u64,
    /// How many times as long each period is as the last one; 1 keeps them equal.
    pub growth: u64,
}

impl Schedule for Cosine {
    fn check(&self) -> Result<()> {
        rate("high", self.high)?;
        rate("low", self.low)?;
        steps("period", self.period)?;
        steps("growth", self.growth)
    }

    fn rate(&self, step: u64) -> f64 {
        let (mut since, mut period) = (step, self.period.max(1));
        if self.growth <= 1 {
            since %= period;
        }
        while since >= period {
            since -= period;
            period = period.saturating_mul(self.growth);
        }
        arc(self.high, self.low, since as f64 / period as f64)
    }
}

/// Up to `peak` and far down again, once; then the last rate for ever.
///
/// ```
/// use fattail_descent::{OneCycle, Schedule};
/// let cycle = OneCycle { steps: 101, ..OneCycle::default() };
/// assert!((cycle.rate(0) - cycle.peak / 25.0).abs() < 1e-15);
/// assert!((cycle.rate(100) - cycle.peak / 25.0 / 1e4).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OneCycle {
    /// The largest rate.
    pub peak: f64,
    /// All steps.
    pub steps: u64,
    /// The share of the steps that rises.
    pub warm: f64,
    /// The peak over the first rate.
    pub div: f64,
    /// The first rate over the last one.
    pub final_div: f64,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self { peak: 1e-3, steps: 1000, warm: 0.3, div: 25.0, final_div: 1e4 }
    }
}

impl Schedule for OneCycle {
    fn check(&self) -> Result<()> {
        rate("peak", self.peak)?;
        positive("div", self.div)?;
        positive("final_div", self.final_div)?;
        if !(0.0..1.0).contains(&self.warm) {
            return Err(Error::setting("warm", self.warm, "at least 0 and below 1"));
        }
        if self.steps < 2 {
            return Err(Error::setting("steps", self.steps, "at least 2"));
        }
        Ok(())
    }

    fn rate(&self, step: u64) -> f64 {
        let first = self.peak / self.div;
        let (summit, end) = (self.warm * self.steps as f64 - 1.0, self.steps as f64 - 1.0);
        let step = (step as f64).min(end);
        if step <= summit {
            return arc(first, self.peak, step / summit.max(f64::MIN_POSITIVE));
        }
        arc(self.peak, first / self.final_div, (step - summit) / (end - summit))
    }
}

/// Half a cosine from `from` to `to`.
fn arc(from: f64, to: f64, way: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * way).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_by_hand() {
        let cosine = Cosine { high: 1.0, low: 0.0, period: 10, growth: 2 };
        for (step, rate) in [(0, 1.0), (5, 0.5), (10, 1.0), (20, 0.5), (30, 1.0), (50, 0.5)] {
            assert!((cosine.rate(step) - rate).abs() < 1e-15, "{step}");
        }
        let even = Cosine { growth: 1, ..cosine };
        assert_eq!(even.rate(u64::MAX / 10 * 10), 1.0);
        assert!(cosine.rate(u64::MAX).is_finite());
    }

    #[test]
    fn one_cycle_peaks_where_torch_does() {
        let cycle = OneCycle { peak: 1.0, steps: 100, ..OneCycle::default() };
        assert!((cycle.rate(29) - 1.0).abs() < 1e-15);
        assert!(cycle.rate(28) < 1.0 && cycle.rate(30) < 1.0);
        assert_eq!(cycle.rate(99), cycle.rate(1_000_000));
        assert!(OneCycle { warm: 1.0, ..cycle }.check().is_err());
    }
}
