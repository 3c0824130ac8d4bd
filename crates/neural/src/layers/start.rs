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
    generator: ChaCha8Rng,
    device: &'a Device,
}

impl<'a> Start<'a> {
    /// A stream from `seed`.
    #[must_use]
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed), device }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &'a Device {
        self.device
    }

    /// Uniform in `-bound..bound`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let length = shape.iter().product();
        let draw = |_| bound * (2.0 * self.generator.random::<f32>() - 1.0);
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
