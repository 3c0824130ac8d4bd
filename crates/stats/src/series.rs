//! Autocorrelation and the long-run variance of a series.
//!
//! Autocorrelation at lag `k`: `Σ (x_t - x̄)(x_{t+k} - x̄) / Σ (x_t - x̄)²`. Lag correlation: Pearson
//! of `x_1..x_{n-k}` with `x_{k+1}..x_n`, each with its own mean. Long-run variance
//! `γ_0 + 2 Σ_{l=1}^{L} (1 - l / (L + 1)) γ_l` with `γ_l = Σ (x_t - x̄)(x_{t+l} - x̄) / n`;
//! t-statistic of the mean `x̄ / √(variance / n)`.
//!
//! NaN in gives NaN out; constant or too short series give NaN.
//!
//! Cost: one pass a lag.
//!
//! Reference: Newey and West (1987), A simple, positive semi-definite, heteroskedasticity and
//! autocorrelation consistent covariance matrix, Econometrica 55(3).

use crate::correlate::pearson;
use crate::error::{Error, Result};
use crate::moments::{is_constant, mean};
use crate::sums::{dot, sum_of_pairs};

/// Autocorrelation at lag `k`, with the mean and variance of the whole series.
#[must_use]
pub fn autocorrelation(x: &[f64], lag: usize) -> f64 {
    if lag >= x.len() || is_constant(x) {
        return f64::NAN;
    }
    let m = mean(x);
    let product = |a, b| (a - m) * (b - m);
    sum_of_pairs(&x[lag..], &x[..x.len() - lag], product) / sum_of_pairs(x, x, product)
}

/// Pearson's correlation of the series with itself `lag` steps earlier, as pandas' `autocorr`.
///
/// ```
/// let r = fattail_stats::lag_correlation(&[1.0, 2.0, 3.0, 4.0], 1);
/// assert!((r - 1.0).abs() < 1e-15);
/// ```
#[must_use]
pub fn lag_correlation(x: &[f64], lag: usize) -> f64 {
    if lag >= x.len() {
        return f64::NAN;
    }
    pearson(&x[lag..], &x[..x.len() - lag]).unwrap_or(f64::NAN)
}

/// Newey and West's long-run variance with Bartlett weights up to `lags`.
///
/// # Errors
/// [`Error::Range`] when `lags` is not below the length of the series.
pub fn long_run_variance(x: &[f64], lags: usize) -> Result<f64> {
    if lags >= x.len() {
        return Err(Error::Range {
            name: "lags",
            given: lags as f64,
            allowed: "below the length of the series",
        });
    }
    if is_constant(x) {
        return Ok(0.0);
    }
    let m = mean(x);
    let centred: Vec<f64> = x.iter().map(|v| v - m).collect();
    let gamma = |l: usize| dot(&centred[l..], &centred[..x.len() - l]) / x.len() as f64;
    let weighted = |l: usize| (1.0 - l as f64 / (lags + 1) as f64) * gamma(l);
    Ok(gamma(0) + 2.0 * (1..=lags).map(weighted).sum::<f64>())
}

/// t-statistic of the mean against 0 under autocorrelation up to `lags`; NaN without variance.
///
/// ```
/// let t = fattail_stats::mean_t_statistic(&[1.0, 3.0, 1.0, 3.0], 0)?;
/// assert_eq!(t, 4.0);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] when `lags` is not below the length of the series.
pub fn mean_t_statistic(x: &[f64], lags: usize) -> Result<f64> {
    let variance = long_run_variance(x, lags)?;
    if variance == 0.0 {
        return Ok(f64::NAN);
    }
    Ok(mean(x) / (variance / x.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let x = [1.0, 3.0, 1.0, 3.0];
        assert_eq!(autocorrelation(&x, 0), 1.0);
        assert_eq!(autocorrelation(&x, 1), -0.75);
        assert_eq!(lag_correlation(&x, 1), -1.0);
        // 1 + 2 * (1/2) * (-3/4)
        assert_eq!(long_run_variance(&x, 1).unwrap(), 0.25);
    }

    #[test]
    fn too_short_and_constant() {
        assert!(autocorrelation(&[1.0], 1).is_nan() && lag_correlation(&[], 0).is_nan());
        assert!(autocorrelation(&[0.1; 5], 1).is_nan());
        assert!(mean_t_statistic(&[0.1; 5], 1).unwrap().is_nan());
        assert!(long_run_variance(&[1.0], 1).is_err());
    }
}
