//! Weighted mean, variance, quantile, ranks and correlations: a weight of 2 counts a row twice.
//!
//! With weights `w_i >= 0` and `W = Σ w_i`: mean `Σ w x / W`; variance `Σ w (x - x̄)² / (W - ddof)`;
//! correlations with every sum weighted. Quantile `q`, with `s_j` the weight of the values up to the
//! `j`-th different one, `y_j`: the smallest `y_j` with `s_j > q W`, or the middle of `y_j` and
//! `y_{j+1}` where `s_j = q W` (within `1e-12 W`) — the inverse of the weighted distribution function,
//! Hyndman and Fan's type 2. Its median is the plain one under equal weights; its other quantiles are
//! steps, while [`quantile`](crate::quantile) is linear between values. Rank: the weight of the
//! smaller values, half the weight of the equal ones (itself among them), and 1/2 — the mid-rank
//! that each copy has when rows are repeated `w_i` times.
//!
//! A row of weight 0 counts nowhere, whatever its value; it does get a rank. Other NaN make NaN,
//! except in ranks, where they stay NaN and their weight is not counted. No weight at all, `W <= ddof`
//! and (for correlations) no spread give NaN. Weights that are negative, NaN or infinite are refused.
//!
//! Cost: two passes; one sort for quantiles and ranks.
//!
//! Reference: Hyndman and Fan (1996), Sample quantiles in statistical packages, The American
//! Statistician 50(4), definition 2; Bross (1958), How to use ridit analysis, Biometrics 14(1), for
//! the mid-rank.

use std::ops::Range;

use crate::correlate::{bounded, part};
use crate::error::{Error, Result, same_length};
use crate::location::in_unit;
use crate::rank::Ranker;
use crate::sums::{sum_of, sum_of_pairs};

/// Mean under weights.
///
/// ```
/// assert_eq!(fattail_stats::weighted_mean(&[1.0, 4.0], &[2.0, 1.0])?, 2.0);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when the slices differ in length, [`Error::Range`] for a weight that is
/// negative, NaN or infinite.
pub fn weighted_mean(x: &[f64], weights: &[f64]) -> Result<f64> {
    check(x, weights)?;
    Ok(centre(x, weights))
}

/// Variance under weights, with divisor `W - ddof`.
///
/// ```
/// let variance = fattail_stats::weighted_variance(&[1.0, 4.0], &[2.0, 1.0], 1)?;
/// assert_eq!(variance, 3.0); // that of 1, 1, 4
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// As [`weighted_mean`].
pub fn weighted_variance(x: &[f64], weights: &[f64], ddof: usize) -> Result<f64> {
    check(x, weights)?;
    let freedom = sum_of(weights, |w| w) - ddof as f64;
    if freedom <= 0.0 {
        return Ok(f64::NAN);
    }
    if !varies(x, weights) {
        return Ok(centre(x, weights) * 0.0);
    }
    let mean = centre(x, weights);
    Ok(sum_of_pairs(x, weights, |a, w| times(w, (a - mean) * (a - mean))) / freedom)
}

/// Square root of [`weighted_variance`].
///
/// # Errors
/// As [`weighted_mean`].
pub fn weighted_std(x: &[f64], weights: &[f64], ddof: usize) -> Result<f64> {
    weighted_variance(x, weights, ddof).map(f64::sqrt)
}

/// Quantile `q` under weights: the inverse of the weighted distribution function.
///
/// ```
/// use fattail_stats::weighted_quantile;
/// assert_eq!(weighted_quantile(&[3.0, 1.0, 2.0], &[1.0, 1.0, 1.0], 0.5)?, 2.0);
/// assert_eq!(weighted_quantile(&[3.0, 1.0, 2.0], &[3.0, 1.0, 1.0], 0.5)?, 3.0);
/// assert_eq!(weighted_quantile(&[3.0, 1.0, 2.0], &[2.0, 1.0, 1.0], 0.5)?, 2.5);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// As [`weighted_mean`], and [`Error::Range`] when `q` lies outside `[0, 1]`.
pub fn weighted_quantile(x: &[f64], weights: &[f64], q: f64) -> Result<f64> {
    check(x, weights)?;
    in_unit("q", q)?;
    if x.iter().zip(weights).any(|(a, &w)| w > 0.0 && a.is_nan()) {
        return Ok(f64::NAN);
    }
    let mut ranker = Ranker::new();
    let counted: Vec<usize> = ranker.order(x)?.filter(|&row| weights[row] > 0.0).collect();
    let total: f64 = counted.iter().map(|&row| weights[row]).sum();
    let (goal, mut reached) = (q * total, 0.0);
    let mut runs = counted.chunk_by(|&a, &b| x[a] == x[b]).peekable();
    while let Some(run) = runs.next() {
        reached += run.iter().map(|&row| weights[row]).sum::<f64>();
        let (here, next) = (x[run[0]], runs.peek().map(|run| x[run[0]]));
        if (reached - goal).abs() <= SAME * total {
            return Ok(next.map_or(here, |next| f64::midpoint(here, next)));
        }
        if reached > goal || next.is_none() {
            return Ok(here);
        }
    }
    Ok(f64::NAN)
}

/// Mid-ranks under weights; those of [`rank()`](crate::rank()) with ties averaged when all are 1.
///
/// ```
/// let ranks = fattail_stats::weighted_rank(&[5.0, 1.0, 5.0], &[1.0, 2.0, 3.0])?;
/// assert_eq!(ranks, [4.5, 1.5, 4.5]); // of 1, 1, 5, 5, 5, 5
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// As [`weighted_mean`], and [`Error::Range`] for more than `u32::MAX / 2` values.
pub fn weighted_rank(x: &[f64], weights: &[f64]) -> Result<Vec<f64>> {
    check(x, weights)?;
    let mut ranker = Ranker::new();
    let order: Vec<usize> = ranker.order(x)?.collect();
    let (mut out, mut below) = (vec![f64::NAN; x.len()], 0.0);
    for run in order.chunk_by(|&a, &b| x[a] == x[b]) {
        let equal: f64 = run.iter().map(|&row| weights[row]).sum();
        run.iter().for_each(|&row| out[row] = below + 0.5 * equal + 0.5);
        below += equal;
    }
    Ok(out)
}

/// Pearson's correlation under weights.
///
/// ```
/// let r = fattail_stats::weighted_pearson(&[1.0, 2.0, 9.0], &[3.0, 5.0, 0.0], &[1.0, 2.0, 0.0])?;
/// assert!((r - 1.0).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// As [`weighted_mean`].
pub fn weighted_pearson(x: &[f64], y: &[f64], weights: &[f64]) -> Result<f64> {
    same_length("y", y.len(), x.len())?;
    check(x, weights)?;
    if !varies(x, weights) || !varies(y, weights) {
        return Ok(f64::NAN);
    }
    let (mx, my) = (centre(x, weights), centre(y, weights));
    let xx = sum_of_pairs(x, weights, |a, w| times(w, (a - mx) * (a - mx)));
    let yy = sum_of_pairs(y, weights, |b, w| times(w, (b - my) * (b - my)));
    let rows = x.iter().zip(y).zip(weights);
    let xy: f64 = rows.map(|((a, b), &w)| times(w, (a - mx) * (b - my))).sum();
    Ok(bounded(xy, xx, yy))
}

/// Spearman's rank correlation under weights: [`weighted_pearson`] of [`weighted_rank`].
///
/// ```
/// let r = fattail_stats::weighted_spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 99.0], &[1.0, 5.0, 2.0])?;
/// assert!((r - 1.0).abs() < 0.05); // ranks are the same on both sides
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// As [`weighted_rank`].
pub fn weighted_spearman(x: &[f64], y: &[f64], weights: &[f64]) -> Result<f64> {
    same_length("y", y.len(), x.len())?;
    weighted_pearson(&weighted_rank(x, weights)?, &weighted_rank(y, weights)?, weights)
}

/// Applies `f` to the rows of every range, as in
/// `weighted_by_era(bounds, x, y, weights, weighted_spearman)`. A weighted statistic of one slice
/// goes through [`by_era`](crate::by_era): `by_era(bounds, x, weights, weighted_mean)`.
///
/// ```
/// use fattail_stats::{weighted_by_era, weighted_pearson};
/// let (x, y, w) = ([1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 4.0, 3.0], [1.0, 1.0, 2.0, 1.0]);
/// let scores = weighted_by_era([0..2, 2..4], &x, &y, &w, weighted_pearson)?;
/// assert!((scores[0] - 1.0).abs() < 1e-15 && (scores[1] + 1.0).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when the slices differ in length, [`Error::Bounds`] when a range does not fit,
/// and what `f` refuses.
pub fn weighted_by_era<T, U, R>(
    bounds: impl IntoIterator<Item = Range<usize>>,
    x: &[T],
    y: &[U],
    weights: &[f64],
    mut f: impl FnMut(&[T], &[U], &[f64]) -> Result<R>,
) -> Result<Vec<R>> {
    same_length("y", y.len(), x.len())?;
    same_length("weights", weights.len(), x.len())?;
    let era = |rows: Range<usize>| f(part(x, &rows)?, &y[rows.clone()], &weights[rows]);
    bounds.into_iter().map(era).collect()
}

/// Shares of the weight that differ by less are the same up to rounding.
const SAME: f64 = 1e-12;

fn check(x: &[f64], weights: &[f64]) -> Result<()> {
    same_length("weights", weights.len(), x.len())?;
    match weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        None => Ok(()),
        Some(&given) => {
            Err(Error::Range { name: "weights", given, allowed: "finite and at least 0" })
        }
    }
}

/// Nothing for a weight of 0, even next to NaN.
#[inline]
fn times(weight: f64, value: f64) -> f64 {
    if weight > 0.0 { weight * value } else { 0.0 }
}

fn centre(x: &[f64], weights: &[f64]) -> f64 {
    sum_of_pairs(x, weights, |a, w| times(w, a)) / sum_of(weights, |w| w)
}

/// Whether two values that count differ.
fn varies(x: &[f64], weights: &[f64]) -> bool {
    let mut counted = x.iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(a, _)| *a);
    counted.next().is_some_and(|first| counted.any(|a| a != first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::pearson;

    #[test]
    fn a_weight_of_two_is_a_row_twice() {
        let weighted = weighted_pearson(&[1.0, 2.0, 4.0], &[1.0, 3.0, 2.0], &[1.0, 2.0, 1.0]);
        let plain = pearson(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 3.0, 2.0]);
        assert!((weighted.unwrap() - plain.unwrap()).abs() < 1e-15);
        let alone = weighted_pearson(&[1.0, 2.0], &[1.0, 3.0], &[1.0, 0.0]).unwrap();
        assert!(alone.is_nan());
    }

    #[test]
    fn quantiles_by_hand() {
        let (x, w) = ([1.0, 2.0, 2.0, 5.0], [1.0, 1.0, 1.0, 1.0]);
        let at = |q| weighted_quantile(&x, &w, q).unwrap();
        assert_eq!([at(0.0), at(0.25), at(0.5), at(0.75), at(1.0)], [1.0, 1.5, 2.0, 3.5, 5.0]);
        // 0.1 + 0.2 is not 0.3 in binary: still the middle.
        assert_eq!(weighted_quantile(&[1.0, 2.0, 3.0], &[0.1, 0.2, 0.7], 0.3).unwrap(), 2.5);
        assert!(weighted_quantile(&x, &w, 1.1).is_err());
    }

    #[test]
    fn rows_without_weight_count_nowhere() {
        let (x, w) = ([f64::NAN, 1.0, 3.0], [0.0, 1.0, 1.0]);
        assert_eq!(weighted_mean(&x, &w).unwrap(), 2.0);
        assert_eq!(weighted_variance(&x, &w, 0).unwrap(), 1.0);
        assert_eq!(weighted_quantile(&x, &w, 0.5).unwrap(), 2.0);
        assert_eq!(weighted_spearman(&x, &[9.0, 0.0, 1.0], &w).unwrap(), 1.0);
        assert_eq!(weighted_rank(&[2.0, 1.0, 3.0], &w).unwrap(), [1.5, 1.0, 2.0]);
    }

    #[test]
    fn nothing_missing_and_outside() {
        for (x, w) in [(&[][..], &[][..]), (&[1.0], &[0.0]), (&[f64::NAN, 1.0], &[1.0, 1.0])] {
            assert!(weighted_mean(x, w).unwrap().is_nan());
            assert!(weighted_variance(x, w, 0).unwrap().is_nan());
            assert!(weighted_quantile(x, w, 0.5).unwrap().is_nan());
            assert!(weighted_spearman(x, x, w).unwrap().is_nan());
        }
        assert!(weighted_rank(&[], &[]).unwrap().is_empty());
        assert_eq!(weighted_variance(&[0.1; 9], &[0.3; 9], 0).unwrap(), 0.0);
        assert!(weighted_variance(&[1.0], &[1.0], 1).unwrap().is_nan());
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(weighted_mean(&[1.0], &[bad]).is_err());
            assert!(weighted_rank(&[1.0], &[bad]).is_err());
        }
        assert!(weighted_mean(&[1.0], &[]).is_err());
        let eras = weighted_by_era(std::iter::once(1..3), &[1.0], &[1.0], &[1.0], weighted_pearson);
        assert_eq!(eras, Err(Error::Bounds { start: 1, end: 3, len: 1 }));
    }
}
