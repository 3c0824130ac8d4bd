//! A variational autoencoder as a transform: features in, latent means out.

use fattail_core::{Fit, Panel, Transform};
use fattail_training::Desk;
use serde::{Deserialize, Serialize};

use super::Regime;
use crate::{Architecture, NeuralModel, Result, nets::VaeShape};

/// A variational autoencoder.
///
/// It learns from features alone, and from each row by its weight. Fitted, it is a transform: `keep` says whether the latent means
/// `vae_0`, `vae_1`, ... stand behind the features or in their place.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_neural::Vae;
///
/// let x: Vec<f32> = (0..200).map(|row| (row % 13) as f32).collect();
/// let panel = Panel::builder()
///     .feature("a", x.clone())
///     .feature("b", x.iter().map(|x| 2.0 * x).collect::<Vec<f32>>())
///     .build()?;
/// let model = Vae { latent: 1, hidden: 8, ..Vae::default() }.fit(&panel)?;
/// let squeezed = model.transform(panel.clone())?;
/// assert_eq!(squeezed.schema().features()[0].as_ref(), "vae_0");
/// // How badly each row is told from its latent values: a drift score.
/// assert_eq!(model.drift(&panel)?.len(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vae {
    /// Latent values.
    pub latent: usize,
    /// Values in the middle layers.
    pub hidden: usize,
    /// What the divergence weighs.
    pub beta: f64,
    /// What each latent value may tell for nothing, in nats.
    pub free_bits: f64,
    /// Whether the features stay.
    pub keep: bool,
    /// How it is trained; its loss plays no part. A holdout chooses the weights that reconstruct it best.
    pub regime: Regime,
}

impl Default for Vae {
    fn default() -> Self {
        Self {
            latent: 8,
            hidden: 64,
            beta: 0.5,
            free_bits: 0.05,
            keep: false,
            regime: Regime::default(),
        }
    }
}

/// A fitted [`Vae`].
#[derive(Debug, Clone)]
pub struct VaeModel {
    /// The network.
    pub model: NeuralModel,
    /// Whether the features stay.
    pub keep: bool,
}

impl Vae {
    /// Fits with somebody beside.
    ///
    /// # Errors
    /// When a setting is out of range, a feature is not finite, or the run fails.
    pub fn fit_with(&self, train: &Panel, desk: Desk<'_>) -> Result<VaeModel> {
        let architecture = Architecture::Vae(VaeShape {
            inputs: train.width(),
            hidden: self.hidden,
            latent: self.latent,
            beta: self.beta,
            free_bits: self.free_bits,
        });
        // Nothing is predicted: every row of some weight teaches, whether its target is known or not.
        let mut blind = train.without_targets().append_target("none", vec![0.0; train.rows()])?;
        if let Some(weights) = train.weights() {
            blind = blind.with_weights(weights.to_f32())?;
        }
        let model = self.regime.fit_vae(&architecture, &blind, desk)?;
        Ok(VaeModel { model, keep: self.keep })
    }
}

impl Fit for Vae {
    type Fitted = VaeModel;

    fn fit(&self, train: &Panel) -> fattail_core::Result<VaeModel> {
        Ok(self.fit_with(train, Desk::default())?)
    }
}

impl VaeModel {
    /// The mean squared error of each row's features, in units of their variance in training: large
    /// where a row looks like none of the training rows.
    ///
    /// # Errors
    /// When the panel lacks a feature or one is not finite.
    pub fn drift(&self, panel: &Panel) -> Result<Vec<f32>> {
        self.model.predict_on(panel, &crate::device::cpu()?)
    }
}

impl Transform for VaeModel {
    fn transform(&self, panel: Panel) -> fattail_core::Result<Panel> {
        let latent = self.model.latent(&panel)?;
        let named = |(at, values)| (format!("vae_{at}"), values);
        let columns = latent.into_iter().enumerate().map(named);
        if self.keep { panel.append_features(columns) } else { panel.with_features(columns) }
    }
}
