//! Intervals from a long-run variance `Ω`, for means and Sharpe ratios of overlapping or otherwise
//! dependent scores.
//!
//! `estimate ± q √(Ω̂ / n)` with `Ω̂` of the scores, or of the influence function of a Sharpe ratio:
//!
//! ```text
//! cosines      B cosine transforms, Student's t with B degrees;  B = 0.4 n^{2/3} when none is given
//! overlap      the same with B at most n / (3k), for labels that span k eras
//! Newey-West   Bartlett weights up to `lags`
//!   normal     q from the normal distribution
//!   fixed-b    b = (lags + 1) / n:  Ω̂ is too small by 1 - b + b²/3 and spreads like χ² of 3 / (2b)
//!              degrees; q from Student's t, after that correction
//! ```
//!
//! Labels that span `k` eras make scores dependent up to lag `k - 1`. With `lags = k - 1` Bartlett
//! weights still miss a part of that (2.75 of 4 for `k = 4`), which no critical value repairs. Cosines look
//! at slow waves only, of periods down to `2n / B`, and overlap keeps these at six labels or more. Normal
//! values are the textbook's, and reject too often; they are here to compare with.
//!
//! NaN and constant series are refused.
//!
//! Cost: `n` times the lags or cosines.
//!
//! Reference: Newey and West (1987), Econometrica 55(3); Kiefer and Vogelsang (2005), A new asymptotic
//! theory for heteroskedasticity-autocorrelation robust tests, Econometric Theory 21(6); Sun (2014),
//! Let's fix it: fixed-b asymptotics versus small-b asymptotics in HAR inference, Journal of
//! Econometrics 178; Lazarus, Lewis, Stock and Watson (2018), HAR inference: recommendations for
//! practice, JBES 36(4).

use fattail_stats::{cosine_count, long_run_variance, mean, normal_cdf, normal_quantile, std};
use serde::{Deserialize, Serialize};
use statrs::distribution::ContinuousCDF;

use super::Estimate;
use super::ratio::{Ratio, difference};
use crate::error::{self, Error, ROUNDING, Result};
use crate::long_run::{LongRunVariance, cosines, student};

/// Settings of intervals from a long-run variance.
///
/// ```
/// use fattail_luck::{Hac, LongRun};
/// let scores: Vec<f64> = (0..120).map(|t| f64::from(t * 7 % 11) / 100.0 - 0.04).collect();
/// let found = Hac::default().mean(&scores)?;
/// assert!(found.lower < found.estimate && found.estimate < found.upper);
/// // Scores of labels that span four eras tell less.
/// let overlap = Hac { long_run: LongRun::Overlap { span: 4 }, ..Hac::default() };
/// assert_eq!(overlap.mean(&scores)?.estimate, found.estimate);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hac {
    /// Coverage, 0.95 for an interval of 95 %.
    pub level: f64,
    /// The long-run variance and its critical values.
    pub long_run: LongRun,
}

/// An estimate of a long-run variance, with the critical values that belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongRun {
    /// Cosine transforms with Student's t; `0.4 n^{2/3}` of them when `count` is none.
    Cosines {
        /// Number of transforms, at least 1 and below `n`.
        count: Option<usize>,
    },
    /// Cosine transforms for scores of labels that span some eras.
    Overlap {
        /// Eras that a label spans, at least 1: 4 for 20 days in weekly eras, 12 for 60.
        span: usize,
    },
    /// Newey and West's with the normal distribution.
    NeweyWest {
        /// The last lag that counts.
        lags: usize,
    },
    /// Newey and West's with critical values that know the share of lags.
    FixedB {
        /// The last lag that counts.
        lags: usize,
    },
}

impl Default for Hac {
    fn default() -> Self {
        Self { level: 0.95, long_run: LongRun::Cosines { count: None } }
    }
}

impl Hac {
    /// The interval of a mean.
    ///
    /// # Errors
    /// Series below 8 values, not finite or constant, and settings outside their range.
    pub fn mean(&self, series: &[f64]) -> Result<Estimate> {
        error::series("series", series, 8)?;
        self.estimate(mean(series), series)
    }

    /// The interval of a Sharpe ratio.
    ///
    /// # Errors
    /// Those of [`Hac::mean`].
    pub fn sharpe(&self, series: &[f64]) -> Result<Estimate> {
        let ratio = Ratio::of("series", series)?;
        self.estimate(ratio.sharpe, &ratio.influence)
    }

    /// The interval of the Sharpe ratio of `a` minus that of `b`, both over the same eras.
    ///
    /// # Errors
    /// Those of [`Hac::mean`], and series of different lengths; [`Error::Constant`] when the two do not
    /// differ.
    pub fn sharpe_difference(&self, a: &[f64], b: &[f64]) -> Result<Estimate> {
        let apart = difference(a, b)?;
        self.estimate(apart.sharpe, &apart.influence)
    }

    fn estimate(&self, estimate: f64, influence: &[f64]) -> Result<Estimate> {
        error::share("level", self.level)?;
        let scale = self.scale(influence)?;
        // Values that move in waves too short for the form have no spread that it could see.
        if scale.value.sqrt() <= ROUNDING * std(influence, 0) {
            return Err(Error::Constant { name: "slow waves", column: 0 });
        }
        let standard_error = (scale.value / influence.len() as f64).sqrt();
        let reach = standard_error * quantile(scale.degrees, 0.5 * (1.0 + self.level));
        let p_value = 2.0 * below(scale.degrees, -(estimate / standard_error).abs());
        let (lower, upper) = (estimate - reach, estimate + reach);
        let block_length = None;
        Ok(Estimate { estimate, standard_error, lower, upper, p_value, block_length })
    }

    fn scale(&self, series: &[f64]) -> Result<LongRunVariance> {
        match self.long_run {
            LongRun::Cosines { count } => {
                let count = count.map_or_else(|| cosine_count(series.len(), 1), Ok)?;
                if count == 0 || count >= series.len() {
                    let (name, given) = ("count", count as f64);
                    return Err(Error::Range { name, given, allowed: "1 to the eras less 1" });
                }
                Ok(cosines(series, count))
            }
            LongRun::Overlap { span } => Ok(cosines(series, cosine_count(series.len(), span)?)),
            LongRun::NeweyWest { lags } => {
                Ok(LongRunVariance::normal(long_run_variance(series, lags)?))
            }
            LongRun::FixedB { lags } => {
                let plain = long_run_variance(series, lags)?;
                let share = (lags as f64 + 1.0) / series.len() as f64;
                let value = plain / (1.0 - share + share * share / 3.0);
                Ok(LongRunVariance { value, degrees: (1.5 / share).max(1.0) })
            }
        }
    }
}

fn quantile(degrees: f64, probability: f64) -> f64 {
    student(degrees).map_or_else(|| normal_quantile(probability), |t| t.inverse_cdf(probability))
}

fn below(degrees: f64, value: f64) -> f64 {
    student(degrees).map_or_else(|| normal_cdf(value), |t| t.cdf(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_b_values_are_near_those_of_kiefer_and_vogelsang() {
        // Their polynomial for Bartlett's kernel and one tail of 2.5 %.
        let table = |b: f64| 1.96 + 2.9694 * b + 0.416 * b * b - 0.5324 * b * b * b;
        for lags in [1, 9, 19, 39, 59] {
            let share = (lags + 1) as f64 / 400.0;
            let ours = quantile(1.5 / share, 0.975) / (1.0 - share + share * share / 3.0).sqrt();
            assert!((ours / table(share) - 1.0).abs() < 0.02, "{lags}: {ours} {}", table(share));
        }
    }

    #[test]
    fn by_hand() {
        // Deviations of ±1: variance 1, standard error 1/√8.
        let series = [3.0, 1.0, 3.0, 1.0, 1.0, 3.0, 1.0, 3.0];
        let hac = Hac { long_run: LongRun::NeweyWest { lags: 0 }, level: 0.95 };
        let found = hac.mean(&series).unwrap();
        assert_eq!(found.estimate, 2.0);
        assert!((found.standard_error - 1.0 / 8_f64.sqrt()).abs() < 1e-15);
        assert!((found.upper - found.estimate - 1.959_964 / 8_f64.sqrt()).abs() < 1e-6);
        assert!(Hac::default().mean(&[1.0; 9]).is_err());
        let none = Hac { long_run: LongRun::Cosines { count: Some(0) }, level: 0.95 };
        assert!(none.mean(&series).is_err());
        for long_run in [
            LongRun::FixedB { lags: usize::MAX },
            LongRun::NeweyWest { lags: usize::MAX },
            LongRun::Overlap { span: usize::MAX },
            LongRun::Cosines { count: Some(usize::MAX) },
        ] {
            assert!(Hac { long_run, level: 0.95 }.mean(&series).is_err(), "{long_run:?}");
        }
    }
}
