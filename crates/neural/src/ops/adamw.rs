//! AdamW's step on a parameter: a kernel on the CPU, burn's own elsewhere.
//!
//! burn makes a tensor for each operation, a dozen a parameter; the kernel moves what is there in one pass, with the
//! same bits. Reference: Loshchilov & Hutter (2019), algorithm 2.

use burn::{
    optim::{AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer as _},
    tensor::{Tensor, TensorData},
};
use fattail_fused::adamw::AdamW;

use super::fusable;

/// A parameter and its moments after a step; before the first one there are none. Tensors have no graph.
pub(crate) fn adamw<const D: usize>(
    step: &AdamW,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, Option<[Tensor<D>; 2]>) {
    if fusable(&weight) && fusable(&gradient) {
        return fused(step, weight, gradient, moments);
    }
    composed(step, weight, gradient, moments)
}

fn composed<const D: usize>(
    step: &AdamW,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, Option<[Tensor<D>; 2]>) {
    let mut gradient = gradient;
    if step.scale < 1.0 {
        gradient = gradient.mul_scalar(step.scale);
    }
    if let Some(limit) = step.limit {
        gradient = gradient.clamp(-limit, limit);
    }
    let time = usize::try_from(step.time).unwrap_or(0).saturating_sub(1);
    let state = moments.map(|[moment_1, moment_2]| AdamWState {
        momentum: AdaptiveMomentumState { time, moment_1, moment_2, max_moment_2: None },
    });
    let burns = AdamWConfig::new()
        .with_beta_1(step.beta1)
        .with_beta_2(step.beta2)
        .with_epsilon(step.epsilon)
        .with_weight_decay(step.weight_decay)
        .build();
    let (moved, state) = burns.step(step.rate, weight, gradient, state);
    (moved, state.map(|AdamWState { momentum }| [momentum.moment_1, momentum.moment_2]))
}

/// Buffers that nobody else holds are moved in, and out again.
fn fused<const D: usize>(
    step: &AdamW,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, Option<[Tensor<D>; 2]>) {
    let (shape, device) = (weight.dims(), weight.device());
    let values = |tensor: Tensor<D>| -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("a tensor of the CPU in f32")
    };
    let [mut weight, gradient] = [weight, gradient].map(values);
    let zeros = || [vec![0.0; weight.len()], vec![0.0; weight.len()]];
    let [mut first, mut second] = moments.map_or_else(zeros, |both| both.map(values));
    step.apply(&mut weight, &gradient, &mut first, &mut second).expect("shapes are checked");
    let tensor = |values| Tensor::from_data(TensorData::new(values, shape), &device);
    (tensor(weight), Some([first, second].map(tensor)))
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::random;

    #[test]
    fn the_kernel_has_the_bits_of_burn() {
        let read = |tensor: &Tensor<2>| tensor.to_data().iter::<f32>().collect::<Vec<f32>>();
        let start = || (random([37, 19], 1).inner(), None);
        let (mut ours, mut theirs) = (start(), start());
        for time in 1..5 {
            let limit = (time > 2).then_some(0.3);
            let step = AdamW { rate: 1e-2, scale: 0.7, limit, time, ..AdamW::default() };
            let gradient = || random([37, 19], 10 + time as u64).inner();
            ours = fused(&step, ours.0, gradient(), ours.1);
            theirs = composed(&step, theirs.0, gradient(), theirs.1);
            assert_eq!(read(&ours.0), read(&theirs.0), "step {time}");
            let pairs = ours.1.iter().flatten().zip(theirs.1.iter().flatten());
            assert_eq!(pairs.map(|(ours, theirs)| assert_eq!(read(ours), read(theirs))).count(), 2);
        }
    }
}
