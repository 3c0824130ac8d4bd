//! LSTM and GRU over windows of rows.

use fattail_core::Panel;
use serde::{Deserialize, Serialize};

use super::{Learner, Regime};
use crate::{Architecture, Result, layers::Cell, nets::RecurrentShape};

/// A recurrent network over windows: a sample is a row and those before it, of the same id where the
/// panel has ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recurrent {
    /// The cell.
    pub cell: Cell,
    /// Rows a sample.
    pub window: usize,
    /// Values of a state.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
    /// The share of values dropped between layers in training.
    pub dropout: f64,
    /// Whether predictions lie in 0..1.
    pub sigmoid: bool,
    /// How it is trained.
    pub regime: Regime,
}

impl Default for Recurrent {
    fn default() -> Self {
        Self {
            cell: Cell::Lstm,
            window: 32,
            hidden: 32,
            layers: 1,
            dropout: 0.1,
            sigmoid: false,
            regime: Regime::default(),
        }
    }
}

impl Learner for Recurrent {
    fn architecture(&self, train: &Panel) -> Result<Architecture> {
        Ok(Architecture::Recurrent(RecurrentShape {
            inputs: train.width(),
            window: self.window,
            cell: self.cell,
            layers: self.layers,
            hidden: self.hidden,
            dropout: self.dropout,
            sigmoid: self.sigmoid,
        }))
    }

    fn regime(&self) -> &Regime {
        &self.regime
    }
}
