//! The backward pass of a whole batch: shares it out and adds up the parts in a fixed order.
//!
//! Many samples: sixteen runs of neighbouring samples, each with its own part of the gradients that samples share. Few
//! samples, or an edge term too large for sixteen copies: one sample after the other, each in tiles of nodes, first
//! those of the targets, then those of the sources, so that no two threads write to one place.

use std::ops::Range;

use rayon::prelude::*;

use super::super::tiles::{runs, split, tiles};
use super::super::{Graph, lanes};
use super::kernels::{Sources, Targets};
use super::{Gatv2, Gatv2Gradients, Gatv2Inputs, Sizes};
use crate::error::expect_len;
use crate::{Error, Result};

/// What both cuts read.
struct Pass<'a> {
    layer: Gatv2,
    graph: &'a Graph,
    inputs: Gatv2Inputs<'a>,
    weights: &'a [f32],
    gradient: &'a [f32],
    sizes: Sizes,
    edge_wanted: bool,
}

/// A part of the gradients that samples share; `edge` in the order of slots.
struct Shared {
    edge: Vec<f32>,
    attention: Vec<f64>,
}

impl Gatv2 {
    /// The gradients of a loss whose gradient with respect to `out` is `gradient`; `weights` are the forward pass's.
    ///
    /// # Errors
    /// When a setting is out of range, a slice has another length than the shape asks for, or the gradient of an edge
    /// term that is not there is asked for.
    pub fn backward(
        &self,
        graph: &Graph,
        inputs: &Gatv2Inputs<'_>,
        weights: &[f32],
        gradient: &[f32],
        out: Gatv2Gradients<'_>,
    ) -> Result<()> {
        let sizes = self.expect_inputs(graph, inputs)?;
        expect_len("weights", weights.len(), sizes.weights * self.batch)?;
        expect_len("gradient", gradient.len(), sizes.nodes * self.batch)?;
        self.expect_gradients(inputs, &sizes, &out)?;
        let by_samples = self.by_samples(&sizes);
        let edge_wanted = out.edge.is_some();
        let pass =
            Pass { layer: *self, graph, inputs: *inputs, weights, gradient, sizes, edge_wanted };
        let shared = if by_samples {
            pass.by_samples(out.left, out.right)
        } else {
            pass.by_nodes(out.left, out.right)
        };
        for (out, &total) in out.attention.iter_mut().zip(&shared.attention) {
            *out = total as f32;
        }
        if let Some(edge) = out.edge {
            let row = self.heads * self.width;
            for (&number, values) in graph.slots().iter().zip(shared.edge.chunks_exact(row)) {
                edge[number as usize * row..][..row].copy_from_slice(values);
            }
        }
        Ok(())
    }

    fn expect_gradients(
        &self,
        inputs: &Gatv2Inputs<'_>,
        sizes: &Sizes,
        out: &Gatv2Gradients<'_>,
    ) -> Result<()> {
        expect_len("the gradient of left", out.left.len(), sizes.nodes * self.batch)?;
        expect_len("the gradient of right", out.right.len(), sizes.nodes * self.batch)?;
        expect_len("the gradient of attention", out.attention.len(), self.heads * self.width)?;
        match (&out.edge, inputs.edge) {
            (None, _) => Ok(()),
            (Some(edge), Some(_)) => expect_len("the gradient of edge", edge.len(), sizes.edges),
            (Some(_), None) => Err(Error::Setting {
                name: "the gradient of edge",
                value: "asked for".to_owned(),
                allowed: "with an edge term only",
            }),
        }
    }
}

impl Pass<'_> {
    fn shared(&self) -> Shared {
        let edge = if self.edge_wanted { self.sizes.edges } else { 0 };
        Shared { edge: vec![0.0; edge], attention: vec![0.0; self.layer.heads * self.layer.width] }
    }

    fn by_samples(&self, left: &mut [f32], right: &mut [f32]) -> Shared {
        let runs = runs(self.layer.batch);
        let lengths = || runs.iter().map(|run| run.len() * self.sizes.nodes);
        let lefts = split(left, lengths());
        let rights = split(right, lengths());
        let parts = runs
            .par_iter()
            .zip(lefts)
            .zip(rights)
            .map(|((run, left), right)| self.run(run, left, right));
        merge(parts.collect())
    }

    /// A run of samples, one after the other.
    fn run(&self, run: &Range<usize>, left: &mut [f32], right: &mut [f32]) -> Shared {
        let mut shared = self.shared();
        let mut slopes = vec![0.0; self.sizes.weights];
        let nodes = self.sizes.nodes;
        let rows = left.chunks_exact_mut(nodes).zip(right.chunks_exact_mut(nodes));
        for (sample, (left, right)) in run.clone().zip(rows) {
            let whole = 0..self.graph.nodes();
            let mut targets = self.targets(sample, whole.clone(), &mut shared.attention);
            (targets.right, targets.slopes, targets.edge) = (right, &mut slopes, &mut shared.edge);
            lanes::dispatch(targets);
            lanes::dispatch(self.sources(sample, whole, &slopes, left));
        }
        shared
    }

    /// One sample after the other, each in tiles of nodes.
    fn by_nodes(&self, left: &mut [f32], right: &mut [f32]) -> Shared {
        let tiles = tiles(self.graph.nodes(), false);
        let row = self.layer.heads * self.layer.width;
        let spans = || tiles.iter().map(|tile| self.graph.incoming().span(tile).len());
        let mut shared = self.shared();
        let mut attention = vec![0.0; tiles.len() * row];
        let mut slopes = vec![0.0; self.sizes.weights];
        let nodes = self.sizes.nodes;
        for (sample, (left, right)) in
            left.chunks_exact_mut(nodes).zip(right.chunks_exact_mut(nodes)).enumerate()
        {
            let rows = || tiles.iter().map(|tile| tile.len() * row);
            let rights = split(right, rows());
            let slots = split(&mut slopes, spans().map(|count| count * self.layer.heads));
            let edges = split(
                &mut shared.edge,
                spans().map(|count| if self.edge_wanted { count * row } else { 0 }),
            );
            let parts = split(&mut attention, tiles.iter().map(|_| row));
            let pieces = tiles.par_iter().zip(rights).zip(slots).zip(edges).zip(parts);
            pieces.for_each(|((((tile, right), slopes), edge), attention)| {
                let mut targets = self.targets(sample, tile.clone(), attention);
                (targets.right, targets.slopes, targets.edge) = (right, slopes, edge);
                lanes::dispatch(targets);
            });
            tiles.par_iter().zip(split(left, rows())).for_each(|(tile, left)| {
                lanes::dispatch(self.sources(sample, tile.clone(), &slopes, left));
            });
        }
        for part in attention.chunks_exact(row) {
            add_to(&mut shared.attention, part);
        }
        shared
    }

    /// The work of a tile's targets; the caller fills in where the rest goes.
    fn targets<'a>(
        &'a self,
        sample: usize,
        tile: Range<usize>,
        attention: &'a mut [f64],
    ) -> Targets<'a> {
        Targets {
            sample: self.layer.sample(self.graph, &self.inputs, &self.sizes, sample),
            tile,
            weights: self.weights_of(sample),
            gradient: self.gradient_of(sample),
            right: &mut [],
            slopes: &mut [],
            edge: &mut [],
            attention,
        }
    }

    fn sources<'a>(
        &'a self,
        sample: usize,
        tile: Range<usize>,
        slopes: &'a [f32],
        left: &'a mut [f32],
    ) -> Sources<'a> {
        Sources {
            sample: self.layer.sample(self.graph, &self.inputs, &self.sizes, sample),
            tile,
            weights: self.weights_of(sample),
            gradient: self.gradient_of(sample),
            slopes,
            left,
        }
    }

    fn weights_of(&self, sample: usize) -> &[f32] {
        &self.weights[sample * self.sizes.weights..][..self.sizes.weights]
    }

    fn gradient_of(&self, sample: usize) -> &[f32] {
        &self.gradient[sample * self.sizes.nodes..][..self.sizes.nodes]
    }
}

/// Adds the later parts to the first, in order.
fn merge(parts: Vec<Shared>) -> Shared {
    let mut parts = parts.into_iter();
    let Some(mut total) = parts.next() else {
        return Shared { edge: Vec::new(), attention: Vec::new() };
    };
    let later = parts.collect::<Vec<_>>();
    for part in &later {
        add_to(&mut total.attention, &part.attention);
    }
    total.edge.par_iter_mut().with_min_len(1 << 12).enumerate().for_each(|(at, value)| {
        let rest = later.iter().map(|part| f64::from(part.edge[at]));
        *value = rest.fold(f64::from(*value), |sum, part| sum + part) as f32;
    });
    total
}

fn add_to(totals: &mut [f64], parts: &[f64]) {
    for (total, part) in totals.iter_mut().zip(parts) {
        *total += part;
    }
}
