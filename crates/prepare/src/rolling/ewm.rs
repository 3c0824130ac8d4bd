//! Exponentially weighted mean, variance and standard deviation.
//!
//! A value that is `k` steps old weighs `(1 - alpha)^k`. Adjusted: the weighted mean of all values so
//! far. Not adjusted: `m_t = (1 - alpha) m_{t-1} + alpha x_t`, the first value being its own mean. The
//! variance is that of the same weights `w`, times `(sum w)² / ((sum w)² - sum w²)`, which takes its
//! bias away.
//!
//! NaN and infinite values are missing: the mean stays, and the weights age over them unless
//! `ignore_missing`. Before `min_periods` known values the answer is NaN; so is the variance of one.
//!
//! Cost: some twenty operations a value; memory is six numbers.
//!
//! Reference: `DataFrame.ewm` of pandas 3; Finch (2009), Incremental calculation of weighted mean and
//! variance, section 9.

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::number::Number;
use crate::check::same_length;

/// How fast old values lose their weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// `alpha` itself, above 0 and at most 1.
    Alpha(f64),
    /// `alpha = 2 / (span + 1)`, span at least 1.
    Span(f64),
    /// Steps after which a weight has halved, above 0.
    HalfLife(f64),
    /// `alpha = 1 / (1 + centre)`, centre of mass at least 0.
    CentreOfMass(f64),
}

/// Exponentially decaying weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ewm {
    /// How fast.
    pub decay: Decay,
    /// Whether the weights are made to sum to 1 from the first value on.
    pub adjust: bool,
    /// Whether weights stand still over missing values.
    pub ignore_missing: bool,
    /// Known values that are needed; 0 counts as 1.
    pub min_periods: usize,
}

impl Default for Ewm {
    fn default() -> Self {
        Self { decay: Decay::Span(20.0), adjust: true, ignore_missing: false, min_periods: 1 }
    }
}

impl Ewm {
    /// The weight of the newest value against all older ones.
    ///
    /// # Errors
    /// When the decay is out of range.
    pub fn alpha(&self) -> Result<f64> {
        let (alpha, given, allowed) = match self.decay {
            Decay::Alpha(alpha) => (alpha, alpha, "alpha above 0 and at most 1"),
            Decay::Span(span) => (2.0 / (span + 1.0), span, "a span of at least 1"),
            Decay::HalfLife(steps) => {
                let alpha = if steps > 0.0 { 1.0 - (-(2.0f64.ln()) / steps).exp() } else { 0.0 };
                (alpha, steps, "a half life above 0")
            }
            Decay::CentreOfMass(centre) => {
                (1.0 / (1.0 + centre), centre, "a centre of mass of at least 0")
            }
        };
        if alpha > 0.0 && alpha <= 1.0 {
            return Ok(alpha);
        }
        Err(Error::setting("decay", given, allowed))
    }

    /// Writes mean and standard deviation of `x`.
    ///
    /// ```
    /// use fattail_prepare::{Decay, Ewm};
    ///
    /// let (mut mean, mut std) = ([0.0; 3], [0.0; 3]);
    /// let ewm = Ewm { decay: Decay::Alpha(0.5), adjust: false, ..Ewm::default() };
    /// ewm.apply(&[4.0, 2.0, 3.0], &mut mean, &mut std)?;
    /// assert_eq!(mean, [4.0, 3.0, 3.0]);
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the decay is out of range or a length differs.
    pub fn apply<T: Number>(&self, x: &[T], mean: &mut [T], std: &mut [T]) -> Result<()> {
        same_length("mean", mean.len(), x.len())?;
        same_length("std", std.len(), x.len())?;
        let mut stream = EwmStream::new(*self)?;
        for ((value, mean), std) in x.iter().zip(mean).zip(std) {
            stream.push(value.widen());
            *mean = T::narrow(stream.mean());
            *std = T::narrow(stream.std());
        }
        Ok(())
    }
}

/// The exponentially weighted moments of a series whose values come one by one.
#[derive(Debug, Clone)]
pub struct EwmStream {
    ewm: Ewm,
    alpha: f64,
    known: usize,
    mean: f64,
    spread: f64,
    /// Weight of all values so far, against the next one.
    old: f64,
    weights: f64,
    squares: f64,
}

impl EwmStream {
    /// A series without values so far.
    ///
    /// # Errors
    /// When the decay is out of range.
    pub fn new(ewm: Ewm) -> Result<Self> {
        let alpha = ewm.alpha()?;
        let (mean, spread) = (f64::NAN, 0.0);
        Ok(Self { ewm, alpha, known: 0, mean, spread, old: 1.0, weights: 1.0, squares: 1.0 })
    }

    /// Takes one more value.
    pub fn push(&mut self, value: f64) {
        let is_known = value.is_finite();
        self.known += usize::from(is_known);
        if self.mean.is_nan() {
            if is_known {
                self.mean = value;
            }
            return;
        }
        if is_known || !self.ewm.ignore_missing {
            let factor = 1.0 - self.alpha;
            self.old *= factor;
            self.weights *= factor;
            self.squares *= factor * factor;
        }
        if is_known {
            self.blend(value);
        }
    }

    fn blend(&mut self, value: f64) {
        let new = if self.ewm.adjust { 1.0 } else { self.alpha };
        let (before, total) = (self.mean, self.old + new);
        if value != before {
            self.mean = (self.old * before + new * value) / total;
        }
        let (moved, away) = (before - self.mean, value - self.mean);
        self.spread = (self.old * (self.spread + moved * moved) + new * away * away) / total;
        self.weights += new;
        self.squares += new * new;
        self.old = total;
        if !self.ewm.adjust {
            self.weights /= total;
            self.squares /= total * total;
            self.old = 1.0;
        }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.known >= self.ewm.min_periods { self.mean } else { f64::NAN }
    }

    /// The variance.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let square = self.weights * self.weights;
        let below = square - self.squares;
        if self.known < self.ewm.min_periods.max(2) || below <= 0.0 {
            return f64::NAN;
        }
        square / below * self.spread
    }

    /// The standard deviation.
    #[must_use]
    pub fn std(&self) -> f64 {
        self.variance().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decays_are_checked() {
        for decay in [
            Decay::Alpha(0.0),
            Decay::Alpha(1.5),
            Decay::Span(0.5),
            Decay::HalfLife(0.0),
            Decay::CentreOfMass(-0.5),
            Decay::Alpha(f64::NAN),
        ] {
            assert!(Ewm { decay, ..Ewm::default() }.alpha().is_err(), "{decay:?}");
        }
        let half = Ewm { decay: Decay::HalfLife(1.0), ..Ewm::default() };
        assert!((half.alpha().unwrap() - 0.5).abs() < 1e-15);
    }
}
