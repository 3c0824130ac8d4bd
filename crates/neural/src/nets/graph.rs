//! A network on a graph: of features, or of the assets of an era.
//!
//! On a graph of features a node is a feature, its first state `x_i w_i + b_i`, and the prediction is read
//! from the mean of all nodes; on a graph of assets a node is a row of the batch and the prediction is read
//! from its own. Layers are `x + relu(layer(norm x))`. Reference: Brody, Alon & Yahav (2022); Xu et al.
//! (2019).

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{
        Tensor, TensorData,
        activation::{relu, sigmoid},
    },
};
use fattail_core::{Error as CoreError, Panel};
use fattail_fused::graph::{Edges as List, Gatv2, Graph, SelfLoops};
use serde::{Deserialize, Serialize};

use crate::{
    Result, adjacency,
    architecture::{positive, rate},
    layers::{Dense, Gatv2Layer, Gatv2Shape, GinLayer, Noise, Norm, Start},
    network::{Input, Memory, Network},
    ops::Edges,
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
        graph.looped().map(drop).map_err(Into::into)
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
    shape: GraphShape,
    #[module(skip)]
    looped: Looped,
}

/// The graph of features with a loop a node, once for all batches.
#[derive(Debug, Clone)]
struct Looped {
    graph: Edges,
    weights: Vec<f32>,
}

impl Weighted {
    /// The graph with a loop a node, whose weight is the mean of what comes in.
    fn looped(&self) -> Result<Looped, fattail_fused::Error> {
        let loops = SelfLoops::new(&self.edges)?;
        let weights = loops.fill(&self.weights, 1)?;
        Ok(Looped { graph: Arc::new(Graph::new(loops.edges().clone())?), weights })
    }
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
        let looped = graph.looped()?;
        let gat = Gatv2Shape {
            inputs: width,
            heads: shape.heads,
            width: width / shape.heads.max(1),
            edge_inputs: 1,
            share: false,
            concat: true,
            negative_slope: 0.2,
        };
        let mut block = |_| GraphBlock {
            norm: Norm::new(width, start),
            gat: (shape.kind == GraphKind::Gatv2).then(|| Gatv2Layer::new(gat, start)),
            gin: (shape.kind == GraphKind::Gin)
                .then(|| GinLayer::new(width, 2 * width, width, start)),
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
            looped,
        })
    }

    fn block(&self, at: usize, on: &Looped, states: Tensor<3>, noise: Noise) -> Tensor<3> {
        let block = &self.layers[at];
        let normed = block.norm.forward(states.clone());
        let out = match (&block.gat, &block.gin) {
            (Some(gat), _) => {
                let edges = on.weights.len();
                let weights = TensorData::new(on.weights.clone(), [edges, 1]);
                let weights =
                    Tensor::<2>::from_data(weights, &normed.device()).cast(normed.dtype());
                gat.forward(&on.graph, normed, Some(weights))
            }
            (None, Some(gin)) => gin.forward(&on.graph, normed),
            (None, None) => normed,
        };
        let [batch, nodes, width] = out.dims();
        let flat = relu(out).reshape([batch * nodes, width]);
        states + noise.dropout(flat, self.shape.dropout, at).reshape([batch, nodes, width])
    }

    fn run(&self, on: &Looped, start: Tensor<3>, noise: Noise) -> Tensor<3> {
        let layers = 0..self.layers.len();
        layers.fold(start, |states, at| self.block(at, on, states, noise))
    }

    /// What the attention takes while it runs, and the features of its edges.
    fn kernel_scratch(&self, samples: usize) -> u64 {
        if self.shape.kind == GraphKind::Gin {
            return 0;
        }
        let (heads, width) = (self.shape.heads, self.shape.width / self.shape.heads.max(1));
        let layer = Gatv2 { batch: samples.max(1), heads, width, negative_slope: 0.2 };
        let threads = rayon::current_num_threads();
        let bytes = layer.workspace_bytes(&self.looped.graph, true, threads).unwrap_or(usize::MAX);
        bytes as u64
            + Memory::values(4 * self.shape.layers * self.looped.weights.len() * self.shape.width)
    }

    fn read(&self, states: Tensor<2>) -> Tensor<1> {
        let out = self.head.forward(self.norm.forward(states)).squeeze_dim(1);
        if self.shape.sigmoid { sigmoid(out) } else { out }
    }

    fn on_features(&self, values: Tensor<2>, noise: Noise) -> Tensor<1> {
        let [samples, _] = values.dims();
        let weight = self.embed_weight.val().unsqueeze::<3>();
        let start = values.unsqueeze_dim::<3>(2) * weight + self.embed_bias.val().unsqueeze::<3>();
        let states = self.run(&self.looped, start, noise);
        self.read(states.mean_dim(1).reshape([samples, self.shape.width]))
    }

    /// One graph of all rows: each era's assets joined among themselves.
    fn on_assets(&self, input: &Input<'_>, asset: &[u32], noise: Noise) -> Tensor<1> {
        let [rows, _] = input.values.dims();
        let on = present(&self.looped, input, asset);
        let start = input.values.clone().matmul(self.embed_weight.val().transpose());
        let start = (start + self.embed_bias.val()).unsqueeze::<3>();
        self.read(self.run(&on, start, noise).reshape([rows, self.shape.width]))
    }
}

/// The edges between the assets that are present, era by era, on the rows of a batch.
fn present(all: &Looped, input: &Input<'_>, asset: &[u32]) -> Looped {
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
    Looped { graph: Arc::new(graph), weights }
}

impl Network for GraphNetwork {
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1> {
        match &self.shape.nodes {
            Nodes::Features { .. } => self.on_features(input.values.clone(), noise),
            Nodes::Assets { asset, .. } => self.on_assets(input, asset, noise),
        }
    }

    fn memory(&self, samples: usize) -> Memory {
        let on_features = !self.shape.on_assets();
        let nodes = samples * if on_features { self.shape.inputs } else { 1 };
        let edges = self.looped.weights.len() * if on_features { samples } else { 1 };
        let (width, layers) = (self.shape.width, self.shape.layers);
        let values = nodes * width;
        let dropped = if self.shape.dropout > 0.0 { 2 } else { 0 };
        // GATv2: the norm, both sides, what is attended, the ReLU, the sum, and the weight of each edge
        // and head. GIN: the norm, the sum, twice the middle of the network inside, its output, the
        // ReLU, the sum.
        let (of_each, weights) = match self.shape.kind {
            GraphKind::Gatv2 => (6 + dropped, edges * self.shape.heads),
            GraphKind::Gin => (9 + dropped, 0),
        };
        let start = values + samples * (self.shape.inputs + 3 * width + 8);
        Memory {
            kept: Memory::values(layers * (of_each * values + weights) + start),
            scratch: Memory::values(3 * values) + self.kernel_scratch(samples),
        }
    }
}
