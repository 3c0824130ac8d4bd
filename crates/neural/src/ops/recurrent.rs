//! A layer of LSTM or GRU cells over time.

use burn::tensor::{Tensor, activation::sigmoid};
use fattail_fused::recurrent::Cell;

use super::{Activation, fusable, linear};

/// Parameters of a layer, as PyTorch keeps them.
#[derive(Debug, Clone)]
pub(crate) struct RecurrentWeights {
    pub ih: Tensor<2>,
    pub hh: Tensor<2>,
    pub bias_ih: Tensor<1>,
    pub bias_hh: Tensor<1>,
}

impl RecurrentWeights {
    fn are_fusable(&self) -> bool {
        [&self.ih, &self.hh].into_iter().all(fusable)
            && [&self.bias_ih, &self.bias_hh].into_iter().all(fusable)
    }
}

/// `[batch, length, inputs]` to the states `[batch, length, hidden]`; before the first step they are 0.
pub(crate) fn recur(cell: Cell, input: Tensor<3>, weights: RecurrentWeights) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if fusable(&input) && weights.are_fusable() && input.shape().num_elements() > 0 {
        return fused::recur(cell, input, weights);
    }
    composed(cell, input, weights)
}

/// The products with the inputs of all steps are one product.
fn composed(cell: Cell, input: Tensor<3>, weights: RecurrentWeights) -> Tensor<3> {
    let [batch, length, _] = input.dims();
    let hidden = weights.hh.dims()[1];
    let projected = linear(input, weights.ih, weights.bias_ih, Activation::None);
    let zero = || Tensor::<2>::zeros([batch, hidden], &projected.device()).cast(projected.dtype());
    let (mut state, mut carry) = (zero(), zero());
    let mut all = Vec::with_capacity(length);
    for step in 0..length {
        let own = projected.clone().narrow(1, step, 1).squeeze_dim::<2>(1);
        let (hh, bias) = (weights.hh.clone(), weights.bias_hh.clone());
        let past = linear(state.clone(), hh, bias, Activation::None);
        (state, carry) = match cell {
            Cell::Lstm => lstm(own + past, carry, hidden),
            Cell::Gru => (gru(own, past, state, hidden), carry),
        };
        all.push(state.clone());
    }
    Tensor::stack(all, 1)
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

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::recurrent::{Cell, Record, Recurrent, RecurrentGradients, Weights};

    use super::RecurrentWeights;
    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Layer(Recurrent);

    pub(super) fn recur(cell: Cell, input: Tensor<3>, weights: RecurrentWeights) -> Tensor<3> {
        let [samples, length, inputs] = input.dims();
        let hidden = weights.hh.dims()[1];
        let all = Inputs::Five(
            input.into_dispatch(),
            weights.ih.into_dispatch(),
            weights.hh.into_dispatch(),
            weights.bias_ih.into_dispatch(),
            weights.bias_hh.into_dispatch(),
        );
        run(all, Layer(Recurrent { samples, length, inputs, hidden, cell }))
    }

    fn weights<'a>(inputs: &[&'a [f32]]) -> Weights<'a> {
        Weights { ih: inputs[1], hh: inputs[2], bias_ih: inputs[3], bias_hh: inputs[4] }
    }

    impl Operation for Layer {
        type Saved = Vec<f32>;

        fn shape(&self) -> Vec<usize> {
            vec![self.0.samples, self.0.length, self.0.hidden]
        }

        fn forward(&self, inputs: &[&[f32]], training: bool) -> (Vec<f32>, Vec<f32>) {
            let mut states = vec![0.0; self.0.samples * self.0.length * self.0.hidden];
            let mut saved = vec![0.0; if training { self.0.saved_len() } else { 0 }];
            let done = self.0.forward(inputs[0], weights(inputs), &mut states, &mut saved);
            done.expect("shapes are checked");
            (states, saved)
        }

        fn backward(&self, pass: &Pass<'_, Vec<f32>>) -> Vec<Option<Vec<f32>>> {
            let zeros = |at: usize| vec![0.0; pass.inputs[at].len()];
            let mut input = pass.wanted[0].then(|| zeros(0));
            let [mut ih, mut hh, mut bias_ih, mut bias_hh] = [1, 2, 3, 4].map(zeros);
            let gradients = RecurrentGradients {
                input: input.as_deref_mut(),
                ih: &mut ih,
                hh: &mut hh,
                bias_ih: &mut bias_ih,
                bias_hh: &mut bias_hh,
            };
            let record = Record { input: pass.inputs[0], states: pass.output, saved: pass.saved };
            let done = self.0.backward(weights(pass.inputs), record, pass.gradient, gradients);
            done.expect("shapes are checked");
            vec![input, Some(ih), Some(hh), Some(bias_ih), Some(bias_hh)]
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn the_kernel_is_the_composition() {
        for cell in [Cell::Lstm, Cell::Gru] {
            let gates = cell.gates() * 6;
            let inputs = [5 * 7 * 3, gates * 3, gates * 6, gates, gates]
                .map(|len| random([len], len as u64));
            let parts = |x: &[Tensor<1>]| {
                let weights = RecurrentWeights {
                    ih: x[1].clone().reshape([gates, 3]),
                    hh: x[2].clone().reshape([gates, 6]),
                    bias_ih: x[3].clone(),
                    bias_hh: x[4].clone(),
                };
                (x[0].clone().reshape([5, 7, 3]), weights)
            };
            check(
                &inputs,
                |x| {
                    let (input, weights) = parts(x);
                    recur(cell, input, weights)
                },
                |x| {
                    let (input, weights) = parts(x);
                    composed(cell, input, weights)
                },
            );
        }
    }
}
