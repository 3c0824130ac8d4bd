//! `y = x W' + b`, W outputs x inputs as PyTorch keeps it.

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use super::{Start, expect_axis, expect_input};
use crate::{
    Length, Result,
    ops::{self, Activation},
};

/// A linear layer.
///
/// ```
/// use fattail_neural::{burn::tensor::Tensor, device, layers::{Dense, Start}};
/// let device = device::cpu()?;
/// let layer = Dense::new(3, 2, &mut Start::new(7, &device));
/// assert_eq!(layer.on(Tensor::<2>::ones([4, 3], &device))?.dims(), [4, 2]);
/// assert!(layer.on(Tensor::<2>::ones([4, 5], &device)).is_err());
/// # Ok::<(), fattail_neural::Error>(())
/// ```
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
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the last axis of the input is not that of the
    /// weight, an axis is empty, or the bias is not as long as the weight has rows.
    pub fn on<const D: usize>(&self, input: Tensor<D>) -> Result<Tensor<D>> {
        let [outputs, inputs] = self.weight.dims();
        expect_input("the input of a linear layer", &input.dims(), inputs)?;
        let bias = self.bias.dims();
        expect_axis("the bias of a linear layer", &bias, 0, Length::Exactly(outputs))?;
        Ok(self.forward(input))
    }

    /// The same, unchecked.
    pub(crate) fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
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
}
