//! Low-rank adapters: a trained network fitted to recent eras, a little.
//!
//! `W + alpha / rank A B`, A outputs x rank, B rank x inputs, on every matrix; only A and B move, and are
//! merged into the weights at the end, so the model is of the same kind as before. Reference: Hu et al.
//! (2022), section 4.1.

use burn::module::Lora;
use fattail_core::{Error as CoreError, Panel};
use fattail_training::Desk;
use serde::{Deserialize, Serialize};

use super::Regime;
use crate::{NeuralModel, Result, architecture::positive};

/// An adapter's settings.
///
/// ```
/// use fattail_core::{Fit, Panel};
/// use fattail_neural::{Adapter, Regime, RobustMlp};
///
/// let x: Vec<f32> = (0..200).map(|row| (row % 20) as f32 / 20.0).collect();
/// let panel = Panel::builder().feature("x", x.clone()).feature("z", vec![0.0f32; 200]);
/// let old = panel.target("y", x.clone()).build()?;
/// let recent = old.with_target_values(x.iter().map(|x| 1.0 - x).collect::<Vec<f32>>())?;
/// let model = RobustMlp { input_norm: false, ..RobustMlp::default() }.fit(&old)?;
/// let adapted = Adapter { rank: 2, alpha: 4.0, regime: Regime::default() }.fit(&model, &recent)?;
/// assert_eq!(adapted.parameters(), model.parameters());
/// # Ok::<(), fattail_neural::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adapter {
    /// The rank of what is added to each matrix.
    pub rank: usize,
    /// What it weighs, times the rank.
    pub alpha: f64,
    /// How it is trained.
    pub regime: Regime,
}

impl Default for Adapter {
    fn default() -> Self {
        Self { rank: 4, alpha: 4.0, regime: Regime::default() }
    }
}

impl Adapter {
    /// Fits a model to a panel of recent eras, which has the model's features.
    ///
    /// # Errors
    /// When a setting is out of range, the panel does not do, or the run fails.
    pub fn fit(&self, model: &NeuralModel, recent: &Panel) -> Result<NeuralModel> {
        self.fit_with(model, recent, Desk::default())
    }

    /// The same with somebody beside.
    ///
    /// # Errors
    /// When a setting is out of range, the panel does not do, or the run fails.
    pub fn fit_with(
        &self,
        model: &NeuralModel,
        recent: &Panel,
        desk: Desk<'_>,
    ) -> Result<NeuralModel> {
        positive("rank", self.rank)?;
        if !(self.alpha > 0.0 && self.alpha.is_finite()) {
            return Err(CoreError::setting("alpha", self.alpha, "positive and finite").into());
        }
        self.regime.check()?;
        let recent = recent.select(&model.features)?;
        let architecture = model.architecture.on(&recent);
        self.regime.expect_weights(&architecture)?;
        let lora = Lora::new(self.rank, self.alpha);
        let (weights, run, warning) =
            architecture.adapted(&model.weights, &self.regime, lora, &recent, desk)?;
        Ok(NeuralModel { weights, run: Some(run), warning, ..model.clone() })
    }
}
