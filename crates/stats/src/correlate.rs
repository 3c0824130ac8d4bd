//! Correlations of two slices, whole or era by era.
//!
//! Pearson `Σ(x-x̄)(y-ȳ) / √(Σ(x-x̄)² Σ(y-ȳ)²)`; Spearman the same of average ranks; Kendall
//! `τ_b = (C - D) / √((C + D + T_x)(C + D + T_y))` with `C` concordant and `D` discordant pairs and
//! `T` the pairs tied in one slice only. Weighted forms stand in `weighted.rs`.
//!
//! A constant slice, fewer than two values, and any NaN give NaN. Ties: see the formulas.
//!
//! Cost: two passes for Pearson, `O(n)` to `O(n log n)` for Spearman, `O(n log n)` for Kendall.
//!
//! Reference: Kendall (1945), The treatment of ties in ranking problems, Biometrika 33(3); Knight
//! (1966), A computer method for calculating Kendall's tau with ungrouped data, JASA 61.

use std::ops::Range;

use crate::error::{Error, Result, same_length};
use crate::moments::{is_constant, mean};
use crate::rank::{Ranker, Ties};
use crate::sums::{sum_of, sum_of_pairs};

/// Pearson's correlation.
///
/// ```
/// let r = fattail_stats::pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0])?;
/// assert!((r - 1.0).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when the slices differ in length.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<f64> {
    same_length("y", y.len(), x.len())?;
    if x.len() < 2 || is_constant(x) || is_constant(y) {
        return Ok(f64::NAN);
    }
    let (mx, my) = (mean(x), mean(y));
    let xx = sum_of(x, |a| (a - mx) * (a - mx));
    let yy = sum_of(y, |b| (b - my) * (b - my));
    let xy = sum_of_pairs(x, y, |a, b| (a - mx) * (b - my));
    Ok(bounded(xy, xx, yy))
}

/// Sample covariance with divisor `n - ddof`.
///
/// # Errors
/// [`Error::Length`] when the slices differ in length.
pub fn covariance(x: &[f64], y: &[f64], ddof: usize) -> Result<f64> {
    same_length("y", y.len(), x.len())?;
    if x.len() <= ddof {
        return Ok(f64::NAN);
    }
    let (mx, my) = (mean(x), mean(y));
    let xy = sum_of_pairs(x, y, |a, b| (a - mx) * (b - my));
    Ok(xy / (x.len() - ddof) as f64)
}

/// Spearman's rank correlation, ties averaged.
///
/// ```
/// let r = fattail_stats::spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0])?;
/// assert!((r - 1.0).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when the slices differ in length.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64> {
    same_length("y", y.len(), x.len())?;
    let mut ranker = Ranker::new();
    let (mut rx, mut ry) = (vec![0.0; x.len()], vec![0.0; y.len()]);
    ranker.rank(x, Ties::Average, &mut rx)?;
    ranker.rank(y, Ties::Average, &mut ry)?;
    pearson(&rx, &ry)
}

/// Kendall's rank correlation `τ_b`.
///
/// ```
/// let tau = fattail_stats::kendall(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0])?;
/// assert!((tau - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when the slices differ in length.
pub fn kendall(x: &[f64], y: &[f64]) -> Result<f64> {
    same_length("y", y.len(), x.len())?;
    if x.iter().chain(y).any(|v| v.is_nan()) {
        return Ok(f64::NAN);
    }
    // Adding zero makes -0.0 and 0.0 the same bits, so that total order agrees with equality.
    let mut pairs: Vec<(f64, f64)> = x.iter().zip(y).map(|(a, b)| (a + 0.0, b + 0.0)).collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let tied_x = tied_pairs(&pairs, |a, b| a.0 == b.0);
    let tied_both = tied_pairs(&pairs, |a, b| a == b);
    let mut second: Vec<f64> = pairs.iter().map(|p| p.1).collect();
    let mut buffer = second.clone();
    let swaps = inversions(&mut second, &mut buffer);
    let tied_y = tied_pairs(&second, |a, b| a == b);
    let n = x.len() as f64;
    let all = n * (n - 1.0) / 2.0;
    let difference = all - tied_x - tied_y + tied_both - 2.0 * swaps;
    let size = (all - tied_x).sqrt() * (all - tied_y).sqrt();
    Ok(if size > 0.0 { (difference / size).clamp(-1.0, 1.0) } else { f64::NAN })
}

/// Applies `f` to the rows of every range, as in `by_era(bounds, x, y, spearman)`.
///
/// ```
/// use fattail_stats::{by_era, pearson};
/// let (x, y) = ([1.0, 2.0, 1.0, 2.0], [3.0, 4.0, 4.0, 3.0]);
/// let scores = by_era([0..2, 2..4], &x, &y, pearson)?;
/// assert_eq!(scores, [1.0, -1.0]);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when the slices differ in length, [`Error::Bounds`] when a range does not fit,
/// and what `f` refuses.
pub fn by_era<T, U, R>(
    bounds: impl IntoIterator<Item = Range<usize>>,
    x: &[T],
    y: &[U],
    mut f: impl FnMut(&[T], &[U]) -> Result<R>,
) -> Result<Vec<R>> {
    same_length("y", y.len(), x.len())?;
    bounds.into_iter().map(|rows| f(part(x, &rows)?, &y[rows])).collect()
}

/// The rows of a range.
pub(crate) fn part<'a, T>(x: &'a [T], rows: &Range<usize>) -> Result<&'a [T]> {
    let outside = Error::Bounds { start: rows.start, end: rows.end, len: x.len() };
    x.get(rows.clone()).ok_or(outside)
}

/// `xy / √(xx yy)`, kept inside `[-1, 1]` against rounding; NaN for no spread. The root of the
/// product makes a slice's correlation with itself exactly 1; the product of the roots stands in
/// where the product leaves the range of `f64`.
pub(crate) fn bounded(xy: f64, xx: f64, yy: f64) -> f64 {
    let product = xx * yy;
    let size = if product.is_normal() { product.sqrt() } else { xx.sqrt() * yy.sqrt() };
    if size > 0.0 { (xy / size).clamp(-1.0, 1.0) } else { f64::NAN }
}

/// Number of pairs inside the runs of a sorted slice.
fn tied_pairs<T>(sorted: &[T], same: impl FnMut(&T, &T) -> bool) -> f64 {
    sorted.chunk_by(same).map(|run| run.len() as f64 * (run.len() as f64 - 1.0) / 2.0).sum()
}

/// Sorts by merging and counts the pairs that stood in falling order.
fn inversions(values: &mut [f64], buffer: &mut [f64]) -> f64 {
    let n = values.len();
    if n < 2 {
        return 0.0;
    }
    let middle = n / 2;
    let (left, right) = values.split_at_mut(middle);
    let mut count = inversions(left, &mut buffer[..middle]);
    count += inversions(right, &mut buffer[middle..]);
    buffer.copy_from_slice(values);
    let (left, right) = buffer.split_at(middle);
    let (mut i, mut j) = (0, 0);
    for slot in values {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            *slot = left[i];
            i += 1;
        } else {
            *slot = right[j];
            j += 1;
            count += (left.len() - i) as f64;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_missing_values_are_nan() {
        let (flat, up) = ([0.1; 7], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        for f in [pearson, spearman, kendall] {
            assert!(f(&flat, &up).unwrap().is_nan());
            assert!(f(&up, &flat).unwrap().is_nan());
            assert!(f(&[], &[]).unwrap().is_nan());
            assert!(f(&[1.0], &[1.0]).unwrap().is_nan());
            assert!(f(&[1.0, f64::NAN, 2.0], &[1.0, 2.0, 3.0]).unwrap().is_nan());
            assert!(f(&up, &up[1..]).is_err());
        }
    }

    #[test]
    fn eras_that_do_not_fit_are_named() {
        let wrong = by_era(std::iter::once(1..4), &[1.0, 2.0], &[1.0, 2.0], pearson);
        let expected = Error::Bounds { start: 1, end: 4, len: 2 };
        assert_eq!(wrong, Err(expected));
    }
}
