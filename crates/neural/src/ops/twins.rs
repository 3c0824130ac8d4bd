//! What tests hold the two ways of an operation against each other with.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn device() -> Device {
    crate::device::cpu().expect("a CPU").autodiff()
}

/// Values in -1 to 1.
pub(crate) fn random<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed + 1);
    let length: usize = shape.iter().product();
    let values: Vec<f32> = (0..length).map(|_| 2.0 * generator.random::<f32>() - 1.0).collect();
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// Output and gradients of a random weighting of it.
fn look<const D: usize, const E: usize>(
    inputs: &[Tensor<D>],
    way: impl Fn(&[Tensor<D>]) -> Tensor<E>,
) -> Vec<Vec<f32>> {
    let leaves: Vec<Tensor<D>> =
        inputs.iter().map(|input| input.clone().detach().require_grad()).collect();
    let output = way(&leaves);
    let weights = random(output.dims(), 99);
    let mut gradients = (output.clone() * weights).sum().backward();
    let read = |tensor: TensorData| tensor.iter::<f32>().collect::<Vec<f32>>();
    let mut all = vec![read(output.into_data())];
    let slopes = leaves.iter().map(|leaf| leaf.grad_remove(&mut gradients));
    all.extend(slopes.map(|slope| slope.map(|slope| read(slope.into_data())).unwrap_or_default()));
    all
}

/// Both ways give the same output and the same gradients, within 1e-4 of their size.
pub(crate) fn check<const D: usize, const E: usize>(
    inputs: &[Tensor<D>],
    fused: impl Fn(&[Tensor<D>]) -> Tensor<E>,
    composed: impl Fn(&[Tensor<D>]) -> Tensor<E>,
) {
    let (fused, composed) = (look(inputs, fused), look(inputs, composed));
    assert_eq!(fused.len(), composed.len());
    for (which, (a, b)) in fused.iter().zip(&composed).enumerate() {
        assert_eq!(a.len(), b.len(), "tensor {which}");
        let size = b.iter().fold(1.0f32, |most, value| most.max(value.abs()));
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() <= 1e-4 * size, "tensor {which}: {a} {b}");
        }
    }
}
