//! LSTM and GRU with PyTorch's parameters: one matrix for all gates.
//!
//! ```text
//! LSTM  i, f, o = sigmoid(.)  g = tanh(.)  of  x W_ih' + b_ih + h W_hh' + b_hh, in the order i, f, g, o
//!       c = f c + i g,  h = o tanh(c)
//! GRU   r, z = sigmoid(.),  n = tanh(x W_in' + b_in + r (h W_hn' + b_hn)),  h = (1 - z) n + z h
//! ```
//!
//! burn's own layers keep gates apart, which no PyTorch file does. Cost: length x 4 (3) x hidden x (inputs +
//! hidden) a sample. Reference: Hochreiter & Schmidhuber (1997); Cho et al. (2014).

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};
pub use fattail_fused::recurrent::Cell;

use super::{Start, expect_input};
use crate::{
    Result,
    ops::{self, RecurrentWeights},
};

/// One layer of cells over time.
#[derive(Module, Debug)]
pub struct RecurrentLayer {
    /// (gates x hidden) x inputs.
    pub weight_ih: Param<Tensor<2>>,
    /// (gates x hidden) x hidden.
    pub weight_hh: Param<Tensor<2>>,
    /// gates x hidden.
    pub bias_ih: Param<Tensor<1>>,
    /// gates x hidden.
    pub bias_hh: Param<Tensor<1>>,
    #[module(skip)]
    cell: Cell,
}

impl RecurrentLayer {
    /// PyTorch's start: all uniform in `+-1 / sqrt(hidden)`.
    #[must_use]
    pub fn new(cell: Cell, inputs: usize, hidden: usize, start: &mut Start<'_>) -> Self {
        let (rows, bound) = (cell.gates() * hidden, 1.0 / (hidden.max(1) as f32).sqrt());
        Self {
            weight_ih: start.uniform([rows, inputs], bound),
            weight_hh: start.uniform([rows, hidden], bound),
            bias_ih: start.uniform([rows], bound),
            bias_hh: start.uniform([rows], bound),
            cell,
        }
    }

    /// `[batch, length, inputs]` to `[batch, length, hidden]`, the state before the first step being 0.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the last axis of the input is not the layer's inputs,
    /// or an axis is empty.
    pub fn on(&self, input: Tensor<3>) -> Result<Tensor<3>> {
        let [_, inputs] = self.weight_ih.dims();
        expect_input("the input of a recurrent layer", &input.dims(), inputs)?;
        Ok(self.forward(input))
    }

    /// The same, unchecked.
    pub(crate) fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let weights = RecurrentWeights {
            ih: self.weight_ih.val(),
            hh: self.weight_hh.val(),
            bias_ih: self.bias_ih.val(),
            bias_hh: self.bias_hh.val(),
        };
        ops::recur(self.cell, input, weights)
    }
}
