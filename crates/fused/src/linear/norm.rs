//! Layer normalisation of rows.
//!
//! ```text
//! m = mean(x)      d = 1 / sqrt(mean((x - m)^2) + epsilon)      h = (x - m) d      y = w h + b
//! gradients, for g that of y and u = g w:  x: d (u - mean(u) - h mean(u h))   w: sum over rows of g h   b: sum of g
//! ```
//!
//! Nothing is saved but the input: means are made again. Sums run in single precision by lanes, in two passes, so
//! that a large mean takes no digits from the deviation. A NaN makes its row NaN.
//! Cost: four passes over a row forward, six backward, all in the first cache.
//! Reference: Ba, Kiros & Hinton 2016, "Layer normalization".

use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::lanes::{self, map, sum_of};
use super::tile::{TILE, add_parts};
use super::{check_epsilon, check_sizes};
use crate::error::{Result, expect_len};

/// Parts of rows whose gradients of weights are summed apart.
const PARTS: usize = 16;

/// Layer normalisation of `rows` rows.
///
/// ```
/// use fattail_fused::linear::LayerNorm;
///
/// let norm = LayerNorm { rows: 1, width: 2, epsilon: 0.0 };
/// let mut out = [0.0; 2];
/// norm.forward(&[1.0, 3.0], &[1.0, 1.0], &[0.0, 0.0], &mut out)?;
/// assert_eq!(out, [-1.0, 1.0]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// Rows.
    pub rows: usize,
    /// Values of a row.
    pub width: usize,
    /// What is added to the variance.
    pub epsilon: f32,
}

/// Gradients of [`LayerNorm`] to write.
#[derive(Debug)]
pub struct LayerNormGradients<'a> {
    /// Of the input: rows x width.
    pub input: &'a mut [f32],
    /// Of the weight: width.
    pub weight: &'a mut [f32],
    /// Of the bias: width.
    pub bias: &'a mut [f32],
}

impl LayerNorm {
    /// Refuses what cannot be computed.
    ///
    /// # Errors
    ///
    /// `Error::Setting` where a size is zero or epsilon is negative or not finite.
    pub fn check(&self) -> Result<()> {
        check_sizes(&[("rows", self.rows), ("width", self.width)])?;
        check_epsilon(self.epsilon)
    }

    /// Writes the normalised rows.
    ///
    /// # Errors
    ///
    /// What [`LayerNorm::check`] refuses; `Error::Length` where a slice has another length.
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: &[f32],
        out: &mut [f32],
    ) -> Result<()> {
        self.check()?;
        expect_len("input", input.len(), self.rows * self.width)?;
        expect_len("weight", weight.len(), self.width)?;
        expect_len("bias", bias.len(), self.width)?;
        expect_len("out", out.len(), self.rows * self.width)?;
        let tile = TILE * self.width;
        input.par_chunks(tile).zip(out.par_chunks_mut(tile)).for_each(|(x, out)| {
            pulp::Arch::new().dispatch(Forward {
                x,
                norm: Norm { weight, bias, epsilon: self.epsilon },
                out,
            });
        });
        Ok(())
    }

    /// Writes the gradients.
    ///
    /// # Errors
    ///
    /// What [`LayerNorm::check`] refuses; `Error::Length` where a slice has another length.
    pub fn backward(
        &self,
        input: &[f32],
        weight: &[f32],
        grad_out: &[f32],
        gradients: LayerNormGradients<'_>,
    ) -> Result<()> {
        self.check()?;
        let (size, width) = (self.rows * self.width, self.width);
        expect_len("input", input.len(), size)?;
        expect_len("weight", weight.len(), width)?;
        expect_len("grad_out", grad_out.len(), size)?;
        expect_len("the input's gradient", gradients.input.len(), size)?;
        expect_len("the weight's gradient", gradients.weight.len(), width)?;
        expect_len("the bias's gradient", gradients.bias.len(), width)?;
        let span = self.rows.div_ceil(PARTS) * width;
        let parts = size.div_ceil(span);
        let mut sums = vec![0.0; 2 * parts * width];
        let (weights, biases) = sums.split_at_mut(parts * width);
        let norm = Norm { weight, bias: &[], epsilon: self.epsilon };
        let tasks = input
            .par_chunks(span)
            .zip(grad_out.par_chunks(span))
            .zip(gradients.input.par_chunks_mut(span));
        let tasks = tasks.zip(weights.par_chunks_mut(width)).zip(biases.par_chunks_mut(width));
        tasks.for_each(|((((x, gradient), out), weight), bias)| {
            out.copy_from_slice(gradient);
            pulp::Arch::new().dispatch(Backward { x, norm, out, weight, bias });
        });
        gradients.weight.fill(0.0);
        gradients.bias.fill(0.0);
        add_parts(gradients.weight, weights);
        add_parts(gradients.bias, biases);
        Ok(())
    }

    /// Bytes that the forward pass leaves to the backward pass beside the input: none.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        0
    }

    /// Bytes of memory that either pass takes while it runs, at most.
    #[must_use]
    pub fn workspace_bytes(&self, _threads: usize) -> usize {
        4 * 2 * PARTS * self.width
    }
}

/// A normalisation's parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) epsilon: f32,
}

impl Norm<'_> {
    /// Mean and inverse deviation of a row.
    #[inline(always)]
    fn moments<S: Simd>(&self, simd: S, x: &[f32]) -> (f32, f32) {
        let share = 1.0 / x.len() as f32;
        let mean = sum_of!(simd: S, a in x, _b in x => a) * share;
        let center = simd.splat_f32s(mean);
        let squares = sum_of!(simd: S, a in x, b in x => {
            simd.mul_f32s(simd.sub_f32s(a, center), simd.sub_f32s(b, center))
        });
        (mean, 1.0 / (squares * share + self.epsilon).sqrt())
    }

    /// Writes normalised rows.
    #[inline(always)]
    pub(crate) fn forward<S: Simd>(&self, simd: S, x: &[f32], out: &mut [f32]) {
        let width = self.weight.len();
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let (mean, share) = self.moments(simd, x);
            let (mean, share) = (simd.splat_f32s(mean), simd.splat_f32s(share));
            out.copy_from_slice(self.weight);
            map!(simd: S, weight in out, x in x => {
                simd.mul_f32s(weight, simd.mul_f32s(simd.sub_f32s(x, mean), share))
            });
            lanes::add(simd, out, self.bias);
        }
    }

    /// Replaces gradients of normalised rows by those of the rows, and adds those of weight and bias.
    #[inline(always)]
    pub(crate) fn backward<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        gradient: &mut [f32],
        weight: &mut [f32],
        bias: &mut [f32],
    ) {
        let width = self.weight.len();
        let per_value = 1.0 / width as f32;
        for (x, gradient) in x.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
            let (mean, share) = self.moments(simd, x);
            let (mean, share) = (simd.splat_f32s(mean), simd.splat_f32s(share));
            lanes::add(simd, bias, gradient);
            map!(simd: S, sum in weight, g in gradient, x in x => {
                simd.mul_add_f32s(g, simd.mul_f32s(simd.sub_f32s(x, mean), share), sum)
            });
            map!(simd: S, g in gradient, weight in self.weight => simd.mul_f32s(g, weight));
            let along = sum_of!(simd: S, g in gradient, x in x => {
                simd.mul_f32s(g, simd.mul_f32s(simd.sub_f32s(x, mean), share))
            });
            let total = sum_of!(simd: S, g in gradient, _x in x => g);
            let (along, total) =
                (simd.splat_f32s(along * per_value), simd.splat_f32s(total * per_value));
            map!(simd: S, g in gradient, x in x => {
                let normal = simd.mul_f32s(simd.sub_f32s(x, mean), share);
                simd.mul_f32s(simd.negate_mul_add_f32s(normal, along, simd.sub_f32s(g, total)), share)
            });
        }
    }
}

struct Forward<'a> {
    x: &'a [f32],
    norm: Norm<'a>,
    out: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.norm.forward(simd, self.x, self.out);
    }
}

struct Backward<'a> {
    x: &'a [f32],
    norm: Norm<'a>,
    out: &'a mut [f32],
    weight: &'a mut [f32],
    bias: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.norm.backward(simd, self.x, self.out, self.weight, self.bias);
    }
}
