//! Block-bootstrap intervals, of any metric by percentiles and of Sharpe ratios by studentising.
//!
//! Percentile: the `(1 ∓ level)/2` quantiles of the metric over resampled series; two series are drawn
//! with the same rows. Its p-value is the share of draws that lie at least as far from the estimate as 0
//! does.
//!
//! Studentised, for a Sharpe ratio or the difference `Δ` of two: with `s` from the prewhitened long-run
//! variance of the influence function, and in a draw of `l` circular blocks of length `b`
//! `s*² = Σ_j (sum of the influence function in block j)² / (l b)²`:
//!
//! ```text
//! interval  Δ ± q s,  q the level-quantile of |Δ* - Δ| / s*
//! p-value   share of |Δ* - Δ| / s* at least |Δ| / s
//! ```
//!
//! `(Δ* - Δ) / s*` is Student's t of `l - 1` degrees times `√(l / (l - 1))`, `Δ / s` of the degrees of the
//! long-run variance: one is taken for the value that is as rare in the other's place.
//!
//! Shares are `(1 + draws) / (1 + all draws)`. NaN in the series is refused; a metric that is not finite in any
//! draw makes both ends and the p-value NaN. A draw without spread counts as extreme. The end of an interval
//! is a value that some draws lie beyond: a studentised one of level `l` needs `l (draws + 1) <= draws`, 19 for
//! 95 %, a percentile one as much of each tail, 39; fewer are refused.
//!
//! Cost: `draws` times the metric on `n` eras; `draws · n / b` for Sharpe ratios.
//!
//! Reference: Ledoit and Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio,
//! Journal of Empirical Finance 15(5), section 3.2; Künsch (1989), The jackknife and the bootstrap for
//! general stationary observations, Annals of Statistics 17(3).

use fattail_stats::{below, quantile_sorted, std};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Estimate;
use super::ratio::{Ratio, RatioBlocks, difference};
use crate::error::{self, Error, Result};
use crate::long_run::{equally_rare, prewhitened};
use crate::resampling::{Resampling, length};

/// What a product may be off by rounding.
const ROUNDING: f64 = 1e-9;

/// Settings of bootstrap intervals.
///
/// ```
/// use fattail_luck::Bootstrap;
/// let score = |t: u32, shift: f64| (f64::from(t * 7 % 11) - 5.0) / 100.0 + shift;
/// let old: Vec<f64> = (0..150).map(|t| score(t, 0.01)).collect();
/// let new: Vec<f64> = (0..150).map(|t| score(t * 3 + 1, 0.03)).collect();
/// let bootstrap = Bootstrap::default();
/// let gain = bootstrap.sharpe_difference(&new, &old)?;
/// assert!(gain.lower > 0.0 && gain.p_value < 0.05);
/// let worst = |eras: &[f64]| eras.iter().copied().fold(f64::INFINITY, f64::min);
/// assert!((bootstrap.percentile(&new, worst)?.estimate + 0.02).abs() < 1e-12);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bootstrap {
    /// Coverage, 0.95 for an interval of 95 %.
    pub level: f64,
    /// How eras are drawn.
    pub resampling: Resampling,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { level: 0.95, resampling: Resampling::default() }
    }
}

impl Bootstrap {
    /// The percentile interval of any metric of a series.
    ///
    /// # Errors
    /// Series below 8 values or not finite, and settings outside their range.
    pub fn percentile(
        &self,
        series: &[f64],
        metric: impl Fn(&[f64]) -> f64 + Sync,
    ) -> Result<Estimate> {
        self.percentiles([series], &|[series]: [&[f64]; 1]| metric(series))
    }

    /// The percentile interval of `metric(a) - metric(b)`, eras drawn together.
    ///
    /// # Errors
    /// Those of [`Bootstrap::percentile`], and series of different lengths.
    pub fn percentile_difference(
        &self,
        a: &[f64],
        b: &[f64],
        metric: impl Fn(&[f64]) -> f64 + Sync,
    ) -> Result<Estimate> {
        self.percentiles([a, b], &|[a, b]: [&[f64]; 2]| metric(a) - metric(b))
    }

    /// The studentised interval of a Sharpe ratio, in circular blocks whatever the scheme.
    ///
    /// # Errors
    /// Those of [`Bootstrap::percentile`], a constant series, and [`Error::Range`] for a block longer
    /// than half of the eras.
    pub fn sharpe(&self, series: &[f64]) -> Result<Estimate> {
        let ratio = Ratio::of("series", series)?;
        self.studentised(ratio.sharpe, &ratio.influence, &[series])
    }

    /// The studentised interval of the Sharpe ratio of `a` minus that of `b`, eras drawn together.
    ///
    /// # Errors
    /// Those of [`Bootstrap::sharpe`], and series of different lengths; [`Error::Constant`] when the two
    /// do not differ.
    pub fn sharpe_difference(&self, a: &[f64], b: &[f64]) -> Result<Estimate> {
        let apart = difference(a, b)?;
        self.studentised(apart.sharpe, &apart.influence, &[a, b])
    }

    fn percentiles<const N: usize>(
        &self,
        series: [&[f64]; N],
        metric: &(dyn Fn([&[f64]; N]) -> f64 + Sync),
    ) -> Result<Estimate> {
        self.check(0.5 * (1.0 + self.level))?;
        let rows = error::columns("series", &series, 8)?;
        let blocks = self.resampling.blocks(&series)?;
        let draw = |(indices, drawn): &mut (Vec<usize>, [Vec<f64>; N]), draw: u32| -> Result<f64> {
            blocks.indices(&mut self.resampling.counter().draw(draw), indices)?;
            for (drawn, series) in drawn.iter_mut().zip(&series) {
                drawn.clear();
                drawn.extend(indices.iter().map(|&row| series[row]));
            }
            Ok(metric(std::array::from_fn(|i| &drawn[i][..])))
        };
        let empty = || (vec![0; rows], std::array::from_fn(|_| Vec::with_capacity(rows)));
        let drawn = (0..self.resampling.draws).into_par_iter().map_init(empty, draw);
        let mut drawn: Vec<f64> = drawn.collect::<Result<_>>()?;
        let (estimate, block_length) = (metric(series), Some(length(blocks)));
        if !estimate.is_finite() || drawn.iter().any(|v| !v.is_finite()) {
            let none = f64::NAN;
            let (standard_error, lower, upper, p_value) = (none, none, none, none);
            return Ok(Estimate { estimate, standard_error, lower, upper, p_value, block_length });
        }
        let far = drawn.iter().filter(|v| (**v - estimate).abs() >= estimate.abs()).count();
        drawn.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - self.level);
        Ok(Estimate {
            estimate,
            standard_error: std(&drawn, 1),
            lower: quantile_sorted(&drawn, tail)?,
            upper: quantile_sorted(&drawn, 1.0 - tail)?,
            p_value: self.resampling.p_value(far),
            block_length,
        })
    }

    /// Refuses so few draws that none lies beyond a quantile of this probability.
    fn check(&self, probability: f64) -> Result<()> {
        error::share("level", self.level)?;
        let draws = f64::from(self.resampling.draws);
        if probability * (draws + 1.0) <= draws + ROUNDING {
            return Ok(());
        }
        let allowed = "so many that one of them lies beyond each end of the interval";
        Err(Error::Range { name: "draws", given: draws, allowed })
    }

    fn studentised(&self, estimate: f64, influence: &[f64], series: &[&[f64]]) -> Result<Estimate> {
        self.check(self.level)?;
        let resampling = self.resampling;
        let (block, rows) = (resampling.circular(&[influence])?, influence.len());
        let variance = prewhitened(influence);
        let standard_error = (variance.value / rows as f64).sqrt();
        let sums: Vec<RatioBlocks> = series.iter().map(|s| RatioBlocks::new(s, block)).collect();
        let number = rows / block;
        let draw = |(starts, scores): &mut (Vec<usize>, Vec<f64>), draw: u32| {
            let mut generator = resampling.counter().draw(draw);
            starts.iter_mut().for_each(|start| *start = below(&mut generator, rows));
            scores.fill(0.0);
            let signed = sums.iter().zip([1.0, -1.0]);
            let found: f64 =
                signed.map(|(one, sign)| sign * one.resample(starts, sign, scores)).sum();
            let square: f64 = scores.iter().map(|score| score * score).sum();
            let distance = (found - estimate).abs() * (number * block) as f64 / square.sqrt();
            if distance.is_nan() { f64::INFINITY } else { distance }
        };
        let empty = || (vec![0; number], vec![0.0; number]);
        let drawn = (0..resampling.draws).into_par_iter().map_init(empty, draw);
        let mut drawn: Vec<f64> = drawn.collect();
        let blocks = number as f64;
        let (degrees, bias) = (blocks - 1.0, (blocks / (blocks - 1.0)).sqrt());
        let own = bias * equally_rare(estimate.abs() / standard_error, variance.degrees, degrees);
        let p_value = resampling.p_value(drawn.iter().filter(|v| **v >= own).count());
        drawn.sort_unstable_by(f64::total_cmp);
        // The draw of rank level · (draws + 1), so that the interval and the p-value agree.
        let rank = (self.level * (drawn.len() as f64 + 1.0) - ROUNDING).ceil() as usize;
        let far = drawn[rank.clamp(1, drawn.len()) - 1] / bias;
        let reach = standard_error * equally_rare(far, degrees, variance.degrees);
        let (lower, upper) = (estimate - reach, estimate + reach);
        let block_length = Some(block as f64);
        Ok(Estimate { estimate, standard_error, lower, upper, p_value, block_length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_draws_are_refused() {
        let series: Vec<f64> = (0..40).map(|t| f64::from(t * 7 % 11) - 4.0).collect();
        let with = |level: f64, draws: u32| Bootstrap {
            level,
            resampling: Resampling { draws, ..Resampling::default() },
        };
        let mean = |x: &[f64]| fattail_stats::mean(x);
        for (level, least) in [(0.95, 19), (0.99, 99), (0.9, 9), (0.5, 1)] {
            assert!(with(level, least).sharpe(&series).is_ok(), "{level}");
            let refused = with(level, least - 1).sharpe(&series);
            assert!(matches!(refused, Err(Error::Range { name: "draws", .. })), "{level}");
            assert!(with(level, 2 * least + 1).percentile(&series, mean).is_ok(), "{level}");
            assert!(with(level, 2 * least).percentile(&series, mean).is_err(), "{level}");
        }
        assert!(with(0.95, u32::MAX).sharpe(&series).is_err());
    }

    #[test]
    fn rounding_moves_no_rank() {
        // .07 · 100 is 7.000000000000001; the interval ends at the 7th draw, not at the 8th.
        let series: Vec<f64> = (0..60).map(|t| f64::from(t * t).sin()).collect();
        let resampling = Resampling { draws: 99, ..Resampling::default() };
        let reach = |level: f64| {
            let found = Bootstrap { level, resampling }.sharpe(&series).unwrap();
            assert_eq!(found.block_length.unwrap().fract(), 0.0);
            found.upper - found.estimate
        };
        assert_eq!(reach(0.07), reach(0.0699));
        assert!(reach(0.0701) > reach(0.07));
    }
}
