//! A layer of a transformer's encoder, with the parameters of PyTorch's `TransformerEncoderLayer`.
//!
//! ```text
//! norm first  x = x + drop(Attention(norm1 x)),  x = x + drop(linear2(drop(act(linear1(norm2 x)))))
//! norm last   x = norm1(x + drop(Attention x)),  x = norm2(x + drop(linear2(drop(act(linear1 x)))))
//! ```
//!
//! Reference: Vaswani et al. (2017); Xiong et al. (2020) for the order of norms; Su et al. (2021) for
//! rotary positions.

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};
use fattail_core::Error as CoreError;
use serde::{Deserialize, Serialize};

use super::{Dense, Noise, Norm, Start, expect_input};
use crate::{
    Result,
    architecture::{positive, rate},
    network::Memory,
    ops::{self, Activation, EncoderWeights},
};

/// The shape of an [`EncoderLayer`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EncoderShape {
    /// Values a token.
    pub width: usize,
    /// Heads; they divide the width.
    pub heads: usize,
    /// Values in the middle of the feed-forward part.
    pub hidden: usize,
    /// Whether parts are normalised before, or their sums after.
    pub norm_first: bool,
    /// Whether a token looks at those before it alone.
    pub causal: bool,
    /// GELU in the middle, or ReLU.
    pub gelu: bool,
    /// Rotary positions with this base, or none.
    pub rotary: Option<f32>,
    /// The share of values that is dropped in training.
    pub dropout: f64,
    /// Whether the backward pass computes everything again from the layer's input.
    pub recompute: bool,
}

/// The attention's parameters.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// (3 x width) x width: queries, keys, values.
    pub in_proj_weight: Param<Tensor<2>>,
    /// 3 x width.
    pub in_proj_bias: Param<Tensor<1>>,
    /// What heads go through.
    pub out_proj: Dense,
}

/// Attention and a feed-forward part.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    /// The attention.
    pub self_attn: SelfAttention,
    /// Width to hidden.
    pub linear1: Dense,
    /// Hidden to width.
    pub linear2: Dense,
    /// The attention's norm.
    pub norm1: Norm,
    /// The feed-forward part's norm.
    pub norm2: Norm,
    #[module(skip)]
    shape: EncoderShape,
}

/// Layers behind one another, and a norm.
#[derive(Module, Debug)]
pub struct Encoder {
    /// The layers.
    pub layers: Vec<EncoderLayer>,
    /// The norm of what is read from the last one.
    pub norm: Norm,
}

impl Encoder {
    /// `layers` layers of a shape.
    #[must_use]
    pub fn new(layers: usize, shape: EncoderShape, start: &mut Start<'_>) -> Self {
        let layers = (0..layers).map(|_| EncoderLayer::new(shape, start)).collect();
        Self { layers, norm: Norm::new(shape.width, start) }
    }

    /// The states after the last layer, before the norm: `[batch, length, width]` to the same.
    ///
    /// # Errors
    /// As those of [`EncoderLayer::on`].
    pub fn on(&self, start: Tensor<3>, noise: Noise) -> Result<Tensor<3>> {
        self.layers.iter().try_for_each(|layer| layer.expect(&start))?;
        Ok(self.layers(start, noise))
    }

    /// The same, unchecked.
    pub(crate) fn layers(&self, start: Tensor<3>, noise: Noise) -> Tensor<3> {
        let layers = self.layers.iter().enumerate();
        layers.fold(start, |states, (at, layer)| layer.forward(states, noise, at))
    }
}

impl EncoderLayer {
    /// PyTorch's start.
    #[must_use]
    pub fn new(shape: EncoderShape, start: &mut Start<'_>) -> Self {
        let EncoderShape { width, hidden, .. } = shape;
        // PyTorch starts the joint projection with Glorot's bound of the whole matrix.
        let self_attn = SelfAttention {
            in_proj_weight: start.glorot(3 * width, width),
            in_proj_bias: start.constant([3 * width], 0.0),
            out_proj: Dense {
                bias: start.constant([width], 0.0),
                ..Dense::new(width, width, start)
            },
        };
        Self {
            self_attn,
            linear1: Dense::new(width, hidden, start),
            linear2: Dense::new(hidden, width, start),
            norm1: Norm::new(width, start),
            norm2: Norm::new(width, start),
            shape,
        }
    }

    /// `[batch, length, width]` to the same; `layer` tells layers' noise apart.
    ///
    /// # Errors
    /// What [`EncoderShape::check`] refuses; [`Error::Argument`](crate::Error::Argument) when the last axis
    /// of the input is not the width, or an axis is empty.
    pub fn on(&self, input: Tensor<3>, noise: Noise, layer: usize) -> Result<Tensor<3>> {
        self.expect(&input)?;
        Ok(self.forward(input, noise, layer))
    }

    fn expect(&self, input: &Tensor<3>) -> Result<()> {
        self.shape.check()?;
        expect_input("the input of an encoder's layer", &input.dims(), self.shape.width)
    }

    /// [`EncoderLayer::on`], unchecked.
    pub(crate) fn forward(&self, input: Tensor<3>, noise: Noise, layer: usize) -> Tensor<3> {
        let key = noise.key().map(|key| key.wrapping_add((layer as u64) << 32));
        ops::encode(&self.shape, input, self.weights(), key)
    }

    /// The units in the middle of the feed-forward part: `[batch, length, width]` to
    /// `[batch, length, hidden]`, without noise.
    pub(crate) fn units(&self, input: Tensor<3>) -> Tensor<3> {
        ops::units(&self.shape, input, &self.weights())
    }

    fn weights(&self) -> EncoderWeights {
        EncoderWeights {
            in_proj_weight: self.self_attn.in_proj_weight.val(),
            in_proj_bias: self.self_attn.in_proj_bias.val(),
            out_proj_weight: self.self_attn.out_proj.weight.val(),
            out_proj_bias: self.self_attn.out_proj.bias.val(),
            linear1_weight: self.linear1.weight.val(),
            linear1_bias: self.linear1.bias.val(),
            linear2_weight: self.linear2.weight.val(),
            linear2_bias: self.linear2.bias.val(),
            norm1_weight: self.norm1.weight.val(),
            norm1_bias: self.norm1.bias.val(),
            norm2_weight: self.norm2.weight.val(),
            norm2_bias: self.norm2.bias.val(),
        }
    }
}

impl EncoderShape {
    /// The activation in the middle.
    pub(crate) fn activation(&self) -> Activation {
        if self.gelu { Activation::Gelu } else { Activation::Relu }
    }
}

impl EncoderShape {
    /// Bytes of a pass over `[batch, length, width]`: what the fused layer keeps and its output; while it
    /// runs back, its workspace and the gradients of both ends.
    pub(crate) fn memory(&self, batch: usize, length: usize) -> Memory {
        let layer = fattail_fused::encoder::Encoder {
            batch: batch.max(1),
            length,
            width: self.width,
            heads: self.heads,
            hidden: self.hidden,
            norm_first: self.norm_first,
            causal: self.causal,
            rotary: self.rotary,
            recompute: self.recompute,
            ..fattail_fused::encoder::Encoder::default()
        };
        let ends = Memory::values(batch * length * self.width);
        let workspace = layer.workspace_bytes(rayon::current_num_threads());
        Memory { kept: layer.saved_bytes() as u64 + ends, scratch: workspace as u64 + 2 * ends }
    }
}

impl EncoderShape {
    /// Answers whether a layer can be built.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let sizes = [("width", self.width), ("heads", self.heads), ("hidden", self.hidden)];
        sizes.into_iter().try_for_each(|(name, size)| positive(name, size))?;
        rate("dropout", self.dropout)?;
        if !self.width.is_multiple_of(self.heads) {
            return Err(CoreError::setting("heads", self.heads, "a divisor of the width").into());
        }
        let even = (self.width / self.heads).is_multiple_of(2);
        match self.rotary {
            Some(_) if !even => {
                let allowed = "such that a head has an even width";
                Err(CoreError::setting("heads", self.heads, allowed).into())
            }
            Some(base) if !(base > 1.0 && base.is_finite()) => {
                Err(CoreError::setting("rotary", base, "above 1 and finite").into())
            }
            _ => Ok(()),
        }
    }
}
