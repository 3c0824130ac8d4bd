//! LSTM and GRU with PyTorch's parameters: one matrix for all gates.
//!
//! ```text
//! LSTM  i, f, o = sigmoid(.)  g = tanh(.)  of  x W_ih' + b_ih + h W_hh' + b_hh, in the order i, f, g, o
//!       c = f c + i g,  h = o tanh(c)
//! GRU   r, z = sigmoid(.),  n = tanh(x W_in' + b_in + r (h W_hn' + b_hn)),  h = (1 - z) n + z h
//! ```
//!
//! The products with the inputs of all steps are one product; burn's own layers make two a gate and
//! step, and keep gates apart, which no PyTorch file does. Cost: length x 4 (3) x hidden x (inputs +
//! hidden) a sample. Reference: Hochreiter & Schmidhuber (1997); Cho et al. (2014).

use burn::{
    module::{Module, Param},
    tensor::{Tensor, activation::sigmoid},
};
use serde::{Deserialize, Serialize};

use super::Start;
use crate::ops::{self, Activation};

/// Kinds of recurrent cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Long short-term memory.
    #[default]
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

impl Cell {
    /// Gates of a cell.
    #[must_use]
    pub const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

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
    #[must_use]
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, length, _] = input.dims();
        let hidden = self.weight_hh.dims()[1];
        let projected =
            ops::linear(input, self.weight_ih.val(), self.bias_ih.val(), Activation::None);
        let zero =
            || Tensor::<2>::zeros([batch, hidden], &projected.device()).cast(projected.dtype());
        let (mut state, mut carry) = (zero(), zero());
        let mut all = Vec::with_capacity(length);
        for step in 0..length {
            let own = projected.clone().narrow(1, step, 1).squeeze_dim::<2>(1);
            let past = ops::linear(
                state.clone(),
                self.weight_hh.val(),
                self.bias_hh.val(),
                Activation::None,
            );
            (state, carry) = match self.cell {
                Cell::Lstm => lstm(own + past, carry, hidden),
                Cell::Gru => (gru(own, past, state, hidden), carry),
            };
            all.push(state.clone());
        }
        Tensor::stack(all, 1)
    }
}

fn gate(values: &Tensor<2>, which: usize, hidden: usize) -> Tensor<2> {
    values.clone().narrow(1, which * hidden, hidden)
}

fn lstm(gates: Tensor<2>, carry: Tensor<2>, hidden: usize) -> (Tensor<2>, Tensor<2>) {
    let [input, forget, new, output] = [0, 1, 2, 3].map(|which| gate(&gates, which, hidden));
    let carry = sigmoid(forget) * carry + sigmoid(input) * new.tanh();
    (sigmoid(output) * carry.clone().tanh(), carry)
}

fn gru(own: Tensor<2>, past: Tensor<2>, state: Tensor<2>, hidden: usize) -> Tensor<2> {
    let both = |which| gate(&own, which, hidden) + gate(&past, which, hidden);
    let (reset, update) = (sigmoid(both(0)), sigmoid(both(1)));
    let new = (gate(&own, 2, hidden) + reset * gate(&past, 2, hidden)).tanh();
    new.clone() + update * (state - new)
}
