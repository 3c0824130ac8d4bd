//! `y = (x - mean) / sqrt(variance + 1e-5) w + b` over the last axis. Reference: Ba, Kiros & Hinton
//! (2016).

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use super::{Start, expect_axis, expect_input};
use crate::{Length, Result, ops};

/// PyTorch's.
const EPSILON: f64 = 1e-5;

/// Layer normalisation.
#[derive(Module, Debug)]
pub struct Norm {
    /// The scale of each value.
    pub weight: Param<Tensor<1>>,
    /// The shift of each value.
    pub bias: Param<Tensor<1>>,
}

impl Norm {
    /// Scale 1 and shift 0.
    #[must_use]
    pub fn new(width: usize, start: &Start<'_>) -> Self {
        Self { weight: start.constant([width], 1.0), bias: start.constant([width], 0.0) }
    }

    /// Normalises the last axis of `[.., width]`.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the last axis of the input is not as long as the
    /// scale, an axis is empty, or the shift is not as long as the scale.
    pub fn on<const D: usize>(&self, input: Tensor<D>) -> Result<Tensor<D>> {
        let [width] = self.weight.dims();
        expect_input("the input of a norm", &input.dims(), width)?;
        expect_axis("the shift of a norm", &self.bias.dims(), 0, Length::Exactly(width))?;
        Ok(self.forward(input))
    }

    /// The same, unchecked.
    pub(crate) fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        ops::layer_norm(input, self.weight.val(), self.bias.val(), EPSILON)
    }
}
