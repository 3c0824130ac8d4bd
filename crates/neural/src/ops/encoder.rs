//! A layer of a transformer's encoder as one operation.

use burn::tensor::{Tensor, TensorData};

use super::{Attention, attend, fusable, layer_norm, linear};
use crate::layers::EncoderShape;

/// The parameters of a layer.
#[derive(Debug, Clone)]
pub(crate) struct EncoderWeights {
    pub in_proj_weight: Tensor<2>,
    pub in_proj_bias: Tensor<1>,
    pub out_proj_weight: Tensor<2>,
    pub out_proj_bias: Tensor<1>,
    pub linear1_weight: Tensor<2>,
    pub linear1_bias: Tensor<1>,
    pub linear2_weight: Tensor<2>,
    pub linear2_bias: Tensor<1>,
    pub norm1_weight: Tensor<1>,
    pub norm1_bias: Tensor<1>,
    pub norm2_weight: Tensor<1>,
    pub norm2_bias: Tensor<1>,
}

const EPS: f64 = 1e-5;

/// `[batch, length, width]` to the same; dropout where there is a key.
pub(crate) fn encode(
    shape: &EncoderShape,
    input: Tensor<3>,
    weights: EncoderWeights,
    key: Option<u64>,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if fusable(&input) && fusable(&weights.in_proj_weight) {
        return fused::encode(shape, input, weights, key);
    }
    composed(shape, input, &weights, key)
}

fn composed(
    shape: &EncoderShape,
    input: Tensor<3>,
    weights: &EncoderWeights,
    key: Option<u64>,
) -> Tensor<3> {
    let norm1 = |x| layer_norm(x, weights.norm1_weight.clone(), weights.norm1_bias.clone(), EPS);
    let norm2 = |x| layer_norm(x, weights.norm2_weight.clone(), weights.norm2_bias.clone(), EPS);
    let attention = |x| attention(shape, x, weights, key);
    let drop = |x, site| dropped(x, shape.dropout, key, site);
    let feed = |x| {
        let (w, b) = (weights.linear1_weight.clone(), weights.linear1_bias.clone());
        let middle = drop(linear(x, w, b, shape.activation()), 3);
        let (w, b) = (weights.linear2_weight.clone(), weights.linear2_bias.clone());
        linear(middle, w, b, super::Activation::None)
    };
    if shape.norm_first {
        let middle = input.clone() + drop(attention(norm1(input)), 2);
        return middle.clone() + drop(feed(norm2(middle)), 4);
    }
    let middle = norm1(input.clone() + drop(attention(input), 2));
    norm2(middle.clone() + drop(feed(middle), 4))
}

/// The units in the middle of the feed-forward part, without dropout.
pub(crate) fn units(shape: &EncoderShape, input: Tensor<3>, weights: &EncoderWeights) -> Tensor<3> {
    let norm1 = |x| layer_norm(x, weights.norm1_weight.clone(), weights.norm1_bias.clone(), EPS);
    let norm2 = |x| layer_norm(x, weights.norm2_weight.clone(), weights.norm2_bias.clone(), EPS);
    let attention = |x| attention(shape, x, weights, None);
    let middle = if shape.norm_first {
        norm2(input.clone() + attention(norm1(input)))
    } else {
        norm1(input.clone() + attention(input))
    };
    let (w, b) = (weights.linear1_weight.clone(), weights.linear1_bias.clone());
    linear(middle, w, b, shape.activation())
}

fn attention(
    shape: &EncoderShape,
    input: Tensor<3>,
    weights: &EncoderWeights,
    key: Option<u64>,
) -> Tensor<3> {
    let [batch, length, width] = input.dims();
    let each = width / shape.heads;
    let (w, b) = (weights.in_proj_weight.clone(), weights.in_proj_bias.clone());
    let joint = linear(input, w, b, super::Activation::None);
    let part = |which: usize| -> Tensor<4> {
        let part = joint.clone().narrow(2, which * width, width);
        part.reshape([batch, length, shape.heads, each]).swap_dims(1, 2)
    };
    let turn = |x: Tensor<4>| match shape.rotary {
        Some(base) => rotated(x, base),
        None => x,
    };
    let attention = Attention { causal: shape.causal, dropout: shape.dropout, key };
    let out = attend(attention, turn(part(0)), turn(part(1)), part(2));
    let joined = out.swap_dims(1, 2).reshape([batch, length, width]);
    let (w, b) = (weights.out_proj_weight.clone(), weights.out_proj_bias.clone());
    linear(joined, w, b, super::Activation::None)
}

/// Rotary positions, halves apart: `(a, b)` of position t becomes `(a cos - b sin, b cos + a sin)` with
/// the angle `t base^(-2 i / width)` of pair i (Su et al. 2021, eq. 34, in halves).
pub(crate) fn rotated(values: Tensor<4>, base: f32) -> Tensor<4> {
    let [_, _, length, width] = values.dims();
    let half = width / 2;
    let angle =
        |t: usize, i: usize| t as f64 * f64::from(base).powf(-2.0 * i as f64 / width as f64);
    let table = |f: fn(f64) -> f64| -> Tensor<4> {
        let all = (0..length).flat_map(|t| (0..half).map(move |i| f(angle(t, i)) as f32));
        let data = TensorData::new(all.collect::<Vec<f32>>(), [1, 1, length, half]);
        Tensor::<4>::from_data(data, &values.device()).cast(values.dtype())
    };
    let (cos, sin) = (table(f64::cos), table(f64::sin));
    let (a, b) = (values.clone().narrow(3, 0, half), values.clone().narrow(3, half, half));
    let first = a.clone() * cos.clone() - b.clone() * sin.clone();
    Tensor::cat(vec![first, b * cos + a * sin], 3)
}

/// Dropout with the masks of the fused layer: rows are all axes but the last.
pub(super) fn dropped<const D: usize>(
    values: Tensor<D>,
    rate: f64,
    key: Option<u64>,
    site: u32,
) -> Tensor<D> {
    let Some(dropout) = key.and_then(|key| fattail_fused::encoder::Dropout::new(rate as f32, key))
    else {
        return values;
    };
    let shape = values.dims();
    let (rows, width) = (shape[..D - 1].iter().product::<usize>() as u64, shape[D - 1] as u32);
    let mask = (0..rows).flat_map(|row| (0..width).map(move |at| dropout.mask(site, row, at)));
    let data = TensorData::new(mask.collect::<Vec<f32>>(), shape);
    let mask = Tensor::<D>::from_data(data, &values.device()).cast(values.dtype());
    values * mask
}

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::encoder::{Encoder, Gradients, Layer, Parameters};

    use super::{EPS, EncoderWeights};
    use crate::{
        layers::EncoderShape,
        ops::bridge::{Inputs, Operation, Pass, run},
    };

    #[derive(Debug, Clone)]
    struct Whole(Encoder);

    pub(super) fn encode(
        shape: &EncoderShape,
        input: Tensor<3>,
        weights: EncoderWeights,
        key: Option<u64>,
    ) -> Tensor<3> {
        let [batch, length, width] = input.dims();
        let encoder = Encoder {
            batch,
            length,
            width,
            heads: shape.heads,
            hidden: shape.hidden,
            norm_first: shape.norm_first,
            causal: shape.causal,
            activation: shape.activation().into(),
            dropout: key.map_or(0.0, |_| shape.dropout as f32),
            seed: key.unwrap_or(0),
            epsilon: EPS as f32,
            rotary: shape.rotary,
            recompute: shape.recompute,
        };
        let inputs = Inputs::Thirteen(
            input.into_dispatch(),
            weights.in_proj_weight.into_dispatch(),
            weights.in_proj_bias.into_dispatch(),
            weights.out_proj_weight.into_dispatch(),
            weights.out_proj_bias.into_dispatch(),
            weights.linear1_weight.into_dispatch(),
            weights.linear1_bias.into_dispatch(),
            weights.linear2_weight.into_dispatch(),
            weights.linear2_bias.into_dispatch(),
            weights.norm1_weight.into_dispatch(),
            weights.norm1_bias.into_dispatch(),
            weights.norm2_weight.into_dispatch(),
            weights.norm2_bias.into_dispatch(),
        );
        run(inputs, Whole(encoder))
    }

    /// Twelve slices as parameters.
    fn parameters<T>(slices: impl IntoIterator<Item = T>) -> Parameters<T> {
        let mut slices = slices.into_iter();
        let mut next = || slices.next().expect("a layer has twelve tensors");
        let mut layer = || Layer { weight: next(), bias: next() };
        Parameters {
            project_in: layer(),
            project_out: layer(),
            feed_in: layer(),
            feed_out: layer(),
            norm1: layer(),
            norm2: layer(),
        }
    }

    impl Operation for Whole {
        type Saved = Vec<f32>;

        fn shape(&self) -> Vec<usize> {
            vec![self.0.batch, self.0.length, self.0.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, Vec<f32>) {
            let mut out = vec![0.0; inputs[0].len()];
            let mut saved = vec![0.0; self.0.saved_len()];
            let own = parameters(inputs[1..].iter().copied());
            let done = self.0.forward(inputs[0], &own, &mut out, &mut saved);
            done.expect("shapes are checked");
            (out, saved)
        }

        fn backward(&self, pass: &Pass<'_, Vec<f32>>) -> Vec<Option<Vec<f32>>> {
            let mut all: Vec<Vec<f32>> =
                pass.inputs.iter().map(|input| vec![0.0; input.len()]).collect();
            let (input, rest) = all.split_first_mut().expect("thirteen tensors");
            let gradients =
                Gradients { input, parameters: parameters(rest.iter_mut().map(Vec::as_mut_slice)) };
            let own = parameters(pass.inputs[1..].iter().copied());
            self.0
                .backward(pass.inputs[0], &own, pass.saved, pass.gradient, gradients)
                .expect("shapes are checked");
            all.into_iter().map(Some).collect()
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    const WIDTH: usize = 8;
    const HIDDEN: usize = 12;

    /// The input and twelve parameters, cut from one vector.
    fn cut(all: &Tensor<1>) -> (Tensor<3>, EncoderWeights) {
        let mut from = 0;
        let mut next = |length: usize| {
            let part = all.clone().narrow(0, from, length);
            from += length;
            part
        };
        let input = next(2 * 5 * WIDTH).reshape([2, 5, WIDTH]);
        let mut matrix = |rows: usize, columns: usize| {
            (next(rows * columns).reshape([rows, columns]), next(rows))
        };
        let (in_proj_weight, in_proj_bias) = matrix(3 * WIDTH, WIDTH);
        let (out_proj_weight, out_proj_bias) = matrix(WIDTH, WIDTH);
        let (linear1_weight, linear1_bias) = matrix(HIDDEN, WIDTH);
        let (linear2_weight, linear2_bias) = matrix(WIDTH, HIDDEN);
        let (norm1, norm1_bias) = matrix(WIDTH, 1);
        let (norm2, norm2_bias) = matrix(WIDTH, 1);
        let norm1_weight = norm1.squeeze_dim(1);
        let norm2_weight = norm2.squeeze_dim(1);
        let weights = EncoderWeights {
            in_proj_weight,
            in_proj_bias,
            out_proj_weight,
            out_proj_bias,
            linear1_weight,
            linear1_bias,
            linear2_weight,
            linear2_bias,
            norm1_weight,
            norm1_bias,
            norm2_weight,
            norm2_bias,
        };
        (input, weights)
    }

    #[test]
    fn the_layer_is_the_composition_with_its_dropout() {
        let all = [random([80 + 24 * 9 + 8 * 9 + 12 * 9 + 8 * 13 + 32], 1)];
        for (norm_first, causal, rotary, key) in [
            (true, false, None, None),
            (true, true, Some(100.0), Some(7)),
            (false, false, None, Some(8)),
        ] {
            let shape = EncoderShape {
                width: WIDTH,
                heads: 2,
                hidden: HIDDEN,
                norm_first,
                causal,
                gelu: true,
                rotary,
                dropout: 0.3,
                recompute: false,
            };
            check(
                &all,
                |x| {
                    let (input, weights) = cut(&x[0]);
                    encode(&shape, input, weights, key)
                },
                |x| {
                    let (input, weights) = cut(&x[0]);
                    composed(&shape, input, &weights, key)
                },
            );
        }
    }
}
