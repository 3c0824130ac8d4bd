//! Starting values from a seed, made on the host: the same on every device and in every thread.

use burn::{
    module::Param,
    tensor::{Device, Tensor, TensorData},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A stream of starting values on a device.
#[derive(Debug)]
pub struct Start<'a> {
    /// None where weights are read afterwards: drawing them would be in vain.
    generator: Option<ChaCha8Rng>,
    device: &'a Device,
}

impl<'a> Start<'a> {
    /// A stream from `seed`.
    #[must_use]
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self::of(Some(seed), device)
    }

    /// A stream from a seed; of zeros without one.
    pub(crate) fn of(seed: Option<u64>, device: &'a Device) -> Self {
        Self { generator: seed.map(ChaCha8Rng::seed_from_u64), device }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &'a Device {
        self.device
    }

    /// Uniform in `-bound..bound`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let Some(generator) = &mut self.generator else {
            return self.constant(shape, 0.0);
        };
        let length = shape.iter().product();
        let draw = |_| bound * (2.0 * generator.random::<f32>() - 1.0);
        let values: Vec<f32> = (0..length).map(draw).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    /// One value everywhere.
    pub fn constant<const D: usize>(&self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::full(shape, value, self.device))
    }

    /// Glorot's uniform (Glorot & Bengio 2010): `sqrt(6 / (in + out))`.
    pub fn glorot(&mut self, outputs: usize, inputs: usize) -> Param<Tensor<2>> {
        self.uniform([outputs, inputs], (6.0 / (outputs + inputs) as f32).sqrt())
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_stream_and_none_is_zeros() {
        let device = crate::device::cpu().unwrap();
        let draw = |seed| -> Vec<f32> {
            let drawn = Start::of(seed, &device).uniform([3, 4], 0.5);
            drawn.val().into_data().iter::<f32>().collect()
        };
        assert_eq!(draw(Some(7)), draw(Some(7)));
        assert!(draw(Some(7)).iter().all(|value| value.abs() <= 0.5 && *value != 0.0));
        assert_eq!(draw(None), [0.0; 12]);
    }
}
