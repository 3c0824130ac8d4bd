//! The three ways to scale a column, as kernels on slices.
//!
//! Standard: `(x - mean) / std`, divisor `n`. Robust: `(x - median) / spread`, the spread being the
//! distance of two quantiles or `1.4826 MAD`; with `unit_variance` the distance is divided by that of
//! the same quantiles of a normal sample. Quantile: see [`QuantileNormal`].
//!
//! NaN is left out when learning and stays NaN. A spread of zero (below ten roundings, or a constant
//! column in the standard form) counts as 1. No values: everything becomes NaN.
//!
//! Cost: `O(n)` for standard and robust, a sort for quantile.
//!
//! Reference: `StandardScaler` and `RobustScaler` of scikit-learn 1.9; Rousseeuw and Croux (1993),
//! Alternatives to the median absolute deviation, JASA 88.

use fattail_core::{Error, Result};
use fattail_stats::{
    MAD_TO_SIGMA, Moments, Sample, mean, normal_quantile, quantile_sorted, variance,
};
use serde::{Deserialize, Serialize};

use crate::{
    check::same_length,
    scale::{
        quantile::{QuantileNormal, Quantiles},
        sort::{order_statistics, sort},
    },
};

/// How the spread of the robust form is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// The distance of two quantiles, `0 <= low <= high <= 1`; with unit variance
    /// `0 < low < high < 1`.
    Quantiles {
        /// The lower quantile.
        low: f64,
        /// The upper quantile.
        high: f64,
    },
    /// `1.4826` times the median absolute deviation.
    Mad,
}

/// Settings of the robust form.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Robust {
    /// How the spread is measured.
    pub spread: Spread,
    /// Whether a normal sample comes out with variance 1; the MAD does so in any case.
    pub unit_variance: bool,
}

impl Default for Robust {
    fn default() -> Self {
        Self { spread: Spread::Quantiles { low: 0.25, high: 0.75 }, unit_variance: false }
    }
}

/// How a column is scaled.
///
/// ```
/// use fattail_prepare::{Method, Robust};
///
/// let method = Method::Robust(Robust::default());
/// let scale = method.learn(&[1.0, 2.0, 3.0, 4.0, 500.0])?;
/// assert_eq!(scale.apply(4.0), 0.5);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Mean and standard deviation.
    #[default]
    Standard,
    /// Median and a robust spread.
    Robust(Robust),
    /// Place in the distribution.
    Quantile(QuantileNormal),
}

/// What a [`Method`] learnt: a function of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// `(x - centre) / spread`.
    Affine {
        /// What is subtracted.
        centre: f64,
        /// What is divided by.
        spread: f64,
    },
    /// The place among quantiles.
    Quantiles(Quantiles),
}

impl Robust {
    fn check(&self) -> Result<()> {
        let Spread::Quantiles { low, high } = self.spread else { return Ok(()) };
        let given = || format!("{low} to {high}");
        if !(0.0 <= low && low <= high && high <= 1.0) {
            return Err(Error::setting("spread", given(), "0 <= low <= high <= 1"));
        }
        // A normal sample has no such distance, or one of zero.
        if self.unit_variance && !(0.0 < low && low < high && high < 1.0) {
            return Err(Error::setting("spread", given(), "0 < low < high < 1 with unit variance"));
        }
        Ok(())
    }
}

impl Scale {
    /// The scaled value.
    #[must_use]
    pub fn apply(&self, x: f64) -> f64 {
        match self {
            Self::Affine { centre, spread } => (x - centre) / spread,
            Self::Quantiles(quantiles) => quantiles.apply(x),
        }
    }

    /// Writes the scaled values.
    ///
    /// # Errors
    /// When `out` has another length.
    pub fn apply_slice(&self, x: &[f64], out: &mut [f64]) -> Result<()> {
        same_length("out", out.len(), x.len())?;
        match self {
            Self::Affine { centre, spread } => {
                out.iter_mut().zip(x).for_each(|(slot, x)| *slot = (x - centre) / spread);
            }
            Self::Quantiles(quantiles) => quantiles.apply_all(x, out),
        }
        Ok(())
    }

    /// Scales stored values in place.
    pub(crate) fn apply_stored(&self, values: &mut [f32]) {
        values.iter_mut().for_each(|v| *v = self.apply(f64::from(*v)) as f32);
    }
}

impl Method {
    /// Refuses settings out of range.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Standard => Ok(()),
            Self::Quantile(settings) => settings.check(),
            Self::Robust(settings) => settings.check(),
        }
    }

    /// Learns from the values that are not NaN.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn learn(&self, values: &[f64]) -> Result<Scale> {
        self.check()?;
        Ok(self.scale_of(values))
    }

    /// Learns with settings that were checked.
    pub(crate) fn scale_of(&self, values: &[f64]) -> Scale {
        let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        match self {
            Self::Standard => standard(&known),
            Self::Robust(settings) => robust(settings, &mut known),
            Self::Quantile(settings) => {
                sort(&mut known);
                Scale::Quantiles(settings.learn_sorted(&known, values.len()))
            }
        }
    }

    /// The standard form of values whose moments are known.
    pub(crate) fn of_moments(moments: &Moments) -> Scale {
        standard_of(moments.count() as f64, moments.mean(), moments.variance(0))
    }

    /// Learns from `rows` values of which those that are not NaN are `sorted`.
    pub(crate) fn learn_sorted(&self, sorted: &[f64], rows: usize) -> Scale {
        match self {
            Self::Standard => standard(sorted),
            Self::Robust(Robust { spread: Spread::Mad, .. }) => mad(sorted),
            Self::Robust(Robust { spread: Spread::Quantiles { low, high }, unit_variance }) => {
                let at = |q| quantile_sorted(sorted, q).unwrap_or(f64::NAN);
                between(at(0.5), (*low, at(*low)), (*high, at(*high)), *unit_variance)
            }
            Self::Quantile(settings) => Scale::Quantiles(settings.learn_sorted(sorted, rows)),
        }
    }
}

fn standard(known: &[f64]) -> Scale {
    standard_of(known.len() as f64, mean(known), variance(known, 0))
}

fn standard_of(n: f64, centre: f64, variance: f64) -> Scale {
    // Below this the variance is rounding alone (Chan, Golub and LeVeque 1983, equation 2.4).
    let rounding = n * f64::EPSILON * variance + (n * centre * f64::EPSILON).powi(2);
    let spread = if variance <= rounding { 1.0 } else { variance.sqrt() };
    Scale::Affine { centre, spread }
}

fn robust(settings: &Robust, known: &mut [f64]) -> Scale {
    match settings.spread {
        Spread::Mad => mad(known),
        Spread::Quantiles { low, high } => {
            let [centre, at_low, at_high] = order_statistics(known, [0.5, low, high]);
            between(centre, (low, at_low), (high, at_high), settings.unit_variance)
        }
    }
}

fn mad(known: &[f64]) -> Scale {
    let mut sample = Sample::new();
    sample.load(known.iter().copied());
    let spread = MAD_TO_SIGMA * sample.median_absolute_deviation();
    Scale::Affine { centre: sample.median(), spread: not_zero(spread) }
}

/// The robust form of two quantiles, each with its value.
fn between(centre: f64, low: (f64, f64), high: (f64, f64), unit_variance: bool) -> Scale {
    let spread = not_zero(high.1 - low.1);
    let normal = if unit_variance { normal_quantile(high.0) - normal_quantile(low.0) } else { 1.0 };
    Scale::Affine { centre, spread: spread / normal }
}

fn not_zero(spread: f64) -> f64 {
    if spread < 10.0 * f64::EPSILON { 1.0 } else { spread }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let standard = Method::Standard.learn(&[1.0, 3.0, f64::NAN]).unwrap();
        assert_eq!(standard, Scale::Affine { centre: 2.0, spread: 1.0 });
        let mad = Method::Robust(Robust { spread: Spread::Mad, ..Robust::default() });
        let values = [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0];
        let expected = Scale::Affine { centre: 2.0, spread: MAD_TO_SIGMA };
        assert_eq!(mad.learn(&values).unwrap(), expected);
    }

    #[test]
    fn constants_keep_their_distance() {
        for method in [Method::Standard, Method::Robust(Robust::default())] {
            assert_eq!(method.learn(&[0.1; 7]).unwrap().apply(1.1), 1.0);
            assert!(method.learn(&[]).unwrap().apply(1.0).is_nan());
        }
    }

    #[test]
    fn wrong_settings_are_named() {
        let spread = Spread::Quantiles { low: 0.8, high: 0.2 };
        let error = Method::Robust(Robust { spread, ..Robust::default() }).learn(&[1.0]);
        assert!(error.unwrap_err().to_string().contains("0.8 to 0.2"));
        for (low, high) in [(0.0, 1.0), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0)] {
            let spread = Spread::Quantiles { low, high };
            let settings = |unit_variance| Method::Robust(Robust { spread, unit_variance });
            assert!(settings(true).learn(&[1.0, 2.0]).is_err(), "{low} to {high}");
            assert!(settings(false).learn(&[1.0, 2.0]).is_ok(), "{low} to {high}");
        }
        let none = QuantileNormal { quantiles: 0, ..QuantileNormal::default() };
        assert!(Method::Quantile(none).learn(&[1.0]).is_err());
    }
}
