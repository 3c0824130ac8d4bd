//! From a row of features to the states of nodes, and from these to one row.
//!
//! ```text
//! x[b, n, w] = value[b, n] weight[n, w] + bias[n, w]          mean[b, w] = sum of x[b, n, w] over n / nodes
//! d weight = sum of g value over samples     d bias = sum of g     d value[b, n] = sum of g weight over w
//! d x[b, n, w] = g[b, w] / nodes
//! ```
//!
//! with g the gradient of what is written. NaN stays with its node and sample, and with the mean. Sums over samples
//! and widths are made in `f64`, the mean in `f32`, all in order: the same bits with any number of threads.
//! Cost: batch x nodes x width multiplications, each pass.
//! Reference: Gorishniy et al. (2021), Revisiting deep learning models for tabular data, section 3.3 (the tokenizer).

use pulp::Simd;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::lanes::{Kernel, dispatch};
use super::volume;
use crate::Result;
use crate::error::expect_len;
use crate::linear::check_sizes;
use crate::linear::tile::TILE;

/// Nodes whose parameters' gradients a task sums.
const NODES: usize = 8;

/// Each node's first state from its one value.
///
/// ```
/// use fattail_fused::graph::NodeEmbedding;
///
/// let embedding = NodeEmbedding { batch: 1, nodes: 2, width: 2 };
/// let mut out = [0.0; 4];
/// embedding.forward(&[2.0, -1.0], &[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 0.5, 0.5], &mut out)?;
/// assert_eq!(out, [2.0, 4.0, -2.5, -3.5]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEmbedding {
    /// Samples, at least 1.
    pub batch: usize,
    /// Nodes of a sample, at least 1.
    pub nodes: usize,
    /// Values of a state, at least 1.
    pub width: usize,
}

/// Where the gradients go; what was there is overwritten.
#[derive(Debug)]
pub struct NodeEmbeddingGradients<'a> {
    /// Of the values, [batch, nodes]; none where nobody asks.
    pub values: Option<&'a mut [f32]>,
    /// Of the weight, [nodes, width].
    pub weight: &'a mut [f32],
    /// Of the bias, [nodes, width].
    pub bias: &'a mut [f32],
}

impl NodeEmbedding {
    /// Writes the states, [batch, nodes, width], of values [batch, nodes]; weight and bias are [nodes, width].
    ///
    /// # Errors
    /// When a size is 0 or a slice has another length than the shape asks for.
    pub fn forward(
        &self,
        values: &[f32],
        weight: &[f32],
        bias: &[f32],
        out: &mut [f32],
    ) -> Result<()> {
        self.expect(values, weight, out)?;
        expect_len("bias", bias.len(), self.nodes * self.width)?;
        let tiles = out.par_chunks_mut(TILE * self.width).zip(values.par_chunks(TILE));
        tiles.enumerate().for_each(|(tile, (out, values))| {
            let (embedding, first) = (*self, tile * TILE);
            dispatch(Embed { embedding, first, values, weight, bias, out });
        });
        Ok(())
    }

    /// The gradients of a loss whose gradient with respect to the states is `gradient`.
    ///
    /// # Errors
    /// When a size is 0 or a slice has another length than the shape asks for.
    pub fn backward(
        &self,
        values: &[f32],
        weight: &[f32],
        gradient: &[f32],
        out: NodeEmbeddingGradients<'_>,
    ) -> Result<()> {
        self.expect(values, weight, gradient)?;
        expect_len("the gradient of weight", out.weight.len(), self.nodes * self.width)?;
        expect_len("the gradient of bias", out.bias.len(), self.nodes * self.width)?;
        if let Some(slopes) = out.values {
            expect_len("the gradient of values", slopes.len(), values.len())?;
            let rows = gradient.par_chunks_exact(self.width);
            slopes.par_iter_mut().zip(rows).enumerate().for_each(|(row, (slope, gradient))| {
                let weight = &weight[row % self.nodes * self.width..][..self.width];
                let parts = gradient.iter().zip(weight).map(|(&g, &w)| f64::from(g) * f64::from(w));
                *slope = parts.sum::<f64>() as f32;
            });
        }
        let nodes = NODES * self.width;
        let tasks = out.weight.par_chunks_mut(nodes).zip(out.bias.par_chunks_mut(nodes));
        tasks.enumerate().for_each(|(task, (weight, bias))| {
            let (embedding, first) = (*self, task * NODES);
            dispatch(Weigh { embedding, first, values, gradient, weight, bias });
        });
        Ok(())
    }

    fn expect(&self, values: &[f32], weight: &[f32], states: &[f32]) -> Result<()> {
        let Self { batch, nodes, width } = *self;
        check_sizes(&[("batch", batch), ("nodes", nodes), ("width", width)])?;
        volume(&[batch, nodes, width])?;
        expect_len("values", values.len(), batch * nodes)?;
        expect_len("weight", weight.len(), nodes * width)?;
        expect_len("states", states.len(), batch * nodes * width)
    }
}

/// The states of some rows, a row a node of a sample.
struct Embed<'a> {
    embedding: NodeEmbedding,
    first: usize,
    values: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Embed<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let NodeEmbedding { nodes, width, .. } = self.embedding;
        let rows = self.out.chunks_exact_mut(width).zip(self.values);
        for (row, (out, &value)) in (self.first..).zip(rows) {
            let own = row % nodes * width..(row % nodes + 1) * width;
            let parameters = self.weight[own.clone()].iter().zip(&self.bias[own]);
            for (out, (&weight, &bias)) in out.iter_mut().zip(parameters) {
                *out = value * weight + bias;
            }
        }
    }
}

/// The gradients of some nodes' parameters.
struct Weigh<'a> {
    embedding: NodeEmbedding,
    first: usize,
    values: &'a [f32],
    gradient: &'a [f32],
    weight: &'a mut [f32],
    bias: &'a mut [f32],
}

impl Kernel for Weigh<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let NodeEmbedding { batch, nodes, width } = self.embedding;
        let length = self.weight.len();
        let (mut weight, mut bias) = (vec![0.0_f64; length], vec![0.0_f64; length]);
        for sample in 0..batch {
            let row = sample * nodes + self.first;
            let gradient = &self.gradient[row * width..][..length];
            let rows = gradient.chunks_exact(width).zip(&self.values[row..]);
            let sums = weight.chunks_exact_mut(width).zip(bias.chunks_exact_mut(width));
            for ((gradient, &value), (weight, bias)) in rows.zip(sums) {
                let value = f64::from(value);
                for (&g, (weight, bias)) in gradient.iter().zip(weight.iter_mut().zip(bias)) {
                    *weight += f64::from(g) * value;
                    *bias += f64::from(g);
                }
            }
        }
        for (out, sum) in self.weight.iter_mut().zip(weight).chain(self.bias.iter_mut().zip(bias)) {
            *out = sum as f32;
        }
    }
}

/// The mean of all nodes of a sample.
///
/// ```
/// use fattail_fused::graph::NodeMean;
///
/// let mean = NodeMean { batch: 1, nodes: 2, width: 2 };
/// let mut out = [0.0; 2];
/// mean.forward(&[1.0, 2.0, 3.0, 6.0], &mut out)?;
/// assert_eq!(out, [2.0, 4.0]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeMean {
    /// Samples, at least 1.
    pub batch: usize,
    /// Nodes of a sample, at least 1.
    pub nodes: usize,
    /// Values of a state, at least 1.
    pub width: usize,
}

impl NodeMean {
    /// Writes the means, [batch, width], of states [batch, nodes, width].
    ///
    /// # Errors
    /// When a size is 0 or a slice has another length than the shape asks for.
    pub fn forward(&self, states: &[f32], out: &mut [f32]) -> Result<()> {
        self.expect(states.len(), out.len())?;
        let samples = states.par_chunks_exact(self.nodes * self.width);
        out.par_chunks_exact_mut(self.width).zip(samples).for_each(|(out, states)| {
            dispatch(Mean { states, out });
        });
        Ok(())
    }

    /// Writes the gradient of the states, given that of the means.
    ///
    /// # Errors
    /// When a size is 0 or a slice has another length than the shape asks for.
    pub fn backward(&self, gradient: &[f32], out: &mut [f32]) -> Result<()> {
        self.expect(out.len(), gradient.len())?;
        let samples = out.par_chunks_exact_mut(self.nodes * self.width);
        samples.zip(gradient.par_chunks_exact(self.width)).for_each(|(out, gradient)| {
            let share = 1.0 / self.nodes as f32;
            let (first, rest) = out.split_at_mut(self.width);
            first.iter_mut().zip(gradient).for_each(|(out, &g)| *out = g * share);
            rest.chunks_exact_mut(self.width).for_each(|row| row.copy_from_slice(first));
        });
        Ok(())
    }

    fn expect(&self, states: usize, means: usize) -> Result<()> {
        let Self { batch, nodes, width } = *self;
        check_sizes(&[("batch", batch), ("nodes", nodes), ("width", width)])?;
        volume(&[batch, nodes, width])?;
        expect_len("states", states, batch * nodes * width)?;
        expect_len("means", means, batch * width)
    }
}

/// The mean of one sample.
struct Mean<'a> {
    states: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Mean<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let width = self.out.len();
        self.out.fill(0.0);
        for row in self.states.chunks_exact(width) {
            for (sum, &value) in self.out.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let share = 1.0 / (self.states.len() / width) as f32;
        for sum in self.out {
            *sum *= share;
        }
    }
}
