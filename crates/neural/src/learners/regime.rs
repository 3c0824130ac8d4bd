//! How a network is trained, whatever the network.

use fattail_core::{Error as CoreError, Panel};
use fattail_descent::{Absolute, Huber, Loss as _, Objective, Squared, Truth};
use fattail_mlp::small;
use fattail_training::{
    Desk, Engine, Error as TrainingError, Extent, Footprint, Named, Order, Reading, Samples,
    Training,
};
use serde::{Deserialize, Serialize};

use super::Kernel;
use crate::{
    AdamW, Architecture, NeuralModel, Precision, Result,
    device::{self, Chosen},
    engine::{Recipe, least, row_loss},
};

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Regime {
    /// The loop. Losses and graphs of an era get whole eras in a random order where it says `shuffled`,
    /// and refuse `in_order`. Its `memory` is the run's budget: burn 0.22.1 tells of no device what it has
    /// free. Without one, a batch for which memory runs out is halved, stays so, and its gradients are
    /// added up.
    pub training: Training,
    /// The loss.
    pub objective: Objective,
    /// The optimiser.
    pub optimiser: AdamW,
    /// The numbers of a pass; mixed ones are refused by a device that has no bf16.
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

    /// The recipe of a network; a variational autoencoder has a loss of its own.
    pub(crate) fn recipe(&self, architecture: &Architecture) -> Recipe {
        let own = matches!(architecture, Architecture::Vae(_));
        Recipe {
            objective: if own { Squared.into() } else { self.objective },
            optimiser: self.optimiser,
            precision: self.precision,
            checkpointing: self.checkpointing,
        }
    }

    /// The loop, with whole eras together where the loss or the network needs them.
    pub(crate) fn training(&self, architecture: &Architecture) -> Result<Training> {
        let mut training = self.training.clone();
        let by_era = matches!(self.recipe(architecture).objective, Objective::Pearson(_));
        if by_era || architecture.whole_eras() {
            if training.order == Order::InOrder {
                let allowed = "eras or shuffled: the loss or the graph needs whole eras in a step";
                return Err(CoreError::setting("order", "in_order", allowed).into());
            }
            training.order = Order::Eras;
        }
        Ok(training)
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
        let (engine, warning) = self.begin(architecture, kernel, train)?;
        let samples = self.reachable(architecture, train)?;
        let constant = self.constant(&samples)?;
        let mut weights = architecture.start(self.training.seed)?;
        begin_at(architecture, constant, &mut weights);
        let fit = Fit { engine, weights, samples, loss: self.objective };
        let model = self.finish(architecture, fit, train, desk)?;
        Ok(NeuralModel { constant: constant as f32, warning, ..model })
    }

    /// Trains a variational autoencoder, whose features it scales by their moments in the part that is
    /// trained on. A holdout judges by the mean error of the reconstruction.
    pub(super) fn fit_vae(
        &self,
        architecture: &Architecture,
        train: &Panel,
        desk: Desk<'_>,
    ) -> Result<NeuralModel> {
        let (engine, warning) = self.begin(architecture, Kernel::Tensors, train)?;
        let samples = self.samples(architecture, train)?;
        let mut weights = architecture.start(self.training.seed)?;
        scale_by(&self.trained_on(train)?, &mut weights);
        // What it predicts are errors: their mean is their mean distance from targets of 0.
        let loss = Absolute.into();
        let fit = Fit { engine, weights, samples, loss };
        let model = self.finish(architecture, fit, train, desk)?;
        Ok(NeuralModel { warning, ..model })
    }

    /// The eras that are trained on.
    fn trained_on(&self, train: &Panel) -> Result<Panel> {
        let Some(holdout) = &self.training.holdout else {
            return Ok(train.clone());
        };
        let (eras, _) = holdout.cut(train.eras().len())?;
        // Where none is left, the run says so.
        if eras.is_empty() { Ok(train.clone()) } else { Ok(train.cut(&eras.collect::<Vec<_>>())?) }
    }

    /// The engine, its weights all 0, when all settings are in range and the run fits its memory: known
    /// before samples are read and weights are drawn.
    fn begin(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        train: &Panel,
    ) -> Result<(Box<dyn Engine>, Option<String>)> {
        self.check()?;
        architecture.check()?;
        self.expect_weights(architecture)?;
        let opened = self.open(architecture, kernel, device::choose(&self.device)?)?;
        self.expect_room(architecture, opened.0.as_ref(), train)?;
        Ok(opened)
    }

    /// Refuses a network whose weights alone are beyond the budget.
    pub(crate) fn expect_weights(&self, architecture: &Architecture) -> Result<()> {
        let Training { batch_size, memory: Some(budget), .. } = self.training else {
            return Ok(());
        };
        let needs = least(architecture.parameters()?);
        if needs.total() <= budget {
            return Ok(());
        }
        let (samples, beside, largest) = (batch_size, 0, 0);
        Err(TrainingError::Memory { samples, needs, beside, budget, largest }.into())
    }

    /// Refuses a run on a panel that is beyond the budget, before samples are read.
    pub(crate) fn expect_room(
        &self,
        architecture: &Architecture,
        engine: &dyn Engine,
        train: &Panel,
    ) -> Result<()> {
        let training = self.training(architecture)?;
        if training.memory.is_none() {
            return Ok(());
        }
        let reading = self.reading(architecture);
        let extent = Extent::of_panel(train, &reading, training.holdout.as_ref())?;
        let budget = training.budget(engine, &extent);
        match training.divide {
            true => budget.fit(engine, training.batch_size).map(drop)?,
            false => budget.expect(engine, training.batch_size)?,
        }
        Ok(())
    }

    /// Runs the loop and makes the model.
    fn finish(
        &self,
        architecture: &Architecture,
        fit: Fit,
        train: &Panel,
        desk: Desk<'_>,
    ) -> Result<NeuralModel> {
        let Fit { mut engine, weights, samples, loss } = fit;
        engine.set_weights(&flat(&weights))?;
        let training = self.training(architecture)?;
        let run = training.run(engine.as_mut(), &samples, &loss, desk)?;
        let weights = engine.snapshot()?.weights;
        let features = train.schema().features().iter().map(|name| name.to_string()).collect();
        let architecture = architecture.clone();
        let (constant, warning) = (0.0, None);
        Ok(NeuralModel { architecture, features, constant, weights, run: Some(run), warning })
    }

    /// The samples, when the network can reach their targets.
    pub(crate) fn reachable(&self, architecture: &Architecture, train: &Panel) -> Result<Samples> {
        let samples = self.samples(architecture, train)?;
        expect_reachable(architecture, train, &samples)?;
        Ok(samples)
    }

    fn samples(&self, architecture: &Architecture, train: &Panel) -> Result<Samples> {
        Ok(Samples::known(train, &self.reading(architecture))?)
    }

    fn reading(&self, architecture: &Architecture) -> Reading {
        Reading { window: architecture.window(), memory: self.packed }
    }

    /// The best constant of the targets that are trained on.
    fn constant(&self, samples: &Samples) -> Result<f64> {
        let trained_on = match &self.training.holdout {
            Some(holdout) => holdout.split(samples)?.0,
            None => samples.clone(),
        };
        let (targets, weights) = (trained_on.targets(), trained_on.weights());
        let truth = Truth::new(&targets);
        let weighted = weights.as_ref().and_then(|weights| truth.with_weights(weights).ok());
        Ok(self.objective.start(&weighted.unwrap_or(truth)))
    }

    /// What a step on so many samples takes, before samples are read and weights are drawn.
    ///
    /// ```
    /// use fattail_mlp::{Head, Network};
    /// use fattail_neural::{Architecture, Kernel, Regime};
    /// let shape = Network {
    ///     inputs: 5, hidden: vec![16, 8], input_norm: true, norm: true, residual: true,
    ///     dropout: 0.1, head: Head::Sigmoid,
    /// };
    /// let needs = Regime::default().footprint(&Architecture::Mlp(shape), Kernel::Auto, 4096)?;
    /// assert!(needs.total() < 8 << 20);
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`engine`](Self::engine).
    pub fn footprint(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        samples: usize,
    ) -> Result<Footprint> {
        Ok(self.required(architecture, kernel)?.footprint(samples))
    }

    /// The engine that trains a network from `weights`, for a loop of one's own.
    ///
    /// ```
    /// use fattail_neural::{Architecture, Kernel, Regime, nets::VaeShape};
    /// let shape = VaeShape { inputs: 5, hidden: 16, latent: 2, beta: 0.5, free_bits: 0.05 };
    /// let network = Architecture::Vae(shape);
    /// let mut engine = Regime::default().engine(&network, Kernel::Auto, &network.start(7)?)?;
    /// assert_eq!(engine.snapshot()?.weights, network.start(7)?);
    /// // There is no model here that could tell of a fallback.
    /// let absent = Regime { device: "cuda:99".to_owned(), ..Regime::default() };
    /// assert!(absent.engine(&network, Kernel::Auto, &network.start(7)?).is_err());
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the network cannot be built, the weights are not its own, the device is absent, fails or has no
    /// bf16 where precision is mixed, or the kernel cannot do it.
    pub fn engine(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        weights: &[Named],
    ) -> Result<Box<dyn Engine>> {
        let weights = architecture.fitted(weights)?;
        let mut engine = self.required(architecture, kernel)?;
        engine.set_weights(&flat(&weights))?;
        Ok(engine)
    }

    /// The engine on the device that is asked for, its weights all 0.
    fn required(&self, architecture: &Architecture, kernel: Kernel) -> Result<Box<dyn Engine>> {
        let (device, name) = (device::require(&self.device)?, self.device.clone());
        Ok(self.open(architecture, kernel, Chosen { device, name, warning: None })?.0)
    }

    /// The engine on a device, its weights all 0, and why it is on the CPU although another one was asked
    /// for.
    fn open(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        chosen: Chosen,
    ) -> Result<(Box<dyn Engine>, Option<String>)> {
        let recipe = self.recipe(architecture);
        let on_cpu = device::is_cpu(&chosen.device);
        let fits = on_cpu && self.precision == Precision::Full;
        let fused = match (architecture, kernel) {
            (Architecture::Mlp(shape), Kernel::Auto) => {
                fits && small(shape) && row_loss(&recipe.objective).is_some()
            }
            (_, Kernel::Fused) => {
                self.expect_fused(architecture)?;
                true
            }
            _ => false,
        };
        Ok((architecture.engine(&chosen.device, recipe, fused)?, chosen.warning))
    }

    /// Refuses the fused kernel where it would do something else than what is asked for.
    fn expect_fused(&self, architecture: &Architecture) -> Result<()> {
        let refuse = |allowed| Err(CoreError::setting("kernel", "fused", allowed).into());
        if !matches!(architecture, Architecture::Mlp(_)) {
            return refuse("auto or tensors: the network is no perceptron");
        }
        if self.device != "cpu" {
            return refuse("auto or tensors: the device is not the CPU");
        }
        if self.precision == Precision::Mixed {
            return refuse("auto or tensors: the precision is mixed");
        }
        if row_loss(&self.objective).is_none() {
            return refuse("auto or tensors: the loss is one of eras");
        }
        Ok(())
    }
}

/// All that a run begins with.
struct Fit {
    engine: Box<dyn Engine>,
    weights: Vec<Named>,
    samples: Samples,
    /// What judges the holdout.
    loss: Objective,
}

fn flat(weights: &[Named]) -> Vec<f32> {
    weights.iter().flat_map(|tensor| tensor.values.iter().copied()).collect()
}

/// Refuses a target that a sigmoid cannot reach.
fn expect_reachable(architecture: &Architecture, train: &Panel, samples: &Samples) -> Result<()> {
    if !architecture.is_sigmoid() {
        return Ok(());
    }
    let targets = samples.targets();
    let wrong = |target: &f32| !(0.0..=1.0).contains(target);
    let Some((row, target)) = samples.rows().zip(targets).find(|(_, target)| wrong(target)) else {
        return Ok(());
    };
    let era = train.eras().of_row(row as usize).map_or("", |era| train.eras().label(era));
    let found = format!("{target} in era '{era}' at row {row}");
    Err(CoreError::setting("a target", found, "in 0..1 for a sigmoid head").into())
}

/// Starts the head at the best constant, so that the first steps do not have to find it.
fn begin_at(architecture: &Architecture, constant: f64, weights: &mut [Named]) {
    let mut start = constant;
    if architecture.is_sigmoid() {
        let share = constant.clamp(1e-3, 1.0 - 1e-3);
        start = (share / (1.0 - share)).ln();
    }
    for tensor in weights.iter_mut().filter(|tensor| tensor.name == "head.bias") {
        tensor.values.fill(start as f32);
    }
}

/// Sets the centre and the spread of a variational autoencoder's features. A spread below what `f32` tells
/// from the centre is rounding, and taken for 1.
fn scale_by(train: &Panel, weights: &mut [Named]) {
    let rows = train.rows() as f64;
    for feature in 0..train.width() {
        let values = train.feature(feature).to_f64();
        let mean = values.iter().sum::<f64>() / rows;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows;
        let spread = variance.sqrt();
        let told = spread > f64::from(f32::EPSILON) * mean.abs() && (spread as f32).is_normal();
        let spread = if told { spread } else { 1.0 };
        for tensor in weights.iter_mut() {
            match tensor.name.as_str() {
                "centre" => tensor.values[feature] = mean as f32,
                "spread" => tensor.values[feature] = spread as f32,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, values: Vec<f32>) -> Named {
        Named { name: name.to_owned(), shape: vec![values.len()], values }
    }

    #[test]
    fn a_constant_feature_has_no_spread() {
        let rows = 700;
        let wide = (0..rows).map(|row| if row % 2 == 0 { 0.0 } else { 2.0f32 });
        // One step of f32 up and down at 1000.
        let rounded = (0..rows).map(|row| if row % 50 == 0 { 1000.0 } else { 1000.0001f32 });
        let panel = Panel::builder()
            .feature("wide", wide.collect::<Vec<f32>>())
            .feature("tenth", vec![0.1f32; rows])
            .feature("zero", vec![0.0f32; rows])
            .feature("rounded", rounded.collect::<Vec<f32>>())
            .feature("tiny", (0..rows).map(|row| (row % 2) as f32 * 1e-42).collect::<Vec<f32>>())
            .build()
            .unwrap();
        let mut weights = [named("centre", vec![9.0; 5]), named("spread", vec![9.0; 5])];
        scale_by(&panel, &mut weights);
        assert_eq!(weights[1].values, [1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(weights[0].values[..3], [1.0, 0.1, 0.0]);
    }
}
