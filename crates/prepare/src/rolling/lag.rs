//! What a series was some rows ago, and how far it has come since.
//!
//! Value `x_{t-k}`, difference `x_t - x_{t-k}`, momentum `x_t / x_{t-k} - 1`.
//!
//! The first `k` rows are NaN; NaN on either side gives NaN; a momentum from zero is infinite or NaN.
//!
//! Cost: one operation a row; memory is `k` values.

use std::collections::VecDeque;

use fattail_core::Result;
use serde::{Deserialize, Serialize};

use super::number::Number;
use crate::check::{at_least_one, same_length};

/// How the present is compared with the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The past value alone.
    Value,
    /// Present less past.
    Difference,
    /// Present over past, less 1.
    Momentum,
}

impl Change {
    /// The name, such as `momentum`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "lag",
            Self::Difference => "difference",
            Self::Momentum => "momentum",
        }
    }

    #[inline]
    fn between(self, past: f64, present: f64) -> f64 {
        match self {
            Self::Value => past,
            Self::Difference => present - past,
            Self::Momentum => present / past - 1.0,
        }
    }
}

/// A comparison with the value `periods` rows ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// How many rows, at least 1.
    pub periods: usize,
    /// How.
    pub change: Change,
}

impl Lag {
    /// Writes the comparison at every row of `x`.
    ///
    /// ```
    /// use fattail_prepare::{Change, Lag};
    ///
    /// let mut out = [0.0f64; 3];
    /// Lag { periods: 2, change: Change::Momentum }.apply(&[2.0, 9.0, 3.0], &mut out)?;
    /// assert!(out[1].is_nan());
    /// assert_eq!(out[2], 0.5);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `periods` is 0 or a length differs.
    pub fn apply<T: Number>(&self, x: &[T], out: &mut [T]) -> Result<()> {
        at_least_one("periods", self.periods)?;
        same_length("out", out.len(), x.len())?;
        let first = self.periods.min(x.len());
        out[..first].fill(T::narrow(f64::NAN));
        for ((slot, past), present) in out[first..].iter_mut().zip(x).zip(&x[first..]) {
            *slot = T::narrow(self.change.between(past.widen(), present.widen()));
        }
        Ok(())
    }
}

/// The comparisons of a series whose values come one by one.
#[derive(Debug, Clone)]
pub struct LagStream {
    lag: Lag,
    past: VecDeque<f64>,
}

impl LagStream {
    /// A series without values so far.
    ///
    /// # Errors
    /// When `periods` is 0.
    pub fn new(lag: Lag) -> Result<Self> {
        at_least_one("periods", lag.periods)?;
        Ok(Self { lag, past: VecDeque::new() })
    }

    /// The comparison at one more value.
    pub fn push(&mut self, value: f64) -> f64 {
        let full = self.past.len() == self.lag.periods;
        let past = if full { self.past.pop_front() } else { None };
        self.past.push_back(value);
        past.map_or(f64::NAN, |past| self.lag.change.between(past, value))
    }
}
