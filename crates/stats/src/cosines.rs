//! The long-run variance of a series from a few of its slowest waves, for labels that overlap.
//!
//! With centred values `u_t` of `n` and `Λ_j = √(2/n) Σ_t u_t cos(π j (t - 1/2) / n)`: variance
//! `Σ_{j=1}^B Λ_j² / B`. The mean of the series less its expectation, over `√(variance / n)`, is near
//! Student's t of `B` degrees. Labels that span `k` values make a series dependent up to lag `k - 1`; with
//! `B = min(⌊0.4 n^{2/3}⌋, ⌊n / (3k)⌋)`, at least 1, no wave is shorter than six labels, so that all of them
//! see the whole of that dependence. Bartlett weights up to lag `k - 1` miss a part of it
//! ([`long_run_variance`](crate::long_run_variance)).
//!
//! NaN in gives NaN out; constant series have 0.
//!
//! Cost: `n B`.
//!
//! Reference: Müller (2004), A theory of robust long-run variance estimation; Lazarus, Lewis, Stock and
//! Watson (2018), HAR inference: recommendations for practice, Journal of Business & Economic Statistics
//! 36(4).

use std::f64::consts::PI;

use crate::error::{Error, Result};
use crate::moments::{is_constant, mean};

/// Cosines to take of `rows` values whose labels span `span` of them, which are the degrees of Student's t
/// too.
///
/// ```
/// // Two years of weekly scores whose labels span four weeks.
/// assert_eq!(fattail_stats::cosine_count(104, 4)?, 8);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Range`] when `span` is 0 or above a third of the rows: no wave is slow enough.
pub fn cosine_count(rows: usize, span: usize) -> Result<usize> {
    if span == 0 || span > rows / 3 {
        let (name, given) = ("span", span as f64);
        return Err(Error::Range { name, given, allowed: "1 to a third of the rows" });
    }
    let usual = 0.4 * (rows as f64).powf(2.0 / 3.0);
    Ok((usual as usize).min(rows / (3 * span)).max(1))
}

/// The long-run variance from `count` cosine transforms; NaN without values or transforms.
///
/// ```
/// // √(2/2) (-cos 45° + cos 135°) = -√2.
/// assert!((fattail_stats::cosines(&[1.0, 3.0], 1) - 2.0).abs() < 1e-15);
/// ```
#[must_use]
pub fn cosines(series: &[f64], count: usize) -> f64 {
    if series.is_empty() || count == 0 {
        return f64::NAN;
    }
    cosine_waves(series, count).iter().map(|wave| wave * wave).sum::<f64>() / count as f64
}

/// The transforms `Λ_1..Λ_count`; those of a sum of series are the sums of theirs.
///
/// ```
/// let (a, b, sum) = ([1.0, 3.0, 2.0], [0.5, 0.0, 1.0], [1.5, 3.0, 3.0]);
/// let waves = |series| fattail_stats::cosine_waves(series, 2);
/// let (a, b, sum) = (waves(&a), waves(&b), waves(&sum));
/// assert!((a[1] + b[1] - sum[1]).abs() < 1e-15);
/// ```
#[must_use]
pub fn cosine_waves(series: &[f64], count: usize) -> Vec<f64> {
    if is_constant(series) {
        return vec![0.0; count];
    }
    let (n, middle) = (series.len() as f64, mean(series));
    let wave = |j: usize| {
        let step = PI * j as f64 / n;
        let product = |(t, v): (usize, &f64)| (v - middle) * (step * (t as f64 + 0.5)).cos();
        (2.0 / n).sqrt() * series.iter().enumerate().map(product).sum::<f64>()
    };
    (1..=count).map(wave).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // n = 2: cos(π/4) (1 - 3)/2 twice is -√2, so Λ² = 2/2 · 2.
        assert!((cosines(&[1.0, 3.0], 1) - 2.0).abs() < 1e-15);
        // A wave has its own transform alone: Λ_2² = 2/n (n/2)² = n/2.
        let wave: Vec<f64> = (0..12).map(|t| (PI * 2.0 * (t as f64 + 0.5) / 12.0).cos()).collect();
        assert!(cosines(&wave, 1) < 1e-28);
        assert!((cosines(&wave, 3) - 6.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn counts() {
        let count = |rows, span| cosine_count(rows, span).unwrap();
        // 0.4 · 1001^{2/3} = 40.03; 120 / 12 = 10, but 0.4 · 120^{2/3} = 9.7.
        assert_eq!([count(1001, 1), count(120, 4), count(120, 12), count(52, 12)], [40, 9, 3, 1]);
        // Three rows have one, though 0.4 · 3^{2/3} is below it.
        assert_eq!((count(3, 1), count(36, 12)), (1, 1));
        for (rows, span) in [(120, 0), (35, 12), (2, 1), (0, 1), (usize::MAX, usize::MAX)] {
            assert!(cosine_count(rows, span).is_err(), "{rows} {span}");
        }
    }

    #[test]
    fn nothing_constant_and_unknown() {
        assert!(cosines(&[], 1).is_nan() && cosines(&[1.0, 2.0], 0).is_nan());
        assert_eq!(cosines(&[0.1; 9], 2), 0.0);
        assert!(cosines(&[1.0, f64::NAN, 2.0], 1).is_nan());
    }
}
