//! The settings of a run.

use fattail_core::{Error, Result};
use fattail_descent::{Constant, Rate, Schedule, Stop};
use serde::{Deserialize, Serialize};

use crate::{Average, Curvature, Holdout, Order, Policies, Thresholds, mix};

/// How a network is trained. Plain numbers, checked when a run begins.
///
/// ```
/// use fattail_descent::{Cosine, Linear, Sequence, Stop};
/// use fattail_training::{Holdout, Portion, Training};
/// let training = Training {
///     epochs: 20,
///     batch_size: 512,
///     // Up in 1,000 steps, down in 20,000.
///     rate: Sequence {
///         parts: vec![
///             Linear { from: 1e-6, to: 1e-3, steps: 1000 }.into(),
///             Cosine { high: 1e-3, low: 1e-5, period: 20_000, growth: 1 }.into(),
///         ],
///         milestones: vec![1000],
///     }
///     .into(),
///     holdout: Some(Holdout { portion: Portion::Share(0.2), gap: 4 }),
///     stop: vec![Stop::Patience { rounds: 3, min_delta: 0.0 }],
///     ..Training::default()
/// };
/// training.check()?;
/// let odd = Training { batch_size: 0, ..training };
/// assert_eq!(
///     odd.check().unwrap_err().to_string(),
///     "setting 'batch_size' is 0, allowed is at least 1"
/// );
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    /// Passes over the samples.
    pub epochs: u64,
    /// Samples that the network sees together; fewer where memory asks for it.
    pub batch_size: usize,
    /// Batches whose gradients make a step.
    pub accumulate: usize,
    /// The learning rate as a function of the step.
    pub rate: Rate,
    /// The largest global norm of a gradient; a longer one is shortened.
    pub clip_norm: Option<f64>,
    /// The largest size of an entry of a gradient; a larger one is cut.
    pub clip_value: Option<f64>,
    /// The order of the samples.
    pub order: Order,
    /// The eras that judge, if any: the weights that they like best are returned.
    pub holdout: Option<Holdout>,
    /// When to stop: rules on the losses of the epochs, those of the holdout where there is one.
    pub stop: Vec<Stop>,
    /// Which weights are judged and returned.
    pub average: Average,
    /// The seed of orders and noise.
    pub seed: u64,
    /// What is done about each symptom.
    pub policies: Policies,
    /// Where symptoms begin.
    pub thresholds: Thresholds,
    /// The bytes that a run may take, its samples counted; any number without. See
    /// [`Budget`](crate::Budget).
    pub memory: Option<u64>,
    /// Whether a batch that does not fit is divided; otherwise the run is refused.
    pub divide: bool,
    /// Steps between checkpoints, beside those at the ends of epochs; 0 for none.
    pub checkpoint_every: u64,
    /// Steps between looks at activations and norms, beside those at the ends of epochs; 0 for none.
    pub look_every: u64,
    /// How the curvature is measured at the ends of epochs, if it is.
    pub curvature: Option<Curvature>,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 256,
            accumulate: 1,
            rate: Constant { rate: 1e-3 }.into(),
            clip_norm: Some(1.0),
            clip_value: None,
            order: Order::default(),
            holdout: None,
            stop: Vec::new(),
            average: Average::default(),
            seed: 0,
            policies: Policies::default(),
            thresholds: Thresholds::default(),
            memory: None,
            divide: true,
            checkpoint_every: 0,
            look_every: 0,
            curvature: None,
        }
    }
}

impl Training {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size as u64),
            ("accumulate", self.accumulate as u64),
        ];
        if let Some((name, count)) = counts.into_iter().find(|&(_, count)| count == 0) {
            return Err(Error::setting(name, count, "at least 1"));
        }
        let clips = [("clip_norm", self.clip_norm), ("clip_value", self.clip_value)];
        for (name, clip) in clips {
            if let Some(clip) = clip.filter(|clip| *clip <= 0.0 || clip.is_nan()) {
                return Err(Error::setting(name, clip, "positive"));
            }
        }
        self.rate.check()?;
        self.holdout.iter().try_for_each(Holdout::check)?;
        self.stop.iter().try_for_each(Stop::check)?;
        self.average.check()?;
        self.policies.check()?;
        self.thresholds.check()?;
        self.curvature.iter().try_for_each(Curvature::check)
    }

    /// Samples a step.
    pub(crate) fn step_size(&self) -> usize {
        self.batch_size.saturating_mul(self.accumulate)
    }

    /// A number that tells these settings from others.
    pub(crate) fn fingerprint(&self) -> u64 {
        // Settings are plain numbers, which always can be written.
        mix::text(&serde_json::to_string(self).unwrap_or_default())
    }
}
