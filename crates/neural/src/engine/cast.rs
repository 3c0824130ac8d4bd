//! A network in half precision that shares its parameters' identities with the one in `f32`.

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{FloatDType, Tensor},
};

use super::leaf::leaf;

struct Half;

impl ModuleMapper for Half {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let tracked = param.is_require_grad();
        let (id, tensor, _) = param.consume();
        let half = tensor.clone().inner().cast(FloatDType::BF16);
        Param::initialized(id, leaf(half, &tensor, tracked))
    }
}

/// The network in bf16: new leaves of the graph, the same identities.
pub(super) fn half<N: Module>(network: N) -> N {
    network.map(&mut Half)
}
