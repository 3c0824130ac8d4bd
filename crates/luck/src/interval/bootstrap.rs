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
//! Shares are `(1 + draws) / (1 + all draws)`. NaN in the series is refused; a metric that is NaN in any
//! draw makes both ends and the p-value NaN. A draw without spread counts as extreme.
//!
//! Cost: `draws` times the metric on `n` eras; `draws · n / b` for Sharpe ratios.
//!
//! Reference: Ledoit and Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio,
//! Journal of Empirical Finance 15(5), section 3.2; Künsch (1989), The jackknife and the bootstrap for
//! general stationary observations, Annals of Statistics 17(3).

use fattail_stats::{Blocks, below, quantile_sorted, std};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Estimate;
use super::ratio::{Ratio, RatioBlocks};
use crate::error::{self, Error, Result};
use crate::long_run::prewhitened;
use crate::resampling::{Resampling, Scheme, length};

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
#[serde(default)]
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
        error::same_length("b", 0, b.len(), a.len())?;
        let (first, second) = (Ratio::of("a", a)?, Ratio::of("b", b)?);
        let pairs = first.influence.iter().zip(&second.influence);
        let influence: Vec<f64> = pairs.map(|(x, y)| x - y).collect();
        error::varied("difference", 0, &influence)?;
        self.studentised(first.sharpe - second.sharpe, &influence, &[a, b])
    }

    fn percentiles<const N: usize>(
        &self,
        series: [&[f64]; N],
        metric: &(dyn Fn([&[f64]; N]) -> f64 + Sync),
    ) -> Result<Estimate> {
        error::share("level", self.level)?;
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
        let estimate = metric(series);
        if estimate.is_nan() || drawn.iter().any(|v| v.is_nan()) {
            let none = f64::NAN;
            let (standard_error, lower, upper, p_value) = (none, none, none, none);
            return Ok(Estimate { estimate, standard_error, lower, upper, p_value });
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
        })
    }

    fn studentised(&self, estimate: f64, influence: &[f64], series: &[&[f64]]) -> Result<Estimate> {
        error::share("level", self.level)?;
        let resampling = Resampling { scheme: Scheme::Circular, ..self.resampling };
        let blocks: Blocks = resampling.blocks(&[influence])?;
        let (block, rows) = (length(blocks) as usize, influence.len());
        if 2 * block > rows {
            let (name, given) = ("block_length", block as f64);
            return Err(Error::Range { name, given, allowed: "1 to half of the eras" });
        }
        let standard_error = (prewhitened(influence) / rows as f64).sqrt();
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
        let own = estimate.abs() / standard_error;
        let p_value = resampling.p_value(drawn.iter().filter(|v| **v >= own).count());
        drawn.sort_unstable_by(f64::total_cmp);
        // The draw of rank level · (draws + 1), so that the interval and the p-value agree.
        let rank = (self.level * (drawn.len() as f64 + 1.0)).ceil() as usize;
        let reach = drawn[rank.clamp(1, drawn.len()) - 1] * standard_error;
        let (lower, upper) = (estimate - reach, estimate + reach);
        Ok(Estimate { estimate, standard_error, lower, upper, p_value })
    }
}
