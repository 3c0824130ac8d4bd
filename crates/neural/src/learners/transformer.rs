//! Transformers over features and over windows of rows.

use fattail_core::Panel;
use serde::{Deserialize, Serialize};

use super::{Learner, Regime};
use crate::{
    Architecture, Result,
    layers::EncoderShape,
    nets::{FeatureShape, SequenceShape, Tokens},
};

/// A transformer whose tokens are features.
///
/// Bins of up to `most_bins` values get a vector each where all features are bins; numbers are scaled
/// vectors; with `patch` features share a token, which is how thousands of features stay affordable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeatureTransformer {
    /// Values a token.
    pub width: usize,
    /// Heads; they divide the width.
    pub heads: usize,
    /// Layers.
    pub layers: usize,
    /// Values in the middle of a layer's feed-forward part.
    pub hidden: usize,
    /// Features a token; 1 gives each its own.
    pub patch: usize,
    /// The most bins that get vectors of their own.
    pub most_bins: usize,
    /// The share of values that is dropped in training.
    pub dropout: f64,
    /// Whether predictions lie in 0..1.
    pub sigmoid: bool,
    /// How it is trained.
    pub regime: Regime,
}

impl Default for FeatureTransformer {
    fn default() -> Self {
        Self {
            width: 32,
            heads: 4,
            layers: 2,
            hidden: 64,
            patch: 1,
            most_bins: 8,
            dropout: 0.1,
            sigmoid: false,
            regime: Regime::default(),
        }
    }
}

impl FeatureTransformer {
    fn tokens(&self, train: &Panel) -> Tokens {
        if self.patch > 1 {
            return Tokens::Patches { features: self.patch };
        }
        let highest = |feature: usize| {
            let column = train.feature(feature);
            let bins = column.is_u8().then(|| {
                column.eras().flat_map(|values| values.iter().map(|value| value as usize)).max()
            });
            bins.flatten()
        };
        let highest: Option<Vec<usize>> = (0..train.width()).map(highest).collect();
        let bins = highest.and_then(|all| all.into_iter().max()).map(|highest| highest + 1);
        match bins.filter(|&bins| bins <= self.most_bins) {
            Some(bins) => Tokens::Bins { bins },
            None => Tokens::Numbers,
        }
    }

    fn encoder(&self) -> EncoderShape {
        EncoderShape {
            width: self.width,
            heads: self.heads,
            hidden: self.hidden,
            norm_first: true,
            causal: false,
            gelu: true,
            rotary: None,
            dropout: self.dropout,
            recompute: self.regime.checkpointing,
        }
    }
}

impl Learner for FeatureTransformer {
    fn architecture(&self, train: &Panel) -> Result<Architecture> {
        Ok(Architecture::Features(FeatureShape {
            inputs: train.width(),
            tokens: self.tokens(train),
            layers: self.layers,
            encoder: self.encoder(),
            sigmoid: self.sigmoid,
        }))
    }

    fn regime(&self) -> &Regime {
        &self.regime
    }
}

/// A transformer over windows: a sample is a row and those before it, of the same id where the panel has
/// ids. It looks back, never ahead.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict};
/// use fattail_descent::Constant;
/// use fattail_neural::{Regime, SequenceTransformer};
/// use fattail_training::Training;
///
/// // What comes is what was, two rows before.
/// let x: Vec<f32> = (0..240).map(|row| ((row * 7) % 5) as f32 / 5.0).collect();
/// let y: Vec<f32> = (0..240).map(|row: usize| x[row.saturating_sub(2)]).collect();
/// let panel = Panel::builder().feature("x", x).target("y", y.clone()).build()?;
/// let rate = Constant { rate: 0.01 }.into();
/// let training = Training { epochs: 40, batch_size: 32, rate, ..Training::default() };
/// let learner = SequenceTransformer {
///     window: 3, width: 8, heads: 2, hidden: 16, layers: 1, dropout: 0.0,
///     regime: Regime { training, ..Regime::default() },
///     ..SequenceTransformer::default()
/// };
/// let predictions = learner.fit(&panel)?.predict(&panel)?;
/// let error = predictions[2..].iter().zip(&y[2..]).map(|(p, y)| (p - y).abs());
/// assert!(error.sum::<f32>() / 238.0 < 0.05);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SequenceTransformer {
    /// Rows a sample.
    pub window: usize,
    /// Values a row becomes.
    pub width: usize,
    /// Heads; they divide the width into even parts.
    pub heads: usize,
    /// Layers.
    pub layers: usize,
    /// Values in the middle of a layer's feed-forward part.
    pub hidden: usize,
    /// The base of the rotary positions.
    pub base: f32,
    /// The share of values that is dropped in training.
    pub dropout: f64,
    /// Whether predictions lie in 0..1.
    pub sigmoid: bool,
    /// How it is trained.
    pub regime: Regime,
}

impl Default for SequenceTransformer {
    fn default() -> Self {
        Self {
            window: 32,
            width: 32,
            heads: 4,
            layers: 2,
            hidden: 64,
            base: 10_000.0,
            dropout: 0.1,
            sigmoid: false,
            regime: Regime::default(),
        }
    }
}

impl Learner for SequenceTransformer {
    fn architecture(&self, train: &Panel) -> Result<Architecture> {
        let encoder = EncoderShape {
            width: self.width,
            heads: self.heads,
            hidden: self.hidden,
            norm_first: true,
            causal: true,
            gelu: true,
            rotary: Some(self.base),
            dropout: self.dropout,
            recompute: self.regime.checkpointing,
        };
        Ok(Architecture::Sequence(SequenceShape {
            inputs: train.width(),
            window: self.window,
            layers: self.layers,
            encoder,
            sigmoid: self.sigmoid,
        }))
    }

    fn regime(&self) -> &Regime {
        &self.regime
    }
}
