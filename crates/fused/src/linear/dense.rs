//! A layer y = f(x W^T + b) and its gradients.
//!
//! ```text
//! z = x W^T + b      y = f(z)      g = gradient of y x f'(z)
//! gradient of x = g W      gradient of W = g^T x      gradient of b = sum of the rows of g
//! ```
//!
//! W is outputs x inputs, as PyTorch keeps it. It is packed once a call and shared by all tiles of rows; the gradient
//! of W is cut by outputs and, where that gives few tasks, by rows, whose parts are added in their order. Tiles
//! and parts depend on the shape alone: same bits with any number of threads.
//! NaN spreads as products and sums spread it.
//! Cost: 2 x rows x inputs x outputs operations forward, 4 backward.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::tile::{self, Size, TILE, add_parts};
use super::{check_sizes, lanes};
use crate::error::{Result, expect_len};
use crate::linear::product::{Base, Left, Product, Right};

/// Outputs of a task of the gradient of W.
const OUTPUTS: usize = 48;

/// Tasks of the gradient of W, at least.
const TASKS: usize = 16;

/// A layer of a shape.
///
/// ```
/// use fattail_fused::linear::{Activation, Linear};
///
/// let linear = Linear { rows: 1, inputs: 2, outputs: 1, activation: Activation::Relu };
/// let (mut out, mut sums) = ([0.0], [0.0]);
/// linear.forward(&[1.0, 2.0], &[3.0, -4.0], &[1.0], &mut out, &mut sums)?;
/// assert_eq!((sums[0], out[0]), (-4.0, 0.0));
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

    /// Values of `sums`: what the activation is applied to, none where it is the identity.
    #[must_use]
    pub fn saved_len(&self) -> usize {
        if self.activation == Activation::Identity { 0 } else { self.rows * self.outputs }
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
        let (size, activation) = (self.size(), self.activation);
        let packed = size.pack_forward(weight);
        let tile = TILE * self.outputs;
        let run = |x, out, sums| {
            pulp::Arch::new().dispatch(Forward {
                size,
                activation,
                x,
                packed: &packed,
                bias,
                out,
                sums,
            });
        };
        let tiles = input.par_chunks(TILE * self.inputs).zip(out.par_chunks_mut(tile));
        if sums.is_empty() {
            tiles.for_each(|(x, out)| run(x, out, None));
        } else {
            tiles
                .zip(sums.par_chunks_mut(tile))
                .for_each(|((x, out), sums)| run(x, out, Some(sums)));
        }
        Ok(())
    }

    /// Writes the gradients.
    ///
    /// # Errors
    ///
    /// What [`Linear::check`] refuses; `Error::Length` where a slice has another length.
    pub fn backward(
        &self,
        input: &[f32],
        weight: &[f32],
        sums: &[f32],
        grad_out: &[f32],
        gradients: LinearGradients<'_>,
    ) -> Result<()> {
        self.expect_inputs(input, weight)?;
        expect_len("sums", sums.len(), self.saved_len())?;
        expect_len("grad_out", grad_out.len(), self.rows * self.outputs)?;
        expect_len("the weight's gradient", gradients.weight.len(), weight.len())?;
        expect_len("the bias's gradient", gradients.bias.len(), self.outputs)?;
        let found = gradients.input.as_deref().map_or(input.len(), <[f32]>::len);
        expect_len("the input's gradient", found, input.len())?;
        let activation = self.activation;
        let mut before = Vec::new();
        if !sums.is_empty() {
            before = grad_out.to_vec();
            before
                .par_chunks_mut(TILE * self.outputs)
                .zip(sums.par_chunks(TILE * self.outputs))
                .for_each(|(gradient, sums)| {
                    let width = self.outputs;
                    pulp::Arch::new().dispatch(Slope { activation, gradient, sums, width });
                });
        }
        let gradient = if sums.is_empty() { grad_out } else { &before };
        if let Some(out) = gradients.input {
            let (size, packed) = (self.size(), self.size().pack_backward(weight));
            let tiles = gradient
                .par_chunks(TILE * self.outputs)
                .zip(out.par_chunks_mut(TILE * self.inputs));
            tiles.for_each(|(gradient, out)| {
                pulp::Arch::new().dispatch(Back { size, gradient, packed: &packed, out });
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

    /// Bytes of memory that either pass takes while it runs, at most.
    #[must_use]
    pub fn workspace_bytes(&self, threads: usize) -> usize {
        let size = self.size();
        let parts = self.parts().1 * (size.weights() + self.outputs);
        // A task's copied panel lies on its stack.
        4 * (size.packed_len() + self.saved_len() + parts) + threads * 65_536
    }

    fn size(&self) -> Size {
        Size { inputs: self.inputs, outputs: self.outputs }
    }

    /// Rows of a part of the gradient of W, and parts.
    fn parts(&self) -> (usize, usize) {
        let wanted = TASKS.div_ceil(self.outputs.div_ceil(OUTPUTS));
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
        let (span, size) = (self.parts().0, self.size());
        let rows = x.par_chunks(span * self.inputs).zip(gradient.par_chunks(span * self.outputs));
        let rows = rows
            .zip(weights.par_chunks_mut(size.weights()))
            .zip(biases.par_chunks_mut(self.outputs));
        rows.for_each(|(((x, gradient), weight), bias)| {
            let blocks =
                weight.par_chunks_mut(OUTPUTS * self.inputs).zip(bias.par_chunks_mut(OUTPUTS));
            blocks.enumerate().for_each(|(number, (weight, bias))| {
                let from = number * OUTPUTS;
                pulp::Arch::new().dispatch(Weigh { size, from, x, gradient, weight, bias });
            });
        });
    }
}

struct Forward<'a> {
    size: Size,
    activation: Activation,
    x: &'a [f32],
    packed: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
    sums: Option<&'a mut [f32]>,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        tile::affine(simd, self.size, self.x, self.packed, self.bias, self.out);
        if let Some(sums) = self.sums {
            sums.copy_from_slice(self.out);
            self.activation.apply(simd, self.out);
        }
    }
}

struct Slope<'a> {
    activation: Activation,
    gradient: &'a mut [f32],
    sums: &'a [f32],
    width: usize,
}

impl WithSimd for Slope<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut row = vec![0.0; self.width];
        for (gradient, sums) in
            self.gradient.chunks_exact_mut(self.width).zip(self.sums.chunks_exact(self.width))
        {
            row.copy_from_slice(sums);
            self.activation.back(simd, gradient, &mut row);
        }
    }
}

struct Back<'a> {
    size: Size,
    gradient: &'a [f32],
    packed: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        tile::back(simd, self.size, self.gradient, self.packed, self.out, false);
    }
}

/// The gradients of some outputs' weights and biases.
struct Weigh<'a> {
    size: Size,
    from: usize,
    x: &'a [f32],
    gradient: &'a [f32],
    weight: &'a mut [f32],
    bias: &'a mut [f32],
}

impl WithSimd for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Size { inputs, outputs } = self.size;
        let here = self.bias.len();
        self.bias.fill(0.0);
        for row in self.gradient.chunks_exact(outputs) {
            lanes::add(simd, self.bias, &row[self.from..][..here]);
        }
        simd.vectorize(Product {
            rows: here,
            depth: self.x.len() / inputs,
            width: inputs,
            left: Left::Columns(&self.gradient[self.from..], outputs),
            right: Right::rows(self.x, inputs),
            out: self.weight,
            stride: inputs,
            base: Base::Zero,
        });
    }
}
