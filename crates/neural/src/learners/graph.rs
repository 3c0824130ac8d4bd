//! Networks on graphs that correlations of the training eras make.

use fattail_core::Panel;
use serde::{Deserialize, Serialize};

use super::{Learner, Regime};
use crate::{
    Adjacency, Architecture, Result, adjacency,
    nets::{GraphKind, GraphShape, Nodes},
};

/// What the nodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphOf {
    /// Features: every row is a signal on the same graph.
    #[default]
    Features,
    /// Assets: the rows of an era, joined as their targets moved together in the training eras. The
    /// panel's ids name them.
    Assets,
}

/// A graph network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GraphNet {
    /// What the nodes are.
    pub of: GraphOf,
    /// Which pairs are joined.
    pub adjacency: Adjacency,
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
    /// Whether predictions lie in 0..1.
    pub sigmoid: bool,
    /// How it is trained.
    pub regime: Regime,
}

impl Default for GraphNet {
    fn default() -> Self {
        Self {
            of: GraphOf::Features,
            adjacency: Adjacency::default(),
            kind: GraphKind::Gatv2,
            layers: 2,
            heads: 2,
            width: 16,
            dropout: 0.1,
            sigmoid: false,
            regime: Regime::default(),
        }
    }
}

impl Learner for GraphNet {
    fn architecture(&self, train: &Panel) -> Result<Architecture> {
        let nodes = match self.of {
            GraphOf::Features => Nodes::Features { graph: self.adjacency.of_features(train)? },
            GraphOf::Assets => {
                let (graph, ids) = self.adjacency.of_assets(train)?;
                let asset = adjacency::nodes(train, &ids);
                Nodes::Assets { graph, ids, asset }
            }
        };
        Ok(Architecture::Graph(GraphShape {
            inputs: train.width(),
            nodes,
            kind: self.kind,
            layers: self.layers,
            heads: self.heads,
            width: self.width,
            dropout: self.dropout,
            sigmoid: self.sigmoid,
        }))
    }

    fn regime(&self) -> &Regime {
        &self.regime
    }
}
