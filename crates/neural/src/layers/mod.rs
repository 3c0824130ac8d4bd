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
pub use gat::{Gatv2Layer, Gatv2Shape, GinLayer, Projection};
pub use noise::Noise;
pub use norm::Norm;
pub use recurrent::{Cell, RecurrentLayer};
pub use start::Start;

use burn::tensor::Tensor;
use fattail_core::Error as CoreError;

use crate::{Error, Length, Result, ops};

/// Softmax attention over `[batch, heads, length, width]`, with rotary positions of a base on queries and
/// keys where one is given. Keys and values have the same length, all three the same other axes.
///
/// ```
/// use fattail_neural::{burn::tensor::Tensor, device, layers::attention};
/// let device = device::cpu()?;
/// let ones = || Tensor::<4>::ones([1, 2, 3, 4], &device);
/// let out = attention(ones(), ones(), ones(), true, Some(10_000.0))?;
/// assert_eq!(out.dims(), [1, 2, 3, 4]);
/// # Ok::<(), fattail_neural::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] when an axis is empty or of another length than it has to be, or the width is odd
/// where positions are rotary; a base that is not above 1 and finite.
pub fn attention(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    causal: bool,
    rotary: Option<f32>,
) -> Result<Tensor<4>> {
    expect_attention([query.dims(), key.dims(), value.dims()], rotary)?;
    let turn = |x: Tensor<4>| match rotary {
        Some(base) => ops::rotated(x, base),
        None => x,
    };
    let attention = ops::Attention { causal, dropout: 0.0, key: None };
    Ok(ops::attend(attention, turn(query), turn(key), value))
}

fn expect_attention([query, key, value]: [[usize; 4]; 3], rotary: Option<f32>) -> Result<()> {
    let all = [("the query", &query), ("the key", &key), ("the value", &value)];
    for (what, dims) in all {
        expect_input(what, dims, query[3])?;
        for axis in [0, 1] {
            expect_axis(what, dims, axis, Length::Exactly(query[axis]))?;
        }
    }
    expect_axis("the value", &value, 2, Length::Exactly(key[2]))?;
    let Some(base) = rotary else {
        return Ok(());
    };
    if !(base > 1.0 && base.is_finite()) {
        return Err(CoreError::setting("rotary", base, "above 1 and finite").into());
    }
    expect_axis("the query", &query, 3, Length::Even)
}

/// Refuses an argument `[.., width]` with another width or an empty axis.
pub(crate) fn expect_input(what: &'static str, found: &[usize], width: usize) -> Result<()> {
    for axis in 0..found.len() {
        expect_axis(what, found, axis, Length::AtLeast(1))?;
    }
    expect_axis(what, found, found.len().saturating_sub(1), Length::Exactly(width))
}

/// Refuses an argument with an axis of another length.
pub(crate) fn expect_axis(
    what: &'static str,
    found: &[usize],
    axis: usize,
    allowed: Length,
) -> Result<()> {
    let length = found.get(axis).copied().unwrap_or(0);
    let fits = match allowed {
        Length::Exactly(exactly) => length == exactly,
        Length::AtLeast(least) => length >= least,
        Length::Even => length.is_multiple_of(2),
    };
    if fits {
        return Ok(());
    }
    Err(Error::Argument { what, found: found.to_vec(), axis, allowed })
}

#[cfg(all(test, feature = "flex"))]
#[expect(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(found: Result<T>, words: &str) {
        let told = found.unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }

    #[test]
    fn wrong_shapes_are_told_and_do_not_panic() {
        let device = crate::device::cpu().unwrap();
        let mut start = Start::new(1, &device);
        let ones = |dims: [usize; 3]| Tensor::<3>::ones(dims, &device);
        let (dense, norm) = (Dense::new(4, 3, &mut start), Norm::new(4, &start));
        let encoder = EncoderShape {
            width: 4,
            heads: 2,
            hidden: 6,
            norm_first: true,
            causal: true,
            gelu: false,
            rotary: None,
            dropout: 0.0,
            recompute: false,
        };
        let layer = EncoderLayer::new(encoder, &mut start);
        let layers = Encoder::new(2, encoder, &mut start);
        let cells = RecurrentLayer::new(Cell::Gru, 4, 3, &mut start);
        assert_eq!(dense.on(ones([2, 5, 4])).unwrap().dims(), [2, 5, 3]);
        assert_eq!(norm.on(ones([2, 5, 4])).unwrap().dims(), [2, 5, 4]);
        assert_eq!(layer.on(ones([2, 5, 4]), Noise::OFF, 0).unwrap().dims(), [2, 5, 4]);
        assert_eq!(layers.on(ones([2, 5, 4]), Noise::OFF).unwrap().dims(), [2, 5, 4]);
        assert_eq!(cells.on(ones([2, 5, 4])).unwrap().dims(), [2, 5, 3]);
        for (dims, words) in [
            ([2, 5, 3], "[2, 5, 3], allowed on axis 2 is 4"),
            ([2, 0, 4], "[2, 0, 4], allowed on axis 1 is at least 1"),
        ] {
            refused(dense.on(ones(dims)), words);
            refused(norm.on(ones(dims)), words);
            refused(layer.on(ones(dims), Noise::OFF, 0), words);
            refused(layers.on(ones(dims), Noise::OFF), words);
            refused(cells.on(ones(dims)), words);
        }
        // Heads that do not divide the width.
        let odd = EncoderLayer::new(EncoderShape { heads: 3, ..encoder }, &mut start);
        refused(odd.on(ones([2, 5, 4]), Noise::OFF, 0), "heads");
        let short = Dense { bias: start.constant([2], 0.0), ..dense };
        refused(short.on(ones([2, 5, 4])), "the bias of a linear layer");
    }

    #[test]
    fn attention_asks_for_arguments_that_agree() {
        let device = crate::device::cpu().unwrap();
        let attend = |query, key, value, rotary| {
            let ones = |dims: [usize; 4]| Tensor::<4>::ones(dims, &device);
            attention(ones(query), ones(key), ones(value), false, rotary).map(|out| out.dims())
        };
        let (query, key) = ([1, 2, 3, 4], [1, 2, 5, 4]);
        assert_eq!(attend(query, key, key, None).unwrap(), query);
        refused(attend(query, key, query, None), "the value has shape [1, 2, 3, 4]");
        refused(attend(query, [1, 1, 5, 4], key, None), "the key");
        refused(attend(query, [2, 2, 5, 4], key, None), "allowed on axis 0 is 1");
        refused(attend(query, [1, 2, 5, 3], key, None), "allowed on axis 3 is 4");
        refused(attend(query, [1, 2, 0, 4], [1, 2, 0, 4], None), "at least 1");
        let odd = [1, 2, 3, 3];
        refused(attend(odd, odd, odd, Some(100.0)), "an even number");
        refused(attend(query, query, query, Some(1.0)), "rotary");
    }
}
