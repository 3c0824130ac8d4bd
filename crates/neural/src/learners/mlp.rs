//! The perceptron of the robust recipe.

use fattail_core::Panel;
use fattail_mlp::{Head, Network};
use fattail_training::Desk;
use serde::{Deserialize, Serialize};

use super::{Learner, Regime};
use crate::{Architecture, NeuralModel, Result};

/// What computes a perceptron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// The fused kernel for small networks on the CPU, tensors otherwise.
    #[default]
    Auto,
    /// The fused kernel: refused on another device than the CPU, in mixed precision, and with a loss of
    /// eras.
    Fused,
    /// Tensors.
    Tensors,
}

/// `norm -> (linear -> norm -> ReLU -> dropout [+ input]) x layers -> linear -> sigmoid`.
///
/// With five features and the default layers it has 299 parameters, those of the robust-training report.
/// A residual joins a layer to one of the same width. The sigmoid asks for targets in 0..1, such as
/// ranks.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict};
/// use fattail_neural::{Regime, RobustMlp};
/// use fattail_training::Training;
///
/// let x: Vec<f32> = (0..400).map(|row| (row % 20) as f32 / 20.0).collect();
/// let z: Vec<f32> = (0..400).map(|row| (row % 7) as f32 / 7.0).collect();
/// let y: Vec<f32> = x.iter().zip(&z).map(|(x, z)| 0.25 + 0.5 * x * z).collect();
/// let panel = Panel::builder().feature("x", x).feature("z", z).target("y", y).build()?;
/// let training = Training { epochs: 40, batch_size: 32, ..Training::default() };
/// let learner = RobustMlp {
///     dropout: 0.0,
///     input_norm: false,
///     regime: Regime { training, ..Regime::default() },
///     ..RobustMlp::default()
/// };
/// let predictions = learner.fit(&panel)?.predict(&panel)?;
/// let error = predictions.iter().zip(panel.target()?.to_f32()).map(|(p, y)| (p - y).abs());
/// assert!(error.sum::<f32>() / 400.0 < 0.05);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RobustMlp {
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Whether the features of a row are normalised among themselves.
    pub input_norm: bool,
    /// Whether hidden values are.
    pub norm: bool,
    /// Whether a layer is joined to one of the same width before it.
    pub residual: bool,
    /// The share of hidden values that is dropped in training.
    pub dropout: f64,
    /// What the last layer goes through.
    pub head: Head,
    /// What computes it.
    pub kernel: Kernel,
    /// How it is trained.
    pub regime: Regime,
}

impl Default for RobustMlp {
    fn default() -> Self {
        Self {
            hidden: vec![16, 8],
            input_norm: true,
            norm: true,
            residual: true,
            dropout: 0.1,
            head: Head::Sigmoid,
            kernel: Kernel::Auto,
            regime: Regime::default(),
        }
    }
}

impl RobustMlp {
    /// The network for so many features.
    #[must_use]
    pub fn network(&self, inputs: usize) -> Network {
        Network {
            inputs,
            hidden: self.hidden.clone(),
            input_norm: self.input_norm,
            norm: self.norm,
            residual: self.residual,
            dropout: self.dropout,
            head: self.head,
        }
    }
}

impl Learner for RobustMlp {
    fn architecture(&self, train: &Panel) -> Result<Architecture> {
        Ok(Architecture::Mlp(self.network(train.width())))
    }

    fn regime(&self) -> &Regime {
        &self.regime
    }

    fn fit_with(&self, train: &Panel, desk: Desk<'_>) -> Result<NeuralModel> {
        self.regime.fit_on(&self.architecture(train)?, self.kernel, train, desk)
    }
}
