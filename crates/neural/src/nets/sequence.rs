//! A transformer over windows of rows: each sample is the last rows of a series, oldest first.
//!
//! Rows become tokens by one linear layer; rotary positions and a causal view make the last token's state
//! a function of what came before, from which the prediction is read. Reference: Vaswani et al. (2017);
//! Su et al. (2021).

use burn::{module::Module, tensor::Tensor};
use fattail_training::Probe;
use serde::{Deserialize, Serialize};

use super::{activated, blocks, few, gelus, look, unfused, with_head};
use crate::{
    Result,
    layers::{Dense, Encoder, EncoderShape, Noise, Start},
    network::{Input, Memory, Network},
};

/// The shape of a [`SequenceNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SequenceShape {
    /// Features of a row.
    pub inputs: usize,
    /// Rows of a sample.
    pub window: usize,
    /// Layers.
    pub layers: usize,
    /// Their shape.
    pub encoder: EncoderShape,
    /// Whether the prediction lies in 0..1.
    pub sigmoid: bool,
}

/// A transformer over windows.
#[derive(Module, Debug)]
pub struct SequenceNetwork {
    /// A row to a token.
    pub embed: Dense,
    /// The encoder.
    pub encoder: Encoder,
    /// The head.
    pub head: Dense,
    #[module(skip)]
    pub(super) shape: SequenceShape,
}

impl SequenceNetwork {
    /// A network of a shape.
    #[must_use]
    pub fn new(shape: SequenceShape, start: &mut Start<'_>) -> Self {
        let width = shape.encoder.width;
        Self {
            embed: Dense::new(shape.inputs, width, start),
            encoder: Encoder::new(shape.layers, shape.encoder, start),
            head: Dense::new(width, 1, start),
            shape,
        }
    }
}

impl SequenceNetwork {
    /// The first layer's input: a token a row.
    fn start(&self, values: Tensor<2>) -> Tensor<3> {
        let [samples, _] = values.dims();
        let SequenceShape { inputs, window, .. } = self.shape;
        self.embed.forward(values.reshape([samples, window, inputs]))
    }

    /// The prediction from the last layer's output.
    fn read(&self, states: Tensor<3>) -> Tensor<1> {
        let last: Tensor<2> = states.narrow(1, self.shape.window - 1, 1).squeeze_dim(1);
        let out = self.head.forward(self.encoder.norm.forward(last)).squeeze_dim(1);
        activated(out, self.shape.sigmoid)
    }

    fn memory_of(&self, encoder: &EncoderShape, samples: usize) -> Memory {
        let SequenceShape { inputs, window, layers, .. } = self.shape;
        let rows = samples * window;
        let values = rows * (inputs + encoder.width) + samples * (4 * encoder.width + 8);
        let start = Memory { kept: Memory::values(values), scratch: 0 };
        let layer = encoder.memory(samples, window);
        (0..layers).fold(start, |sum, _| sum + layer).beside(Memory::products())
    }
}

impl Network for SequenceNetwork {
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1> {
        self.read(self.encoder.layers(self.start(input.values.clone()), noise))
    }

    fn probe(&self, input: &Input<'_>) -> Result<Vec<Probe>> {
        let (states, all) = look(&self.encoder, self.start(few(input, self.shape.window)))?;
        with_head(all, self.read(states), self.shape.sigmoid)
    }

    fn memory(&self, samples: usize) -> Memory {
        self.memory_of(&self.shape.encoder, samples)
    }

    fn composed_memory(&self, samples: usize) -> Memory {
        let encoder = unfused(&self.shape.encoder);
        let own = blocks(&encoder, samples, self.shape.window);
        let own = own.beside(gelus(&encoder, self.shape.layers, samples, self.shape.window));
        self.memory_of(&encoder, samples).composed().beside(own)
    }
}
