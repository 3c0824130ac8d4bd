//! Symmetric systems and eigenvectors on plain row-major slices.
//!
//! Gram matrix `G = Zᵀ Z` of columns `z_j`; solution of `G c = b` by Cholesky's `G = L Lᵀ`;
//! eigenvalues `λ` and vectors `v` of `G v = λ v`. Symmetric matrices are read from their lower
//! triangle.
//!
//! NaN and infinity are refused with their place; a matrix of size 0 gives empty results.
//!
//! Cost: `n k²` for the Gram matrix of `k` columns of `n` rows, `k³ / 3` for a solution, about
//! `9 k³` for eigenvectors.
//!
//! Reference: Golub and Van Loan (2013), Matrix Computations, sections 4.2 and 8.3.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::solvers::{Llt, SelfAdjointEigen};
use faer::prelude::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use crate::error::{Error, Result, all_finite, same_length};

/// Rows that are widened to `f64` at a time.
const BLOCK: usize = 1024;

/// Eigenvalues of a symmetric matrix in rising order, with their vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    values: Vec<f64>,
    vectors: Vec<f64>,
}

impl Eigen {
    /// Eigenvalues in rising order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The unit eigenvector of the `i`-th value; its sign is free.
    ///
    /// # Panics
    /// When `i` is not below the size of the matrix.
    #[must_use]
    pub fn vector(&self, i: usize) -> &[f64] {
        let k = self.values.len();
        &self.vectors[i * k..(i + 1) * k]
    }
}

/// `Zᵀ Z` as a full row-major matrix, from columns of any type that widens to `f64`, in blocks of
/// rows, so that only a small part of the columns exists in `f64` at a time.
///
/// ```
/// let gram = fattail_stats::gram(&[&[1_u8, 2][..], &[3, 4]])?;
/// assert_eq!(gram, [5.0, 11.0, 11.0, 25.0]);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] for columns of different lengths, [`Error::NotFinite`] for NaN or infinity.
pub fn gram<T: Copy + Into<f64>>(columns: &[&[T]]) -> Result<Vec<f64>> {
    let k = columns.len();
    let rows = columns.first().map_or(0, |c| c.len());
    let mut sum = vec![0.0; k * k];
    let mut block = Vec::with_capacity(k * BLOCK.min(rows));
    for start in (0..rows).step_by(BLOCK) {
        let end = (start + BLOCK).min(rows);
        block.clear();
        for (j, column) in columns.iter().enumerate() {
            same_length("column", column.len(), rows)?;
            let from = block.len();
            block.extend(column[start..end].iter().map(|&v| v.into()));
            all_finite("column", j, &block[from..]).map_err(|e| later(e, start))?;
        }
        add_gram(&block, end - start, k, &mut sum);
    }
    mirror(&mut sum, k);
    Ok(sum)
}

/// Solves `G c = b` for a symmetric positive definite row-major `G`.
///
/// ```
/// let c = fattail_stats::solve_spd(&[2.0, 0.0, 0.0, 4.0], &[2.0, 2.0])?;
/// assert!((c[0] - 1.0).abs() < 1e-15 && (c[1] - 0.5).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when `matrix` is not `rhs.len()` squared, [`Error::NotFinite`], and
/// [`Error::NotPositiveDefinite`].
pub fn solve_spd(matrix: &[f64], rhs: &[f64]) -> Result<Vec<f64>> {
    let k = rhs.len();
    all_finite("rhs", 0, rhs)?;
    let factor = cholesky(&checked(matrix, k)?)?;
    let mut solution = rhs.to_vec();
    factor.solve_in_place(MatMut::from_column_major_slice_mut(&mut solution, k, 1));
    Ok(solution)
}

/// Eigenvalues and eigenvectors of a symmetric row-major matrix of `size` rows.
///
/// ```
/// let eigen = fattail_stats::eigh(&[2.0, 1.0, 1.0, 2.0], 2)?;
/// assert!((eigen.values()[0] - 1.0).abs() < 1e-15);
/// assert!((eigen.values()[1] - 3.0).abs() < 1e-15);
/// # Ok::<(), fattail_stats::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] when `matrix` is not `size` squared, [`Error::NotFinite`], and
/// [`Error::NoConvergence`].
pub fn eigh(matrix: &[f64], size: usize) -> Result<Eigen> {
    let full = checked(matrix, size)?;
    if size == 0 {
        let (values, vectors) = (Vec::new(), Vec::new());
        return Ok(Eigen { values, vectors });
    }
    let factor = SelfAdjointEigen::new(full.as_ref(), Side::Lower).map_err(|_| {
        Error::NoConvergence { method: "eigendecomposition", rows: size, columns: size }
    })?;
    let (s, u) = (factor.S().column_vector(), factor.U());
    Ok(Eigen {
        values: (0..size).map(|i| s[i]).collect(),
        vectors: (0..size * size).map(|i| u[(i % size, i / size)]).collect(),
    })
}

/// Adds `Zᵀ Z` of a column-major block to the lower triangle of row-major `sum`.
pub(crate) fn add_gram(block: &[f64], rows: usize, columns: usize, sum: &mut [f64]) {
    let z = MatRef::from_column_major_slice(block, rows, columns);
    matmul(
        MatMut::from_row_major_slice_mut(sum, columns, columns),
        BlockStructure::TriangularLower,
        Accum::Add,
        z.transpose(),
        BlockStructure::Rectangular,
        z,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// Copies the lower triangle into the upper one.
pub(crate) fn mirror(matrix: &mut [f64], size: usize) {
    for i in 0..size {
        for j in 0..i {
            matrix[j * size + i] = matrix[i * size + j];
        }
    }
}

/// Cholesky's factor, or the refusal of a matrix without one.
pub(crate) fn cholesky(matrix: &Mat<f64>) -> Result<Llt<f64>> {
    let size = matrix.nrows();
    Llt::new(matrix.as_ref(), Side::Lower).map_err(|_| Error::NotPositiveDefinite { size })
}

fn checked(matrix: &[f64], size: usize) -> Result<Mat<f64>> {
    same_length("matrix", matrix.len(), size * size)?;
    for (row, values) in matrix.chunks_exact(size.max(1)).enumerate() {
        if let Some(column) = values.iter().position(|v| !v.is_finite()) {
            let name = "matrix";
            return Err(Error::NotFinite { name, column, row });
        }
    }
    Ok(Mat::from_fn(size, size, |i, j| matrix[i * size + j]))
}

/// Moves the row of a refusal from its block to the whole column.
fn later(error: Error, by: usize) -> Error {
    match error {
        Error::NotFinite { name, column, row } => Error::NotFinite { name, column, row: row + by },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_place() {
        assert_eq!(
            solve_spd(&[1.0, 2.0, 2.0, 1.0], &[1.0, 1.0]),
            Err(Error::NotPositiveDefinite { size: 2 })
        );
        assert!(matches!(solve_spd(&[1.0], &[1.0, 1.0]), Err(Error::Length { .. })));
        let mut column = vec![1.0; 3000];
        column[2500] = f64::NAN;
        let wrong = gram(&[&vec![1.0; 3000][..], &column]);
        let place = Error::NotFinite { name: "column", column: 1, row: 2500 };
        assert_eq!(wrong, Err(place));
        assert_eq!(eigh(&[], 0).unwrap().values(), [0.0; 0]);
    }

    #[test]
    fn blocks_add_up() {
        let column: Vec<f32> = (0..2500_u16).map(|i| f32::from(i % 7)).collect();
        let plain: f64 = column.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        assert_eq!(gram(&[&column[..], &column]).unwrap(), [plain; 4]);
    }
}
