//! The mean of a figure over eras, and how sure it is.
//!
//! With the figures `x_1..x_n` that are finite, labels that span `k` eras and `u_t = x_t - x̄`: mean `x̄`,
//! `σ_0` of divisor `n`, long-run variance `Ω = Σ_j Λ_j² / B` of the cosine transforms
//! `Λ_j = √(2/n) Σ_t u_t cos(π j (t - 1/2) / n)`, `j = 1..B`, with `B` of
//! [`cosine_count`](fattail_stats::cosine_count), standard error `√(Ω / n)`, interval `x̄ ± q √(Ω / n)` with
//! the quantile `q` of 97.5 % of Student's t of `B` degrees. It holds the true mean 95 times of 100 whatever
//! the dependence within a label; Newey and West's with Bartlett weights up to lag `k - 1` and normal values
//! does about 89 times.
//!
//! Every interval of a mean in this crate is this one. It says little of few eras, honestly: 52 eras of
//! 60-day labels leave one degree, and `q = 12.7`.
//!
//! Figures that are not finite are left out and the others close up. Fewer than `3 k` figures leave standard
//! error, t statistic and interval NaN: no interval of so few can be trusted.
//!
//! Cost: `O(n B)`.
//!
//! Reference: Müller (2004), A theory of robust long-run variance estimation; Lazarus, Lewis, Stock and
//! Watson (2018), HAR inference: recommendations for practice, Journal of Business & Economic Statistics
//! 36(4).

use fattail_stats as stats;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

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
    /// `√(Ω / n)`; NaN of fewer eras than three labels span.
    #[serde(with = "fattail_core::null")]
    pub standard_error: f64,
    /// The mean over its standard error, to be read as Student's t of `degrees`; NaN without spread.
    #[serde(with = "fattail_core::null")]
    pub t_statistic: f64,
    /// `B`, the degrees of Student's t; 0 where there is no interval.
    #[serde(default)]
    pub degrees: usize,
    /// The 95 % interval of the mean; NaN of fewer eras than three labels span.
    #[serde(with = "null::two")]
    pub interval: [f64; 2],
    /// Eras with a finite figure.
    pub eras: usize,
}

impl EraMean {
    /// The mean of `values` whose labels overlap up to `lag` eras apart, so that each spans `lag + 1`.
    ///
    /// ```
    /// use fattail_evaluate::EraMean;
    /// let values: Vec<f64> = (0..60).map(|era| f64::from(era * 7 % 11) / 10.0 - 0.4).collect();
    /// let mean = EraMean::of(&values, 3);
    /// assert_eq!(mean.eras, 60);
    /// assert!(mean.interval[0] < mean.mean && mean.mean < mean.interval[1]);
    /// // Eleven eras do not hold three labels of four eras each.
    /// assert!(EraMean::of(&values[..11], 3).standard_error.is_nan());
    /// ```
    #[must_use]
    pub fn of(values: &[f64], lag: usize) -> Self {
        let kept: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let (n, mean) = (kept.len(), stats::mean(&kept));
        let (degrees, standard_error, quantile) =
            certainty(&kept, lag).unwrap_or((0, f64::NAN, f64::NAN));
        let half = quantile * standard_error;
        let t_statistic = if standard_error > 0.0 { mean / standard_error } else { f64::NAN };
        Self {
            mean,
            std: if n == 0 { f64::NAN } else { stats::std(&kept, 0) },
            standard_error,
            t_statistic,
            degrees,
            interval: [mean - half, mean + half],
            eras: n,
        }
    }
}

/// The degrees and standard error of the mean of finite values, and the quantile that belongs to them; none
/// of too few.
fn certainty(values: &[f64], lag: usize) -> Option<(usize, f64, f64)> {
    let count = stats::cosine_count(values.len(), lag.saturating_add(1)).ok()?;
    let student = StudentsT::new(0.0, 1.0, count as f64).ok()?;
    let variance = stats::cosines(values, count);
    Some((count, (variance / values.len() as f64).sqrt(), student.inverse_cdf(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Three values have one cosine: √(2/3) (-1 · cos 30° + 0 + 1 · cos 150°) = -√2, Ω = 2.
        let mean = EraMean::of(&[1.0, f64::NAN, 2.0, 3.0], 0);
        assert_eq!((mean.mean, mean.eras, mean.degrees), (2.0, 3, 1));
        assert!((mean.standard_error - (2.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!((mean.t_statistic - 6_f64.sqrt()).abs() < 1e-14);
        // Student's t of one degree: tan(0.475 π).
        let quantile = (0.475 * std::f64::consts::PI).tan();
        let half = (mean.interval[1] - mean.mean) / mean.standard_error;
        assert!((half / quantile - 1.0).abs() < 1e-9, "{half}");
    }

    #[test]
    fn nothing_one_value_and_too_few() {
        let none = EraMean::of(&[f64::NAN], 3);
        assert!(none.mean.is_nan() && none.std.is_nan() && none.eras == 0);
        let one = EraMean::of(&[2.0], 3);
        assert!(one.mean == 2.0 && one.standard_error.is_nan() && one.interval[0].is_nan());
        let few = EraMean::of(&[2.0, 3.0, 5.0, 4.0, 2.0], 3);
        assert!(
            few.degrees == 0
                && few.std > 0.0
                && few.t_statistic.is_nan()
                && few.interval[1].is_nan()
        );
        let constant = EraMean::of(&[2.0; 12], 3);
        assert!(constant.standard_error == 0.0 && constant.t_statistic.is_nan());
        assert_eq!(constant.interval, [2.0; 2]);
        assert!(EraMean::of(&[1.0, 2.0], usize::MAX).standard_error.is_nan());
    }
}
