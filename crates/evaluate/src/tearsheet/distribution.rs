//! The scores as a histogram and against the quantiles of a normal sample.
//!
//! Bins of equal width from the least to the largest of `n` scores, `⌈range / h⌉` of them with Freedman and
//! Diaconis' `h = 2 IQR / n^{1/3}` (Sturges' `1 + log2 n` without an IQR), at least 5 and at most 60; a bin
//! holds its lower edge, the last its upper one too. The normal curve beside it is
//! `n · width · φ((x - μ) / σ_0) / σ_0`, scores expected in a bin around `x`.
//!
//! Point `i` of the quantiles: `z_i = Φ⁻¹((i - 1/2) / n)` (Hazen) against `(x_(i) - μ) / σ_0`, with a
//! pointwise 95 % band `z_i ± 1.96 √(p_i (1 - p_i) / n) / φ(z_i)` of independent normal scores.
//!
//! Scores that are not finite are left out. Scores without spread have no distribution, with the reason.
//!
//! Cost: one sort.
//!
//! Reference: Freedman and Diaconis (1981), On the histogram as a density estimator, Zeitschrift für
//! Wahrscheinlichkeitstheorie 57; Fox (2016), Applied Regression Analysis, section 3.1.3 (quantile plots).

use fattail_stats as stats;
use serde::{Deserialize, Serialize};

/// Points of the normal curve.
const CURVE: usize = 65;
/// The fewest and most bins.
const BINS: (usize, usize) = (5, 60);

/// How scores are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Scores that are finite.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation `σ_0`.
    pub std: f64,
    /// The edges of the bins, one more than bins.
    pub edges: Vec<f64>,
    /// Scores in each bin.
    pub counts: Vec<usize>,
    /// The normal curve: score, and how many a bin there would hold.
    pub normal: Vec<[f64; 2]>,
    /// The scores in rising order against normal quantiles.
    pub points: Vec<QuantilePoint>,
}

/// One score against the normal distribution, in standard deviations from the mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantilePoint {
    /// Where a normal score of this rank lies.
    pub normal: f64,
    /// Where the score lies.
    pub score: f64,
    /// The lower end of the band.
    pub low: f64,
    /// The upper end of the band.
    pub high: f64,
}

/// The distribution of the finite `scores`.
pub(super) fn of(scores: &[f64]) -> Result<Distribution, String> {
    let mut sorted: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (mean, std) = (stats::mean(&sorted), stats::std(&sorted, 0));
    let [Some(&low), Some(&high)] = [sorted.first(), sorted.last()] else {
        return Err("no era has a score".into());
    };
    // Spread so large that its square is no number, or so small that it is none.
    if !(std > 0.0 && std.is_finite() && (high - low).is_finite()) {
        return Err("the scores have no spread".into());
    }
    let bins = bins(&sorted, high - low);
    let edge =
        |i: usize| if i == bins { high } else { low + (high - low) * i as f64 / bins as f64 };
    let edges: Vec<f64> = (0..=bins).map(edge).collect();
    let mut counts = vec![0; bins];
    for score in &sorted {
        counts[(edges.partition_point(|edge| edge <= score) - 1).min(bins - 1)] += 1;
    }
    let (n, width) = (sorted.len() as f64, (high - low) / bins as f64);
    let curve = |i: usize| {
        let x = low + (high - low) * i as f64 / (CURVE - 1) as f64;
        [x, n * width * stats::normal_density((x - mean) / std) / std]
    };
    let points = (1..).zip(&sorted).map(|(i, score)| point(i, n, (score - mean) / std));
    Ok(Distribution {
        count: sorted.len(),
        mean,
        std,
        counts,
        normal: (0..CURVE).map(curve).collect(),
        points: points.collect(),
        edges,
    })
}

fn point(rank: u32, n: f64, score: f64) -> QuantilePoint {
    let p = (f64::from(rank) - 0.5) / n;
    let normal = stats::normal_quantile(p);
    let error = (p * (1.0 - p) / n).sqrt() / stats::normal_density(normal);
    let half = stats::normal_quantile(0.975) * error;
    QuantilePoint { normal, score, low: normal - half, high: normal + half }
}

fn bins(sorted: &[f64], range: f64) -> usize {
    let n = sorted.len() as f64;
    let quantile = |q| stats::quantile_sorted(sorted, q).unwrap_or(f64::NAN);
    let width = 2.0 * (quantile(0.75) - quantile(0.25)) / n.cbrt();
    let bins = if width > 0.0 { (range / width).ceil() } else { 1.0 + n.log2().ceil() };
    (bins as usize).clamp(BINS.0, BINS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let found = of(&[0.0, 1.0, f64::NAN, 2.0, 3.0, 5.0]).unwrap();
        assert_eq!((found.count, found.counts.len()), (5, 5));
        // Edges at 0, 1 .. 5: each holds its lower end, the last both.
        assert_eq!(found.counts, [1, 1, 1, 1, 1]);
        let middle = found.points[2];
        assert_eq!((middle.normal, middle.score.signum()), (0.0, -1.0));
        assert!(middle.low < 0.0 && middle.high == -middle.low);
    }

    #[test]
    fn no_score_and_no_spread_are_told() {
        assert_eq!(of(&[f64::NAN]).unwrap_err(), "no era has a score");
        for flat in [&[0.1; 9][..], &[1.0], &[f64::MAX, f64::MIN], &[0.0, 5e-324]] {
            assert_eq!(of(flat).unwrap_err(), "the scores have no spread");
        }
    }
}
