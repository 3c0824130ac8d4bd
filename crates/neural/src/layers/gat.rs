//! Graph layers with PyTorch Geometric's parameters: GATv2 and GIN.
//!
//! GATv2: `left = x W_l' + b_l`, `right = x W_r' + b_r`, attention over the edges into a node, heads side
//! by side or averaged, and a bias. GIN: `MLP((1 + epsilon) x + sum over neighbours)` with
//! Linear, ReLU, Linear inside. Every graph is given loops beforehand where it should have them.
//! Reference: Brody, Alon & Yahav (2022); Xu et al. (2019).

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{Tensor, TensorData},
};
use fattail_fused::graph::{Edges as List, Graph, SelfLoops};

use super::{Dense, Start};
use crate::Result;
use crate::ops::{self, Activation, Edges};

/// Attention over the edges into a node.
#[derive(Module, Debug)]
pub struct Gatv2Layer {
    /// What a node is as a source.
    pub lin_l: Dense,
    /// What a node is as a target; the same as a source when absent.
    pub lin_r: Option<Dense>,
    /// heads x width.
    pub att: Param<Tensor<2>>,
    /// (heads x width) x edge features.
    pub lin_edge: Option<Param<Tensor<2>>>,
    /// One value an output.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    shape: Gatv2Shape,
}

/// The shape of a [`Gatv2Layer`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gatv2Shape {
    /// Values a node.
    pub inputs: usize,
    /// Heads.
    pub heads: usize,
    /// Values a head.
    pub width: usize,
    /// Values an edge, 0 without.
    pub edge_inputs: usize,
    /// Whether a node is the same as a source and as a target.
    pub share: bool,
    /// Whether heads stand side by side, or are averaged.
    pub concat: bool,
    /// The slope of the leaky ReLU below 0.
    pub negative_slope: f64,
}

impl Gatv2Layer {
    /// Starts as PyTorch Geometric does: Glorot, biases 0.
    #[must_use]
    pub fn new(shape: Gatv2Shape, start: &mut Start<'_>) -> Self {
        let rows = shape.heads * shape.width;
        let mut side = || Dense {
            weight: start.glorot(rows, shape.inputs),
            bias: start.constant([rows], 0.0),
        };
        let lin_l = side();
        let lin_r = (!shape.share).then(side);
        let lin_edge = (shape.edge_inputs > 0).then(|| start.glorot(rows, shape.edge_inputs));
        let att = start.glorot(shape.heads, shape.width);
        let outputs = if shape.concat { rows } else { shape.width };
        Self { lin_l, lin_r, att, lin_edge, bias: start.constant([outputs], 0.0), shape }
    }

    /// The layer on a list of edges, each node with a loop whose features are the mean of those that come
    /// in where `loops` is set, as PyTorch Geometric does.
    ///
    /// # Errors
    /// When an edge ends at a node that is not there.
    pub fn on(
        &self,
        edges: &List,
        loops: bool,
        input: Tensor<3>,
        features: Option<Tensor<2>>,
    ) -> Result<Tensor<3>> {
        if !loops {
            let graph = Arc::new(Graph::new(edges.clone())?);
            return Ok(self.forward(&graph, input, features));
        }
        let looped = SelfLoops::new(edges)?;
        let filled = match features {
            Some(features) => Some(fill(edges, &looped, features)?),
            None => None,
        };
        let graph = Arc::new(Graph::new(looped.edges().clone())?);
        Ok(self.forward(&graph, input, filled))
    }

    /// `[batch, nodes, inputs]` and `[edges, edge inputs]` to `[batch, nodes, outputs]`.
    pub(crate) fn forward(
        &self,
        graph: &Edges,
        input: Tensor<3>,
        edge: Option<Tensor<2>>,
    ) -> Tensor<3> {
        let [batch, nodes, _] = input.dims();
        let Gatv2Shape { heads, width, negative_slope, concat, .. } = self.shape;
        let sides = |values: Tensor<3>| values.reshape([batch, nodes, heads, width]);
        let left = sides(self.lin_l.forward(input.clone()));
        let right =
            self.lin_r.as_ref().map_or_else(|| left.clone(), |side| sides(side.forward(input)));
        let edge = self.lin_edge.as_ref().zip(edge).map(|(weight, edge)| {
            let edges = edge.dims()[0];
            edge.matmul(weight.val().transpose()).reshape([edges, heads, width])
        });
        let out = ops::gatv2(graph, negative_slope, [left, right], edge, self.att.val());
        let out = if concat {
            out.reshape([batch, nodes, heads * width])
        } else {
            out.mean_dim(2).reshape([batch, nodes, width])
        };
        out + self.bias.val().unsqueeze::<3>()
    }
}

/// The features of a graph's edges with those of the loops behind: a product with a fixed matrix, so that
/// gradients flow to the features.
fn fill(edges: &List, looped: &SelfLoops, features: Tensor<2>) -> Result<Tensor<2>> {
    let (before, after) = (edges.sources.len(), looped.edges().sources.len());
    let mut unit = vec![0.0; before];
    let mut matrix = vec![0.0; after * before];
    for edge in 0..before {
        unit[edge] = 1.0;
        for (row, value) in looped.fill(&unit, 1)?.into_iter().enumerate() {
            matrix[row * before + edge] = value;
        }
        unit[edge] = 0.0;
    }
    let matrix = TensorData::new(matrix, [after, before]);
    Ok(Tensor::<2>::from_data(matrix, &features.device()).matmul(features))
}

/// Sums over neighbours, and a small network behind.
#[derive(Module, Debug)]
pub struct GinLayer {
    /// How much more a node counts than a neighbour, less 1.
    pub eps: Param<Tensor<1>>,
    /// The first layer of the network inside.
    pub first: Dense,
    /// The second.
    pub second: Dense,
}

impl GinLayer {
    /// A layer from `inputs` over `hidden` to `outputs` values a node; epsilon starts at 0.
    #[must_use]
    pub fn new(inputs: usize, hidden: usize, outputs: usize, start: &mut Start<'_>) -> Self {
        Self {
            eps: start.constant([1], 0.0),
            first: Dense::new(inputs, hidden, start),
            second: Dense::new(hidden, outputs, start),
        }
    }

    /// The layer on a list of edges.
    ///
    /// # Errors
    /// When an edge ends at a node that is not there.
    pub fn on(&self, edges: &List, input: Tensor<3>) -> Result<Tensor<3>> {
        Ok(self.forward(&Arc::new(Graph::new(edges.clone())?), input))
    }

    /// `[batch, nodes, inputs]` to `[batch, nodes, outputs]`.
    pub(crate) fn forward(&self, graph: &Edges, input: Tensor<3>) -> Tensor<3> {
        let sum = ops::gin(graph, input, self.eps.val());
        self.second.forward(self.first.activated(sum, Activation::Relu))
    }
}
