//! The mean of a figure over eras, and how sure it is.
//!
//! With the figures `x_1..x_n` that are finite: mean `x̄`, `σ_0` of divisor `n`, standard error `ω / √n`
//! with the long-run variance `ω² = γ_0 + 2 Σ_{l=1}^{q} (1 - l / (q + 1)) γ_l` up to the overlap lag `q`,
//! interval `x̄ ± 1.96 ω / √n`.
//!
//! Figures that are not finite are left out; fewer than two leave everything but the mean NaN.
//!
//! Cost: `O(n q)`.
//!
//! Reference: Newey and West (1987), Econometrica 55(3).

use fattail_stats as stats;
use serde::{Deserialize, Serialize};

use crate::null;

/// A mean over eras.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EraMean {
    /// The mean.
    #[serde(with = "fattail_core::null")]
    pub mean: f64,
    /// `σ_0`.
    #[serde(with = "fattail_core::null")]
    pub std: f64,
    /// `ω / √n`.
    #[serde(with = "fattail_core::null")]
    pub standard_error: f64,
    /// `x̄ √n / ω`.
    #[serde(with = "fattail_core::null")]
    pub t_statistic: f64,
    /// The 95 % interval of the mean.
    #[serde(with = "null::two")]
    pub interval: [f64; 2],
    /// Eras with a finite figure.
    pub eras: usize,
}

impl EraMean {
    /// The mean of `values` whose labels overlap up to `lag` eras apart.
    ///
    /// ```
    /// let mean = fattail_evaluate::EraMean::of(&[1.0, 3.0, f64::NAN, 1.0, 3.0], 0);
    /// assert_eq!((mean.mean, mean.standard_error, mean.eras), (2.0, 0.5, 4));
    /// ```
    #[must_use]
    pub fn of(values: &[f64], lag: usize) -> Self {
        let kept: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let (n, mean) = (kept.len(), stats::mean(&kept));
        let standard_error = standard_error(&kept, lag);
        let half = stats::normal_quantile(0.975) * standard_error;
        let t_statistic = if standard_error > 0.0 { mean / standard_error } else { f64::NAN };
        Self {
            mean,
            std: if n == 0 { f64::NAN } else { stats::std(&kept, 0) },
            standard_error,
            t_statistic,
            interval: [mean - half, mean + half],
            eras: n,
        }
    }
}

/// `ω / √n` of finite values; NaN for fewer than two.
pub(super) fn standard_error(values: &[f64], lag: usize) -> f64 {
    let n = values.len();
    if n < 2 {
        return f64::NAN;
    }
    let variance = stats::long_run_variance(values, lag.min(n - 2)).unwrap_or(f64::NAN);
    (variance / n as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Horizon, Summary};

    #[test]
    fn agrees_with_the_summary_of_scores() {
        let scores: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 23) / 23.0 - 0.4).collect();
        let (summary, mean) =
            (Summary::with_horizon(&scores, &Horizon::NUMERAI_20), EraMean::of(&scores, 3));
        assert_eq!(mean.standard_error, summary.standard_error);
        assert_eq!((mean.mean, mean.std), (summary.mean, summary.std));
        assert!((mean.interval[0] - summary.interval[0]).abs() < 1e-15);
    }

    #[test]
    fn nothing_and_one_value() {
        let none = EraMean::of(&[f64::NAN], 3);
        assert!(none.mean.is_nan() && none.std.is_nan() && none.eras == 0);
        let one = EraMean::of(&[2.0], 3);
        assert!(one.mean == 2.0 && one.standard_error.is_nan() && one.interval[0].is_nan());
        let constant = EraMean::of(&[2.0; 5], 3);
        assert!(constant.standard_error == 0.0 && constant.t_statistic.is_nan());
    }
}
