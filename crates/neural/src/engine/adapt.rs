//! Low-rank adapters on a network's matrices, started from a seed.
//!
//! burn draws the factors from a generator of the whole process; here they are drawn again on the host, so
//! that a run is the same whatever runs beside it.

use burn::{
    module::{Lora, Module, ModuleMapper, Param},
    tensor::{Tensor, TensorData},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::leaf::leaf;
use crate::Result;

/// The network with adapters; everything else is frozen.
pub(crate) fn adapt<N: Module>(network: N, lora: Lora, seed: u64) -> Result<N> {
    let generator = ChaCha8Rng::seed_from_u64(seed);
    let bound = 1.0 / (lora.rank as f32).sqrt();
    Ok(network.apply_lora(lora).map(&mut Redraw { generator, bound, inside: 0 }))
}

struct Redraw {
    generator: ChaCha8Rng,
    bound: f32,
    /// How deep inside of an adapter.
    inside: usize,
}

impl ModuleMapper for Redraw {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.inside += usize::from(container == "Reparameterization" || self.inside > 0);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.inside = self.inside.saturating_sub(1);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        // The second factor starts at 0, so that the network begins as it was.
        let largest = param.val().inner().abs().max().into_data().iter::<f32>().next();
        if self.inside == 0 || largest == Some(0.0) {
            return param;
        }
        let (id, old, mapper) = param.consume();
        let (shape, device) = (old.dims(), old.device().inner());
        let length = shape.iter().product::<usize>();
        let draw = |_| self.bound * (2.0 * self.generator.random::<f32>() - 1.0);
        let values: Vec<f32> = (0..length).map(draw).collect();
        let new = Tensor::<D>::from_data(TensorData::new(values, shape), &device);
        Param::from_mapped_value(id, leaf(new, &old, true), mapper)
    }
}
