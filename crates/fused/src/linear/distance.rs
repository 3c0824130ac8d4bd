//! Squared distances of rows, as of features and their reconstruction.
//!
//! ```text
//! d[i] = sum over j of (a[i, j] - b[i, j])^2      gradients for g of d: a: 2 g[i] (a - b)   b: its negative
//! ```
//!
//! Sums run by lanes in single precision, in a fixed order: same bits with any number of threads. NaN stays in its
//! row. Cost: one pass over both arrays each way.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::check_sizes;
use super::lanes::{map, sum_of};
use super::tile::TILE;
use crate::error::{Result, expect_len};

/// Squared distances of `rows` rows of `width` values.
///
/// ```
/// use fattail_fused::linear::SquaredDistance;
///
/// let distance = SquaredDistance { rows: 1, width: 2 };
/// let mut out = [0.0];
/// distance.forward(&[1.0, 2.0], &[4.0, 6.0], &mut out)?;
/// assert_eq!(out, [25.0]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SquaredDistance {
    /// Rows.
    pub rows: usize,
    /// Values of a row.
    pub width: usize,
}

impl SquaredDistance {
    /// Writes the distance of each row.
    ///
    /// # Errors
    ///
    /// `Error::Setting` where a size is zero, `Error::Length` where a slice has another length.
    pub fn forward(&self, left: &[f32], right: &[f32], out: &mut [f32]) -> Result<()> {
        self.expect(left, right, out.len())?;
        let width = self.width;
        let tiles = left.par_chunks(TILE * width).zip(right.par_chunks(TILE * width));
        tiles.zip(out.par_chunks_mut(TILE)).for_each(|((left, right), out)| {
            pulp::Arch::new().dispatch(Sums { width, left, right, out });
        });
        Ok(())
    }

    /// Writes the gradient with respect to `left`, given that of the distances; that of `right` is its negative.
    ///
    /// # Errors
    ///
    /// As [`SquaredDistance::forward`].
    pub fn backward(
        &self,
        left: &[f32],
        right: &[f32],
        gradient: &[f32],
        out: &mut [f32],
    ) -> Result<()> {
        self.expect(left, right, gradient.len())?;
        expect_len("out", out.len(), left.len())?;
        let width = self.width;
        let tiles = left.par_chunks(TILE * width).zip(right.par_chunks(TILE * width));
        let tiles = tiles.zip(gradient.par_chunks(TILE));
        tiles.zip(out.par_chunks_mut(TILE * width)).for_each(|(((left, right), gradient), out)| {
            out.copy_from_slice(left);
            pulp::Arch::new().dispatch(Slopes { width, right, gradient, out });
        });
        Ok(())
    }

    fn expect(&self, left: &[f32], right: &[f32], rows: usize) -> Result<()> {
        check_sizes(&[("rows", self.rows), ("width", self.width)])?;
        expect_len("left", left.len(), self.rows * self.width)?;
        expect_len("right", right.len(), self.rows * self.width)?;
        expect_len("the distances", rows, self.rows)
    }
}

struct Sums<'a> {
    width: usize,
    left: &'a [f32],
    right: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.left.chunks_exact(self.width).zip(self.right.chunks_exact(self.width));
        for (out, (left, right)) in self.out.iter_mut().zip(rows) {
            *out = sum_of!(simd: S, a in left, b in right => {
                let apart = simd.sub_f32s(a, b);
                simd.mul_f32s(apart, apart)
            });
        }
    }
}

struct Slopes<'a> {
    width: usize,
    right: &'a [f32],
    gradient: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.right.chunks_exact(self.width).zip(self.gradient);
        for (out, (right, gradient)) in self.out.chunks_exact_mut(self.width).zip(rows) {
            let factor = simd.splat_f32s(2.0 * gradient);
            map!(simd: S, a in out, b in right => simd.mul_f32s(factor, simd.sub_f32s(a, b)));
        }
    }
}
