//! Layers with PyTorch's parameters: the same names, layouts and starting values.

mod dense;
mod encoder;
mod gat;
mod noise;
mod norm;
mod recurrent;
mod start;

pub use dense::Dense;
pub use encoder::{Encoder, EncoderLayer, EncoderShape, SelfAttention};
pub use gat::{Gatv2Layer, Gatv2Shape, GinLayer};
pub use noise::Noise;
pub use norm::Norm;
pub use recurrent::{Cell, RecurrentLayer};
pub use start::Start;

use burn::tensor::Tensor;

/// Softmax attention over `[batch, heads, length, width]`, with rotary positions of a base on queries and
/// keys where one is given.
#[must_use]
pub fn attention(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    causal: bool,
    rotary: Option<f32>,
) -> Tensor<4> {
    let turn = |x: Tensor<4>| match rotary {
        Some(base) => crate::ops::rotated(x, base),
        None => x,
    };
    crate::ops::attend(
        crate::ops::Attention { causal, dropout: 0.0, key: None },
        turn(query),
        turn(key),
        value,
    )
}
