//! What a network is to the engine that trains it.

use burn::{module::Module, tensor::Tensor};
use fattail_descent::Objective;
use fattail_fused::linear::THREAD_BYTES;
use fattail_training::Probe;

use crate::{
    Result,
    layers::Noise,
    loss::{self, Known},
};

/// How much more burn's own operations keep and take than fused ones, at most.
const COMPOSED: u64 = 4;

/// Samples on a device.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// `[samples, width]`.
    pub values: Tensor<2>,
    /// The panel's row of each sample.
    pub rows: &'a [u32],
    /// The panel's era of each sample; samples of an era stand together.
    pub eras: &'a [u32],
}

/// A network that predicts one number a sample. Inputs are its own: nobody looks at their shapes here.
pub(crate) trait Network: Module + 'static {
    /// One prediction a sample.
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1>;

    /// The mean loss of a batch; of its predictions, where a network has no other.
    fn loss(&self, input: &Input<'_>, truth: &Truth<'_>, noise: Noise) -> Tensor<1> {
        let prediction = self.forward(input, noise);
        truth.loss(prediction)
    }

    /// What activations look like on samples.
    ///
    /// # Errors
    /// When the device cannot be read.
    fn probe(&self, _input: &Input<'_>) -> Result<Vec<Probe>> {
        Ok(Vec::new())
    }

    /// Bytes that the graph of a forward pass over `samples` keeps for the backward pass, and bytes of
    /// scratch that either takes: both upper bounds for fused operations on the CPU, counted tensor by
    /// tensor and held against measured peaks by `benches/peers/neural`.
    fn memory(&self, samples: usize) -> Memory;

    /// The same where layers are composed of burn's own operations: on GPUs and in half precision. An
    /// upper bound, not measured. Networks with attention add a block of queries.
    fn composed_memory(&self, samples: usize) -> Memory {
        self.memory(samples).composed()
    }
}

/// Bytes of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Memory {
    /// What waits for the backward pass.
    pub kept: u64,
    /// What a pass takes and gives back.
    pub scratch: u64,
}

impl Memory {
    /// Bytes of `count` values of `f32`.
    #[must_use]
    pub(crate) fn values(count: usize) -> u64 {
        4 * count as u64
    }

    /// What threads keep once they have made products of layers. What a product takes beside it, a copy of its input
    /// at most, finds the room of what lies behind the layer and was given back by then.
    #[must_use]
    pub(crate) fn products() -> Self {
        Self { kept: 0, scratch: (rayon::current_num_threads() * THREAD_BYTES) as u64 }
    }

    /// What burn's own operations take, at most, where fused ones take this.
    #[must_use]
    pub(crate) fn composed(self) -> Self {
        let more = |bytes: u64| bytes.saturating_mul(COMPOSED);
        Self { kept: more(self.kept), scratch: more(self.scratch) }
    }

    /// Both at the same time.
    #[must_use]
    pub(crate) fn beside(self, other: Self) -> Self {
        Self {
            kept: self.kept.saturating_add(other.kept),
            scratch: self.scratch.saturating_add(other.scratch),
        }
    }
}

impl std::ops::Add for Memory {
    type Output = Self;

    /// Layers one behind the other: what they keep adds up, what they take is the largest.
    fn add(self, other: Self) -> Self {
        Self {
            kept: self.kept.saturating_add(other.kept),
            scratch: self.scratch.max(other.scratch),
        }
    }
}

/// What predictions are compared with.
#[derive(Debug, Clone)]
pub(crate) struct Truth<'a> {
    objective: &'a Objective,
    known: Known,
}

impl<'a> Truth<'a> {
    pub(crate) fn new(objective: &'a Objective, known: Known) -> Self {
        Self { objective, known }
    }

    /// The mean loss of predictions, a tensor of one value; in `f32` whatever they are in.
    #[must_use]
    pub(crate) fn loss(&self, prediction: Tensor<1>) -> Tensor<1> {
        loss::value(self.objective, prediction.cast(burn::tensor::DType::F32), &self.known)
    }

    /// The weight of each sample, 0 where the target is unknown; they add up to 1.
    #[must_use]
    pub(crate) fn weight(&self) -> Tensor<1> {
        self.known.weight()
    }
}
