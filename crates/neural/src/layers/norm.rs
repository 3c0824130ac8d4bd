//! `y = (x - mean) / sqrt(variance + 1e-5) w + b` over the last axis. Reference: Ba, Kiros & Hinton
//! (2016).

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use super::Start;
use crate::ops;

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

    /// Normalises the last axis.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        ops::layer_norm(input, self.weight.val(), self.bias.val(), ops_eps())
    }
}

/// PyTorch's.
const fn ops_eps() -> f64 {
    1e-5
}
