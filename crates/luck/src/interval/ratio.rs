//! A Sharpe ratio and its influence function, which turns it into a mean.
//!
//! With `z_t = (x_t - μ) / σ` (`σ` of divisor `n - 1`): `ψ_t = z_t - (S/2) (z_t² - 1)`, whose long-run
//! variance over `n` is that of the Sharpe ratio `S` (the delta method on mean and variance).
//! Values that differ by rounding alone are a constant series, as are two ratios whose influence functions
//! do.
//!
//! Reference: Lo (2002), The statistics of Sharpe ratios, Financial Analysts Journal 58(4); Ledoit and
//! Wolf (2008), Robust performance hypothesis testing with the Sharpe ratio, Journal of Empirical
//! Finance 15(5), section 3.

use fattail_stats::{mean, std};

use crate::error::{self, Result, size};
use crate::long_run::ring_sums;

/// A Sharpe ratio with its influence function.
pub(super) struct Ratio {
    pub(super) sharpe: f64,
    pub(super) influence: Vec<f64>,
}

impl Ratio {
    pub(super) fn of(name: &'static str, series: &[f64]) -> Result<Self> {
        error::series(name, series, 8)?;
        let (centre, spread) = (mean(series), std(series, 1));
        let sharpe = centre / spread;
        let influence = |x: &f64| {
            let z = (x - centre) / spread;
            z - 0.5 * sharpe * (z * z - 1.0)
        };
        Ok(Self { sharpe, influence: series.iter().map(influence).collect() })
    }
}

/// `a` minus `b` and the influence function of that, over the same eras.
pub(super) fn difference(a: &[f64], b: &[f64]) -> Result<Ratio> {
    error::same_length("b", 0, b.len(), a.len())?;
    let (first, second) = (Ratio::of("a", a)?, Ratio::of("b", b)?);
    let pairs = first.influence.iter().zip(&second.influence);
    let influence: Vec<f64> = pairs.map(|(x, y)| x - y).collect();
    let size = size(&first.influence).max(size(&second.influence));
    error::varied_beside("difference", 0, &influence, size)?;
    Ok(Ratio { sharpe: first.sharpe - second.sharpe, influence })
}

/// Sums of a series and of its squares over blocks of the ring, about its mean.
pub(super) struct RatioBlocks {
    centre: f64,
    plain: Vec<f64>,
    square: Vec<f64>,
    block: usize,
}

impl RatioBlocks {
    pub(super) fn new(series: &[f64], block: usize) -> Self {
        let centre = mean(series);
        let apart: Vec<f64> = series.iter().map(|v| v - centre).collect();
        let squares: Vec<f64> = apart.iter().map(|v| v * v).collect();
        let (plain, square) = (ring_sums(&apart, block), ring_sums(&squares, block));
        Self { centre, plain, square, block }
    }

    /// The Sharpe ratio of the blocks that begin at `starts`; adds `sign` times the sum of its influence
    /// function over each block to `scores`. NaN without spread.
    pub(super) fn resample(&self, starts: &[usize], sign: f64, scores: &mut [f64]) -> f64 {
        let b = self.block as f64;
        let eras = b * starts.len() as f64;
        let sum = |of: &[f64]| starts.iter().map(|&start| of[start]).sum::<f64>();
        let apart = sum(&self.plain) / eras;
        let variance = (sum(&self.square) - eras * apart * apart) / (eras - 1.0);
        let spread = variance.sqrt();
        let sharpe = (self.centre + apart) / spread;
        for (score, &start) in scores.iter_mut().zip(starts) {
            let (plain, square) = (self.plain[start], self.square[start]);
            let z = (plain - b * apart) / spread;
            let zz = (square - 2.0 * apart * plain + b * apart * apart) / variance;
            *score += sign * (z - 0.5 * sharpe * (zz - b));
        }
        sharpe
    }
}
