//! LSTM and GRU over windows of rows.

use fattail_core::Panel;
use serde::{Deserialize, Serialize};

use super::{Learner, Regime};
use crate::{Architecture, Result, layers::Cell, nets::RecurrentShape};

/// A recurrent network over windows: a sample is a row and those before it, of the same id where the
/// panel has ids.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict};
/// use fattail_descent::Constant;
/// use fattail_neural::{Recurrent, Regime, layers::Cell};
/// use fattail_training::Training;
///
/// // What comes is what was, two rows before.
/// let x: Vec<f32> = (0..240).map(|row| ((row * 7) % 5) as f32 / 5.0).collect();
/// let y: Vec<f32> = (0..240).map(|row: usize| x[row.saturating_sub(2)]).collect();
/// let panel = Panel::builder().feature("x", x).target("y", y.clone()).build()?;
/// let rate = Constant { rate: 0.01 }.into();
/// let training = Training { epochs: 40, batch_size: 32, rate, ..Training::default() };
/// let regime = Regime { training, ..Regime::default() };
/// let learner =
///     Recurrent { cell: Cell::Gru, window: 3, hidden: 8, regime, ..Recurrent::default() };
/// let predictions = learner.fit(&panel)?.predict(&panel)?;
/// let error = predictions[2..].iter().zip(&y[2..]).map(|(p, y)| (p - y).abs());
/// assert!(error.sum::<f32>() / 238.0 < 0.05);
/// # Ok::<(), fattail_core::Error>(())
/// ```
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
