//! A network on a graph: of features, or of the assets of an era.
//!
//! On a graph of features a node is a feature, its first state `x_i w_i + b_i`, and the prediction is read
//! from the mean of all nodes; on a graph of assets a node is a row of the batch and the prediction is read
//! from its own. Layers are `x + relu(layer(norm x))`. GATv2 attends over a node's neighbours and itself, by
//! a loop whose weight is the mean of what comes in; GIN counts a node `1 + epsilon` times by itself and
//! takes the graph as it is. Reference: Brody, Alon & Yahav (2022); Xu et al. (2019).

use std::{borrow::Cow, sync::Arc};

use burn::{
    module::{Module, Param},
    tensor::{Tensor, TensorData, activation::relu},
};
use fattail_core::{Error as CoreError, Panel};
use fattail_fused::graph::{Edges as List, Gatv2, GinBlock, Graph, SelfLoops};
use fattail_training::Probe;
use serde::{Deserialize, Serialize};

use super::{activated, dead, few, with_head};
use crate::{
    Result, adjacency,
    architecture::{positive, rate},
    layers::{Dense, Gatv2Layer, Gatv2Shape, GinLayer, Noise, Norm, Start},
    network::{Input, Memory, Network},
    ops::{self, Activation, BlockWeights, Edges},
};

/// Kinds of graph layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphKind {
    /// Attention over neighbours.
    #[default]
    Gatv2,
    /// Sums over neighbours.
    Gin,
}

/// What the nodes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nodes {
    /// Features; the graph is the same for all samples.
    Features {
        /// The graph, and a weight an edge.
        graph: Weighted,
    },
    /// Assets: the rows of an era. `graph` joins all assets.
    Assets {
        /// The graph, and a weight an edge.
        graph: Weighted,
        /// The assets' ids, in the order of the nodes.
        ids: Vec<String>,
        /// The node of each row of the panel at hand; `u32::MAX` where there is none.
        #[serde(skip)]
        asset: Vec<u32>,
    },
}

/// Edges with a weight each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    /// The edges.
    pub edges: List,
    /// One weight an edge, such as a correlation.
    pub weights: Vec<f32>,
}

/// The shape of a [`GraphNetwork`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphShape {
    /// Features of a row.
    pub inputs: usize,
    /// The nodes.
    pub nodes: Nodes,
    /// The layers' kind.
    pub kind: GraphKind,
    /// Layers.
    pub layers: usize,
    /// Heads of attention; they divide the width.
    pub heads: usize,
    /// Values a node.
    pub width: usize,
    /// The share of values that is dropped in training.
    pub dropout: f64,
    /// Whether the prediction lies in 0..1.
    pub sigmoid: bool,
}

impl GraphShape {
    /// The same network for the rows of a panel.
    #[must_use]
    pub(crate) fn on(&self, panel: &Panel) -> Self {
        let mut shape = self.clone();
        if let Nodes::Assets { ids, asset, .. } = &mut shape.nodes {
            *asset = adjacency::nodes(panel, ids);
        }
        shape
    }

    /// Whether nodes are the rows of an era.
    #[must_use]
    pub fn on_assets(&self) -> bool {
        matches!(self.nodes, Nodes::Assets { .. })
    }

    /// Answers whether the network can be built.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("inputs", self.inputs),
            ("layers", self.layers),
            ("heads", self.heads),
            ("width", self.width),
        ];
        sizes.into_iter().try_for_each(|(name, size)| positive(name, size))?;
        rate("dropout", self.dropout)?;
        if !self.width.is_multiple_of(self.heads) {
            return Err(CoreError::setting("heads", self.heads, "a divisor of the width").into());
        }
        let (Nodes::Features { graph } | Nodes::Assets { graph, .. }) = &self.nodes;
        if !self.on_assets() && graph.edges.nodes != self.inputs {
            let nodes = graph.edges.nodes;
            return Err(CoreError::setting("nodes", nodes, "the number of features").into());
        }
        graph.ready(self.kind).map(drop).map_err(Into::into)
    }
}

/// A layer of either kind, with its norm.
#[derive(Module, Debug)]
pub struct GraphBlock {
    /// The norm before.
    pub norm: Norm,
    /// Attention.
    pub gat: Option<Gatv2Layer>,
    /// Sums.
    pub gin: Option<GinLayer>,
}

/// A network on a graph.
#[derive(Module, Debug)]
pub struct GraphNetwork {
    /// nodes x width on features, width x features on assets.
    pub embed_weight: Param<Tensor<2>>,
    /// nodes x width on features, 1 x width on assets.
    pub embed_bias: Param<Tensor<2>>,
    /// The layers.
    pub layers: Vec<GraphBlock>,
    /// The norm before the head.
    pub norm: Norm,
    /// The head.
    pub head: Dense,
    #[module(skip)]
    pub(super) shape: GraphShape,
    #[module(skip)]
    ready: Ready,
}

/// The graph as layers read it, once for all batches.
#[derive(Debug, Clone)]
struct Ready {
    graph: Edges,
    weights: Vec<f32>,
    /// The most edges that some of the nodes can have among themselves, for each of them.
    densest: f64,
}

impl Weighted {
    /// The graph for layers of a kind.
    fn ready(&self, kind: GraphKind) -> Result<Ready, fattail_fused::Error> {
        let (list, weights) = match kind {
            GraphKind::Gatv2 => {
                let loops = SelfLoops::new(&self.edges)?;
                (loops.edges().clone(), loops.fill(&self.weights, 1)?)
            }
            GraphKind::Gin => {
                let (found, expected) = (self.weights.len(), self.edges.len());
                if found != expected {
                    let what = "the weights of edges";
                    return Err(fattail_fused::Error::Length { what, found, expected });
                }
                (self.edges.clone(), self.weights.clone())
            }
        };
        let graph = Graph::new(list)?;
        let densest = densest(graph.edges());
        Ok(Ready { graph: Arc::new(graph), weights, densest })
    }
}

/// The largest of `E_k / k` over k, with E_k a bound on the edges among any k nodes: each has at most its
/// own degree and at most one from each of the k, as often as the most frequent edge stands.
fn densest(edges: &List) -> f64 {
    let mut degrees = vec![0usize; edges.nodes];
    edges.targets.iter().for_each(|&target| degrees[target as usize] += 1);
    degrees.sort_unstable_by_key(|&degree| std::cmp::Reverse(degree));
    let mut pairs: Vec<(u32, u32)> =
        edges.sources.iter().copied().zip(edges.targets.iter().copied()).collect();
    pairs.sort_unstable();
    let often = pairs.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0);
    let mut sums = vec![0];
    degrees.iter().for_each(|degree| sums.push(sums[sums.len() - 1] + degree));
    let share = |count: usize| {
        let cut = degrees[..count].partition_point(|&degree| degree > count * often);
        (cut * count * often + sums[count] - sums[cut]) as f64 / count as f64
    };
    (1..=edges.nodes).map(share).fold(0.0, f64::max)
}

impl GraphNetwork {
    /// A network of a shape.
    ///
    /// # Errors
    /// When the graph has an edge to a node that is not there.
    pub fn new(shape: GraphShape, start: &mut Start<'_>) -> Result<Self, fattail_fused::Error> {
        let (width, inputs) = (shape.width, shape.inputs);
        let on_features = matches!(shape.nodes, Nodes::Features { .. });
        let (rows, nodes) =
            if on_features { ([inputs, width], inputs) } else { ([width, inputs], 1) };
        let bound = 1.0 / (if on_features { width } else { inputs }.max(1) as f32).sqrt();
        let (Nodes::Features { graph } | Nodes::Assets { graph, .. }) = &shape.nodes;
        let ready = graph.ready(shape.kind)?;
        let gat = Gatv2Shape {
            inputs: width,
            heads: shape.heads,
            width: width / shape.heads.max(1),
            edge_inputs: 1,
            share: false,
            concat: true,
            residual: false,
            negative_slope: SLOPE,
        };
        let mut block = |_| GraphBlock {
            norm: Norm::new(width, start),
            gat: (shape.kind == GraphKind::Gatv2).then(|| Gatv2Layer::new(gat, start)),
            gin: (shape.kind == GraphKind::Gin)
                .then(|| GinLayer::new(width, HIDDEN * width, width, start)),
        };
        let layers = (0..shape.layers).map(&mut block).collect();
        let embed_weight = start.uniform(rows, bound);
        let embed_bias = start.uniform([nodes, width], bound);
        let head = Dense::new(width, 1, start);
        Ok(Self {
            embed_weight,
            embed_bias,
            layers,
            norm: Norm::new(width, start),
            head,
            shape,
            ready,
        })
    }

    fn block(
        &self,
        at: usize,
        on: &Ready,
        weights: Option<Tensor<2>>,
        states: Tensor<3>,
        noise: Noise,
    ) -> Tensor<3> {
        let block = &self.layers[at];
        let [batch, nodes, width] = states.dims();
        if let Some(gin) = &block.gin {
            let mask = self.mask(noise, at, batch * nodes);
            return ops::gin_block(&on.graph, states, block_weights(&block.norm, gin), mask);
        }
        let flat = self.units(at, on, weights, states.clone()).reshape([batch * nodes, width]);
        states + noise.dropout(flat, self.shape.dropout, at).reshape([batch, nodes, width])
    }

    /// The units of a layer, before dropout and before the states are added.
    fn units(
        &self,
        at: usize,
        on: &Ready,
        weights: Option<Tensor<2>>,
        states: Tensor<3>,
    ) -> Tensor<3> {
        let GraphBlock { norm, gat, gin } = &self.layers[at];
        let normed = norm.forward(states);
        relu(match (gat, gin) {
            (Some(gat), _) => gat.forward(&on.graph, normed, weights),
            (None, Some(gin)) => gin.forward(&on.graph, normed),
            (None, None) => normed,
        })
    }

    /// What dropout multiplies the values of a layer by.
    fn mask(&self, noise: Noise, at: usize, rows: usize) -> Option<Vec<f32>> {
        let rate = self.shape.dropout;
        let key = noise.key().filter(|_| rate > 0.0)?;
        fattail_mlp::mask(key, at, rows, self.shape.width, rate).ok()
    }

    /// A weight an edge, where attention reads them.
    fn edge_weights(&self, on: &Ready, like: &Tensor<3>) -> Option<Tensor<2>> {
        (self.shape.kind == GraphKind::Gatv2).then(|| {
            let weights = TensorData::new(on.weights.clone(), [on.weights.len(), 1]);
            Tensor::<2>::from_data(weights, &like.device()).cast(like.dtype())
        })
    }

    /// The first states and the graph they stand on: on assets one graph of all rows, each era's assets joined
    /// among themselves.
    fn start(&self, input: &Input<'_>, values: Tensor<2>) -> (Cow<'_, Ready>, Tensor<3>) {
        let (weight, bias) = (self.embed_weight.val(), self.embed_bias.val());
        match &self.shape.nodes {
            Nodes::Features { .. } => {
                (Cow::Borrowed(&self.ready), ops::embed(values, weight, bias))
            }
            Nodes::Assets { asset, .. } => {
                let bias = bias.reshape([self.shape.width]);
                let start = ops::linear(values, weight, bias, Activation::None);
                (Cow::Owned(present(&self.ready, input, asset)), start.unsqueeze::<3>())
            }
        }
    }

    /// The predictions of the last states.
    fn end(&self, states: Tensor<3>) -> Tensor<1> {
        let states = if self.shape.on_assets() {
            let [_, rows, width] = states.dims();
            states.reshape([rows, width])
        } else {
            ops::mean(states)
        };
        let out = self.head.forward(self.norm.forward(states)).squeeze_dim(1);
        activated(out, self.shape.sigmoid)
    }

    /// Nodes of a batch, edges of its graph, and samples that share it.
    fn sizes(&self, samples: usize) -> Sizes {
        if self.shape.on_assets() {
            let edges = (samples as f64 * self.ready.densest).ceil() as usize;
            // The list and both its indices, weights twice, and where each asset stands.
            let own = 13 * edges + 8 * samples + 2 * self.ready.graph.nodes();
            return Sizes { nodes: samples, edges, batch: 1, own };
        }
        let (nodes, edges) = (samples * self.shape.inputs, self.ready.weights.len());
        Sizes { nodes, edges, batch: samples, own: edges }
    }

    /// What a layer of attention keeps, and what it takes while it runs.
    fn attention_memory(&self, sizes: &Sizes) -> (usize, u64) {
        let GraphShape { heads, width, dropout, .. } = self.shape;
        let values = sizes.nodes * width;
        let dropped = if dropout > 0.0 { 2 } else { 0 };
        // The norm, both sides, what is attended, the ReLU and the sum; the weight of each edge and head;
        // what the layer makes of the edges' weights.
        let weights = sizes.batch * sizes.edges * heads;
        let kept = (6 + dropped) * values + weights + sizes.edges * width;
        let kernel = Gatv2 {
            batch: sizes.batch.max(1),
            heads,
            width: width / heads.max(1),
            negative_slope: SLOPE as f32,
        };
        let (graph, threads) = ([sizes.nodes / sizes.batch.max(1), sizes.edges], threads());
        let bytes = kernel.workspace_bytes_of(graph, true, threads).unwrap_or(usize::MAX);
        // The gradients of the sum, of the ReLU and of both sides, and of what the edges give.
        let product = Memory::products().scratch;
        (kept, bytes as u64 + product + Memory::values(3 * values + 3 * sizes.edges * width))
    }

    /// The same of a fused GIN block, in bytes.
    fn block_memory(&self, sizes: &Sizes) -> (u64, u64) {
        let GraphShape { width, dropout, .. } = self.shape;
        let values = Memory::values(sizes.nodes * width);
        let block = GinBlock {
            batch: sizes.batch.max(1),
            width,
            hidden: HIDDEN * width,
            norm_epsilon: 1e-5,
        };
        let nodes = (sizes.nodes / sizes.batch.max(1)).max(1);
        let bytes = block.workspace_bytes(nodes, threads()).unwrap_or(usize::MAX);
        let parameters = Memory::values((2 * HIDDEN * width + HIDDEN + 3) * width + 1);
        // The states, a byte for each, and dropout's mask; in the backward pass the gradients of the
        // output and of the states.
        let masks = if dropout > 0.0 { values } else { 0 };
        (values + values / 4 + masks, bytes as u64 + 2 * values + parameters)
    }

    /// What stands around the layers: the features and the first states, the norm and the head.
    fn around(&self, samples: usize, sizes: &Sizes) -> usize {
        let (inputs, width) = (self.shape.inputs, self.shape.width);
        sizes.nodes * width + samples * (inputs + 3 * width + 8) + sizes.own
    }
}

/// What a batch comes to.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    nodes: usize,
    edges: usize,
    batch: usize,
    /// Values of 4 bytes that the batch's own graph takes.
    own: usize,
}

/// The slope of the leaky ReLU.
const SLOPE: f64 = 0.2;
/// Values between the two layers inside GIN, by the width.
const HIDDEN: usize = 2;

fn threads() -> usize {
    rayon::current_num_threads()
}

fn block_weights(norm: &Norm, gin: &GinLayer) -> BlockWeights {
    BlockWeights {
        norm_weight: norm.weight.val(),
        norm_bias: norm.bias.val(),
        epsilon: gin.eps.val(),
        first_weight: gin.first.weight.val(),
        first_bias: gin.first.bias.val(),
        second_weight: gin.second.weight.val(),
        second_bias: gin.second.bias.val(),
    }
}

/// The edges between the assets that are present, era by era, on the rows of a batch.
fn present(all: &Ready, input: &Input<'_>, asset: &[u32]) -> Ready {
    let nodes = all.graph.nodes();
    let mut list = List { nodes: input.rows.len(), sources: Vec::new(), targets: Vec::new() };
    let mut weights = Vec::new();
    let mut place: Vec<Option<u32>> = vec![None; nodes];
    let mut first = 0;
    for era in input.eras.chunk_by(|a, b| a == b) {
        let own = first..first + era.len();
        first = own.end;
        place.fill(None);
        for row in own {
            if let Some(slot) =
                asset.get(input.rows[row] as usize).and_then(|&node| place.get_mut(node as usize))
            {
                *slot = Some(row as u32);
            }
        }
        let edges = all.graph.edges();
        for (edge, (&from, &to)) in edges.sources.iter().zip(&edges.targets).enumerate() {
            if let (Some(from), Some(to)) = (place[from as usize], place[to as usize]) {
                list.sources.push(from);
                list.targets.push(to);
                weights.push(all.weights[edge]);
            }
        }
    }
    let graph = Graph::new(list).expect("rows of the batch are its nodes");
    Ready { graph: Arc::new(graph), weights, densest: all.densest }
}

impl Network for GraphNetwork {
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1> {
        let (on, start) = self.start(input, input.values.clone());
        let weights = self.edge_weights(&on, &start);
        let block = |states, at| self.block(at, &on, weights.clone(), states, noise);
        self.end((0..self.layers.len()).fold(start, block))
    }

    fn probe(&self, input: &Input<'_>) -> Result<Vec<Probe>> {
        // The assets of an era need one another; samples on a graph of features do not.
        let values = match self.shape.on_assets() {
            true => input.values.clone(),
            false => few(input, self.shape.inputs),
        };
        let (on, mut states) = self.start(input, values);
        let weights = self.edge_weights(&on, &states);
        let mut all = Vec::with_capacity(self.layers.len() + 1);
        for at in 0..self.layers.len() {
            let units = self.units(at, &on, weights.clone(), states.clone());
            let [batch, nodes, width] = units.dims();
            all.push(dead(format!("layers.{at}"), units.clone().reshape([batch * nodes, width]))?);
            states = states + units;
        }
        with_head(all, self.end(states), self.shape.sigmoid)
    }

    fn memory(&self, samples: usize) -> Memory {
        let (layers, sizes) = (self.shape.layers, self.sizes(samples));
        let around = Memory::values(self.around(samples, &sizes));
        let (kept, scratch) = match self.shape.kind {
            GraphKind::Gatv2 => {
                let (kept, scratch) = self.attention_memory(&sizes);
                (Memory::values(layers * kept), scratch)
            }
            GraphKind::Gin => {
                let (kept, scratch) = self.block_memory(&sizes);
                (layers as u64 * kept, scratch)
            }
        };
        Memory { kept: kept + around, scratch }
    }

    fn composed_memory(&self, samples: usize) -> Memory {
        if self.shape.kind == GraphKind::Gatv2 {
            return self.memory(samples).composed();
        }
        let (layers, sizes) = (self.shape.layers, self.sizes(samples));
        let values = sizes.nodes * self.shape.width;
        let dropped = if self.shape.dropout > 0.0 { 2 } else { 0 };
        // The norm, the sum, twice the middle, the output, the ReLU, the sum.
        let kept = layers * (5 + 2 * HIDDEN + dropped) * values + self.around(samples, &sizes);
        // And what runs along each edge.
        let scratch = 3 * values + sizes.batch * sizes.edges * self.shape.width;
        Memory { kept: Memory::values(kept), scratch: Memory::values(scratch) }.composed()
    }
}

#[cfg(all(test, feature = "flex"))]
#[expect(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use burn::tensor::Tensor;

    use super::*;

    fn assets(kind: GraphKind, edges: List) -> GraphNetwork {
        let ids = (0..edges.nodes).map(|node| format!("{node:02}")).collect();
        let weights = vec![0.5; edges.len()];
        let asset = (0..edges.nodes as u32).collect();
        let nodes = Nodes::Assets { graph: Weighted { edges, weights }, ids, asset };
        let (layers, heads, width) = (1, 2, 4);
        let shape = GraphShape {
            inputs: 3,
            nodes,
            kind,
            layers,
            heads,
            width,
            dropout: 0.0,
            sigmoid: false,
        };
        let device = crate::device::cpu().unwrap();
        GraphNetwork::new(shape, &mut Start::new(1, &device)).unwrap()
    }

    /// A hub that all others look at, a clique of four, and a chain.
    fn uneven() -> List {
        let hub = (1..20).map(|node| (node, 0));
        let clique = (1..5).flat_map(|a| (1..5).filter(move |&b| b != a).map(move |b| (a, b)));
        let (sources, targets) =
            hub.chain(clique).chain((5..19).map(|node| (node, node + 1))).unzip();
        List { nodes: 20, sources, targets }
    }

    #[test]
    fn the_densest_part_by_hand() {
        // Each of four looks at two: three among any two or three with their loops.
        let ring = |loops: bool| {
            let own = (0..4).filter(move |_| loops).map(|node| (node, node));
            let others = (0..4).flat_map(|node| [1, 2].map(|step| ((node + step) % 4, node)));
            let (sources, targets) = others.chain(own).unzip();
            List { nodes: 4, sources, targets }
        };
        assert_eq!((densest(&ring(false)), densest(&ring(true))), (2.0, 3.0));
        // Alone, a node of a simple graph has its loop at most; the hub's 19 edges need 19 others.
        assert!(densest(&uneven()) < 5.0);
        let twice = List { nodes: 2, sources: vec![0, 0, 0], targets: vec![1, 1, 1] };
        assert_eq!(densest(&twice), 3.0);
    }

    #[test]
    fn no_batch_of_eras_has_more_edges_than_memory_counts() {
        let device = crate::device::cpu().unwrap();
        for kind in [GraphKind::Gatv2, GraphKind::Gin] {
            let network = assets(kind, uneven());
            let Nodes::Assets { asset, .. } = &network.shape.nodes else { panic!("assets") };
            let mut state = 9u32;
            for present_share in [1u32, 2, 5, 30] {
                let (mut rows, mut eras) = (Vec::new(), Vec::new());
                for era in 0..12 {
                    for row in 0..20 {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        // Now and then the clique alone.
                        let clique = era % 3 == 0 && present_share > 1;
                        let here = if clique {
                            (1..5).contains(&row)
                        } else {
                            (state >> 16).is_multiple_of(present_share)
                        };
                        if here {
                            rows.push(row);
                            eras.push(era);
                        }
                    }
                }
                let values = Tensor::ones([rows.len(), 3], &device);
                let input = Input { values, rows: &rows, eras: &eras };
                let (found, counted) =
                    (present(&network.ready, &input, asset), network.sizes(rows.len()));
                assert!(found.weights.len() <= counted.edges, "{kind:?}, one of {present_share}");
                assert!(found.graph.bytes() <= 4 * counted.own);
            }
        }
    }

    #[test]
    fn memory_grows_with_the_eras_of_a_batch() {
        let network = assets(GraphKind::Gatv2, uneven());
        let bytes = |samples| network.memory(samples).kept;
        // Ten eras of all assets: their edges ten times, with both heads and what the layer makes of them.
        let edges = 10 * network.ready.weights.len() as u64;
        assert!(bytes(200) > 4 * edges * (2 + 4));
        assert!(bytes(200) >= 9 * bytes(20));
        assert!(network.memory(0).kept < 1000);
        for kind in [GraphKind::Gatv2, GraphKind::Gin] {
            let network = assets(kind, uneven());
            let (fused, composed) = (network.memory(200), network.composed_memory(200));
            assert!(composed.kept > 2 * fused.kept);
        }
    }
}
