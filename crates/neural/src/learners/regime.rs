//! How a network is trained, whatever the network.

use fattail_core::{Error as CoreError, Panel};
use fattail_descent::{Huber, Loss as _, Objective, Truth};
use fattail_fused::mlp::{Head, small};
use fattail_training::{Desk, Engine, Named, Order, Reading, Samples, Training};
use serde::{Deserialize, Serialize};

use super::Kernel;
use crate::{AdamW, Architecture, NeuralModel, Precision, Result, device, engine::Recipe};

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Regime {
    /// The loop.
    pub training: Training,
    /// The loss.
    pub objective: Objective,
    /// The optimiser.
    pub optimiser: AdamW,
    /// The numbers of a pass.
    pub precision: Precision,
    /// Whether activations are computed again in the backward pass instead of being kept.
    pub checkpointing: bool,
    /// The device: `cpu`, `wgpu`, `vulkan` or `cuda`, see [`device`](crate::device). One that is absent
    /// or fails is replaced by the CPU, and the model's `warning` tells why.
    pub device: String,
    /// The bytes that a packed copy of the features may take; beyond it they are read in place.
    pub packed: u64,
}

impl Default for Regime {
    /// The robust recipe: Huber's loss with delta 0.1, gradients no longer than 1.
    fn default() -> Self {
        Self {
            training: Training::default(),
            objective: Huber { delta: 0.1 }.into(),
            optimiser: AdamW::default(),
            precision: Precision::Full,
            checkpointing: false,
            device: "cpu".to_owned(),
            packed: 1 << 30,
        }
    }
}

impl Regime {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.training.check()?;
        self.objective.check()?;
        Ok(self.optimiser.check()?)
    }

    pub(crate) fn recipe(&self) -> Recipe {
        Recipe {
            objective: self.objective,
            optimiser: self.optimiser,
            precision: self.precision,
            checkpointing: self.checkpointing,
        }
    }

    /// The loop, with whole eras together where the loss or the network needs them.
    pub(crate) fn training(&self, architecture: &Architecture) -> Training {
        let mut training = self.training.clone();
        let by_era = matches!(self.objective, Objective::Pearson(_)) || architecture.whole_eras();
        if by_era && training.order != Order::InOrder {
            training.order = Order::Eras;
        }
        training
    }

    /// Trains a network on a panel.
    pub(super) fn fit(
        &self,
        architecture: &Architecture,
        train: &Panel,
        desk: Desk<'_>,
    ) -> Result<NeuralModel> {
        self.fit_on(architecture, Kernel::Auto, train, desk)
    }

    /// The same, with a say in which engine does it.
    pub(super) fn fit_on(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        train: &Panel,
        desk: Desk<'_>,
    ) -> Result<NeuralModel> {
        self.check()?;
        architecture.check()?;
        let samples = self.samples(architecture, train)?;
        let constant = self.constant(&samples);
        let mut weights = architecture.start(self.training.seed)?;
        begin_at(architecture, &samples, constant, &mut weights)?;
        let (mut engine, warning) = self.open(architecture, kernel, &weights)?;
        let training = self.training(architecture);
        let run = training.run(engine.as_mut(), &samples, &self.objective, desk)?;
        let weights = engine.snapshot()?.weights;
        let features = train.schema().features().iter().map(|name| name.to_string()).collect();
        let constant = constant as f32;
        let architecture = architecture.clone();
        Ok(NeuralModel { architecture, features, constant, weights, run: Some(run), warning })
    }

    /// Trains a variational autoencoder, whose features it scales by their moments in training.
    pub(super) fn fit_vae(
        &self,
        architecture: &Architecture,
        train: &Panel,
        desk: Desk<'_>,
    ) -> Result<NeuralModel> {
        self.check()?;
        architecture.check()?;
        let samples = self.samples(architecture, train)?;
        let mut weights = architecture.start(self.training.seed)?;
        scale_by(train, &mut weights);
        let (mut engine, warning) = self.open(architecture, Kernel::Tensors, &weights)?;
        let training = Training { holdout: None, ..self.training.clone() };
        let run = training.run(engine.as_mut(), &samples, &self.objective, desk)?;
        let weights = engine.snapshot()?.weights;
        let features = train.schema().features().iter().map(|name| name.to_string()).collect();
        let architecture = architecture.clone();
        Ok(NeuralModel { architecture, features, constant: 0.0, weights, run: Some(run), warning })
    }

    pub(crate) fn samples(&self, architecture: &Architecture, train: &Panel) -> Result<Samples> {
        let reading = Reading { window: architecture.window(), memory: self.packed };
        Ok(Samples::known(train, &reading)?)
    }

    /// The best constant of the targets.
    pub(crate) fn constant(&self, samples: &Samples) -> f64 {
        let (targets, weights) = (samples.targets(), samples.weights());
        let truth = Truth::new(&targets);
        let weighted = weights.as_ref().and_then(|weights| truth.with_weights(weights).ok());
        self.objective.start(&weighted.unwrap_or(truth))
    }

    /// The engine that trains a network from `weights`, for a loop of one's own.
    ///
    /// ```
    /// use fattail_fused::mlp::{Head, Network};
    /// use fattail_neural::{Architecture, Kernel, Regime};
    /// let shape = Network {
    ///     inputs: 5, hidden: vec![16, 8], input_norm: true, norm: true, residual: true,
    ///     dropout: 0.1, head: Head::Sigmoid,
    /// };
    /// let network = Architecture::Mlp(shape);
    /// let engine = Regime::default().engine(&network, Kernel::Auto, &network.start(7)?)?;
    /// // What a step on 4,096 samples takes, before anything is allocated.
    /// assert!(engine.footprint(4096).total() < 8 << 20);
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the network cannot be built or the weights are not its own.
    pub fn engine(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        weights: &[Named],
    ) -> Result<Box<dyn Engine>> {
        Ok(self.open(architecture, kernel, weights)?.0)
    }

    /// The engine, and why it is on the CPU although another device was asked for.
    fn open(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        weights: &[Named],
    ) -> Result<(Box<dyn Engine>, Option<String>)> {
        let chosen = device::choose(&self.device)?;
        let on_cpu = device::is_cpu(&chosen.device);
        let fits = on_cpu && self.precision == Precision::Full;
        let fused = match (architecture, kernel) {
            (Architecture::Mlp(shape), Kernel::Auto) => fits && small(shape),
            (_, Kernel::Fused) => true,
            _ => false,
        };
        let engine = architecture.engine(weights, &chosen.device, self.recipe(), fused)?;
        Ok((engine, chosen.warning))
    }
}

/// Starts the head at the best constant, so that the first steps do not have to find it.
fn begin_at(
    architecture: &Architecture,
    samples: &Samples,
    constant: f64,
    weights: &mut [Named],
) -> Result<()> {
    let sigmoid = match architecture {
        Architecture::Mlp(shape) => shape.head == Head::Sigmoid,
        Architecture::Features(shape) => shape.sigmoid,
        Architecture::Sequence(shape) => shape.sigmoid,
        Architecture::Recurrent(shape) => shape.sigmoid,
        Architecture::Graph(shape) => shape.sigmoid,
        Architecture::Vae(_) => return Ok(()),
    };
    let mut start = constant;
    if sigmoid {
        let targets = samples.targets();
        if let Some(target) = targets.iter().find(|target| !(0.0..=1.0).contains(*target)) {
            return Err(CoreError::setting("a target", target, "in 0..1 for a sigmoid head").into());
        }
        let share = constant.clamp(1e-3, 1.0 - 1e-3);
        start = (share / (1.0 - share)).ln();
    }
    for tensor in weights.iter_mut().filter(|tensor| tensor.name == "head.bias") {
        tensor.values.fill(start as f32);
    }
    Ok(())
}

/// Sets the centre and the spread of a variational autoencoder's features.
fn scale_by(train: &Panel, weights: &mut [Named]) {
    let rows = train.rows() as f64;
    for feature in 0..train.width() {
        let values = train.feature(feature).to_f64();
        let mean = values.iter().sum::<f64>() / rows;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows;
        let spread = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        for tensor in weights.iter_mut() {
            match tensor.name.as_str() {
                "centre" => tensor.values[feature] = mean as f32,
                "spread" => tensor.values[feature] = spread as f32,
                _ => {}
            }
        }
    }
}
