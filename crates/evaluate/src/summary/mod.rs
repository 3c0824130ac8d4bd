//! A series of era scores in numbers: level, spread, losses, and how sure the mean is.
//!
//! With scores `s_1..s_n`, mean `μ`, `σ_d` the standard deviation of divisor `n - d`, `ρ` the lag
//! correlation: every field states its formula. `ω²` is the long-run variance with Bartlett weights
//! up to the lag at which labels of the horizon still overlap. These weights leave a part of the overlap out
//! (of 4 eras they count 2.75), so intervals do not use them: standard error, t statistic and interval are
//! those of [`EraMean`], from a few cosine transforms and Student's t.
//!
//! Scores that are NaN or infinite are left out and counted. What is not defined is NaN: everything
//! without scores, spreads of one score, ratios over zero, intervals of fewer eras than three labels span.
//!
//! Cost: `O(n)` passes, one of them a cosine, and 1,000 resamples for the bootstrap interval.
//!
//! Reference: Lo (2002), The statistics of Sharpe ratios, Financial Analysts Journal 58(4); Newey and
//! West (1987), Econometrica 55(3); Lazarus, Lewis, Stock and Watson (2018), JBES 36(4); Politis and Romano (1994), The stationary bootstrap, JASA 89.

mod certainty;
mod losses;
mod ratios;

use std::collections::HashMap;

use fattail_stats as stats;
use serde::{Deserialize, Serialize};

use crate::{EraMean, EraScore, Horizon, Scores, null};

/// A series of era scores in numbers.
///
/// ```
/// use fattail_evaluate::Summary;
/// let summary = Summary::of(&[0.02, 0.03, -0.01, 0.04]);
/// assert_eq!((summary.eras, summary.hit_rate), (4, 0.75));
/// assert!((summary.mean - 0.02).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Scores that are defined, `n`.
    pub eras: usize,
    /// Scores that are not, and are left out.
    pub undefined: usize,
    /// `μ`.
    #[serde(with = "fattail_core::null")]
    pub mean: f64,
    /// `σ_0`.
    #[serde(with = "fattail_core::null")]
    pub std: f64,
    /// `μ / σ_0`.
    #[serde(with = "fattail_core::null")]
    pub sharpe: f64,
    /// `max(peak of the running sum - running sum)`, Numerai's.
    #[serde(with = "fattail_core::null")]
    pub drawdown: f64,
    /// The same of the running product of `1 + s`, as a share of its peak.
    #[serde(with = "fattail_core::null")]
    pub payout_drawdown: f64,
    /// The longest run of eras in which the running sum stays below its peak.
    pub drawdown_eras: usize,
    /// `Π(1 + clip(s, ±0.25))^((52 - 4) / n) - 1`: a year of weekly stakes of which four weeks are
    /// always locked.
    #[serde(with = "fattail_core::null")]
    pub apy: f64,
    /// `apy / payout_drawdown`.
    #[serde(with = "fattail_core::null")]
    pub calmar: f64,
    /// `ρ`, the correlation of the series with itself one era earlier.
    #[serde(with = "fattail_core::null")]
    pub autocorrelation: f64,
    /// `μ / (σ_1 √(1 + 2 Σ_i (1 - i/n) ρ^i))`: a negative `ρ` is rewarded.
    #[serde(with = "fattail_core::null")]
    pub smart_sharpe_signed: f64,
    /// The same with `|ρ|`: any autocorrelation is punished.
    #[serde(with = "fattail_core::null")]
    pub smart_sharpe_abs: f64,
    /// `μ / (σ_0 √(1 + 2 Σ_k (1 - k/q) ρ_k))` over the `q = 52` eras of a year (Lo 2002, equation
    /// 20, per era); NaN when the sampled autocorrelations sum below zero.
    #[serde(with = "fattail_core::null")]
    pub lo_sharpe: f64,
    /// `μ / ω` (Newey and West 1987).
    #[serde(with = "fattail_core::null")]
    pub newey_west_sharpe: f64,
    /// The share of scores above zero.
    #[serde(with = "fattail_core::null")]
    pub hit_rate: f64,
    /// The mean of the worst `⌈0.05 n⌉` scores.
    #[serde(with = "fattail_core::null")]
    pub cvar_95: f64,
    /// The share of scores below zero.
    #[serde(with = "fattail_core::null")]
    pub burn_rate: f64,
    /// The longest run of scores below zero.
    pub burn_streak: usize,
    /// `|mean of the first half - mean of the second half|`.
    #[serde(with = "fattail_core::null")]
    pub half_delta: f64,
    /// Skewness.
    #[serde(with = "fattail_core::null")]
    pub skewness: f64,
    /// Kurtosis, 3 for a normal sample.
    #[serde(with = "fattail_core::null")]
    pub kurtosis: f64,
    /// The lag up to which labels overlap, and autocovariances are counted.
    pub overlap_lag: usize,
    /// `n σ_0² / ω²`: independent eras that would tell as much about the mean. What `ω` leaves out makes it
    /// too large, by 1.45 at most where labels span 4 eras.
    #[serde(with = "fattail_core::null")]
    pub effective_eras: f64,
    /// `√(Ω / n)` of [`EraMean`].
    #[serde(with = "fattail_core::null")]
    pub standard_error: f64,
    /// `μ / standard_error`, to be read as Student's t of `t_degrees`.
    #[serde(with = "fattail_core::null")]
    pub t_statistic: f64,
    /// The degrees of Student's t, [`EraMean`]'s.
    #[serde(default)]
    pub t_degrees: usize,
    /// The 95 % interval of the mean, [`EraMean`]'s.
    #[serde(with = "null::two")]
    pub interval: [f64; 2],
    /// The 95 % interval of the mean by the stationary bootstrap, with blocks at least as long as the
    /// label.
    #[serde(with = "null::two")]
    pub bootstrap_interval: [f64; 2],
}

impl Summary {
    /// The summary of weekly scores of a 20-day target.
    #[must_use]
    pub fn of(scores: &[f64]) -> Self {
        Self::with_horizon(scores, &Horizon::NUMERAI_20)
    }

    /// The summary of scores whose labels look as far ahead as `horizon` says. A horizon without days
    /// counts as one whose labels do not overlap.
    #[must_use]
    pub fn with_horizon(scores: &[f64], horizon: &Horizon) -> Self {
        let kept: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
        let s = &kept[..];
        let (mean, std, rho) = (stats::mean(s), stats::std(s, 0), stats::lag_correlation(s, 1));
        let overlap_lag = horizon.overlap_lag().unwrap_or(0);
        let (sure, omega) = (EraMean::of(s, overlap_lag), certainty::bartlett_std(s, overlap_lag));
        let (apy, payout_drawdown) = (ratios::apy(s), losses::payout_drawdown(s));
        Self {
            eras: s.len(),
            undefined: scores.len() - s.len(),
            mean,
            std,
            sharpe: ratios::over(mean, std),
            drawdown: losses::drawdown(s),
            payout_drawdown,
            drawdown_eras: losses::drawdown_eras(s),
            apy,
            calmar: ratios::over(apy, payout_drawdown),
            autocorrelation: rho,
            smart_sharpe_signed: ratios::smart_sharpe(s, rho),
            smart_sharpe_abs: ratios::smart_sharpe(s, rho.abs()),
            lo_sharpe: ratios::lo_sharpe(s),
            newey_west_sharpe: ratios::over(mean, omega),
            hit_rate: losses::share(s, |score| score > 0.0),
            cvar_95: losses::worst_mean(s, 0.05),
            burn_rate: losses::share(s, |score| score < 0.0),
            burn_streak: losses::longest(s.iter().map(|&score| score < 0.0)),
            half_delta: losses::half_delta(s),
            skewness: stats::skewness(s),
            kurtosis: stats::kurtosis(s),
            overlap_lag,
            effective_eras: ratios::over(s.len() as f64 * stats::variance(s, 0), omega * omega),
            standard_error: sure.standard_error,
            t_statistic: sure.t_statistic,
            t_degrees: sure.degrees,
            interval: sure.interval,
            bootstrap_interval: certainty::bootstrap(s, overlap_lag.saturating_add(1)),
        }
    }
}

impl Summary {
    /// A summary of each group of eras, such as quarters or regimes, groups in the order in which they
    /// first come. Eras of a group count as neighbours even where others lie between them.
    ///
    /// ```
    /// use fattail_evaluate::{EraScore, Horizon, Scores, Summary};
    /// let era = |era: &str, value| EraScore { era: era.into(), value, reason: None };
    /// let eras = vec![era("2024-01", 0.25), era("2024-02", 0.75), era("2025-01", -0.5)];
    /// let scores = Scores { metric: "corr".into(), eras };
    /// let years = Summary::by(&scores, &Horizon::NUMERAI_20, |score| score.era[..4].into());
    /// let means: Vec<_> = years.iter().map(|(year, summary)| (&year[..], summary.mean)).collect();
    /// assert_eq!(means, [("2024", 0.5), ("2025", -0.5)]);
    /// ```
    pub fn by(
        scores: &Scores,
        horizon: &Horizon,
        group: impl Fn(&EraScore) -> String,
    ) -> Vec<(String, Self)> {
        let mut groups: Vec<(String, Vec<f64>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for era in &scores.eras {
            let name = group(era);
            let place = *places.entry(name.clone()).or_insert(groups.len());
            if place == groups.len() {
                groups.push((name, Vec::new()));
            }
            groups[place].1.push(era.value);
        }
        let summary = |(name, values): (String, Vec<f64>)| {
            let summary = Self::with_horizon(&values, horizon);
            (name, summary)
        };
        groups.into_iter().map(summary).collect()
    }
}

/// The plain Sharpe ratio of scores that are all finite.
pub(crate) fn sharpe(scores: &[f64]) -> f64 {
    ratios::over(stats::mean(scores), stats::std(scores, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_in_order_and_keep_every_era() {
        let regime = |at: usize| if at.is_multiple_of(3) { "storm" } else { "calm" };
        let values = [0.5, 0.25, f64::NAN, -0.5, 0.75];
        let eras = values.iter().enumerate().map(|(at, &value)| EraScore {
            era: at.to_string(),
            value,
            reason: None,
        });
        let scores = Scores { metric: "corr".into(), eras: eras.collect() };
        let group = |score: &EraScore| regime(score.era.parse().unwrap_or(0)).to_owned();
        let found = Summary::by(&scores, &Horizon::NUMERAI_20, group);
        let facts = |at: usize| (&found[at].0[..], found[at].1.eras, found[at].1.undefined);
        assert_eq!((facts(0), facts(1)), (("storm", 2, 0), ("calm", 2, 1)));
        assert_eq!((found.len(), found[0].1.mean, found[1].1.mean), (2, 0.0, 0.5));
    }

    #[test]
    fn overlapping_scores_count_less() {
        // Each value four times: four eras tell as much as one.
        let mut random = stats::Counter::new(4).draw(0);
        let mut four = || [stats::unit(&mut random); 4];
        let s: Vec<f64> = (0..100).flat_map(|_| four()).collect();
        let overlapping = Summary::of(&s);
        let plain = Summary::with_horizon(&s, &Horizon { days: 5, ..Horizon::NUMERAI_20 });
        assert_eq!((overlapping.overlap_lag, plain.overlap_lag), (3, 0));
        assert!((plain.effective_eras - 400.0).abs() < 1e-9);
        assert!(overlapping.effective_eras < 200.0, "{}", overlapping.effective_eras);
        let independent = plain.std / 20.0;
        let width = |ends: [f64; 2]| (ends[1] - ends[0]) / (2.0 * 1.96 * independent);
        assert!(width(overlapping.interval) > 1.4 && width(overlapping.bootstrap_interval) > 1.4);
        assert!(width(plain.bootstrap_interval) > 1.0);
    }

    #[test]
    fn the_interval_is_that_of_a_mean_over_eras() {
        let scores: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 23) / 23.0 - 0.4).collect();
        let (summary, mean) = (Summary::of(&scores), EraMean::of(&scores, 3));
        assert_eq!((summary.mean, summary.std), (mean.mean, mean.std));
        assert_eq!(
            (summary.standard_error, summary.interval),
            (mean.standard_error, mean.interval)
        );
        assert_eq!(summary.t_statistic, mean.t_statistic);
    }

    #[test]
    fn by_hand() {
        let summary = Summary::of(&[0.25, -0.25, f64::NAN, -0.125, 0.5, 0.25]);
        assert_eq!((summary.eras, summary.undefined, summary.mean), (5, 1, 0.125));
        assert_eq!(summary.drawdown, 0.375);
        // 1.25 falls to 1.25 * 0.75 * 0.875.
        assert!((summary.payout_drawdown - (1.0 - 0.75 * 0.875)).abs() < 1e-15);
        assert_eq!((summary.burn_streak, summary.drawdown_eras), (2, 2));
        assert_eq!((summary.hit_rate, summary.burn_rate), (0.6, 0.4));
        assert_eq!(summary.cvar_95, -0.25);
        assert!((summary.half_delta - 0.625 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_one_score_and_a_constant() {
        let none = Summary::of(&[]);
        assert!(none.mean.is_nan() && none.sharpe.is_nan() && none.interval[0].is_nan());
        let one = Summary::of(&[0.1]);
        assert!(one.mean == 0.1 && one.standard_error.is_nan() && one.apy.is_finite());
        let flat = Summary::of(&[0.1; 9]);
        assert!(flat.sharpe.is_nan() && flat.calmar.is_nan() && flat.drawdown == 0.0);
    }
}
