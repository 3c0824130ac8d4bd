//! A layer y = f(x W^T + b) and its gradients.
//!
//! ```text
//! z = x W^T + b      y = f(z)      g = gradient of y x f'(z)
//! gradient of x = g W      gradient of W = g^T x      gradient of b = sum of the rows of g
//! ```
//!
//! W is outputs x inputs, as PyTorch keeps it. Products are faer's, one task a tile of rows; the gradient of W is cut
//! by outputs and, where that gives few tasks, by rows, whose parts are added in their order. Tiles and parts depend
//! on the shape alone: same bits with any number of threads. NaN spreads as products and sums spread it.
//! Cost: 2 x rows x inputs x outputs operations forward, 4 backward.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::tile::{TILE, add_parts};
use super::{check_sizes, lanes};
use crate::error::{Result, expect_len};

/// Tasks that rows are cut into, where there are enough.
const TASKS: usize = 8;

/// Tasks that the gradient of W is cut into at least, and the fewest and most outputs of one.
const BLOCKS: usize = 4;
const OUTPUTS: (usize, usize) = (32, 96);

/// A layer of a shape.
///
/// ```
/// use fattail_fused::linear::{Activation, Linear};
///
/// let linear = Linear { rows: 1, inputs: 2, outputs: 1, activation: Activation::Relu };
/// let (mut out, mut kept) = ([0.0], vec![0.0; linear.saved_len()]);
/// linear.forward(&[1.0, 2.0], &[3.0, 4.0], &[1.0], &mut out, &mut kept)?;
/// assert_eq!(out[0], 12.0);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Rows.
    pub rows: usize,
    /// Values of an input row.
    pub inputs: usize,
    /// Values of an output row.
    pub outputs: usize,
    /// What sums go through.
    pub activation: Activation,
}

/// Gradients of [`Linear`] to write.
#[derive(Debug)]
pub struct LinearGradients<'a> {
    /// Of the input: rows x inputs; none where nobody asks.
    pub input: Option<&'a mut [f32]>,
    /// Of the weight: outputs x inputs.
    pub weight: &'a mut [f32],
    /// Of the bias: outputs.
    pub bias: &'a mut [f32],
}

impl Linear {
    /// Refuses what cannot be computed.
    ///
    /// # Errors
    ///
    /// `Error::Setting` where a size is zero.
    pub fn check(&self) -> Result<()> {
        check_sizes(&[("rows", self.rows), ("inputs", self.inputs), ("outputs", self.outputs)])
    }

    /// Values of `sums`: what the activation is applied to, where its slope cannot be told from the output.
    #[must_use]
    pub fn saved_len(&self) -> usize {
        if self.activation == Activation::Gelu { self.rows * self.outputs } else { 0 }
    }

    /// Writes the output, and the sums before the activation.
    ///
    /// # Errors
    ///
    /// What [`Linear::check`] refuses; `Error::Length` where a slice has another length.
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: &[f32],
        out: &mut [f32],
        sums: &mut [f32],
    ) -> Result<()> {
        self.expect_inputs(input, weight)?;
        expect_len("bias", bias.len(), self.outputs)?;
        expect_len("out", out.len(), self.rows * self.outputs)?;
        expect_len("sums", sums.len(), self.saved_len())?;
        let tile = self.tile();
        let run = |x: &[f32], out: &mut [f32], sums: Option<&mut [f32]>| {
            let rows = x.len() / self.inputs;
            let weight = MatRef::from_row_major_slice(weight, self.outputs, self.inputs);
            product(out, (rows, self.outputs), of(x, rows), weight.transpose());
            let activation = self.activation;
            pulp::Arch::new().dispatch(Finish { activation, bias, out, sums });
        };
        let tiles =
            input.par_chunks(tile * self.inputs).zip(out.par_chunks_mut(tile * self.outputs));
        if sums.is_empty() {
            tiles.for_each(|(x, out)| run(x, out, None));
        } else {
            tiles
                .zip(sums.par_chunks_mut(tile * self.outputs))
                .for_each(|((x, out), sums)| run(x, out, Some(sums)));
        }
        Ok(())
    }

    /// What tells the activation's slopes: the sums of GELU, the output of ReLU, nothing of the identity.
    #[must_use]
    pub fn kept<'a>(&self, sums: &'a [f32], out: &'a [f32]) -> &'a [f32] {
        if self.activation == Activation::Relu { out } else { sums }
    }

    /// Writes the gradients; `kept` is [`Linear::kept`] of what the forward pass wrote.
    ///
    /// # Errors
    ///
    /// What [`Linear::check`] refuses; `Error::Length` where a slice has another length.
    pub fn backward(
        &self,
        input: &[f32],
        weight: &[f32],
        kept: &[f32],
        grad_out: &[f32],
        gradients: LinearGradients<'_>,
    ) -> Result<()> {
        self.expect_inputs(input, weight)?;
        let is_linear = self.activation == Activation::Identity;
        let expected = if is_linear { 0 } else { self.rows * self.outputs };
        expect_len("what was kept", kept.len(), expected)?;
        expect_len("grad_out", grad_out.len(), self.rows * self.outputs)?;
        expect_len("the weight's gradient", gradients.weight.len(), weight.len())?;
        expect_len("the bias's gradient", gradients.bias.len(), self.outputs)?;
        let found = gradients.input.as_deref().map_or(input.len(), <[f32]>::len);
        expect_len("the input's gradient", found, input.len())?;
        let tile = self.tile();
        let mut before = Vec::new();
        if !is_linear {
            before = grad_out.to_vec();
            let activation = self.activation;
            let tiles = before.par_chunks_mut(tile * self.outputs);
            tiles.zip(kept.par_chunks(tile * self.outputs)).for_each(|(gradient, kept)| {
                pulp::Arch::new().dispatch(Slope { activation, gradient, kept });
            });
        }
        let gradient = if is_linear { grad_out } else { &before };
        if let Some(out) = gradients.input {
            let copy = self.copy_of(weight);
            let weight = copy.as_ref().map_or_else(|| of(weight, self.outputs), Copied::as_matrix);
            let tiles = gradient.par_chunks(tile * self.outputs);
            tiles.zip(out.par_chunks_mut(tile * self.inputs)).for_each(|(gradient, out)| {
                let rows = gradient.len() / self.outputs;
                product(out, (rows, self.inputs), of(gradient, rows), weight);
            });
        }
        self.weigh(input, gradient, gradients.weight, gradients.bias);
        Ok(())
    }

    /// Bytes that the forward pass leaves to the backward pass beside the input.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        4 * self.saved_len()
    }

    /// Bytes of memory that either pass takes while it runs, at most; nothing for a shape that is refused.
    #[must_use]
    pub fn workspace_bytes(&self, threads: usize) -> usize {
        if self.check().is_err() {
            return 0;
        }
        let weights = self.inputs * self.outputs;
        let parts = if self.parts().1 > 1 { self.parts().1 * (weights + self.outputs) } else { 0 };
        let slopes =
            if self.activation == Activation::Identity { 0 } else { self.rows * self.outputs };
        let copied = if self.inputs < CROOKED || self.inputs.is_multiple_of(LINE) {
            0
        } else {
            Copied::len(self.rows.max(self.outputs), self.inputs)
        };
        4 * (slopes + parts + copied) + threads * THREAD_BYTES
    }

    /// A copy of rows of inputs that products read faster, where the rows as they are lie across vectors.
    fn copy_of(&self, values: &[f32]) -> Option<Copied> {
        let is_crooked = self.inputs >= CROOKED && !self.inputs.is_multiple_of(LINE);
        is_crooked.then(|| Copied::new(values, self.inputs))
    }

    /// Rows of a task.
    fn tile(&self) -> usize {
        self.rows.div_ceil(TASKS).max(TILE)
    }

    /// Outputs of a task of the gradient of W.
    fn block(&self) -> usize {
        self.outputs.div_ceil(BLOCKS).next_multiple_of(8).clamp(OUTPUTS.0, OUTPUTS.1)
    }

    /// Rows of a part of the gradient of W, and parts.
    fn parts(&self) -> (usize, usize) {
        let wanted = BLOCKS.div_ceil(self.outputs.div_ceil(self.block()));
        let span = self.rows.div_ceil(wanted).max(TILE);
        (span, self.rows.div_ceil(span))
    }

    fn expect_inputs(&self, input: &[f32], weight: &[f32]) -> Result<()> {
        self.check()?;
        expect_len("input", input.len(), self.rows * self.inputs)?;
        expect_len("weight", weight.len(), self.outputs * self.inputs)
    }

    /// The gradients of weight and bias.
    fn weigh(&self, x: &[f32], gradient: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        let parts = self.parts().1;
        if parts == 1 {
            return self.weigh_parts(x, gradient, weight, bias);
        }
        let mut sums = vec![0.0; parts * (weight.len() + bias.len())];
        let (weights, biases) = sums.split_at_mut(parts * weight.len());
        self.weigh_parts(x, gradient, weights, biases);
        weight.fill(0.0);
        bias.fill(0.0);
        add_parts(weight, weights);
        add_parts(bias, biases);
    }

    /// The gradients of weight and bias that each part of the rows gives.
    fn weigh_parts(&self, x: &[f32], gradient: &[f32], weights: &mut [f32], biases: &mut [f32]) {
        let (span, _) = self.parts();
        let copy = self.copy_of(x);
        let all = copy.as_ref().map_or_else(|| of(x, self.rows), Copied::as_matrix);
        let rows = x.par_chunks(span * self.inputs).zip(gradient.par_chunks(span * self.outputs));
        let rows = rows
            .zip(weights.par_chunks_mut(self.inputs * self.outputs))
            .zip(biases.par_chunks_mut(self.outputs));
        rows.enumerate().for_each(|(part, (((x, gradient), weight), bias))| {
            let rows = x.len() / self.inputs;
            let x = all.subrows(part * span, rows);
            pulp::Arch::new().dispatch(Sum { gradient, bias });
            let blocks = weight.par_chunks_mut(self.block() * self.inputs);
            blocks.enumerate().for_each(|(number, weight)| {
                let here = weight.len() / self.inputs;
                let columns = of(gradient, rows).transpose().subrows(number * self.block(), here);
                product(weight, (here, self.inputs), columns, x);
            });
        });
    }
}

/// Bytes that a thread packs blocks of factors into, made with its first product and kept: measured of faer 0.24
/// without its features that look for the size of the third cache.
pub const THREAD_BYTES: usize = 4 << 20;

/// Values of a line of the cache.
const LINE: usize = 16;

/// The least width whose rows are copied: a quarter of the time of a product of 310 columns goes into vectors that
/// lie across two lines.
const CROOKED: usize = 64;

/// A matrix whose rows begin with lines of the cache.
#[derive(Debug)]
struct Copied {
    values: Vec<f32>,
    from: usize,
    rows: usize,
    width: usize,
}

impl Copied {
    fn new(values: &[f32], width: usize) -> Self {
        let (rows, stride) = (values.len() / width, width.next_multiple_of(LINE));
        let mut copy = vec![0.0; Self::len(rows, width)];
        // Where no offset is told, rows are as they were: slower, not wrong.
        let from = copy.as_ptr().align_offset(4 * LINE).min(LINE);
        let lines = copy[from..].par_chunks_mut(stride * TILE);
        lines.zip(values.par_chunks(width * TILE)).for_each(|(to, from)| {
            for (to, from) in to.chunks_mut(stride).zip(from.chunks_exact(width)) {
                to[..width].copy_from_slice(from);
            }
        });
        Self { values: copy, from, rows, width }
    }

    fn len(rows: usize, width: usize) -> usize {
        rows * width.next_multiple_of(LINE) + LINE
    }

    fn as_matrix(&self) -> MatRef<'_, f32> {
        let stride = self.width.next_multiple_of(LINE);
        let values = &self.values[self.from..][..self.rows * stride];
        MatRef::from_row_major_slice_with_stride(values, self.rows, self.width, stride)
    }
}

/// Values as a matrix of so many rows.
fn of(values: &[f32], rows: usize) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice(values, rows, values.len() / rows)
}

/// Writes a product of rows x columns.
fn product(
    out: &mut [f32],
    (rows, columns): (usize, usize),
    left: MatRef<'_, f32>,
    right: MatRef<'_, f32>,
) {
    let out = MatMut::from_row_major_slice_mut(out, rows, columns);
    matmul(out, Accum::Replace, left, right, 1.0, Par::Seq);
}

/// Adds the bias to rows, keeps the sums, and activates them.
struct Finish<'a> {
    activation: Activation,
    bias: &'a [f32],
    out: &'a mut [f32],
    sums: Option<&'a mut [f32]>,
}

impl WithSimd for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.out.chunks_exact_mut(self.bias.len()) {
            lanes::add(simd, row, self.bias);
        }
        if let Some(sums) = self.sums {
            sums.copy_from_slice(self.out);
        }
        self.activation.apply(simd, self.out);
    }
}

/// Multiplies a gradient by the activation's slopes.
struct Slope<'a> {
    activation: Activation,
    gradient: &'a mut [f32],
    kept: &'a [f32],
}

impl WithSimd for Slope<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.activation.steepen(simd, self.gradient, self.kept);
    }
}

/// The gradient of a bias.
struct Sum<'a> {
    gradient: &'a [f32],
    bias: &'a mut [f32],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.bias.fill(0.0);
        for row in self.gradient.chunks_exact(self.bias.len()) {
            lanes::add(simd, self.bias, row);
        }
    }
}
