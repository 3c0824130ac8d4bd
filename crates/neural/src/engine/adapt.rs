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

/// The network with adapters; everything else is frozen.
pub(crate) fn adapt<N: Module>(network: N, lora: Lora, seed: u64) -> N {
    let generator = ChaCha8Rng::seed_from_u64(seed);
    let bound = 1.0 / (lora.rank as f32).sqrt();
    network.apply_lora(lora).map(&mut Redraw { generator, bound, path: Vec::new() })
}

struct Redraw {
    generator: ChaCha8Rng,
    bound: f32,
    /// Where it stands: names, and whether they are of an adapter.
    path: Vec<(String, bool)>,
}

impl ModuleMapper for Redraw {
    fn enter_module(&mut self, name: &str, container: &str) {
        let inside = container == "Reparameterization" || self.path.last().is_some_and(|at| at.1);
        self.path.push((name.to_owned(), inside));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        // The second factor, `b`, stays 0, so that the network begins as it was.
        if !self.path.last().is_some_and(|(name, inside)| *inside && name == "a") {
            return param;
        }
        let (id, old, mapper) = param.consume();
        let shape = old.dims();
        let device = if old.is_autodiff() { old.device().inner() } else { old.device() };
        let length = shape.iter().product::<usize>();
        let draw = |_| self.bound * (2.0 * self.generator.random::<f32>() - 1.0);
        let values: Vec<f32> = (0..length).map(draw).collect();
        let new = Tensor::<D>::from_data(TensorData::new(values, shape), &device);
        Param::from_mapped_value(id, leaf(new, &old, true), mapper)
    }
}
