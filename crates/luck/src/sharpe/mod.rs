//! How sure a Sharpe ratio is: probabilistic, deflated, and how long a record must be.
//!
//! With `S` the Sharpe ratio of one era, `T` eras, `γ3` skewness, `γ4` kurtosis (3 for a normal
//! sample), `ρ` the autocorrelation at lag 1, `H` the eras that a label spans and `S0` the benchmark:
//!
//! ```text
//! V(S)      = (a - b γ3 S + (c (γ4 - 3) + 2d)/4 S²) / T · (T - 1)/(T - H)
//!   H = 1     a = 1 + 2ρ/(1-ρ)   b = 1 + ρ/(1-ρ) + ρ²/(1-ρ²)   c = d = 1 + 2ρ²/(1-ρ²)
//!   H > 1     a = b = c = H      d = (2H² + 1)/(3H)
//! PSR       = Φ((S - S0) / √V(S))
//! PSR 2025  = Φ((S - S0) / √V(S0))
//! PSR 2012  = Φ((S - S0) √(T-1) / √(1 - γ3 S + (γ4-1)/4 S²))
//! DSR       = Φ(S / √max(V(0), V(S)))^K
//! DSR 2025  = Φ((S - E) / √(V(E) Var[M_K])),  DSR 2014 = PSR 2012 at S0 = E
//!             E = √Var[S_k] E[M_K], the Sharpe expected of the best of K trials without skill
//! length    = T V(S0) (z / (S - S0))²,  2012: 1 + (1 - γ3 S + (γ4-1)/4 S²) (z / (S - S0))²
//! ```
//!
//! The forms without a year are those that hold their size best in simulated worlds, normal, fat-tailed,
//! skewed and autocorrelated; the published ones are here to compare with. Nothing is annualised.
//!
//! The first row is for an autoregressive series, whose autocorrelations are `ρ^k`. Scores of labels that
//! span `H` eras are none: they move like the mean of the last `H` independent shocks, with
//! autocorrelations `1 - k/H` that end at lag `H`, and the first row would take `ρ = .75` of `H = 4` for
//! `a = 7`. The second row is exact for such means of shocks with any skewness and kurtosis:
//! [`SharpeSample::overlapping`]. The last factor is what their squared standard deviation with divisor
//! `T - 1` misses on average. Predictions that change from era to era make overlapping scores less
//! dependent, and the second row conservative.
//!
//! What is not defined is NaN: a variance that is not above zero, `|ρ| >= 1`, `H = 0`, no more
//! observations than `H`, less than one trial. An undefined probability passes no threshold.
//!
//! Cost: one pass for a sample, constant afterwards.
//!
//! Reference: Bailey and López de Prado (2012), The Sharpe ratio efficient frontier, Journal of Risk
//! 15(2); the same (2014), The deflated Sharpe ratio, Journal of Portfolio Management 40(5); López de
//! Prado, Lipton and Zoonekynd (2025), How to use the Sharpe ratio; Šidák (1967), Rectangular confidence
//! regions for the means of multivariate normal distributions, JASA 62.

mod hypotheses;
mod maximum;

use fattail_stats::{autocorrelation, kurtosis, mean, normal_cdf, normal_quantile, skewness, std};
use serde::{Deserialize, Serialize};

use crate::error::{Result, series as checked};
use crate::null;
use crate::trials::Trials;

pub use hypotheses::Hypotheses;
pub use maximum::{
    MaximumMoments, expected_maximum, minimum_backtest_length, minimum_backtest_length_bound,
};

/// A Sharpe ratio with what its uncertainty depends on, all per era.
///
/// ```
/// use fattail_luck::SharpeSample;
/// let fund = SharpeSample {
///     sharpe: 0.036 / 0.079,
///     skewness: -2.448,
///     kurtosis: 10.164,
///     observations: 24,
///     autocorrelation: 0.0,
///     span: 1,
/// };
/// assert!((fund.probabilistic_2025(0.0) - 0.987).abs() < 1e-3);
/// assert!((fund.minimum_track_record(0.0, 0.95) - 13.029).abs() < 1e-3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SharpeSample {
    /// `S`, mean over standard deviation.
    #[serde(with = "null")]
    pub sharpe: f64,
    /// `γ3`.
    #[serde(with = "null")]
    pub skewness: f64,
    /// `γ4`, not excess: 3 for a normal sample.
    #[serde(with = "null")]
    pub kurtosis: f64,
    /// `T`.
    pub observations: usize,
    /// `ρ`, at lag 1; plays no part with a span above 1.
    #[serde(with = "null")]
    pub autocorrelation: f64,
    /// `H`, the eras that a label spans: 4 for 20 days in weekly eras, 12 for 60; 1 for labels that do not
    /// overlap.
    #[serde(default = "one")]
    pub span: usize,
}

fn one() -> usize {
    1
}

impl SharpeSample {
    /// The sample of a series; its standard deviation has divisor `T - 1`, its skewness and kurtosis are
    /// moments with divisor `T`.
    ///
    /// # Errors
    /// [`crate::Error::TooShort`] below 4 values, [`crate::Error::NotFinite`], and
    /// [`crate::Error::Constant`], also for values that differ by rounding alone.
    pub fn of(series: &[f64]) -> Result<Self> {
        checked("series", series, 4)?;
        Ok(Self {
            sharpe: mean(series) / std(series, 1),
            skewness: skewness(series),
            kurtosis: kurtosis(series),
            observations: series.len(),
            autocorrelation: autocorrelation(series, 1),
            span: 1,
        })
    }

    /// The same sample taken as independent eras: `ρ = 0`, `H = 1`.
    #[must_use]
    pub fn independent(self) -> Self {
        Self { autocorrelation: 0.0, span: 1, ..self }
    }

    /// The same sample as scores of labels that span so many eras.
    ///
    /// ```
    /// use fattail_luck::SharpeSample;
    /// let scores: Vec<f64> = (0..104).map(|t| f64::from(t / 4 * 7 % 11) - 4.0).collect();
    /// let sample = SharpeSample::of(&scores)?;
    /// // Labels of 20 days in weekly eras: a quarter of the eras count, and some more are lost to the
    /// // standard deviation.
    /// let overlap = sample.overlapping(4);
    /// assert!((overlap.variance(0.0) - 4.0 / 104.0 * 103.0 / 100.0).abs() < 1e-12);
    /// assert!(overlap.probabilistic(0.0) < sample.independent().probabilistic(0.0));
    /// # Ok::<(), fattail_luck::Error>(())
    /// ```
    #[must_use]
    pub fn overlapping(self, span: usize) -> Self {
        Self { span, ..self }
    }

    /// `V` at a Sharpe ratio, the variance of its estimate.
    #[must_use]
    pub fn variance(&self, sharpe: f64) -> f64 {
        let [a, b, c, d] = self.sums_over_lags();
        let tails = (c * (self.kurtosis - 3.0) + 2.0 * d) / 4.0 * sharpe * sharpe;
        let eras = self.observations as f64;
        let missed = if self.span > 1 { (eras - 1.0) / (eras - self.span as f64) } else { 1.0 };
        defined((a - b * self.skewness * sharpe + tails) / eras * missed)
    }

    /// What mean, skewness and tails gather over all lags: `a`, `b`, `c`, `d`.
    fn sums_over_lags(&self) -> [f64; 4] {
        let (rho, span) = (self.autocorrelation, self.span as f64);
        if self.span > 1 {
            return [span, span, span, (2.0 * span * span + 1.0) / (3.0 * span)];
        }
        if self.span == 0 || rho.abs() >= 1.0 {
            return [f64::NAN; 4];
        }
        let (first, second) = (rho / (1.0 - rho), rho * rho / (1.0 - rho * rho));
        let squares = 1.0 + 2.0 * second;
        [1.0 + 2.0 * first, 1.0 + first + second, squares, squares]
    }

    /// `√V` at the estimate itself.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.variance(self.sharpe).sqrt()
    }

    /// The probability that the true Sharpe ratio is above `benchmark`, with the variance at the
    /// estimate and autocorrelation counted; `1 -` the p-value of a test against it.
    #[must_use]
    pub fn probabilistic(&self, benchmark: f64) -> f64 {
        normal_cdf((self.sharpe - benchmark) / self.standard_error())
    }

    /// The same as published in 2025: variance at the benchmark, which at 0 forgets skewness.
    #[must_use]
    pub fn probabilistic_2025(&self, benchmark: f64) -> f64 {
        normal_cdf((self.sharpe - benchmark) / self.variance(benchmark).sqrt())
    }

    /// The same as published in 2012: variance at the estimate, `T - 1`, independent eras.
    #[must_use]
    pub fn probabilistic_2012(&self, benchmark: f64) -> f64 {
        let excess = self.sharpe - benchmark;
        let degrees = (self.observations as f64 - 1.0).sqrt();
        normal_cdf(excess * degrees / self.spread_2012().sqrt())
    }

    /// The probability that the best of `K` independent trials without skill stays below this Sharpe
    /// ratio (Šidák 1967), with the larger of the variances at 0 and at the estimate; `1 -` the p-value of
    /// the chosen one. Whoever is the best of many has a lucky skewness too, and the variance at the
    /// estimate alone believes it. NaN unless one trial or more counts.
    ///
    /// ```
    /// use fattail_luck::{SharpeSample, Trials};
    /// let series: Vec<f64> = (0..50).map(|i| f64::from(i * 7 % 11) - 4.0).collect();
    /// let sample = SharpeSample::of(&series)?;
    /// let trials = Trials { count: 40, effective: 25.0, variance: 0.02 };
    /// assert!(sample.deflated(&trials) < sample.probabilistic(0.0));
    /// # Ok::<(), fattail_luck::Error>(())
    /// ```
    #[must_use]
    pub fn deflated(&self, trials: &Trials) -> f64 {
        let (without, with) = (self.variance(0.0), self.variance(self.sharpe));
        // `max` alone would forget one that is not defined.
        let defined = !without.is_nan() && !with.is_nan();
        let variance = if defined { without.max(with) } else { f64::NAN };
        let exponent = if trials.effective >= 1.0 { trials.effective } else { f64::NAN };
        normal_cdf(self.sharpe / variance.sqrt()).powf(exponent)
    }

    /// The deflated Sharpe ratio of 2025: the probability that the Sharpe ratio is above the one expected
    /// of the best trial, with the variance of such a maximum. It takes the spread of the trials for
    /// that of independent ones, and rejects too often when trials are alike.
    #[must_use]
    pub fn deflated_2025(&self, trials: &Trials) -> f64 {
        let expected = trials.expected_maximum();
        let shrink = MaximumMoments::of(trials.effective).variance;
        normal_cdf((self.sharpe - expected) / (self.variance(expected) * shrink).sqrt())
    }

    /// The same as published in 2014, with the variance of a single trial: far below its size when
    /// trials are independent.
    #[must_use]
    pub fn deflated_2014(&self, trials: &Trials) -> f64 {
        self.probabilistic_2012(trials.expected_maximum())
    }

    /// The eras after which this Sharpe ratio is above `benchmark` at `level` (2025); infinite when it
    /// is not above it, and 0 at levels up to one half.
    #[must_use]
    pub fn minimum_track_record(&self, benchmark: f64, level: f64) -> f64 {
        self.eras_for(benchmark, level, self.variance(benchmark) * self.observations as f64)
    }

    /// The same as published in 2012, at least 1.
    #[must_use]
    pub fn minimum_track_record_2012(&self, benchmark: f64, level: f64) -> f64 {
        1.0 + self.eras_for(benchmark, level, self.spread_2012())
    }

    /// The Sharpe ratio at which a test against `benchmark` rejects at `significance` (0.05 rejects one
    /// of twenty without skill).
    #[must_use]
    pub fn critical(&self, benchmark: f64, significance: f64) -> f64 {
        benchmark + normal_quantile(1.0 - significance) * self.variance(benchmark).sqrt()
    }

    fn spread_2012(&self) -> f64 {
        let s = self.sharpe;
        defined(1.0 - self.skewness * s + (self.kurtosis - 1.0) / 4.0 * s * s)
    }

    fn eras_for(&self, benchmark: f64, level: f64, variance: f64) -> f64 {
        if self.sharpe <= benchmark {
            return f64::INFINITY;
        }
        let quantile = normal_quantile(level);
        let ratio = if quantile < 0.0 { 0.0 } else { quantile / (self.sharpe - benchmark) };
        variance * ratio * ratio
    }
}

/// NaN for a variance that is none.
fn defined(variance: f64) -> f64 {
    if variance > 0.0 && variance.is_finite() { variance } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: SharpeSample = SharpeSample {
        sharpe: 0.5,
        skewness: 0.0,
        kurtosis: 3.0,
        observations: 100,
        autocorrelation: 0.0,
        span: 1,
    };

    #[test]
    fn by_hand() {
        // 1 + 1/2 · 1/4 over a hundred eras.
        assert_eq!(NORMAL.variance(0.5), 0.01125);
        assert_eq!(NORMAL.probabilistic(0.5), 0.5);
        assert_eq!(NORMAL.probabilistic_2025(0.0), normal_cdf(5.0));
        assert_eq!(NORMAL.probabilistic(0.0), normal_cdf(0.5 / 0.01125_f64.sqrt()));
        assert_eq!(NORMAL.minimum_track_record(0.5, 0.95), f64::INFINITY);
        // ρ = 1/2: a = 3.
        let dependent = SharpeSample { autocorrelation: 0.5, ..NORMAL };
        assert!((dependent.variance(0.0) - 0.03).abs() < 1e-15);
        assert_eq!(dependent.independent(), NORMAL);
    }

    #[test]
    fn overlapping_labels_by_hand() {
        // H = 2: 1 + 2 · 1/2 = 2, and 1 + 2 · 1/4 = 3/2.
        let two = SharpeSample { skewness: -1.0, kurtosis: 5.0, ..NORMAL }.overlapping(2);
        let expected =
            (2.0 + 2.0 * 0.5 + (2.0 * 2.0 + 2.0 * 1.5) / 4.0 * 0.25) / 100.0 * 99.0 / 98.0;
        assert!((two.variance(0.5) - expected).abs() < 1e-15);
        // Lags of 4 eras: 1 + 2 (3/4 + 2/4 + 1/4), and the squares of those.
        let four = NORMAL.overlapping(4);
        assert!((four.variance(0.0) - 0.04 * 99.0 / 96.0).abs() < 1e-15);
        let squares = 1.0 + 2.0 * (9.0 + 4.0 + 1.0) / 16.0;
        let expected = (4.0 + squares / 8.0) / 100.0 * 99.0 / 96.0;
        assert!((four.variance(0.5) - expected).abs() < 1e-15);
        // An autoregression of the same lag would take 7.
        let other = SharpeSample { autocorrelation: 0.75, ..NORMAL };
        assert!((other.variance(0.0) - 0.07).abs() < 1e-15);
        assert_eq!(four.independent(), NORMAL);
        assert_eq!(NORMAL.overlapping(1), NORMAL);
        let record = four.minimum_track_record(0.0, 0.95) / NORMAL.minimum_track_record(0.0, 0.95);
        assert!((record - 4.0 * 99.0 / 96.0).abs() < 1e-12);
    }

    #[test]
    fn undefined_is_nan() {
        let skewed = SharpeSample { skewness: 9.0, ..NORMAL };
        let nan = SharpeSample { sharpe: f64::NAN, ..NORMAL };
        let none = SharpeSample { observations: 0, ..NORMAL };
        let one = Trials { count: 1, effective: 1.0, variance: 0.0 };
        for (name, sample) in [
            ("negative variance", skewed),
            ("no Sharpe ratio", nan),
            ("no observations", none),
            ("ρ = 1", SharpeSample { autocorrelation: 1.0, ..NORMAL }),
            ("no kurtosis", SharpeSample { kurtosis: f64::NAN, ..NORMAL }),
            ("labels of no era", NORMAL.overlapping(0)),
            ("labels of all eras", NORMAL.overlapping(100)),
            ("labels of more", NORMAL.overlapping(usize::MAX)),
        ] {
            let found = [sample.standard_error(), sample.probabilistic(0.0), sample.deflated(&one)];
            assert!(found.iter().all(|v| v.is_nan()), "{name}: {found:?}");
        }
        for sample in [skewed, nan] {
            assert!(sample.probabilistic_2012(0.0).is_nan());
            assert!(sample.minimum_track_record_2012(0.0, 0.95).is_nan());
        }
        assert!(none.probabilistic_2025(0.0).is_nan() && none.critical(0.0, 0.05).is_nan());
        for level in [0.0, 0.2, 0.5] {
            let found = [
                NORMAL.minimum_track_record(0.0, level),
                NORMAL.minimum_track_record_2012(0.0, level),
            ];
            assert_eq!(found, [0.0, 1.0], "{level}");
        }
        assert!(NORMAL.minimum_track_record(0.0, 1.5).is_nan());
        assert!(SharpeSample::of(&[1.0; 9]).is_err() && SharpeSample::of(&[1.0, 2.0]).is_err());
        assert!(SharpeSample::of(&[1.0, f64::NAN, 2.0, 3.0, 4.0]).is_err());
        // Rounding is no spread.
        let rounded: Vec<f64> = (0..20).map(|t| 1.0 + f64::from(t % 3) * 1e-15).collect();
        assert!(SharpeSample::of(&rounded).is_err());
    }

    /// A study log that lost its numbers deflates nothing, and passes no threshold.
    #[test]
    fn trials_that_do_not_count_are_no_licence() {
        let read = |text: &str| serde_json::from_str::<Trials>(text).unwrap();
        for trials in [
            read(r#"{"count":40,"effective":null,"variance":0.02}"#),
            read(r#"{"count":40,"effective":0.5,"variance":0.02}"#),
            Trials::from_sharpes(&[]),
        ] {
            assert!(trials.expected_maximum().is_nan(), "{trials:?}");
            for found in [
                NORMAL.deflated(&trials),
                NORMAL.deflated_2014(&trials),
                NORMAL.deflated_2025(&trials),
            ] {
                assert!(found.is_nan(), "{trials:?}: {found}");
            }
        }
    }

    #[test]
    fn one_trial_deflates_nothing() {
        let one = Trials { count: 1, effective: 1.0, variance: f64::NAN };
        assert!((NORMAL.deflated_2025(&one) - NORMAL.probabilistic_2025(0.0)).abs() < 1e-12);
        assert_eq!(NORMAL.deflated(&one), NORMAL.probabilistic(0.0));
    }
}
