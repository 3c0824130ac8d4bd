//! The network of `fattail_mlp` from tensors: its twin on every device.
//!
//! `[norm] -> (linear -> [norm] -> ReLU -> dropout [+ input of the block]) x layers -> linear -> [sigmoid]`,
//! parameters under the same names in the same order. Reference: the robust-training recipe; Ba, Kiros &
//! Hinton (2016); He et al. (2016).

use burn::{
    module::Module,
    tensor::{
        Tensor,
        activation::{relu, sigmoid},
    },
};
use fattail_mlp::{Head, Network as Shape};
use fattail_training::Probe;

use super::{dead, with_head};
use crate::{
    Result,
    layers::{Dense, Noise, Norm, Start},
    network::{Input, Memory, Network},
};

/// A linear layer and its norm.
#[derive(Module, Debug)]
pub struct Block {
    /// The layer.
    pub linear: Dense,
    /// The norm behind it.
    pub norm: Option<Norm>,
}

/// A multilayer perceptron.
#[derive(Module, Debug)]
pub struct MlpNetwork {
    /// The norm of the inputs.
    pub input_norm: Option<Norm>,
    /// The hidden layers.
    pub layers: Vec<Block>,
    /// The last layer.
    pub head: Dense,
    #[module(skip)]
    pub(super) shape: Shape,
}

impl MlpNetwork {
    /// A network of a shape.
    #[must_use]
    pub fn new(shape: &Shape, start: &mut Start<'_>) -> Self {
        let widths = std::iter::once(&shape.inputs).chain(&shape.hidden);
        let input_norm = shape.input_norm.then(|| Norm::new(shape.inputs, start));
        let mut layers = Vec::with_capacity(shape.hidden.len());
        for (&inputs, &outputs) in widths.zip(&shape.hidden) {
            let linear = Dense::new(inputs, outputs, start);
            layers.push(Block { linear, norm: shape.norm.then(|| Norm::new(outputs, start)) });
        }
        let last = *shape.hidden.last().unwrap_or(&shape.inputs);
        Self { input_norm, layers, head: Dense::new(last, 1, start), shape: shape.clone() }
    }

    fn normed(&self, input: Tensor<2>) -> Tensor<2> {
        match &self.input_norm {
            Some(norm) => norm.forward(input),
            None => input,
        }
    }

    /// The units of a layer.
    fn units(&self, which: usize, input: Tensor<2>) -> Tensor<2> {
        let Block { linear, norm } = &self.layers[which];
        let out = linear.forward(input);
        relu(match norm {
            Some(norm) => norm.forward(out),
            None => out,
        })
    }

    fn block(&self, which: usize, input: Tensor<2>, noise: Noise) -> Tensor<2> {
        let units = self.units(which, input.clone());
        self.joined(noise.dropout(units, self.shape.dropout, which), input)
    }

    /// What a layer leaves, joined to its input where it has the same width.
    fn joined(&self, out: Tensor<2>, input: Tensor<2>) -> Tensor<2> {
        let residual = self.shape.residual && input.dims() == out.dims();
        if residual { out + input } else { out }
    }

    fn last(&self, input: Tensor<2>) -> Tensor<1> {
        let out = self.head.forward(input).squeeze_dim(1);
        match self.shape.head {
            Head::Sigmoid => sigmoid(out),
            Head::Identity => out,
        }
    }
}

impl Network for MlpNetwork {
    fn forward(&self, input: &Input<'_>, noise: Noise) -> Tensor<1> {
        let start = self.normed(input.values.clone());
        let layers = 0..self.layers.len();
        self.last(layers.fold(start, |values, which| self.block(which, values, noise)))
    }

    fn probe(&self, input: &Input<'_>) -> Result<Vec<Probe>> {
        let mut values = self.normed(input.values.clone());
        let mut all = Vec::with_capacity(self.layers.len() + 1);
        for which in 0..self.layers.len() {
            // Before the input is joined to it: a dead unit passes its input on and looks alive.
            let units = self.units(which, values.clone());
            all.push(dead(format!("layers.{which}"), units.clone())?);
            values = self.joined(units, values);
        }
        with_head(all, self.last(values), self.shape.head == Head::Sigmoid)
    }

    fn memory(&self, samples: usize) -> Memory {
        // Of each hidden value the product, the norm, the ReLU, the mask and what it leaves; features
        // and their norm; the head, its sigmoid and the loss.
        let hidden: usize = self.shape.hidden.iter().sum();
        let values = 5 * hidden + 2 * self.shape.inputs + 8;
        Memory { kept: Memory::values(samples * values), ..Memory::products() }
    }
}
