//! What a training loop asks of a network: gradients, steps, weights. Nothing of how it works.

use fattail_core::Error as CoreError;

use crate::Snapshot;

/// The samples of a mini-batch.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Values, row-major: one row of `width` values a sample.
    pub features: &'a [f32],
    /// Values a sample.
    pub width: usize,
    /// One target a sample; NaN teaches nothing.
    pub target: &'a [f32],
    /// One weight a sample; all 1 without.
    pub weight: Option<&'a [f32]>,
    /// The panel's row of each sample.
    pub rows: &'a [u32],
    /// The panel's era of each sample; samples of an era stand together.
    pub eras: &'a [u32],
    /// What dropout and other noise are a pure function of.
    pub key: u64,
}

impl Batch<'_> {
    /// The sum of the weights, or the number of samples: what a mean over samples stands for.
    #[must_use]
    pub fn mass(&self) -> f64 {
        match self.weight {
            Some(weight) => weight.iter().map(|&weight| f64::from(weight)).sum(),
            None => self.target.len() as f64,
        }
    }
}

/// A step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The learning rate.
    pub rate: f64,
    /// The largest global norm of a gradient; a longer one is shortened (Pascanu et al. 2013).
    pub clip_norm: Option<f64>,
    /// The largest size of an entry; a larger one is cut.
    pub clip_value: Option<f64>,
    /// A gradient whose norm is above this, or not finite, changes nothing.
    pub refuse_above: f64,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The global norm of the gradient before clipping.
    pub norm: f64,
    /// Whether the weights moved.
    pub applied: bool,
}

/// What a layer's activations look like on a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The layer.
    pub layer: String,
    /// The share of units that are active for no sample.
    pub dead: f64,
    /// The share of activations in the flat part of a bounded function.
    pub saturated: f64,
}

/// Bytes that a run takes, each part an upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// The weights, all copies.
    pub parameters: u64,
    /// The optimiser's state and the gradients.
    pub optimiser: u64,
    /// Activations that wait for the backward pass.
    pub activations: u64,
    /// Scratch, batches and what the data need.
    pub workspace: u64,
}

impl Footprint {
    /// All parts together.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.parameters, self.optimiser, self.activations, self.workspace]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// Why an engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Memory ran out; the weights are as before.
    #[error("out of memory: {reason}")]
    OutOfMemory {
        /// What the device said.
        reason: String,
    },
    /// The device does not answer any more; what was on it is lost.
    #[error("the device is lost: {reason}")]
    DeviceLost {
        /// What the device said.
        reason: String,
    },
    /// Anything else; nothing can be done about it.
    #[error(transparent)]
    Failed(#[from] CoreError),
}

/// A network with its optimiser.
///
/// A step is one or more [`gradient`](Engine::gradient)s, added up, and then an
/// [`apply`](Engine::apply) or a [`discard`](Engine::discard).
pub trait Engine {
    /// What tells this engine from others: the architecture and the recipe as text, JSON by
    /// preference. It is the same for the same settings, on every device and in every process:
    /// checkpoints keep it, and a run goes on only from one of an engine that says the same.
    fn identity(&self) -> String;

    /// What the batch's mean loss is a mean over: the weight of its samples, or for a loss by eras the
    /// number of eras that count. Batches whose gradients are added up count in proportion, and a
    /// batch of mass 0 teaches nothing and is left out.
    fn mass(&self, batch: &Batch<'_>) -> f64 {
        batch.mass()
    }

    /// Adds `share` times the gradient of the batch's mean loss to what waits, and gives the mean
    /// loss.
    ///
    /// # Errors
    /// A fault, after which nothing waits and the weights are as before.
    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault>;

    /// Moves the weights along the gradient that waits; nothing waits afterwards.
    ///
    /// # Errors
    /// A fault, after which the weights may be anything: restore a snapshot.
    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault>;

    /// Forgets the gradient that waits.
    fn discard(&mut self);

    /// Writes one prediction a sample, without noise.
    ///
    /// # Errors
    /// A fault; `out` is then unspecified.
    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault>;

    /// Weights and the optimiser's state.
    ///
    /// # Errors
    /// A fault while the device is read.
    fn snapshot(&mut self) -> Result<Snapshot, Fault>;

    /// Puts a snapshot back: the next step is the one that followed it, bit for bit on the CPU.
    ///
    /// # Errors
    /// When the snapshot is of another network, or a fault.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault>;

    /// The gradient of the batch's mean loss without noise, as one vector in the order of the
    /// snapshot's weights. What waits stays.
    ///
    /// # Errors
    /// A fault.
    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault>;

    /// Replaces the weights, in the order of the snapshot's; the optimiser's state stays.
    ///
    /// # Errors
    /// When the length is another, or a fault.
    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault>;

    /// What the activations look like.
    ///
    /// # Errors
    /// A fault.
    fn probe(&mut self, batch: &Batch<'_>) -> Result<Vec<Probe>, Fault>;

    /// What a step on `samples` at a time takes.
    fn footprint(&self, samples: usize) -> Footprint;

    /// Bytes that the device has free for the engine, where it tells: a batch that takes more is divided
    /// from the start.
    fn free_memory(&self) -> Option<u64> {
        None
    }

    /// Moves to the CPU, fresh: a snapshot is restored next. False when it is there already.
    ///
    /// # Errors
    /// When there is no CPU to move to.
    fn leave_device(&mut self) -> Result<bool, Fault>;
}
