//! The loops of one sample: block of columns outside, nodes and their edges inside.
//!
//! The formulas stand in the parent module. A block's part of the attention vector stays in registers while the nodes
//! of a tile pass; `first` counts columns within the head, `head * width + first` those of a row.

use std::ops::Range;

use pulp::Simd;

use super::super::Graph;
use super::super::lanes::{
    Columns, Kernel, ROWS, Rows, add, load, multiply, scale, store, sweep, where_positive,
};
use super::{Gatv2, Gatv2Inputs};
use crate::linear::lanes::{exp, map};

/// One sample of the batch: `inputs` holds its nodes alone.
#[derive(Clone, Copy)]
pub(super) struct Sample<'a> {
    pub(super) graph: &'a Graph,
    pub(super) shape: Gatv2,
    pub(super) inputs: Gatv2Inputs<'a>,
}

impl Sample<'_> {
    #[inline(always)]
    fn row(&self) -> usize {
        self.shape.heads * self.shape.width
    }

    /// `right + edge` of a slot, to which the source is added.
    #[inline(always)]
    fn plus_edge<const LANES: usize>(
        &self,
        lanes: [f32; LANES],
        slot: usize,
        column: usize,
    ) -> [f32; LANES] {
        match self.inputs.edge {
            None => lanes,
            Some(edge) => {
                let number = self.graph.slots()[slot] as usize;
                add(lanes, load(edge, number * self.row() + column))
            }
        }
    }
}

/// Cuts slots into groups whose sums are made together.
#[inline(always)]
fn groups(slots: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    slots.clone().step_by(ROWS).map(move |start| start..slots.end.min(start + ROWS))
}

/// The weights and the outputs of a tile of targets.
pub(super) struct Forward<'a> {
    pub(super) sample: Sample<'a>,
    pub(super) tile: Range<usize>,
    pub(super) out: &'a mut [f32],
    pub(super) weights: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { sample, tile, out, weights } = self;
        let (heads, width) = (sample.shape.heads, sample.shape.width);
        weights.fill(0.0);
        for head in 0..heads {
            sweep(width, &mut Scores { sample, tile: &tile, head, weights });
        }
        softmax(simd, &sample, &tile, weights);
        for head in 0..heads {
            sweep(width, &mut Mixture { sample, tile: &tile, head, weights, out });
        }
    }
}

/// Adds a block's part of the scores.
struct Scores<'a> {
    sample: Sample<'a>,
    tile: &'a Range<usize>,
    head: usize,
    weights: &'a mut [f32],
}

impl Columns for Scores<'_> {
    #[inline(always)]
    fn columns<const LANES: usize>(&mut self, first: usize) {
        let Sample { graph, shape, inputs } = self.sample;
        let (row, column) = (self.sample.row(), self.head * shape.width + first);
        let attention = load::<LANES>(inputs.attention, column);
        let sloped = scale(attention, shape.negative_slope);
        let start = graph.incoming().span(self.tile).start;
        let mut rows = Rows::new();
        for node in self.tile.clone() {
            let right = load::<LANES>(inputs.right, node * row + column);
            for slots in groups(graph.incoming().of(node)) {
                for (place, slot) in slots.clone().enumerate() {
                    let source = graph.incoming().neighbours[slot] as usize;
                    let z = add(
                        load(inputs.left, source * row + column),
                        self.sample.plus_edge(right, slot, column),
                    );
                    rows.set(place, multiply(z, where_positive(z, attention, sloped)));
                }
                for (place, slot) in slots.enumerate() {
                    self.weights[(slot - start) * shape.heads + self.head] += rows.sum(place);
                }
            }
        }
    }
}

/// Turns a tile's scores into weights.
#[inline(always)]
fn softmax<S: Simd>(simd: S, sample: &Sample<'_>, tile: &Range<usize>, weights: &mut [f32]) {
    let heads = sample.shape.heads;
    let incoming = sample.graph.incoming();
    let start = incoming.span(tile).start;
    let own = |node: usize| {
        let slots = incoming.of(node);
        (slots.start - start) * heads..(slots.end - start) * heads
    };
    for node in tile.clone() {
        let scores = &mut weights[own(node)];
        if scores.is_empty() {
            continue;
        }
        for head in 0..heads {
            let mut largest = f32::NEG_INFINITY;
            for score in scores[head..].iter().step_by(heads) {
                largest = if *score > largest { *score } else { largest };
            }
            for score in scores[head..].iter_mut().step_by(heads) {
                *score -= largest;
            }
        }
    }
    map!(simd: S, score in weights => exp(simd, score));
    for node in tile.clone() {
        let weights = &mut weights[own(node)];
        if weights.is_empty() {
            continue;
        }
        for head in 0..heads {
            let mut total = 0.0;
            for weight in weights[head..].iter().step_by(heads) {
                total += weight;
            }
            let share = 1.0 / total;
            for weight in weights[head..].iter_mut().step_by(heads) {
                *weight *= share;
            }
        }
    }
}

/// Writes a block of the outputs.
struct Mixture<'a> {
    sample: Sample<'a>,
    tile: &'a Range<usize>,
    head: usize,
    weights: &'a [f32],
    out: &'a mut [f32],
}

impl Columns for Mixture<'_> {
    #[inline(always)]
    fn columns<const LANES: usize>(&mut self, first: usize) {
        let Sample { graph, shape, inputs } = self.sample;
        let (row, column) = (self.sample.row(), self.head * shape.width + first);
        let start = graph.incoming().span(self.tile).start;
        for node in self.tile.clone() {
            let mut mixed = [0.0_f32; LANES];
            for slot in graph.incoming().of(node) {
                let source = graph.incoming().neighbours[slot] as usize;
                let weight = self.weights[(slot - start) * shape.heads + self.head];
                mixed = add(mixed, scale(load(inputs.left, source * row + column), weight));
            }
            store(mixed, self.out, (node - self.tile.start) * row + column);
        }
    }
}

/// The gradients that belong to targets: `right`, the slopes of the scores, and parts of `edge` and `attention`.
pub(super) struct Targets<'a> {
    pub(super) sample: Sample<'a>,
    pub(super) tile: Range<usize>,
    /// The whole sample's weights and gradient of the outputs.
    pub(super) weights: &'a [f32],
    pub(super) gradient: &'a [f32],
    /// The tile's rows, overwritten.
    pub(super) right: &'a mut [f32],
    /// The tile's slots, overwritten.
    pub(super) slopes: &'a mut [f32],
    /// The tile's slots, added to; empty when not wanted.
    pub(super) edge: &'a mut [f32],
    /// Added to.
    pub(super) attention: &'a mut [f64],
}

impl Kernel for Targets<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        let (heads, width) = (self.sample.shape.heads, self.sample.shape.width);
        self.slopes.fill(0.0);
        for head in 0..heads {
            sweep(width, &mut Products { targets: &mut self, head });
        }
        self.center();
        for head in 0..heads {
            sweep(width, &mut TargetColumns { targets: &mut self, head });
        }
    }
}

impl Targets<'_> {
    /// slope = alpha (product - sum of alpha product).
    #[inline(always)]
    fn center(&mut self) {
        let heads = self.sample.shape.heads;
        let incoming = self.sample.graph.incoming();
        let start = incoming.span(&self.tile).start;
        for node in self.tile.clone() {
            for head in 0..heads {
                let mut mean = 0.0;
                for slot in incoming.of(node) {
                    mean += self.weights[slot * heads + head]
                        * self.slopes[(slot - start) * heads + head];
                }
                for slot in incoming.of(node) {
                    let slope = &mut self.slopes[(slot - start) * heads + head];
                    *slope = self.weights[slot * heads + head] * (*slope - mean);
                }
            }
        }
    }
}

/// Adds a block's part of g[target] left[source] to the slopes.
struct Products<'a, 'b> {
    targets: &'a mut Targets<'b>,
    head: usize,
}

impl Columns for Products<'_, '_> {
    #[inline(always)]
    fn columns<const LANES: usize>(&mut self, first: usize) {
        let Sample { graph, shape, inputs } = self.targets.sample;
        let (row, column) = (self.targets.sample.row(), self.head * shape.width + first);
        let start = graph.incoming().span(&self.targets.tile).start;
        let mut rows = Rows::new();
        for node in self.targets.tile.clone() {
            let gradient = load::<LANES>(self.targets.gradient, node * row + column);
            for slots in groups(graph.incoming().of(node)) {
                for (place, slot) in slots.clone().enumerate() {
                    let source = graph.incoming().neighbours[slot] as usize;
                    rows.set(place, multiply(gradient, load(inputs.left, source * row + column)));
                }
                for (place, slot) in slots.enumerate() {
                    self.targets.slopes[(slot - start) * shape.heads + self.head] +=
                        rows.sum(place);
                }
            }
        }
    }
}

/// A block of the gradients of `right`, `edge` and `attention`.
struct TargetColumns<'a, 'b> {
    targets: &'a mut Targets<'b>,
    head: usize,
}

impl Columns for TargetColumns<'_, '_> {
    #[inline(always)]
    fn columns<const LANES: usize>(&mut self, first: usize) {
        let targets = &mut *self.targets;
        let Sample { graph, shape, inputs } = targets.sample;
        let (row, column) = (targets.sample.row(), self.head * shape.width + first);
        let start = graph.incoming().span(&targets.tile).start;
        let attention = load::<LANES>(inputs.attention, column);
        for node in targets.tile.clone() {
            let right = load::<LANES>(inputs.right, node * row + column);
            let (mut right_sum, mut attention_sum) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            for slot in graph.incoming().of(node) {
                let source = graph.incoming().neighbours[slot] as usize;
                let slope = targets.slopes[(slot - start) * shape.heads + self.head];
                let z = add(
                    load(inputs.left, source * row + column),
                    targets.sample.plus_edge(right, slot, column),
                );
                let bend =
                    scale(where_positive(z, [1.0; LANES], [shape.negative_slope; LANES]), slope);
                let z_slope = multiply(bend, attention);
                right_sum = add(right_sum, z_slope);
                attention_sum = add(attention_sum, multiply(bend, z));
                if !targets.edge.is_empty() {
                    let at = (slot - start) * row + column;
                    store(add(load(targets.edge, at), z_slope), targets.edge, at);
                }
            }
            store(right_sum, targets.right, (node - targets.tile.start) * row + column);
            for (total, part) in
                targets.attention[column..column + LANES].iter_mut().zip(attention_sum)
            {
                *total += f64::from(part);
            }
        }
    }
}

/// The gradient that belongs to sources: `left`.
pub(super) struct Sources<'a> {
    pub(super) sample: Sample<'a>,
    pub(super) tile: Range<usize>,
    /// The whole sample's weights, gradient of the outputs, and slopes of the scores.
    pub(super) weights: &'a [f32],
    pub(super) gradient: &'a [f32],
    pub(super) slopes: &'a [f32],
    /// The tile's rows, overwritten.
    pub(super) left: &'a mut [f32],
}

impl Kernel for Sources<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        for head in 0..self.sample.shape.heads {
            sweep(self.sample.shape.width, &mut SourceColumns { sources: &mut self, head });
        }
    }
}

/// A block of the gradient of `left`.
struct SourceColumns<'a, 'b> {
    sources: &'a mut Sources<'b>,
    head: usize,
}

impl Columns for SourceColumns<'_, '_> {
    #[inline(always)]
    fn columns<const LANES: usize>(&mut self, first: usize) {
        let sources = &mut *self.sources;
        let Sample { graph, shape, inputs } = sources.sample;
        let (row, column) = (sources.sample.row(), self.head * shape.width + first);
        let attention = load::<LANES>(inputs.attention, column);
        let sloped = scale(attention, shape.negative_slope);
        for node in sources.tile.clone() {
            let left = load::<LANES>(inputs.left, node * row + column);
            let mut total = [0.0_f32; LANES];
            for place in graph.outgoing().of(node) {
                let target = graph.outgoing().neighbours[place] as usize * row + column;
                let slot = graph.outgoing().places[place] as usize;
                let score = slot * shape.heads + self.head;
                let z =
                    add(left, sources.sample.plus_edge(load(inputs.right, target), slot, column));
                let direct = scale(load(sources.gradient, target), sources.weights[score]);
                let z_slope = scale(where_positive(z, attention, sloped), sources.slopes[score]);
                total = add(total, add(direct, z_slope));
            }
            store(total, sources.left, (node - sources.tile.start) * row + column);
        }
    }
}
