//! Networks on graphs that correlations of the training eras make.
//!
//! The eras that judge and the gap before them have no part in the graph: the loss by which weights are
//! chosen is of eras that nothing was learnt from.

use fattail_core::{Error as CoreError, Panel};
use serde::{Deserialize, Serialize};

use super::{Learner, Regime};
use crate::{
    Adjacency, Architecture, Error, Result, adjacency,
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
///
/// ```
/// use fattail_core::{Fit, Panel, Predict};
/// use fattail_neural::{Adjacency, GraphNet, Regime};
/// use fattail_training::{Holdout, Portion, Training};
/// # let wave = |rate: f32| (0..600).map(|row| (row as f32 * rate).sin()).collect::<Vec<f32>>();
/// # let eras: Vec<String> = (0..600).map(|row| format!("{}", row / 60)).collect();
/// # let start = Panel::builder().eras(&eras)?.target("y", wave(0.7));
/// # let panel = start.feature("a", wave(0.7)).feature("b", wave(0.71)).feature("c", wave(3.0)).build()?;
/// let holdout = Some(Holdout { portion: Portion::Eras(2), gap: 1 });
/// let learner = GraphNet {
///     // Each feature with the two that it correlates with most in the first seven of ten eras.
///     adjacency: Adjacency::Nearest { neighbours: 2 },
///     layers: 1,
///     regime: Regime {
///         training: Training { epochs: 2, batch_size: 64, holdout, ..Training::default() },
///         ..Regime::default()
///     },
///     ..GraphNet::default()
/// };
/// let model = learner.fit(&panel)?;
/// assert!(model.predict(&panel)?.iter().all(|prediction| prediction.is_finite()));
/// # Ok::<(), fattail_core::Error>(())
/// ```
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

impl GraphNet {
    /// The eras that the graph may be read from: those that train.
    fn known(&self, train: &Panel) -> Result<Panel> {
        let Some(holdout) = &self.regime.training.holdout else {
            return Ok(train.clone());
        };
        let all = train.eras().len();
        let (eras, held) = holdout.cut(all)?;
        if eras.is_empty() {
            let (gap, held) = (holdout.gap, held.len());
            let part =
                format!("the training part of {all} eras with a gap of {gap} and {held} held out");
            return Err(CoreError::empty(part).into());
        }
        Ok(train.cut(&eras.collect::<Vec<usize>>())?)
    }

    /// Refuses correlations that the run's memory cannot hold, before they are made.
    fn expect_room(&self, nodes: usize, series: usize) -> Result<()> {
        let needs = self.adjacency.bytes(nodes, series);
        match self.regime.training.memory {
            Some(budget) if needs > budget => Err(Error::GraphMemory { nodes, needs, budget }),
            _ => Ok(()),
        }
    }
}

impl Learner for GraphNet {
    fn architecture(&self, train: &Panel) -> Result<Architecture> {
        let known = self.known(train)?;
        let nodes = match self.of {
            GraphOf::Features => {
                let longest = known.eras().ranges().map(|rows| rows.len()).max();
                self.expect_room(known.width(), longest.unwrap_or(0))?;
                Nodes::Features { graph: self.adjacency.of_features(&known)? }
            }
            GraphOf::Assets => {
                self.expect_room(adjacency::ids(&known)?.len(), known.eras().len())?;
                let (graph, ids) = self.adjacency.of_assets(&known)?;
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
