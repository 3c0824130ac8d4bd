//! The aggregation of a GIN layer: a node's own features and the sum of its neighbours'.
//!
//! ```text
//! out[n]   = (1 + epsilon) x[n] + sum of x[source(e)] over the edges e that end at n
//! d x[n]   = (1 + epsilon) g[n] + sum of g[target(e)] over the edges e that begin at n
//! d epsilon = sum of g x over everything
//! ```
//!
//! with g the gradient of `out`. A double edge counts twice. NaN and infinity reach the nodes that their edges reach.
//! Cost: batch x (edges + nodes) x width additions, each pass; sums over neighbours in `f32` in the order of
//! [`Graph::slots`], `d epsilon` in `f64` a tile of nodes, tiles in order. Nothing is saved.
//! Reference: Xu, Hu, Leskovec & Jegelka (2019), How powerful are graph neural networks?, eq. 4.1.

use std::ops::Range;

use pulp::Simd;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::lanes::{Columns, Kernel, add, dispatch, load, scale, store, sweep_wide};
use super::sorted::Adjacency;
use super::{Graph, expect_positive, volume};
use crate::Result;
use crate::error::expect_len;
use crate::linear::tile::TILE;

/// The shape of the aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gin {
    /// Samples that share the graph, at least 1.
    pub batch: usize,
    /// Columns of a node, at least 1.
    pub width: usize,
}

/// Where the gradients go; what was there is overwritten.
#[derive(Debug)]
pub struct GinGradients<'a> {
    /// As the input.
    pub input: &'a mut [f32],
    /// Of epsilon.
    pub epsilon: &'a mut f32,
}

impl Gin {
    /// Sums: `input` and `out` are [batch, nodes, width].
    ///
    /// # Errors
    /// When a setting is out of range or a slice has another length than the shape asks for.
    pub fn forward(
        &self,
        graph: &Graph,
        epsilon: f32,
        input: &[f32],
        out: &mut [f32],
    ) -> Result<()> {
        let count = self.count(graph)?;
        expect_len("input", input.len(), count)?;
        expect_len("out", out.len(), count)?;
        self.gather(graph.incoming(), epsilon, input, out);
        Ok(())
    }

    /// The gradients of a loss whose gradient with respect to the output is `gradient`.
    ///
    /// # Errors
    /// When a setting is out of range or a slice has another length than the shape asks for.
    pub fn backward(
        &self,
        graph: &Graph,
        epsilon: f32,
        input: &[f32],
        gradient: &[f32],
        out: GinGradients<'_>,
    ) -> Result<()> {
        let count = self.count(graph)?;
        expect_len("input", input.len(), count)?;
        expect_len("gradient", gradient.len(), count)?;
        expect_len("the gradient of input", out.input.len(), count)?;
        self.gather(graph.outgoing(), epsilon, gradient, out.input);
        let parts: Vec<f64> =
            input.par_chunks(CHUNK).zip(gradient.par_chunks(CHUNK)).map(product).collect();
        *out.epsilon = parts.iter().sum::<f64>() as f32;
        Ok(())
    }

    /// The bytes that the backward pass needs of the forward pass, beside the input: none.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        0
    }

    /// The most bytes that the backward pass takes beside its arguments.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn workspace_bytes(&self, graph: &Graph) -> Result<usize> {
        Ok(self.count(graph)?.div_ceil(CHUNK) * size_of::<f64>())
    }

    fn count(&self, graph: &Graph) -> Result<usize> {
        expect_positive("batch", self.batch)?;
        expect_positive("width", self.width)?;
        volume(&[self.batch, graph.nodes(), self.width])
    }

    /// (1 + epsilon) of a node and the sum of its neighbours, over either direction.
    fn gather(&self, adjacency: &Adjacency, epsilon: f32, input: &[f32], out: &mut [f32]) {
        let (width, own) = (self.width, 1.0 + epsilon);
        out.par_chunks_mut(TILE * width).enumerate().for_each(|(tile, out)| {
            dispatch(Gather { adjacency, own, width, first: tile * TILE, input, out });
        });
    }
}

/// Values of a partial sum of the slope of epsilon.
const CHUNK: usize = 1 << 12;

fn product((input, gradient): (&[f32], &[f32])) -> f64 {
    input.iter().zip(gradient).map(|(&x, &g)| f64::from(x) * f64::from(g)).sum()
}

/// Neighbouring rows of a batch; a row is a node of a sample, samples lie one behind the other.
pub(super) struct Gather<'a> {
    pub(super) adjacency: &'a Adjacency,
    /// What a node's own row is multiplied by.
    pub(super) own: f32,
    pub(super) width: usize,
    /// The first row.
    pub(super) first: usize,
    /// The whole batch.
    pub(super) input: &'a [f32],
    /// The rows, overwritten.
    pub(super) out: &'a mut [f32],
}

impl Gather<'_> {
    /// The rows and the node of the first.
    #[inline(always)]
    fn rows(&self) -> (Range<usize>, usize) {
        let rows = self.first..self.first + self.out.len() / self.width;
        (rows, self.first % self.adjacency.nodes())
    }
}

impl Kernel for Gather<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        sweep_wide(self.width, &mut self);
    }
}

impl Columns for Gather<'_> {
    #[inline(always)]
    fn columns<const LANES: usize>(&mut self, column: usize) {
        let (rows, mut node) = self.rows();
        for row in rows {
            let sample = row - node;
            let mut total = scale(load::<LANES>(self.input, row * self.width + column), self.own);
            for place in self.adjacency.of(node) {
                let neighbour = sample + self.adjacency.neighbours[place] as usize;
                total = add(total, load(self.input, neighbour * self.width + column));
            }
            store(total, self.out, (row - self.first) * self.width + column);
            node = if node + 1 < self.adjacency.nodes() { node + 1 } else { 0 };
        }
    }
}
