//! Graph layers with PyTorch Geometric's parameters: GATv2 and GIN.
//!
//! GATv2: `left = x W_l' + b_l`, `right = x W_r' + b_r`, attention over the edges into a node, heads side
//! by side or averaged, `x W_res'` where there is a residual path, and a bias. GIN:
//! `MLP((1 + epsilon) x + sum over neighbours)` with Linear, ReLU, Linear inside, on the graph as it is: a loop
//! counts like any other edge.
//! Reference: Brody, Alon & Yahav (2022); Xu et al. (2019).

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};
use fattail_fused::graph::{Edges as List, Gatv2, Gin, Graph, SelfLoops};

use super::{Dense, Start, expect_axis, expect_input};
use crate::{
    Length, Result,
    ops::{self, Activation, Edges},
};

/// A product without a bias.
#[derive(Module, Debug)]
pub struct Projection {
    /// Outputs x inputs.
    pub weight: Param<Tensor<2>>,
}

/// Attention over the edges into a node.
#[derive(Module, Debug)]
pub struct Gatv2Layer {
    /// What a node is as a source.
    pub lin_l: Dense,
    /// What a node is as a target; the same as a source when absent.
    pub lin_r: Option<Dense>,
    /// heads x width.
    pub att: Param<Tensor<2>>,
    /// Of an edge's features, (heads x width) x edge features.
    pub lin_edge: Option<Projection>,
    /// Of the residual path, outputs x inputs.
    pub res: Option<Projection>,
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
    /// Whether a product of a node's input is added to its output.
    pub residual: bool,
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
        let outputs = if shape.concat { rows } else { shape.width };
        let mut product = |rows, columns| Projection { weight: start.glorot(rows, columns) };
        let lin_edge = (shape.edge_inputs > 0).then(|| product(rows, shape.edge_inputs));
        let res = shape.residual.then(|| product(outputs, shape.inputs));
        let att = start.glorot(shape.heads, shape.width);
        Self { lin_l, lin_r, att, lin_edge, res, bias: start.constant([outputs], 0.0), shape }
    }

    /// The layer on a list of edges, each node with a loop whose features are the mean of those that come
    /// in where `loops` is set, as PyTorch Geometric does: `[batch, nodes, inputs]` and, where there are
    /// features, `[edges, edge inputs]` to `[batch, nodes, outputs]`.
    ///
    /// # Errors
    /// When an edge ends at a node that is not there, the nodes or edges of an argument are not those of the
    /// list, an axis has another length than the layer's shape says, or that has a size of 0 or a slope that is
    /// not finite.
    pub fn on(
        &self,
        edges: &List,
        loops: bool,
        input: Tensor<3>,
        features: Option<Tensor<2>>,
    ) -> Result<Tensor<3>> {
        let Gatv2Shape { inputs, heads, width, negative_slope, edge_inputs, .. } = self.shape;
        let dims = input.dims();
        expect_input("the input of a GATv2 layer", &dims, inputs)?;
        expect_axis("the input of a GATv2 layer", &dims, 1, Length::Exactly(edges.nodes))?;
        if let Some(features) = &features {
            let (what, dims) = ("the edges' features of a GATv2 layer", features.dims());
            expect_axis(what, &dims, 0, Length::Exactly(edges.len()))?;
            expect_axis(what, &dims, 1, Length::Exactly(edge_inputs))?;
        }
        let (graph, features) = if loops {
            let looped = Arc::new(SelfLoops::new(edges)?);
            let filled = features.map(|features| ops::fill(&looped, features));
            (Graph::new(looped.edges().clone())?, filled)
        } else {
            (Graph::new(edges.clone())?, features)
        };
        let negative_slope = negative_slope as f32;
        Gatv2 { batch: dims[0], heads, width, negative_slope }.saved_bytes(&graph)?;
        Ok(self.forward(&Arc::new(graph), input, features))
    }

    /// The same on a graph as it is, unchecked.
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
        let right = self
            .lin_r
            .as_ref()
            .map_or_else(|| left.clone(), |side| sides(side.forward(input.clone())));
        let edge = edge.filter(|edge| edge.dims()[0] > 0);
        let edge = self.lin_edge.as_ref().zip(edge).map(|(product, edge)| {
            let edges = edge.dims()[0];
            edge.matmul(product.weight.val().transpose()).reshape([edges, heads, width])
        });
        let out = ops::gatv2(graph, negative_slope, [left, right], edge, self.att.val());
        let out = if concat {
            out.reshape([batch, nodes, heads * width])
        } else {
            out.mean_dim(2).reshape([batch, nodes, width])
        };
        match &self.res {
            Some(res) => {
                out + ops::linear(input, res.weight.val(), self.bias.val(), Activation::None)
            }
            None => out + self.bias.val().unsqueeze::<3>(),
        }
    }
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

    /// The layer on a list of edges, `[batch, nodes, inputs]` to `[batch, nodes, outputs]`.
    ///
    /// # Errors
    /// When an edge ends at a node that is not there, or an axis of the input is empty or of another length than
    /// the list's nodes or the layer's inputs.
    pub fn on(&self, edges: &List, input: Tensor<3>) -> Result<Tensor<3>> {
        let ([_, width], dims) = (self.first.weight.dims(), input.dims());
        expect_input("the input of a GIN layer", &dims, width)?;
        expect_axis("the input of a GIN layer", &dims, 1, Length::Exactly(edges.nodes))?;
        let graph = Graph::new(edges.clone())?;
        Gin { batch: dims[0], width }.workspace_bytes(&graph)?;
        Ok(self.forward(&Arc::new(graph), input))
    }

    /// The same, unchecked.
    pub(crate) fn forward(&self, graph: &Edges, input: Tensor<3>) -> Tensor<3> {
        let sum = ops::gin(graph, input, self.eps.val());
        self.second.forward(self.first.activated(sum, Activation::Relu))
    }
}
