//! Softmax attention: exact, in tiles, with a backward pass that computes the weights again.
//!
//! `out = softmax(q k' scale) v` per sample and head; memory grows with the length. `f32` on the CPU takes the kernel of
//! `fattail-fused`, everything else the blocks of `tiled`. Reference: Milakov & Gimelshein (2018); Dao et al. (2022).

use burn::tensor::Tensor;

use super::{fusable, tiled};

/// The shape of an attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Attention {
    /// Whether a position looks at those before it and itself alone.
    pub causal: bool,
    /// The share of softmax weights that is dropped where there is a key.
    pub dropout: f64,
    /// What masks are a function of.
    pub key: Option<u64>,
}

/// `[batch, heads, length, width]` each.
pub(crate) fn attend(
    attention: Attention,
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if fusable(&query) && fusable(&key) && fusable(&value) {
        return fused::attend(attention, query, key, value);
    }
    tiled::attend(attention, query, key, value)
}

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::attention::{self as kernel, Gradients, Outputs};

    use super::Attention;
    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Tiled(kernel::Attention);

    pub(super) fn attend(
        attention: Attention,
        query: Tensor<4>,
        key: Tensor<4>,
        value: Tensor<4>,
    ) -> Tensor<4> {
        let [batch, heads, queries, width] = query.dims();
        let shape = kernel::Attention {
            batch,
            heads,
            queries,
            keys: key.dims()[2],
            width,
            causal: attention.causal,
            dropout: attention.key.map_or(0.0, |_| attention.dropout as f32),
            seed: attention.key.unwrap_or(0),
            ..kernel::Attention::default()
        };
        let [q, k, v] = [query, key, value].map(Tensor::into_dispatch);
        run(Inputs::Three(q, k, v), Tiled(shape))
    }

    impl Operation for Tiled {
        type Saved = Vec<f32>;

        fn shape(&self) -> Vec<usize> {
            vec![self.0.batch, self.0.heads, self.0.queries, self.0.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, Vec<f32>) {
            let rows = self.0.batch * self.0.heads * self.0.queries;
            let (mut out, mut log_sum) = (vec![0.0; rows * self.0.width], vec![0.0; rows]);
            let inputs = look(inputs);
            self.0.forward(&inputs, &mut out, &mut log_sum).expect("shapes are checked");
            (out, log_sum)
        }

        fn backward(&self, pass: &Pass<'_, Vec<f32>>) -> Vec<Option<Vec<f32>>> {
            let [mut query, mut key, mut value] =
                [0, 1, 2].map(|at| vec![0.0; pass.inputs[at].len()]);
            let outputs =
                Outputs { out: pass.output, log_sum: pass.saved, grad_out: pass.gradient };
            let gradients = Gradients { query: &mut query, key: &mut key, value: &mut value };
            self.0.backward(&look(pass.inputs), &outputs, gradients).expect("shapes are checked");
            vec![Some(query), Some(key), Some(value)]
        }
    }

    fn look<'a>(inputs: &[&'a [f32]]) -> kernel::Inputs<'a> {
        kernel::Inputs { query: inputs[0], key: inputs[1], value: inputs[2], visible: None }
    }
}

/// The same in the plainest way: what both others are held against.
#[cfg(all(test, feature = "flex"))]
pub(super) fn composed(
    attention: Attention,
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
) -> Tensor<4> {
    use burn::tensor::{Bool, activation::softmax};

    let [batch, heads, queries, width] = query.dims();
    let keys = key.dims()[2];
    let mut scores = query.matmul(key.swap_dims(2, 3)).div_scalar((width as f64).sqrt());
    if attention.causal {
        let later = Tensor::<2, Bool>::tril_mask([queries, keys], 0, &scores.device());
        scores = scores.mask_fill(later.unsqueeze::<4>(), f32::NEG_INFINITY);
    }
    let ones = Tensor::<4>::ones([batch, heads, queries, keys], &scores.device());
    let mask = super::encoder::dropped(ones, attention.dropout, attention.key, 1);
    (softmax(scores, 3) * mask).matmul(value)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn kernel_and_blocks_are_the_composition() {
        let ways = [attend, tiled::attend];
        for causal in [false, true] {
            for length in [1, 7, 300] {
                let inputs = [0, 1, 2].map(|at| random([2, 2, length, 8], at));
                let attention = Attention { causal, dropout: 0.2, key: causal.then_some(3) };
                for way in ways {
                    check(
                        &inputs,
                        |x| way(attention, x[0].clone(), x[1].clone(), x[2].clone()),
                        |x| composed(attention, x[0].clone(), x[1].clone(), x[2].clone()),
                    );
                }
            }
        }
    }
}
