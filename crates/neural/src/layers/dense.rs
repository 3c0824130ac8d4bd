//! `y = x W' + b`, W outputs x inputs as PyTorch keeps it.

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use super::Start;
use crate::ops::{self, Activation};

/// A linear layer.
#[derive(Module, Debug)]
pub struct Dense {
    /// Outputs x inputs.
    pub weight: Param<Tensor<2>>,
    /// One value an output.
    pub bias: Param<Tensor<1>>,
}

impl Dense {
    /// PyTorch's start: both uniform in `+-1 / sqrt(inputs)`.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize, start: &mut Start<'_>) -> Self {
        let bound = 1.0 / (inputs.max(1) as f32).sqrt();
        let weight = start.uniform([outputs, inputs], bound);
        Self { weight, bias: start.uniform([outputs], bound) }
    }

    /// `[.., inputs]` to `[.., outputs]`.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        ops::linear(input, self.weight.val(), self.bias.val(), Activation::None)
    }

    /// The same with an activation behind.
    pub(crate) fn activated<const D: usize>(
        &self,
        input: Tensor<D>,
        activation: Activation,
    ) -> Tensor<D> {
        ops::linear(input, self.weight.val(), self.bias.val(), activation)
    }

    /// The number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.bias.dims()[0]
    }
}
