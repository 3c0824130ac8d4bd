//! A GIN layer in a residual block, as one operation.
//!
//! ```text
//! h = LN(x)      s[n] = (1 + epsilon) h[n] + sum of h[source(e)] over the edges e that end at n
//! y = x + mask relu(m W2' + b2)      m = relu(s W1' + b1)
//! ```
//!
//! The mask is dropout's, or none. Rows (a node of a sample each) go through two stages forward: the norm; then
//! sums, both layers and the residual path by tiles that stay in the cache. Saved for the backward pass is a byte a
//! value: whether the last rectifier let it through. The backward pass makes h, s and m again. With g the gradient
//! of y:
//!
//! ```text
//! d z2 = g mask, where let through     d m = d z2 W2, where m > 0     d s = d m W1     d epsilon = sum of d s h
//! d h[n] = (1 + epsilon) d s[n] + sum of d s[target(e)] over the edges e that begin at n     d x = g + d LN(d h)
//! ```
//!
//! Gradients of parameters are summed over at most 16 parts of the rows and added in their order. Tiles and parts
//! depend on the shape alone: same bits with any number of threads. NaN of a node spreads to its neighbours.
//! Cost: 4 x rows x width x hidden operations forward, 10 backward, beside batch x edges x width additions.
//! Reference: Xu, Hu, Leskovec & Jegelka (2019), How powerful are graph neural networks?, eq. 4.1; Ba, Kiros &
//! Hinton (2016), Layer normalization.

mod backward;
mod forward;

use pulp::Simd;
use serde::{Deserialize, Serialize};

use super::gin::Gather;
use super::lanes::sweep_wide;
use super::{Graph, volume};
use crate::Result;
use crate::encoder::Layer;
use crate::error::expect_len;
use crate::linear::tile::{self, Size, TILE};
use crate::linear::{Activation, LayerNorm, check_epsilon, check_sizes};

/// Parts of the rows whose gradients of parameters are summed apart.
const PARTS: usize = 16;

/// The shape of the block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GinBlock {
    /// Samples that share the graph, at least 1.
    pub batch: usize,
    /// Values of a node, at least 1.
    pub width: usize,
    /// Values between the two layers, at least 1.
    pub hidden: usize,
    /// What the norm adds to a variance, 0 or more.
    pub norm_epsilon: f32,
}

/// The parameters beside epsilon, or their gradients.
#[derive(Debug, Clone, Copy)]
pub struct GinParameters<T> {
    /// Of the norm: width.
    pub norm: Layer<T>,
    /// The first layer: hidden x width.
    pub first: Layer<T>,
    /// The second: width x hidden.
    pub second: Layer<T>,
}

/// What flows in.
#[derive(Debug, Clone, Copy)]
pub struct GinBlockInputs<'a> {
    /// x, [batch, nodes, width].
    pub states: &'a [f32],
    /// How much more a node counts than a neighbour, less 1.
    pub epsilon: f32,
    /// The rest.
    pub parameters: GinParameters<&'a [f32]>,
    /// As the states: what the branch is multiplied by; all 1 without.
    pub mask: Option<&'a [f32]>,
}

/// Where the gradients go; what was there is overwritten.
#[derive(Debug)]
pub struct GinBlockGradients<'a> {
    /// As the states.
    pub states: &'a mut [f32],
    /// Of epsilon.
    pub epsilon: &'a mut f32,
    /// Of the rest.
    pub parameters: GinParameters<&'a mut [f32]>,
}

impl<T> GinParameters<T> {
    fn slices(self) -> [T; 6] {
        let Self { norm, first, second } = self;
        [norm.weight, norm.bias, first.weight, first.bias, second.weight, second.bias]
    }
}

impl GinBlock {
    /// The bytes that the backward pass needs of the forward pass, beside the states and the mask.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn saved_bytes(&self, nodes: usize) -> Result<usize> {
        Ok(self.rows(nodes)? * self.width)
    }

    /// The most bytes that either pass takes beside its arguments.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn workspace_bytes(&self, nodes: usize, threads: usize) -> Result<usize> {
        let rows = self.rows(nodes)?;
        let parts = self.parts(rows).1;
        let packed = 3 * self.first().packed_len().max(self.second().packed_len());
        let tiles = threads.max(1) * TILE * (2 * self.width + 2 * self.hidden);
        let values = 2 * rows * self.width + parts * self.lengths().iter().sum::<usize>();
        // A task's copied panel lies on its stack.
        Ok(4 * (values + packed + tiles) + 8 * parts + threads * 65_536)
    }

    fn first(&self) -> Size {
        Size { inputs: self.width, outputs: self.hidden }
    }

    fn second(&self) -> Size {
        Size { inputs: self.hidden, outputs: self.width }
    }

    /// Values of the parameters, in the order of their slices.
    fn lengths(&self) -> [usize; 6] {
        let (width, weights) = (self.width, self.first().weights());
        [width, width, weights, self.hidden, weights, width]
    }

    /// Cuts sums of all parameters' gradients into those of each.
    fn split<'a>(&self, mut sums: &'a mut [f32]) -> GinParameters<&'a mut [f32]> {
        let [a, b, c, d, e, f] = self.lengths().map(|length| {
            let (own, rest) = std::mem::take(&mut sums).split_at_mut(length);
            sums = rest;
            own
        });
        let layer = |weight, bias| Layer { weight, bias };
        GinParameters { norm: layer(a, b), first: layer(c, d), second: layer(e, f) }
    }

    /// Rows of a part, whole tiles, and parts.
    fn parts(&self, rows: usize) -> (usize, usize) {
        let span = rows.div_ceil(TILE).div_ceil(PARTS) * TILE;
        (span, rows.div_ceil(span))
    }

    fn rows(&self, nodes: usize) -> Result<usize> {
        let sizes = [("batch", self.batch), ("width", self.width), ("hidden", self.hidden)];
        check_sizes(&sizes)?;
        check_epsilon(self.norm_epsilon)?;
        volume(&[self.batch, nodes, self.width.max(self.hidden)])?;
        volume(&[self.width, self.hidden, PARTS])?;
        Ok(self.batch * nodes)
    }

    fn expect_parameters(&self, lengths: [usize; 6]) -> Result<()> {
        let names = [
            "the norm's weight",
            "the norm's bias",
            "the first layer's weight",
            "the first layer's bias",
            "the second layer's weight",
            "the second layer's bias",
        ];
        let mut all = names.into_iter().zip(lengths).zip(self.lengths());
        all.try_for_each(|((name, found), expected)| expect_len(name, found, expected))
    }

    /// The rows of inputs of the right lengths.
    fn expect_inputs(&self, graph: &Graph, inputs: &GinBlockInputs<'_>) -> Result<usize> {
        let rows = self.rows(graph.nodes())?;
        expect_len("states", inputs.states.len(), rows * self.width)?;
        if let Some(mask) = inputs.mask {
            expect_len("mask", mask.len(), rows * self.width)?;
        }
        self.expect_parameters(inputs.parameters.slices().map(<[f32]>::len))?;
        Ok(rows)
    }
}

/// What all tasks of a pass read.
struct Work<'a> {
    block: GinBlock,
    graph: &'a Graph,
    inputs: GinBlockInputs<'a>,
    normed: Vec<f32>,
    /// The first layer, packed for the way forward.
    first: Vec<f32>,
}

/// Rows of a tile between.
#[derive(Debug, Default)]
struct Memory {
    sums: Vec<f32>,
    middle: Vec<f32>,
}

impl<'a> Work<'a> {
    fn new(block: GinBlock, graph: &'a Graph, inputs: &GinBlockInputs<'a>) -> Result<Self> {
        let GinParameters { norm, first, .. } = inputs.parameters;
        let mut normed = vec![0.0; inputs.states.len()];
        let rows = block.batch * graph.nodes();
        LayerNorm { rows, width: block.width, epsilon: block.norm_epsilon }.forward(
            inputs.states,
            norm.weight,
            norm.bias,
            &mut normed,
        )?;
        let first = block.first().pack_forward(first.weight);
        Ok(Self { block, graph, inputs: *inputs, normed, first })
    }

    /// The sums and the middle of `rows` rows from `first` on.
    #[inline(always)]
    fn middle<S: Simd>(&self, simd: S, first: usize, rows: usize, memory: &mut Memory) {
        let GinBlock { width, hidden, .. } = self.block;
        let Memory { sums, middle } = memory;
        sums.resize(rows * width, 0.0);
        middle.resize(rows * hidden, 0.0);
        let own = 1.0 + self.inputs.epsilon;
        let (adjacency, input) = (self.graph.incoming(), &self.normed);
        sweep_wide(width, &mut Gather { adjacency, own, width, first, input, out: sums });
        let bias = self.inputs.parameters.first.bias;
        tile::affine(simd, self.block.first(), sums, &self.first, bias, middle);
        Activation::Relu.apply(simd, middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_by_hand() {
        let block = GinBlock { batch: 10, width: 2, hidden: 3, norm_epsilon: 1e-5 };
        assert_eq!(block.saved_bytes(30).unwrap(), 600);
        // 300 rows are 4 tiles, a part each; a packed layer has 3 x 32 values at most.
        let values = 2 * 600 + 4 * (4 + 6 + 3 + 6 + 2);
        let tiles = 2 * 96 * 10;
        let expected = 4 * (values + 3 * 96 + tiles) + 8 * 4 + 2 * 65_536;
        assert_eq!(block.workspace_bytes(30, 2).unwrap(), expected);
    }
}
