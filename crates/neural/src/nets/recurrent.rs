//! LSTM or GRU over windows of rows, the prediction read from the last state.

use burn::{
    module::Module,
    tensor::{Tensor, activation::sigmoid},
};
use fattail_fused::recurrent::Recurrent;
use fattail_training::Probe;
use serde::{Deserialize, Serialize};

use super::{activated, few, saturated, with_head};
use crate::{
    Result,
    layers::{Cell, Dense, Noise, RecurrentLayer, Start},
    network::{Input, Memory, Network},
    ops::{self, Activation},
};

/// The shape of a [`RecurrentNetwork`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RecurrentShape {
    /// Features of a row.
    pub inputs: usize,
    /// Rows of a sample.
    pub window: usize,
    /// The cell.
    pub cell: Cell,
    /// Layers.
    pub layers: usize,
    /// Values of a state.
    pub hidden: usize,
    /// The share of values dropped between layers in training.
    pub dropout: f64,
    /// Whether the prediction lies in 0..1.
    pub sigmoid: bool,
}

/// A recurrent network over windows.
#[derive(Module, Debug)]
pub struct RecurrentNetwork {
    /// The layers.
    pub layers: Vec<RecurrentLayer>,
    /// The head.
    pub head: Dense,
    #[module(skip)]
    pub(super) shape: RecurrentShape,
}

impl RecurrentNetwork {
    /// A network of a shape.
    #[must_use]
    pub fn new(shape: RecurrentShape, start: &mut Start<'_>) -> Self {
        let inputs = |layer| if layer == 0 { shape.inputs } else { shape.hidden };
        let layer = |at| RecurrentLayer::new(shape.cell, inputs(at), shape.hidden, start);
        let layers = (0..shape.layers).map(layer).collect();
        Self { layers, head: Dense::new(shape.hidden, 1, start), shape }
    }
}

impl RecurrentNetwork {
    /// The prediction from the last layer's states.
    fn read(&self, states: Tensor<3>) -> Tensor<1> {
        let last: Tensor<2> = states.narrow(1, self.shape.window - 1, 1).squeeze_dim(1);
        activated(self.head.forward(last).squeeze_dim(1), self.shape.sigmoid)
    }

    /// The gates of a layer at all steps, from its inputs and its states: of an LSTM input, forget and
    /// output, of a GRU reset and update.
    fn gates(&self, layer: &RecurrentLayer, input: Tensor<3>, states: Tensor<3>) -> Tensor<3> {
        let RecurrentShape { window, cell, hidden, .. } = self.shape;
        let none = states.clone().narrow(1, 0, 1).zeros_like();
        let before = match window {
            1 => none,
            _ => Tensor::cat(vec![none, states.narrow(1, 0, window - 1)], 1),
        };
        let (ih, hh) = (layer.weight_ih.val(), layer.weight_hh.val());
        let (own, past) = (layer.bias_ih.val(), layer.bias_hh.val());
        let sums = ops::linear(input, ih, own, Activation::None)
            + ops::linear(before, hh, past, Activation::None);
        let first = sums.clone().narrow(2, 0, 2 * hidden);
        sigmoid(match cell {
            Cell::Lstm => Tensor::cat(vec![first, sums.narrow(2, 3 * hidden, hidden)], 2),
            Cell::Gru => first,
        })
    }
}

impl Network for RecurrentNetwork {
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1> {
        let [samples, _] = input.values.dims();
        let RecurrentShape { inputs, window, hidden, dropout, .. } = self.shape;
        let mut states = input.values.clone().reshape([samples, window, inputs]);
        for (at, layer) in self.layers.iter().enumerate() {
            if at > 0 {
                let flat = noise.dropout(states.reshape([samples * window, hidden]), dropout, at);
                states = flat.reshape([samples, window, hidden]);
            }
            states = layer.forward(states);
        }
        self.read(states)
    }

    fn probe(&self, input: &Input<'_>) -> Result<Vec<Probe>> {
        let RecurrentShape { inputs, window, .. } = self.shape;
        let values = few(input, window);
        let samples = values.dims()[0];
        let mut states = values.reshape([samples, window, inputs]);
        let mut all = Vec::with_capacity(self.layers.len() + 1);
        for (at, layer) in self.layers.iter().enumerate() {
            let next = layer.forward(states.clone());
            all.push(saturated(format!("layers.{at}"), self.gates(layer, states, next.clone()))?);
            states = next;
        }
        with_head(all, self.read(states), self.shape.sigmoid)
    }

    fn memory(&self, samples: usize) -> Memory {
        let RecurrentShape { inputs, window, cell, layers, hidden, .. } = self.shape;
        let (rows, threads) = (samples * window, rayon::current_num_threads());
        let start = Memory { kept: Memory::values(rows * inputs), scratch: 0 };
        (0..layers).fold(start, |sum, at| {
            let inputs = if at == 0 { inputs } else { hidden };
            let layer = Recurrent { samples, length: window, inputs, hidden, cell };
            // States; between layers the mask and what it leaves. Going back, a gradient of each side.
            let own = Memory::values(rows * hidden * if at == 0 { 1 } else { 3 });
            let ends = Memory::values(rows * (inputs + hidden));
            let workspace = layer.workspace_bytes(threads) as u64;
            sum + Memory { kept: layer.saved_bytes() as u64 + own, scratch: workspace + ends }
        })
    }
}
