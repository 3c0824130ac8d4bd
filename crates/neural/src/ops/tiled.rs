//! Softmax attention from a backend's own operations, a block of queries at a time, with a backward pass that
//! computes the weights again: what GPUs and half precision take.
//!
//! ```text
//! S = q k' scale (hidden positions: minus infinity)   L = log sum exp S   P = exp(S - L)   out = (M P) v
//! D = sum of dout out     dP = M (dout v')     dS = P (dP - D) scale
//! dq = dS k     dk = sum over blocks of dS' q     dv = sum over blocks of (M P)' dout
//! ```
//!
//! with M the mask of dropout. Kept are the inputs, the output and L; a block of weights lives at a time, so memory
//! grows with the length, not its square. Sums of exponentials are `f32` whatever the tensors are. Reference: Milakov &
//! Gimelshein (2018); Dao et al. (2022), algorithms 2 and 4, with whole rows of keys.

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, TensorMetadata as _,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{DType, FloatDType, Slice, Tensor, TensorData},
};
use fattail_fused::encoder::Dropout;

use super::Attention;

/// Queries of a block.
const BLOCK: usize = 256;

/// `[batch, heads, length, width]` each.
pub(super) fn attend(
    attention: Attention,
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
) -> Tensor<4> {
    let [query, key, value] = [query, key, value].map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as Tiled>::tiled(query, key, value, attention))
}

#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda")),
    Autodiff
)]
pub(crate) trait Tiled: Backend {
    fn tiled(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        attention: Attention,
    ) -> FloatTensor<Self>;
}

/// Both implementations for a backend.
macro_rules! tiled {
    ($backend:ty) => {
        impl Tiled for $backend {
            fn tiled(
                query: FloatTensor<Self>,
                key: FloatTensor<Self>,
                value: FloatTensor<Self>,
                attention: Attention,
            ) -> FloatTensor<Self> {
                Inputs::<Self> { attention, query, key, value }.forward().out
            }
        }

        impl<C: CheckpointStrategy> Tiled for Autodiff<$backend, C> {
            fn tiled(
                query: FloatTensor<Self>,
                key: FloatTensor<Self>,
                value: FloatTensor<Self>,
                attention: Attention,
            ) -> FloatTensor<Self> {
                tracked::<$backend, C>([query, key, value], attention)
            }
        }
    };
}

#[cfg(feature = "flex")]
tiled!(burn::backend::Flex);
#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda"))]
tiled!(burn::backend::Cube);

fn tracked<B: Backend, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 3],
    attention: Attention,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let [query, key, value] = inputs.map(|input| input.into_primitive());
    let inputs = Inputs::<B> { attention, query, key, value };
    let Outputs { out, log_sum } = inputs.forward();
    match Step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let outputs = Outputs { out: out.clone(), log_sum };
            prepared.finish(State { inputs, outputs }, out)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    }
}

#[derive(Debug)]
struct Step;

#[derive(Debug, Clone)]
struct State<B: Backend> {
    inputs: Inputs<B>,
    outputs: Outputs<B>,
}

impl<B: Backend> Backward<B, 3> for Step {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let State { inputs, outputs } = ops.state;
        let found = inputs.backward(&outputs, gradient);
        for (parent, found) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, found);
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Inputs<B: Backend> {
    attention: Attention,
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
}

#[derive(Debug, Clone)]
struct Outputs<B: Backend> {
    out: FloatTensor<B>,
    /// Logarithms of the sums of exponentials: `[batch, heads, queries, 1]`, `f32`.
    log_sum: FloatTensor<B>,
}

impl<B: Backend> Inputs<B> {
    fn forward(&self) -> Outputs<B> {
        let (mut outs, mut log_sums) = (Vec::new(), Vec::new());
        for (from, to) in self.blocks() {
            let scores = self.scores(from, to);
            let most = B::float_max_dim(scores.clone(), 3);
            let powers = B::float_exp(B::float_sub(scores, most.clone()));
            let sum = B::float_sum_dim(powers.clone(), 3);
            log_sums.push(B::float_add(most, B::float_log(sum.clone())));
            let weights = self.dropped(B::float_div(powers, sum), from, to);
            outs.push(B::float_matmul(self.like(weights), self.value.clone()));
        }
        Outputs { out: B::float_cat(outs, 2), log_sum: B::float_cat(log_sums, 2) }
    }

    fn backward(&self, outputs: &Outputs<B>, gradient: FloatTensor<B>) -> [FloatTensor<B>; 3] {
        let turned = |tensor: &FloatTensor<B>| B::float_swap_dims(tensor.clone(), 2, 3);
        let value = turned(&self.value);
        let (mut query, mut others) = (Vec::new(), None);
        for (from, to) in self.blocks() {
            let [out, slope, own] =
                [&outputs.out, &gradient, &self.query].map(|all| rows::<B>(all, from, to));
            let log_sum = rows::<B>(&outputs.log_sum, from, to);
            let weights = B::float_exp(B::float_sub(self.scores(from, to), log_sum));
            let seen = self.like(self.dropped(weights.clone(), from, to));
            let to_weights = full::<B>(B::float_matmul(slope.clone(), value.clone()));
            let to_weights = self.dropped(to_weights, from, to);
            let mean = full::<B>(B::float_mul(slope.clone(), out));
            let mean = B::float_sum_dim(mean, 3);
            let to_scores = B::float_mul(weights, B::float_sub(to_weights, mean));
            let to_scores = self.like(B::float_mul_scalar(to_scores, self.scale().into()));
            query.push(B::float_matmul(to_scores.clone(), self.key.clone()));
            let key = B::float_matmul(turned(&to_scores), own);
            let value = B::float_matmul(turned(&seen), slope);
            others = Some(match others {
                None => (key, value),
                Some((keys, values)) => (B::float_add(keys, key), B::float_add(values, value)),
            });
        }
        let (key, value) = others.unwrap_or_else(|| (self.key.clone(), self.value.clone()));
        [B::float_cat(query, 2), key, value]
    }

    fn dims(&self) -> [usize; 4] {
        self.query.shape().dims()
    }

    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<B> {
        let queries = self.dims()[2];
        (0..queries).step_by(BLOCK).map(move |from| (from, queries.min(from + BLOCK)))
    }

    fn scale(&self) -> f64 {
        1.0 / (self.dims()[3] as f64).sqrt()
    }

    /// Scores of some queries in `f32`, minus infinity where a key stands after its query.
    fn scores(&self, from: usize, to: usize) -> FloatTensor<B> {
        let key = B::float_swap_dims(self.key.clone(), 2, 3);
        let scores = full::<B>(B::float_matmul(rows::<B>(&self.query, from, to), key));
        let scores = B::float_mul_scalar(scores, self.scale().into());
        if !self.attention.causal {
            return scores;
        }
        let keys = self.key.shape().dims::<4>()[2];
        let hidden = |row, key| if key > row { f32::NEG_INFINITY } else { 0.0 };
        let mask = (from..to).flat_map(|row| (0..keys).map(move |key| hidden(row, key)));
        let data = TensorData::new(mask.collect::<Vec<f32>>(), [1, 1, to - from, keys]);
        B::float_add(scores, B::float_from_data(data, &self.query.device()))
    }

    /// Weights of some queries, times their mask.
    fn dropped(&self, weights: FloatTensor<B>, from: usize, to: usize) -> FloatTensor<B> {
        let rate = self.attention.dropout as f32;
        let Some(dropout) = self.attention.key.and_then(|key| Dropout::new(rate, key)) else {
            return weights;
        };
        let [batch, heads, queries, _] = self.dims();
        let keys = self.key.shape().dims::<4>()[2];
        let mut mask = Vec::with_capacity(batch * heads * (to - from) * keys);
        for head in 0..batch * heads {
            for row in from..to {
                let row = (head * queries + row) as u64;
                mask.extend((0..keys).map(|at| dropout.mask(SITE, row, at as u32)));
            }
        }
        let data = TensorData::new(mask, [batch, heads, to - from, keys]);
        B::float_mul(weights, B::float_from_data(data, &self.query.device()))
    }

    /// In the numbers of the inputs.
    fn like(&self, tensor: FloatTensor<B>) -> FloatTensor<B> {
        cast::<B>(tensor, self.query.dtype())
    }
}

/// Where in a layer the weights' mask is drawn, as the kernel draws it.
const SITE: u32 = 1;

fn rows<B: Backend>(tensor: &FloatTensor<B>, from: usize, to: usize) -> FloatTensor<B> {
    let all = Slice::full();
    B::float_slice(tensor.clone(), &[all, all, (from..to).into(), all])
}

fn full<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    cast::<B>(tensor, DType::F32)
}

fn cast<B: Backend>(tensor: FloatTensor<B>, to: DType) -> FloatTensor<B> {
    if tensor.dtype() == to { tensor } else { B::float_cast(tensor, FloatDType::from(to)) }
}
