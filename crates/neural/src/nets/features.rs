//! A transformer over features: one token a feature, or a token for several.
//!
//! Token i of a number is `x_i w_i + b_i`, of a bin `table_i[bin]`; a patch of features goes through one
//! linear layer. Before them stands a token of its own, whose last state the prediction is read from.
//! Positions are in the tokens' own weights. Cost: layers x tokens x width x (4 width + 2 hidden + 2
//! tokens) multiplications a sample. Reference: Gorishniy et al. (2021), section 3.3; Vaswani et al.
//! (2017).

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, TensorData},
};
use fattail_training::Probe;
use serde::{Deserialize, Serialize};

use super::{activated, blocks, few, gelus, look, unfused, with_head};
use crate::{
    Result,
    architecture::positive,
    layers::{Dense, Encoder, EncoderShape, Noise, Start},
    network::{Input, Memory, Network},
};

/// How features become tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "tokens")]
pub enum Tokens {
    /// A number each.
    Numbers,
    /// Bins `0..bins` each; what lies outside is taken to the nearest.
    Bins {
        /// Bins a feature.
        bins: usize,
    },
    /// That many neighbouring features together.
    Patches {
        /// Features a token.
        features: usize,
    },
}

/// The shape of a [`FeatureNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FeatureShape {
    /// Features.
    pub inputs: usize,
    /// How they become tokens.
    pub tokens: Tokens,
    /// Layers.
    pub layers: usize,
    /// Their shape.
    pub encoder: EncoderShape,
    /// Whether the prediction lies in 0..1.
    pub sigmoid: bool,
}

/// A transformer over features.
#[derive(Module, Debug)]
pub struct FeatureNetwork {
    /// tokens x width for numbers, (features x bins) x width for bins, width x features for patches.
    pub token_weight: Param<Tensor<2>>,
    /// tokens x width.
    pub token_bias: Param<Tensor<2>>,
    /// The first token.
    pub class_token: Param<Tensor<1>>,
    /// The encoder.
    pub encoder: Encoder,
    /// The head.
    pub head: Dense,
    #[module(skip)]
    pub(super) shape: FeatureShape,
}

impl Tokens {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Numbers => Ok(()),
            Self::Bins { bins } => positive("bins", bins),
            Self::Patches { features } => positive("features of a patch", features),
        }
    }
}

impl FeatureShape {
    /// Tokens of a sample, without the first one.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.tokens {
            Tokens::Patches { features } => self.inputs.div_ceil(features.max(1)),
            Tokens::Numbers | Tokens::Bins { .. } => self.inputs,
        }
    }
}

impl FeatureNetwork {
    /// A network of a shape.
    #[must_use]
    pub fn new(shape: FeatureShape, start: &mut Start<'_>) -> Self {
        let width = shape.encoder.width;
        let bound = 1.0 / (width.max(1) as f32).sqrt();
        let rows = match shape.tokens {
            Tokens::Numbers => [shape.inputs, width],
            Tokens::Bins { bins } => [shape.inputs * bins, width],
            Tokens::Patches { features } => [width, features],
        };
        Self {
            token_weight: start.uniform(rows, bound),
            token_bias: start.uniform([shape.count(), width], bound),
            class_token: start.uniform([width], bound),
            encoder: Encoder::new(shape.layers, shape.encoder, start),
            head: Dense::new(width, 1, start),
            shape,
        }
    }

    /// `[samples, features]` to `[samples, tokens, width]`.
    fn tokens(&self, values: Tensor<2>) -> Tensor<3> {
        let [samples, _] = values.dims();
        let (count, width) = (self.shape.count(), self.shape.encoder.width);
        let weight = self.token_weight.val();
        let tokens = match self.shape.tokens {
            Tokens::Numbers => values.unsqueeze_dim::<3>(2) * weight.unsqueeze::<3>(),
            Tokens::Bins { bins } => {
                let found = weight.select(0, self.places(values, bins));
                found.reshape([samples, count, width])
            }
            Tokens::Patches { features } => {
                let missing = count * features - self.shape.inputs;
                let values = match missing {
                    0 => values,
                    _ => Tensor::cat(
                        vec![values.clone(), values.narrow(1, 0, missing).zeros_like()],
                        1,
                    ),
                };
                values
                    .reshape([samples * count, features])
                    .matmul(weight.transpose())
                    .reshape([samples, count, width])
            }
        };
        tokens + self.token_bias.val().unsqueeze::<3>()
    }

    /// The row of the table for each value, one behind the other.
    fn places(&self, values: Tensor<2>, bins: usize) -> Tensor<1, Int> {
        let [samples, inputs] = values.dims();
        let last = bins.saturating_sub(1) as f64;
        let bin = values.detach().round().clamp(0.0, last).int();
        let first: Vec<i32> = (0..inputs).map(|feature| (feature * bins) as i32).collect();
        let first = TensorData::new(first, [1, inputs]);
        let first = Tensor::<2, Int>::from_data(first, &bin.device());
        (bin + first).reshape([samples * inputs])
    }
}

impl FeatureNetwork {
    /// The first layer's input: a token of its own, then those of the features.
    fn start(&self, values: Tensor<2>) -> Tensor<3> {
        let tokens = self.tokens(values);
        let [samples, _, width] = tokens.dims();
        let first = self.class_token.val().reshape([1, 1, width]).expand([samples, 1, width]);
        Tensor::cat(vec![first, tokens], 1)
    }

    /// The prediction from the last layer's output.
    fn read(&self, states: Tensor<3>) -> Tensor<1> {
        let first: Tensor<2> = states.narrow(1, 0, 1).squeeze_dim(1);
        let out = self.head.forward(self.encoder.norm.forward(first)).squeeze_dim(1);
        activated(out, self.shape.sigmoid)
    }

    fn memory_of(&self, encoder: &EncoderShape, samples: usize) -> Memory {
        let (length, width) = (self.shape.count() + 1, encoder.width);
        let values = samples * (length * width + self.shape.inputs + 4 * width + 8);
        let start = Memory { kept: Memory::values(values), scratch: 0 };
        let layer = encoder.memory(samples, length);
        (0..self.shape.layers).fold(start, |sum, _| sum + layer)
    }
}

impl Network for FeatureNetwork {
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1> {
        self.read(self.encoder.layers(self.start(input.values.clone()), noise))
    }

    fn probe(&self, input: &Input<'_>) -> Result<Vec<Probe>> {
        let start = self.start(few(input, self.shape.count() + 1));
        let (states, all) = look(&self.encoder, start)?;
        with_head(all, self.read(states), self.shape.sigmoid)
    }

    fn memory(&self, samples: usize) -> Memory {
        self.memory_of(&self.shape.encoder, samples)
    }

    fn composed_memory(&self, samples: usize) -> Memory {
        let encoder = unfused(&self.shape.encoder);
        let length = self.shape.count() + 1;
        let own = blocks(&encoder, samples, length);
        let own = own.beside(gelus(&encoder, self.shape.layers, samples, length));
        self.memory_of(&encoder, samples).composed().beside(own)
    }
}
