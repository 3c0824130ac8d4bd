//! A network of tensors with its optimiser, as a training loop sees it.
//!
//! ```text
//! g     = gradient of the mean loss, summed over micro-batches
//! norm  = |g|, refused when not finite or above a bound
//! g    <- g min(1, clip / (norm + 1e-6))
//! AdamW on f32 weights
//! ```
//!
//! In mixed precision the weights that are kept and moved are `f32`; each pass casts them to bf16,
//! multiplies the loss by a scale, and divides the gradient by it. A gradient that overflows halves the
//! scale and changes nothing; many in a row that do not double it (Micikevicius et al. 2018). Panics of
//! burn and of drivers are caught and become faults.

mod adamw;
mod adapt;
mod cast;
mod faults;
mod gradients;
mod leaf;
mod named;
mod small;
#[cfg(all(test, feature = "flex"))]
#[expect(clippy::unwrap_used, reason = "helpers of tests")]
mod tests;
#[cfg(all(test, feature = "flex"))]
mod twins;

use burn::{
    optim::GradientsParams,
    tensor::{Device, FloatDType, Tensor, TensorData},
};
use fattail_core::Error as CoreError;
use fattail_descent::Objective;
use fattail_training::{
    Batch, Counters, Engine, Fault, Footprint, Outcome, Probe, Snapshot, Update,
};
use serde::{Deserialize, Serialize};

pub use self::adamw::AdamW;
pub(crate) use self::adapt::adapt;
pub(crate) use self::faults::guarded;
pub(crate) use self::named::{collect, load};
pub(crate) use self::small::{SmallEngine, row_loss};
use self::{adamw::Moments, named::parameters};
use crate::{
    Error,
    error::Result,
    layers::Noise,
    loss::{self, Known},
    network::{Input, Network, Truth},
};

/// The numbers that passes are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// `f32`.
    #[default]
    Full,
    /// bf16 passes over `f32` weights, with a scaled loss. On the CPU and CUDA; burn 0.22.1 has no bf16 for
    /// Vulkan and WebGPU, and a learner refuses it there.
    Mixed,
}

/// How a network is trained, beside the loop.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Recipe {
    /// The loss.
    pub objective: Objective,
    /// The optimiser.
    pub optimiser: AdamW,
    /// The numbers of a pass.
    pub precision: Precision,
    /// Whether burn recomputes what is cheap instead of keeping it.
    pub checkpointing: bool,
}

/// Bytes of the graph and of names and shapes.
const FIXED: u64 = 320 << 10;

/// The scale that mixed precision begins with, and the steps without overflow that double it.
const SCALE: f64 = 1024.0;
const GROWTH: u64 = 2000;
/// The smallest and largest scale.
const SCALES: (f64, f64) = (1.0, 16_777_216.0);

type Build<N> = Box<dyn Fn(&Device) -> Result<N> + Send>;

/// The engine of networks made of tensors.
pub(crate) struct TensorEngine<N> {
    /// The network and what was added to it, such as adapters.
    build: Build<N>,
    identity: String,
    device: Device,
    network: N,
    recipe: Recipe,
    moments: Moments,
    counters: Counters,
    waiting: Option<GradientsParams>,
}

impl<N: Network> TensorEngine<N> {
    /// A network on a device; `build` makes it, and makes it again when the device is left. `identity`
    /// tells the architecture.
    ///
    /// # Errors
    /// Those of `build`, and mixed precision where the device has no bf16.
    pub(crate) fn new(
        device: &Device,
        recipe: Recipe,
        identity: String,
        build: Build<N>,
    ) -> Result<Self> {
        let mixed = recipe.precision == Precision::Mixed;
        // burn would panic in a thread of its own.
        if mixed && !device.supports_dtype(FloatDType::BF16) {
            let allowed = "full on this device: it has no bf16";
            return Err(CoreError::setting("precision", "mixed", allowed).into());
        }
        let device = training_device(device, &recipe);
        let network = build(&device)?.train();
        let loss_scale = if mixed { SCALE } else { 0.0 };
        let counters = Counters { loss_scale, ..Counters::default() };
        let moments = Moments::default();
        Ok(Self { build, identity, device, network, recipe, moments, counters, waiting: None })
    }

    /// The network, without what training needs.
    pub(crate) fn into_network(self) -> N {
        self.network.valid()
    }

    /// Begins anew on another device: a snapshot is restored next.
    fn rebuild(&mut self, device: &Device) -> Result<()> {
        self.device = training_device(device, &self.recipe);
        self.network = (self.build)(&self.device)?.train();
        self.moments = Moments::default();
        self.waiting = None;
        Ok(())
    }

    fn input<'a>(&self, batch: &Batch<'a>, device: &Device) -> Input<'a> {
        let samples = batch.target.len();
        let values = TensorData::new(batch.features.to_vec(), [samples, batch.width]);
        let values = Tensor::<2>::from_data(values, device);
        let values = if self.is_mixed() { values.cast(FloatDType::BF16) } else { values };
        Input { values, rows: batch.rows, eras: batch.eras }
    }

    fn is_mixed(&self) -> bool {
        self.recipe.precision == Precision::Mixed
    }

    /// The mean loss and its gradient, times `share`.
    fn pass(
        &self,
        batch: &Batch<'_>,
        share: f64,
        noise: Noise,
    ) -> Result<(f64, GradientsParams), Fault> {
        let Some(known) = Known::new(batch, &self.recipe.objective, &self.device) else {
            return Ok((f64::NAN, GradientsParams::new()));
        };
        let truth = Truth::new(&self.recipe.objective, known);
        let input = self.input(batch, &self.device);
        let scale = if self.is_mixed() { self.counters.loss_scale } else { 1.0 };
        if self.is_mixed() {
            let half = cast::half(self.network.clone());
            let loss = half.loss(&input, &truth, noise);
            let value = faults::scalar(loss.clone())?;
            let slopes = loss.mul_scalar(share * scale).backward();
            let slopes = GradientsParams::from_grads(slopes, &half);
            return Ok((value, gradients::scaled(&self.network, slopes, 1.0 / scale)));
        }
        let loss = self.network.loss(&input, &truth, noise);
        // Reading the loss is where a device tells that it failed: before anything is changed.
        let value = faults::scalar(loss.clone())?;
        let slopes = loss.mul_scalar(share).backward();
        Ok((value, GradientsParams::from_grads(slopes, &self.network)))
    }

    /// Whether a refused step is an overflow of the scale, and the scale for the next.
    fn rescale(&mut self, finite: bool) {
        if !self.is_mixed() {
            return;
        }
        let counters = &mut self.counters;
        counters.since_scale += 1;
        if !finite {
            counters.loss_scale = (counters.loss_scale / 2.0).max(SCALES.0);
            counters.since_scale = 0;
        } else if counters.since_scale >= GROWTH {
            counters.loss_scale = (counters.loss_scale * 2.0).min(SCALES.1);
            counters.since_scale = 0;
        }
    }

    fn step(&mut self, update: &Update) -> Result<Outcome, Fault> {
        let Some(waiting) = self.waiting.take() else {
            return Ok(Outcome { norm: 0.0, applied: false });
        };
        let norm = gradients::norm(&self.network, &waiting)?;
        self.rescale(norm.is_finite());
        if !norm.is_finite() || norm > update.refuse_above {
            return Ok(Outcome { norm, applied: false });
        }
        let clip = update.clip_norm.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0));
        let step = adamw::Step { rate: update.rate, scale: clip, limit: update.clip_value };
        self.counters.steps += 1;
        let network = self.network.clone();
        self.network = self.moments.step(network, waiting, &self.recipe.optimiser, &step);
        Ok(Outcome { norm, applied: true })
    }

    fn restored(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        let network = load(self.network.clone(), &snapshot.weights).map_err(faults::failed)?;
        self.moments =
            Moments::read(&network, &snapshot.optimiser, &self.device, snapshot.counters.steps)
                .map_err(faults::failed)?;
        self.network = network;
        self.counters = snapshot.counters;
        self.waiting = None;
        Ok(())
    }
}

/// Bytes beside those of the parameters: two moments, the gradient that waits, and what a step makes
/// beside them, which takes the room of what a pass kept.
fn optimiser(parameters: u64, kept: u64) -> u64 {
    3 * parameters + (parameters / 2).saturating_sub(kept)
}

/// What a network of so many parameters takes, whatever the samples.
pub(crate) fn least(parameters: usize) -> Footprint {
    let parameters = 4 * parameters as u64;
    Footprint { parameters, optimiser: optimiser(parameters, 0), ..Footprint::default() }
}

/// The architecture and the recipe as one text.
fn identity(architecture: &str, recipe: &Recipe) -> String {
    // Plain numbers always can be written.
    format!("{architecture} {}", serde_json::to_string(recipe).unwrap_or_default())
}

fn training_device(device: &Device, recipe: &Recipe) -> Device {
    let device = device.clone().without_autodiff().autodiff();
    if recipe.checkpointing { device.gradient_checkpointing() } else { device }
}

impl<N: Network> Engine for TensorEngine<N> {
    fn identity(&self) -> String {
        identity(&self.identity, &self.recipe)
    }

    fn mass(&self, batch: &Batch<'_>) -> f64 {
        loss::mass(&self.recipe.objective, batch)
    }

    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        let noise = Noise::of(batch.key);
        let device = self.device.clone();
        let passed = guarded(&device, || self.pass(batch, share, noise));
        let (value, found) = match passed {
            Ok(passed) => passed,
            Err(fault) => {
                self.waiting = None;
                return Err(fault);
            }
        };
        let waiting = self.waiting.take();
        self.waiting = Some(match waiting {
            None => found,
            Some(before) => gradients::sum(&self.network, before, found),
        });
        Ok(value)
    }

    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault> {
        let device = self.device.clone();
        guarded(&device, || self.step(update))
    }

    fn discard(&mut self) {
        self.waiting = None;
    }

    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault> {
        let device = self.device.clone();
        guarded(&device, || {
            let network = self.network.valid();
            let network = if self.is_mixed() { cast::half(network) } else { network };
            let input = self.input(batch, &self.device.clone().inner());
            let found = network.forward(&input, Noise::OFF);
            let found = found.cast(FloatDType::F32).try_into_data().map_err(faults::execution)?;
            for (out, value) in out.iter_mut().zip(found.iter::<f32>()) {
                *out = value;
            }
            Ok(())
        })
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        let device = self.device.clone();
        guarded(&device, || {
            let weights = collect(&self.network).map_err(faults::failed)?;
            let optimiser = self.moments.write(&self.network).map_err(faults::failed)?;
            Ok(Snapshot { weights, optimiser, counters: self.counters })
        })
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        let device = self.device.clone();
        guarded(&device, || self.restored(snapshot))
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        let device = self.device.clone();
        guarded(&device, || {
            let (_, found) = self.pass(batch, 1.0, Noise::OFF)?;
            gradients::flat(&self.network, &found)
        })
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        let device = self.device.clone();
        guarded(&device, || {
            let tensors = named::split(&self.network, weights).map_err(faults::failed)?;
            self.network = load(self.network.clone(), &tensors).map_err(faults::failed)?;
            Ok(())
        })
    }

    fn probe(&mut self, batch: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        let device = self.device.clone();
        guarded(&device, || {
            let input = self.input(batch, &self.device.clone().inner());
            let network = self.network.valid();
            let network = if self.is_mixed() { cast::half(network) } else { network };
            network.probe(&input).map_err(faults::failed)
        })
    }

    fn footprint(&self, samples: usize) -> Footprint {
        let parameters = 4 * parameters(&self.network) as u64;
        let fused = crate::device::is_cpu(&self.device) && !self.is_mixed();
        let (copies, memory) = match fused {
            true => (1, self.network.memory(samples)),
            false => (2, self.network.composed_memory(samples)),
        };
        Footprint {
            parameters: copies * parameters,
            optimiser: optimiser(parameters, memory.kept),
            activations: memory.kept,
            workspace: memory.scratch + loss::bytes(&self.recipe.objective, samples) + FIXED,
        }
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        if crate::device::is_cpu(&self.device) {
            return Ok(false);
        }
        let cpu = crate::device::cpu().map_err(faults::failed)?;
        self.rebuild(&cpu).map_err(faults::failed)?;
        Ok(true)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        faults::failed(error)
    }
}
