//! The block length for a bootstrap, chosen from the series.
//!
//! With flat-top weights `λ(t) = 1` for `|t| <= 1/2`, `2 (1 - |t|)` up to 1, and autocovariances
//! `R(k)`: `G = Σ λ(k/M) |k| R(k)`, `S = Σ λ(k/M) R(k)` over `|k| <= M`; the length is
//! `(2 G² / D)^{1/3} n^{1/3}` with `D = 2 S²` (stationary) or `4/3 S²` (circular), at most
//! `⌈min(3 √n, n/3)⌉`. `M` is twice the first lag after which `K` autocorrelations in a row stay
//! below `2 √(log₁₀ n / n)`.
//!
//! Constant series and NaN give NaN; fewer than 8 values are refused.
//!
//! Cost: one pass for each of about `√n` lags.
//!
//! Reference: Politis and White (2004), Automatic block-length selection for the dependent bootstrap,
//! Econometric Reviews 23(1); Patton, Politis and White (2009), Correction, 28(4).

use crate::error::{Result, at_least};
use crate::moments::{is_constant, mean};
use crate::sums::dot;

/// Block lengths for the two bootstraps on the ring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockLength {
    /// Mean length for the stationary bootstrap.
    pub stationary: f64,
    /// Length for the circular block bootstrap, to be rounded up.
    pub circular: f64,
}

/// Chooses block lengths for the mean of `series`.
///
/// # Errors
/// [`crate::Error::TooShort`] for fewer than 8 values.
pub fn optimal_block_length(series: &[f64]) -> Result<BlockLength> {
    at_least("series", series.len(), 8)?;
    if is_constant(series) || series.iter().any(|v| v.is_nan()) {
        return Ok(BlockLength { stationary: f64::NAN, circular: f64::NAN });
    }
    let n = series.len() as f64;
    let m = mean(series);
    let centred: Vec<f64> = series.iter().map(|v| v - m).collect();
    let (covariances, bandwidth) = bandwidth(&centred);
    let (mut g, mut spectrum) = (0.0, covariances[0]);
    for (k, covariance) in covariances.iter().enumerate().take(bandwidth + 1).skip(1) {
        let share = k as f64 / bandwidth as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        g += 2.0 * weight * k as f64 * covariance;
        spectrum += 2.0 * weight * covariance;
    }
    let most = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    let length = |d: f64| (2.0 * g * g / d * n).cbrt().min(most);
    Ok(BlockLength {
        stationary: length(2.0 * spectrum * spectrum),
        circular: length(4.0 / 3.0 * spectrum * spectrum),
    })
}

/// Autocovariances, and the number of them that carries signal.
fn bandwidth(centred: &[f64]) -> (Vec<f64>, usize) {
    let rows = centred.len();
    let n = rows as f64;
    let quiet = (n.log10() as usize).max(5);
    let most = (n.sqrt().ceil() as usize + quiet).min(rows - 2);
    let limit = 2.0 * (n.log10() / n).sqrt();
    let mut covariances = Vec::with_capacity(most + 1);
    let mut small = Vec::with_capacity(most + 1);
    for lag in 0..=most {
        let cross = dot(&centred[lag..], &centred[..rows - lag]);
        let (late, early) = (&centred[lag + 1..], &centred[..rows - lag - 1]);
        let size = (dot(late, late) * dot(early, early)).sqrt();
        covariances.push(cross / n);
        small.push(cross.abs() / size < limit);
    }
    let runs = small[..most].windows(quiet);
    let found = runs.into_iter().position(|run| run.iter().all(|&s| s));
    let chosen = found.map_or(most, |first| (2 * first.max(1)).min(most));
    (covariances, chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degenerate_series() {
        assert!(optimal_block_length(&[1.0; 7]).is_err());
        assert!(optimal_block_length(&[0.1; 50]).unwrap().circular.is_nan());
    }
}
