//! The parameters of an encoder layer, or their gradients.

use super::Encoder;
use crate::error::{Result, expect_len};
use crate::linear::tile::Size;

/// Weight and bias of a linear layer (weight: outputs x inputs) or of a norm.
#[derive(Debug, Clone, Copy)]
pub struct Layer<T> {
    /// Weight.
    pub weight: T,
    /// Bias.
    pub bias: T,
}

/// All parameters, with PyTorch's names beside them.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<T> {
    /// `self_attn.in_proj`: 3 width x width, queries first, then keys and values.
    pub project_in: Layer<T>,
    /// `self_attn.out_proj`: width x width.
    pub project_out: Layer<T>,
    /// `linear1`: hidden x width.
    pub feed_in: Layer<T>,
    /// `linear2`: width x hidden.
    pub feed_out: Layer<T>,
    /// `norm1`: width.
    pub norm1: Layer<T>,
    /// `norm2`: width.
    pub norm2: Layer<T>,
}

impl<T> Parameters<T> {
    /// The layers in order.
    pub(super) fn layers(self) -> [Layer<T>; 6] {
        [self.project_in, self.project_out, self.feed_in, self.feed_out, self.norm1, self.norm2]
    }

    pub(super) fn from_layers(
        [project_in, project_out, feed_in, feed_out, norm1, norm2]: [Layer<T>; 6],
    ) -> Self {
        Self { project_in, project_out, feed_in, feed_out, norm1, norm2 }
    }

    /// The same parameters, borrowed.
    pub(super) fn as_ref(&self) -> Parameters<&T> {
        Parameters {
            project_in: self.project_in.as_ref(),
            project_out: self.project_out.as_ref(),
            feed_in: self.feed_in.as_ref(),
            feed_out: self.feed_out.as_ref(),
            norm1: self.norm1.as_ref(),
            norm2: self.norm2.as_ref(),
        }
    }

    /// The same parameters, seen another way.
    pub(super) fn map<U>(self, f: impl Fn(T) -> U) -> Parameters<U> {
        let layers =
            self.layers().map(|Layer { weight, bias }| Layer { weight: f(weight), bias: f(bias) });
        Parameters::from_layers(layers)
    }
}

impl<T> Layer<T> {
    fn as_ref(&self) -> Layer<&T> {
        Layer { weight: &self.weight, bias: &self.bias }
    }
}

impl Parameters<&[f32]> {
    /// Refuses parameters of another shape.
    pub(super) fn expect_sizes(&self, encoder: &Encoder) -> Result<()> {
        let names = [
            ("project_in.weight", "project_in.bias"),
            ("project_out.weight", "project_out.bias"),
            ("feed_in.weight", "feed_in.bias"),
            ("feed_out.weight", "feed_out.bias"),
            ("norm1.weight", "norm1.bias"),
            ("norm2.weight", "norm2.bias"),
        ];
        let layers = self.layers().into_iter().zip(encoder.layer_lens());
        for ((layer, (weights, biases)), (weight, bias)) in layers.zip(names) {
            expect_len(weight, layer.weight.len(), weights)?;
            expect_len(bias, layer.bias.len(), biases)?;
        }
        Ok(())
    }
}

/// The linear layers' sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) project_in: Size,
    pub(super) project_out: Size,
    pub(super) feed_in: Size,
    pub(super) feed_out: Size,
}

impl Encoder {
    pub(super) fn sizes(&self) -> Sizes {
        let size = |inputs, outputs| Size { inputs, outputs };
        Sizes {
            project_in: size(self.width, 3 * self.width),
            project_out: size(self.width, self.width),
            feed_in: size(self.width, self.hidden),
            feed_out: size(self.hidden, self.width),
        }
    }

    /// Weights and biases of the layers, in order.
    pub(super) fn layer_lens(&self) -> [(usize, usize); 6] {
        let Sizes { project_in, project_out, feed_in, feed_out } = self.sizes();
        let linear = |size: Size| (size.weights(), size.outputs);
        let norm = (self.width, self.width);
        [linear(project_in), linear(project_out), linear(feed_in), linear(feed_out), norm, norm]
    }

    /// Values of all parameters.
    pub(super) fn parameters_len(&self) -> usize {
        self.layer_lens().iter().map(|(weights, biases)| weights + biases).sum()
    }

    /// Cuts a row of numbers into the parameters' gradients.
    pub(super) fn split<'a>(&self, mut values: &'a mut [f32]) -> Parameters<&'a mut [f32]> {
        let mut cut = |len: usize| {
            let (first, rest) = std::mem::take(&mut values).split_at_mut(len);
            values = rest;
            first
        };
        let layers = self
            .layer_lens()
            .map(|(weights, biases)| Layer { weight: cut(weights), bias: cut(biases) });
        Parameters::from_layers(layers)
    }
}
