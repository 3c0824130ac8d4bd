//! The largest of many Sharpe ratios without skill, and the record that outlives it.
//!
//! With `M_K` the largest of `K` independent standard normal values: `E[M_K]` is about
//! `(1 - γ) Φ⁻¹(1 - 1/K) + γ Φ⁻¹(1 - 1/(K e))` with Euler's `γ` (the form that deflated Sharpe ratios
//! use), and the exact moments are `K ∫ z^r φ(z) Φ(z)^{K-1} dz`. Backtest length
//! `(E[M_K] / S)²`, at most `2 ln K / S²`, in years where `S` is annualised.
//!
//! `K` need not be whole, because effective numbers of trials are not. The approximation is cut at 0,
//! which it reaches near `K = 1.2`. `K` below 1 and NaN give NaN; a backtest length for a Sharpe ratio that
//! is not above 0 is infinite.
//!
//! Cost: the moments are sums over 769 points.
//!
//! Reference: Bailey, Borwein, López de Prado and Zhu (2014), Pseudo-mathematics and financial
//! charlatanism, Notices of the AMS 61(5), proposition 1 and theorem 1; López de Prado, Lipton and
//! Zoonekynd (2025), How to use the Sharpe ratio.

use std::f64::consts::E;

use fattail_stats::{normal_cdf, normal_density, normal_quantile};

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The sum stands on `-REACH..=REACH` in steps of `1 / STEPS`: the integrand is analytic and dies out
/// at both ends, so that the error of the plain sum is that of rounding.
const REACH: i32 = 12;
const STEPS: i32 = 32;

/// Mean and variance of the largest of many independent standard normal values.
///
/// ```
/// let ten = fattail_luck::MaximumMoments::of(10.0);
/// assert!((ten.mean - 1.538752730835174).abs() < 1e-12);
/// assert!((ten.variance - 0.344343823260689).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaximumMoments {
    /// `E[M_K]`.
    pub mean: f64,
    /// `Var[M_K]`.
    pub variance: f64,
}

impl MaximumMoments {
    /// The moments for `trials = K`.
    #[must_use]
    pub fn of(trials: f64) -> Self {
        if trials.is_nan() || trials < 1.0 {
            return Self { mean: f64::NAN, variance: f64::NAN };
        }
        let (mut first, mut second) = (0.0, 0.0);
        for at in -REACH * STEPS..=REACH * STEPS {
            let z = f64::from(at) / f64::from(STEPS);
            // The logarithm of 1 minus the upper tail keeps its digits where Φ is nearly 1.
            let log = if z < 0.0 { normal_cdf(z).ln() } else { (-normal_cdf(-z)).ln_1p() };
            let below = ((trials - 1.0) * log).exp();
            let weight = trials * normal_density(z) * below / f64::from(STEPS);
            first += weight * z;
            second += weight * z * z;
        }
        Self { mean: first, variance: second - first * first }
    }
}

/// The approximation of `E[M_K]` for `trials = K`, in standard deviations of a trial.
///
/// ```
/// assert!((fattail_luck::expected_maximum(100.0) - 2.530603).abs() < 1e-6);
/// assert_eq!(fattail_luck::expected_maximum(1.0), 0.0);
/// ```
#[must_use]
pub fn expected_maximum(trials: f64) -> f64 {
    if trials.is_nan() || trials < 1.0 {
        return f64::NAN;
    }
    let tail = 1.0 / trials;
    let near = -normal_quantile(tail);
    let far = -normal_quantile(tail / E);
    ((1.0 - EULER) * near + EULER * far).max(0.0)
}

/// Years after which the best of `trials` without skill no longer shows an annual Sharpe ratio of
/// `sharpe`; with a Sharpe ratio per era, eras.
///
/// ```
/// assert!((fattail_luck::minimum_backtest_length(45.0, 1.0) - 4.998087).abs() < 1e-6);
/// ```
#[must_use]
pub fn minimum_backtest_length(trials: f64, sharpe: f64) -> f64 {
    length(expected_maximum(trials).powi(2), sharpe)
}

/// The bound `2 ln K / S²` of [`minimum_backtest_length`].
#[must_use]
pub fn minimum_backtest_length_bound(trials: f64, sharpe: f64) -> f64 {
    if trials >= 1.0 { length(2.0 * trials.ln(), sharpe) } else { f64::NAN }
}

fn length(square: f64, sharpe: f64) -> f64 {
    if sharpe <= 0.0 && !square.is_nan() {
        return f64::INFINITY;
    }
    square / (sharpe * sharpe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_by_hand() {
        let one = MaximumMoments::of(1.0);
        assert!(one.mean.abs() < 1e-14 && (one.variance - 1.0).abs() < 1e-13);
        // The largest of two: 1/√π, and 1 - 1/π.
        let two = MaximumMoments::of(2.0);
        let pi = std::f64::consts::PI;
        assert!((two.mean - 1.0 / pi.sqrt()).abs() < 1e-13);
        assert!((two.variance - (1.0 - 1.0 / pi)).abs() < 1e-13);
        // The largest of three: 3 / (2√π).
        assert!((MaximumMoments::of(3.0).mean - 1.5 / pi.sqrt()).abs() < 1e-13);
    }

    #[test]
    fn the_approximation_is_near_the_moment() {
        for (trials, within) in [(5.0, 0.04), (10.0, 0.04), (1e3, 0.02), (1e6, 0.02), (1e9, 0.02)] {
            let gap = expected_maximum(trials) - MaximumMoments::of(trials).mean;
            assert!(gap.abs() < within, "{trials}: {gap}");
        }
        assert!(expected_maximum(0.5).is_nan() && MaximumMoments::of(f64::NAN).mean.is_nan());
        assert!(minimum_backtest_length(45.0, 1.0) < minimum_backtest_length_bound(45.0, 1.0));
    }

    #[test]
    fn lengths_that_are_none() {
        let nan = f64::NAN;
        for length in [minimum_backtest_length, minimum_backtest_length_bound] {
            for (trials, sharpe) in [(0.5, 1.0), (0.0, 1.0), (nan, 1.0), (45.0, nan), (0.5, -1.0)] {
                assert!(length(trials, sharpe).is_nan(), "{trials} {sharpe}");
            }
            for sharpe in [0.0, -1.0, f64::NEG_INFINITY] {
                assert_eq!(length(45.0, sharpe), f64::INFINITY);
            }
            assert_eq!(length(1.0, 2.0), 0.0);
        }
    }
}
