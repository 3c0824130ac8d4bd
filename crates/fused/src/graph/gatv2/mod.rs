//! The aggregation of a GATv2 layer: attention of each node over the edges that end at it.
//!
//! ```text
//! score[e, h] = sum_w attention[h, w] leaky(left[source(e), h, w] + right[target(e), h, w] + edge[e, h, w])
//! alpha[e, h] = exp(score[e, h]) / sum of exp(score[f, h]) over the edges f that end at target(e)
//! out[n, h]   = sum of alpha[e, h] left[source(e), h] over the edges e that end at n
//! leaky(z)    = z where z > 0, else negative_slope z
//! ```
//!
//! `left` and `right` are the products of the nodes' features with the layer's two matrices, `edge` that of the edges'
//! features; all samples of a batch share the graph, `edge` and `attention`. Saved for the backward pass: alpha
//! alone. With g the gradient of `out`:
//!
//! ```text
//! slope[e, h]      = alpha[e, h] (g[target] left[source] - sum of alpha[f, h] g[target] left[source(f)] over f)
//! d z[e, h]        = slope[e, h] attention[h] leaky'(z)          d right[n] = sum of d z over incoming edges
//! d left[n]        = sum of alpha g[target] + d z over outgoing edges
//! d attention[h]   = sum of slope leaky(z)                        d edge[e]  = sum of d z over samples
//! ```
//!
//! A node without incoming edges gets zeros. A score of NaN or plus infinity makes its target's outputs of that head NaN,
//! and the gradients that depend on it; nothing else. Cost: batch x edges x heads x width, about 4 operations forward and
//! 16 backward (z is computed again twice), in 32-bit floats; sums over nodes and samples are made in `f64` where they
//! are long (`d attention`, the last step of `d edge`). Parallel over samples when the batch is large and over tiles of
//! nodes else; both cuts depend on the shape alone.
//! Reference: Brody, Alon & Yahav (2022), How attentive are graph attention networks?, eq. 7; Veličković et al. (2018),
//! eq. 3 to 5.

mod backward;
mod kernels;

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::kernels::{Forward, Sample};
use super::lanes::dispatch;
use super::tiles::{SAMPLES, split, tiles};
use super::{Graph, expect_positive, volume};
use crate::error::expect_len;
use crate::{Error, Result};

/// More values than this in the edges' gradient are not kept once a run of samples.
const MOST_EDGE_VALUES: usize = 1 << 20;

/// The shape of the aggregation, and its one setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gatv2 {
    /// Samples that share the graph, at least 1.
    pub batch: usize,
    /// Attention heads, at least 1.
    pub heads: usize,
    /// Columns of a head, at least 1.
    pub width: usize,
    /// The slope of the leaky rectifier below zero; finite, usually 0.2.
    pub negative_slope: f32,
}

/// What flows in.
#[derive(Debug, Clone, Copy)]
pub struct Gatv2Inputs<'a> {
    /// The nodes as sources, [batch, nodes, heads, width].
    pub left: &'a [f32],
    /// The nodes as targets, the same shape; may be the same slice when the layer shares its matrices.
    pub right: &'a [f32],
    /// The edges in the order of the list, [edges, heads, width].
    pub edge: Option<&'a [f32]>,
    /// The attention vector, [heads, width].
    pub attention: &'a [f32],
}

/// Where the gradients go; what was there is overwritten.
#[derive(Debug)]
pub struct Gatv2Gradients<'a> {
    /// As [`Gatv2Inputs::left`].
    pub left: &'a mut [f32],
    /// As [`Gatv2Inputs::right`].
    pub right: &'a mut [f32],
    /// As [`Gatv2Inputs::edge`]; given only when that is, and `None` when it is not wanted.
    pub edge: Option<&'a mut [f32]>,
    /// As [`Gatv2Inputs::attention`].
    pub attention: &'a mut [f32],
}

impl Gatv2 {
    /// Attends: `out` is [batch, nodes, heads, width]; `weights` takes alpha, [batch, edges, heads] with the edges in
    /// the order of [`Graph::slots`], which the backward pass needs.
    ///
    /// ```
    /// use fattail_fused::graph::{Edges, Gatv2, Gatv2Inputs, Graph};
    ///
    /// let graph = Graph::new(Edges { nodes: 2, sources: vec![0, 1], targets: vec![1, 1] })?;
    /// let layer = Gatv2 { batch: 1, heads: 1, width: 1, negative_slope: 0.2 };
    /// let values = [3.0, 5.0];
    /// let inputs = Gatv2Inputs { left: &values, right: &values, edge: None, attention: &[0.0] };
    /// let (mut out, mut weights) = ([0.0; 2], [0.0; 2]);
    /// layer.forward(&graph, &inputs, &mut out, &mut weights)?;
    /// assert_eq!((out, weights), ([0.0, 4.0], [0.5, 0.5]));
    /// # Ok::<(), fattail_fused::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of range or a slice has another length than the shape asks for.
    pub fn forward(
        &self,
        graph: &Graph,
        inputs: &Gatv2Inputs<'_>,
        out: &mut [f32],
        weights: &mut [f32],
    ) -> Result<()> {
        let sizes = self.expect_inputs(graph, inputs)?;
        expect_len("out", out.len(), sizes.nodes * self.batch)?;
        expect_len("weights", weights.len(), sizes.weights * self.batch)?;
        let tiles = tiles(graph.nodes(), self.batch >= SAMPLES);
        let row = self.heads * self.width;
        let cut = |length: &(dyn Fn(&Range<usize>) -> usize + Sync)| -> Vec<usize> {
            (0..self.batch).flat_map(|_| tiles.iter().map(length)).collect()
        };
        let outs = split(out, cut(&|tile| tile.len() * row).into_iter());
        let weights =
            split(weights, cut(&|tile| graph.incoming().span(tile).len() * self.heads).into_iter());
        outs.into_par_iter().zip(weights).enumerate().for_each(|(piece, (out, weights))| {
            let (sample, tile) = (piece / tiles.len(), piece % tiles.len());
            let sample = self.sample(graph, inputs, &sizes, sample);
            dispatch(Forward { sample, tile: tiles[tile].clone(), out, weights });
        });
        Ok(())
    }

    /// The bytes that the backward pass needs of the forward pass: alpha.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn saved_bytes(&self, graph: &Graph) -> Result<usize> {
        Ok(self.sizes([graph.nodes(), graph.edges().len()])?.weights
            * self.batch
            * size_of::<f32>())
    }

    /// The most bytes that the backward pass takes beside its arguments; the forward pass takes a few words a sample.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn workspace_bytes(
        &self,
        graph: &Graph,
        edge_gradient: bool,
        threads: usize,
    ) -> Result<usize> {
        self.workspace_bytes_of([graph.nodes(), graph.edges().len()], edge_gradient, threads)
    }

    /// The same for a graph of which the numbers of nodes and edges are known alone.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn workspace_bytes_of(
        &self,
        [nodes, edges]: [usize; 2],
        edge_gradient: bool,
        threads: usize,
    ) -> Result<usize> {
        let sizes = self.sizes([nodes, edges])?;
        let row = self.heads * self.width;
        let edge = if edge_gradient { sizes.edges } else { 0 };
        let (slopes, parts, edges) = if self.by_samples(&sizes) {
            (SAMPLES.min(threads.max(1)), SAMPLES, SAMPLES)
        } else {
            (1, tiles(nodes, false).len(), 1)
        };
        Ok(size_of::<f32>() * (slopes * sizes.weights + edges * edge)
            + size_of::<f64>() * parts * row)
    }

    /// Whether the backward pass shares out samples, not nodes.
    fn by_samples(&self, sizes: &Sizes) -> bool {
        self.batch >= SAMPLES && sizes.edges <= MOST_EDGE_VALUES
    }

    fn sizes(&self, [nodes, edges]: [usize; 2]) -> Result<Sizes> {
        expect_positive("batch", self.batch)?;
        expect_positive("heads", self.heads)?;
        expect_positive("width", self.width)?;
        if !self.negative_slope.is_finite() {
            let value = self.negative_slope.to_string();
            return Err(Error::Setting {
                name: "negative_slope",
                value,
                allowed: "a finite number",
            });
        }
        volume(&[self.batch, nodes.max(edges), self.heads, self.width])?;
        let row = self.heads * self.width;
        Ok(Sizes { nodes: nodes * row, edges: edges * row, weights: edges * self.heads })
    }

    fn expect_inputs(&self, graph: &Graph, inputs: &Gatv2Inputs<'_>) -> Result<Sizes> {
        let sizes = self.sizes([graph.nodes(), graph.edges().len()])?;
        expect_len("left", inputs.left.len(), sizes.nodes * self.batch)?;
        expect_len("right", inputs.right.len(), sizes.nodes * self.batch)?;
        if let Some(edge) = inputs.edge {
            expect_len("edge", edge.len(), sizes.edges)?;
        }
        expect_len("attention", inputs.attention.len(), self.heads * self.width)?;
        Ok(sizes)
    }

    fn sample<'a>(
        &self,
        graph: &'a Graph,
        inputs: &Gatv2Inputs<'a>,
        sizes: &Sizes,
        sample: usize,
    ) -> Sample<'a> {
        let own = |values: &'a [f32]| &values[sample * sizes.nodes..][..sizes.nodes];
        Sample {
            graph,
            shape: *self,
            inputs: Gatv2Inputs { left: own(inputs.left), right: own(inputs.right), ..*inputs },
        }
    }
}

/// Values a sample.
#[derive(Debug)]
struct Sizes {
    nodes: usize,
    edges: usize,
    weights: usize,
}

#[cfg(test)]
mod tests {
    use super::super::Edges;
    use super::*;

    #[test]
    fn memory_by_hand() {
        let graph =
            Graph::new(Edges { nodes: 40, sources: vec![0; 10], targets: vec![1; 10] }).unwrap();
        let small = Gatv2 { batch: 2, heads: 3, width: 5, negative_slope: 0.2 };
        assert_eq!(small.saved_bytes(&graph).unwrap(), 2 * 10 * 3 * 4);
        assert_eq!(small.workspace_bytes(&graph, true, 2).unwrap(), 4 * (30 + 150) + 8 * 2 * 15);
        let large = Gatv2 { batch: 64, ..small };
        assert_eq!(large.workspace_bytes(&graph, false, 2).unwrap(), 4 * 2 * 30 + 8 * 16 * 15);
        assert_eq!(
            large.workspace_bytes(&graph, true, 99).unwrap(),
            4 * (16 * 30 + 16 * 150) + 8 * 16 * 15
        );
    }

    #[test]
    fn a_shape_beyond_memory_is_refused() {
        let graph = Graph::new(Edges { nodes: 4, ..Edges::default() }).unwrap();
        let huge = Gatv2 { batch: usize::MAX / 2, heads: 2, width: 3, negative_slope: 0.2 };
        assert!(matches!(huge.saved_bytes(&graph), Err(Error::Setting { .. })));
    }

    /// What the module's head promises: the vector code rounds as the plain code does.
    #[test]
    fn the_same_bits_with_and_without_vectors() {
        use pulp::Scalar;

        use super::super::lanes::Kernel;

        let graph =
            Graph::new(Edges { nodes: 3, sources: vec![0, 1, 2, 2], targets: vec![1, 1, 1, 0] })
                .unwrap();
        let shape = Gatv2 { batch: 1, heads: 2, width: 29, negative_slope: 0.2 };
        let wave = |count: usize, rate: f32| -> Vec<f32> {
            (0..count).map(|at| (at as f32 * rate).sin()).collect()
        };
        let (left, right, attention) = (wave(174, 0.7), wave(174, 0.3), wave(58, 1.1));
        let inputs = Gatv2Inputs { left: &left, right: &right, edge: None, attention: &attention };
        let bits = |run: fn(Forward<'_>)| {
            let (mut out, mut weights) = (vec![0.0; 174], vec![0.0; 8]);
            let sample = Sample { graph: &graph, shape, inputs };
            run(Forward { sample, tile: 0..3, out: &mut out, weights: &mut weights });
            out.iter().chain(&weights).map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(|forward| dispatch(forward)), bits(|forward| forward.run(Scalar::new())));
    }
}
