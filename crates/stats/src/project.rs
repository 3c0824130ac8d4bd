//! Least squares and projection onto the span of columns.
//!
//! Coefficients `c = Z⁺ y` of least norm, where singular values of `Z` at most `rcond` times the
//! largest count as zero; residual `y - proportion · Z c`.
//!
//! NaN and infinity are refused with their place. Columns that repeat, are constant or are zero are
//! allowed. No columns: the residual is `y`.
//!
//! Cost: `n k² / 2` multiplications once for `k` columns of `n` rows, then `2 n k` (well
//! conditioned) or `4 n k` a projected slice. Three ways to the same numbers: Cholesky of `Zᵀ Z`
//! while `cond(Z) <= 1e5` is proven; eigenvectors of `Zᵀ Z` when its eigenvalues are clearly either
//! signal or rounding; a singular value decomposition of `Z` otherwise. The first two are followed
//! by a refinement step, which brings their error to that of an orthogonal method.
//!
//! Reference: Björck (1996), Numerical Methods for Least Squares Problems, sections 2.2 and 2.9
//! (corrected seminormal equations).

use faer::linalg::solvers::{Llt, Svd};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::prelude::Solve;
use faer::{Mat, MatMut, MatRef, Par};

use crate::error::{Error, Result, all_finite, same_length};
use crate::matrix::{add_gram, cholesky, eigh, mirror};
use crate::sums::dot;

/// Least squares on fixed columns, factorised once, applied to many slices.
///
/// ```
/// use fattail_stats::Projector;
///
/// let feature = [0_u8, 1, 2, 3];
/// let projector = Projector::from_columns(&[&feature[..]], true, 1e-6)?;
/// let mut out = [0.0; 4];
/// projector.residual(&[1.0, 3.0, 5.0, 9.0], 1.0, &mut out)?;
/// assert!(out.iter().sum::<f64>().abs() < 1e-12);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Projector {
    rows: usize,
    columns: usize,
    /// `Z`, column after column; the column of ones, if any, is the last.
    values: Vec<f64>,
    factor: Factor,
}

/// How `Z⁺` is applied.
#[derive(Debug, Clone)]
enum Factor {
    /// Cholesky's factor of `Zᵀ Z`; `refine` when its condition asks for a second step.
    Cholesky { factor: Llt<f64>, refine: bool },
    /// Kept eigenvectors of `Zᵀ Z`, each divided by the root of its eigenvalue.
    Eigen { scaled: Vec<f64> },
    /// Kept left singular vectors, and right ones divided by their singular values.
    Svd { left: Vec<f64>, right: Vec<f64> },
}

impl Projector {
    /// Factorises columns of any type that widens to `f64`; `intercept` appends a column of ones.
    ///
    /// # Errors
    /// [`Error::Length`] for columns of different lengths, [`Error::NotFinite`] for NaN or infinity,
    /// [`Error::Range`] for an `rcond` outside `[0, 1)`, [`Error::NoConvergence`].
    pub fn from_columns<T: Copy + Into<f64>>(
        columns: &[&[T]],
        intercept: bool,
        rcond: f64,
    ) -> Result<Self> {
        let rows = columns.first().map_or(0, |c| c.len());
        let k = columns.len() + usize::from(intercept);
        let mut values = Vec::with_capacity(rows * k);
        for (j, column) in columns.iter().enumerate() {
            same_length("column", column.len(), rows)?;
            let from = values.len();
            values.extend(column.iter().map(|&v| v.into()));
            all_finite("column", j, &values[from..])?;
        }
        if intercept {
            values.resize(rows * k, 1.0);
        }
        Self::factorise(values, rows, k, rcond)
    }

    /// Number of rows of every slice that can be projected.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The coefficients of least norm, the intercept's last.
    ///
    /// # Errors
    /// [`Error::Length`] and [`Error::NotFinite`] for `y`.
    pub fn coefficients(&self, y: &[f64]) -> Result<Vec<f64>> {
        same_length("y", y.len(), self.rows)?;
        all_finite("y", 0, y)?;
        Ok(self.solve(y))
    }

    /// Writes `y - proportion · Z Z⁺ y`.
    ///
    /// # Errors
    /// [`Error::Length`] for `y` and `out`, [`Error::NotFinite`] for `y`.
    pub fn residual(&self, y: &[f64], proportion: f64, out: &mut [f64]) -> Result<()> {
        same_length("out", out.len(), y.len())?;
        let coefficients = self.coefficients(y)?;
        out.copy_from_slice(y);
        if let Factor::Svd { left, .. } = &self.factor {
            for u in left.chunks_exact(self.rows.max(1)) {
                add_scaled(out, -proportion * dot(u, y), u);
            }
        } else {
            self.subtract(&coefficients, proportion, out);
        }
        Ok(())
    }

    fn factorise(values: Vec<f64>, rows: usize, columns: usize, rcond: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&rcond) {
            return Err(Error::Range {
                name: "rcond",
                given: rcond,
                allowed: "at least 0 and below 1",
            });
        }
        let mut factor = None;
        if columns <= rows && rcond <= PROVEN_RCOND {
            let mut gram = vec![0.0; columns * columns];
            add_gram(&values, rows, columns, &mut gram);
            mirror(&mut gram, columns);
            factor = by_cholesky(&gram, columns);
            if factor.is_none() {
                factor = by_eigenvectors(&gram, columns, rcond)?;
            }
        }
        let factor = match factor {
            Some(factor) => factor,
            None => by_singular_values(&values, rows, columns, rcond)?,
        };
        Ok(Self { rows, columns, values, factor })
    }

    /// `Z⁺ y`.
    fn solve(&self, y: &[f64]) -> Vec<f64> {
        let refine = match &self.factor {
            Factor::Cholesky { refine, .. } => *refine,
            Factor::Eigen { .. } => true,
            Factor::Svd { left, right } => return self.combine(left, right, y),
        };
        let mut solution = self.normal(self.transposed(y));
        if refine {
            let mut rest = y.to_vec();
            self.subtract(&solution, 1.0, &mut rest);
            let step = self.normal(self.transposed(&rest));
            add_scaled(&mut solution, 1.0, &step);
        }
        solution
    }

    /// `(Zᵀ Z)⁺ b`.
    fn normal(&self, mut b: Vec<f64>) -> Vec<f64> {
        match &self.factor {
            Factor::Cholesky { factor, .. } => {
                let rows = b.len();
                factor.solve_in_place(MatMut::from_column_major_slice_mut(&mut b, rows, 1));
                b
            }
            Factor::Eigen { scaled } | Factor::Svd { right: scaled, .. } => {
                let mut sum = vec![0.0; b.len()];
                for v in scaled.chunks_exact(b.len().max(1)) {
                    add_scaled(&mut sum, dot(v, &b), v);
                }
                sum
            }
        }
    }

    /// `V Σ⁺ Uᵀ y`.
    fn combine(&self, left: &[f64], right: &[f64], y: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.columns];
        let pairs =
            left.chunks_exact(self.rows.max(1)).zip(right.chunks_exact(self.columns.max(1)));
        for (u, v) in pairs {
            add_scaled(&mut sum, dot(u, y), v);
        }
        sum
    }

    /// `Zᵀ y`.
    fn transposed(&self, y: &[f64]) -> Vec<f64> {
        if self.rows == 0 {
            return vec![0.0; self.columns];
        }
        self.values.chunks_exact(self.rows).map(|z| dot(z, y)).collect()
    }

    /// `out -= proportion · Z c`.
    fn subtract(&self, c: &[f64], proportion: f64, out: &mut [f64]) {
        let columns = self.values.chunks_exact(self.rows.max(1));
        for (z, &weight) in columns.zip(c) {
            add_scaled(out, -proportion * weight, z);
        }
    }
}

/// Least squares of `y` on row-major rows of `columns` values: coefficients of least norm.
///
/// ```
/// let c = fattail_stats::lstsq(&[1.0, 0.0, 1.0, 1.0, 1.0, 2.0], 2, &[1.0, 3.0, 5.0], 1e-12)?;
/// assert!((c[0] - 1.0).abs() < 1e-12 && (c[1] - 2.0).abs() < 1e-12);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when `matrix` is not `y.len() · columns` long, and those of
/// [`Projector::from_columns`].
pub fn lstsq(matrix: &[f64], columns: usize, y: &[f64], rcond: f64) -> Result<Vec<f64>> {
    let rows = y.len();
    same_length("matrix", matrix.len(), rows * columns)?;
    let turned: Vec<f64> =
        (0..rows * columns).map(|i| matrix[(i % rows) * columns + i / rows]).collect();
    for (j, column) in turned.chunks_exact(rows.max(1)).enumerate() {
        all_finite("matrix", j, column)?;
    }
    Projector::factorise(turned, rows, columns, rcond)?.coefficients(y)
}

/// Writes `y - proportion · Z Z⁺ y` for the columns of `z`; keep a [`Projector`] to do so for more
/// than one `y`.
///
/// # Errors
/// Those of [`Projector::from_columns`] and [`Projector::residual`].
pub fn residual(
    z: &[&[f64]],
    y: &[f64],
    proportion: f64,
    rcond: f64,
    out: &mut [f64],
) -> Result<()> {
    if z.is_empty() {
        same_length("out", out.len(), y.len())?;
        out.copy_from_slice(y);
        return Ok(());
    }
    Projector::from_columns(z, false, rcond)?.residual(y, proportion, out)
}

/// Writes `x - a (x·a) / (a·a)`, the part of `x` that is orthogonal to `a`; NaN when `a` is zero.
///
/// # Errors
/// [`Error::Length`] when the slices differ in length.
pub fn orthogonalise(x: &[f64], against: &[f64], out: &mut [f64]) -> Result<()> {
    same_length("against", against.len(), x.len())?;
    same_length("out", out.len(), x.len())?;
    let share = dot(x, against) / dot(against, against);
    for ((slot, v), a) in out.iter_mut().zip(x).zip(against) {
        *slot = v - share * a;
    }
    Ok(())
}

/// Above this `rcond`, the normal equations cannot prove which singular values count as zero.
const PROVEN_RCOND: f64 = 1e-5;
/// Cholesky is taken while the bound on `cond(Z)²` stays below this.
const CHOLESKY_LIMIT: f64 = 1e10;
/// Above this bound on `cond(Z)²`, one solution is not enough for ten digits.
const REFINE_FROM: f64 = 1e4;
/// Eigenvalues of `Zᵀ Z` above this share of the largest are signal.
const SIGNAL: f64 = 1e-10;
/// Eigenvalues below this share of the largest are rounding.
const ROUNDING: f64 = 1e-14;

/// `trace(G) trace(G⁻¹) >= cond(Z)²` decides whether the factor may be used.
fn by_cholesky(gram: &[f64], size: usize) -> Option<Factor> {
    let full = Mat::from_fn(size, size, |i, j| gram[i * size + j]);
    let factor = cholesky(&full).ok()?;
    let mut inverse = Mat::<f64>::identity(size, size);
    solve_lower_triangular_in_place(factor.L(), inverse.as_mut(), Par::Seq);
    let trace: f64 = (0..size).map(|i| gram[i * size + i]).sum();
    let bound = trace * inverse.squared_norm_l2();
    (bound <= CHOLESKY_LIMIT).then_some(Factor::Cholesky { factor, refine: bound > REFINE_FROM })
}

/// Keeps the eigenvectors above rounding, or nothing when an eigenvalue could be either.
fn by_eigenvectors(gram: &[f64], size: usize, rcond: f64) -> Result<Option<Factor>> {
    let eigen = eigh(gram, size)?;
    let largest = eigen.values().last().copied().unwrap_or(0.0);
    let rounding = (ROUNDING * size as f64).min(1e-12);
    let mut scaled = Vec::new();
    for (i, &value) in eigen.values().iter().enumerate() {
        if value > SIGNAL.max(10.0 * rcond * rcond) * largest {
            let root = value.sqrt();
            scaled.extend(eigen.vector(i).iter().map(|v| v / root));
        } else if value > rounding * largest || rounding > rcond * rcond {
            return Ok(None);
        }
    }
    Ok(Some(Factor::Eigen { scaled }))
}

fn by_singular_values(values: &[f64], rows: usize, columns: usize, rcond: f64) -> Result<Factor> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    if rows == 0 || columns == 0 {
        return Ok(Factor::Svd { left, right });
    }
    let z = MatRef::from_column_major_slice(values, rows, columns);
    let svd = Svd::new_thin(z).map_err(|_| Error::NoConvergence {
        method: "singular value decomposition",
        rows,
        columns,
    })?;
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    for j in (0..s.nrows()).filter(|&j| s[j] > rcond * s[0]) {
        left.extend((0..rows).map(|i| u[(i, j)]));
        right.extend((0..columns).map(|i| v[(i, j)] / s[j]));
    }
    Ok(Factor::Svd { left, right })
}

#[inline]
fn add_scaled(out: &mut [f64], factor: f64, x: &[f64]) {
    for (slot, v) in out.iter_mut().zip(x) {
        *slot += factor * v;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_part_by_hand() {
        let (up, updown) = ([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 0.0, 1.0]);
        let mut out = [0.0; 5];
        orthogonalise(&up, &updown, &mut out).unwrap();
        assert_eq!(out, [-1.75, -0.75, 0.25, 3.0, 2.25]);
    }

    #[test]
    fn repeated_and_zero_columns_change_nothing() {
        let (z, zero) = ([1.0, 2.0, 4.0, 3.0], [0.0; 4]);
        let y = [3.0, -1.0, 2.0, 5.0];
        let (mut once, mut often) = ([0.0; 4], [0.0; 4]);
        residual(&[&z], &y, 1.0, 1e-6, &mut once).unwrap();
        residual(&[&z, &zero, &z], &y, 1.0, 1e-6, &mut often).unwrap();
        for (a, b) in once.iter().zip(often) {
            assert!((a - b).abs() < 1e-14);
        }
        residual(&[&zero], &y, 1.0, 1e-6, &mut often).unwrap();
        assert_eq!(often, y);
    }

    #[test]
    fn constant_columns_share_the_mean() {
        let constant = [2_u8; 4];
        let projector = Projector::from_columns(&[&constant[..]], true, 1e-6).unwrap();
        let c = projector.coefficients(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((c[0] - 1.0).abs() < 1e-14 && (c[1] - 0.5).abs() < 1e-14);
    }

    #[test]
    fn fewer_rows_than_columns_and_none_at_all() {
        let c = lstsq(&[1.0, 1.0], 2, &[2.0], 1e-9).unwrap();
        assert!((c[0] - 1.0).abs() < 1e-14 && (c[1] - 1.0).abs() < 1e-14);
        let empty: [&[f64]; 0] = [];
        let mut out = [0.0];
        residual(&empty, &[7.0], 1.0, 1e-6, &mut out).unwrap();
        assert_eq!(out, [7.0]);
        assert!(lstsq(&[], 0, &[], 1e-6).unwrap().is_empty());
    }
}
