//! Operations of layers: fused kernels on the CPU, burn's own operations elsewhere, one meaning.
//!
//! Every function here has two ways that tests hold against each other. The fused way is taken for
//! `f32` on the CPU; half precision and GPUs take the composed way.

mod adamw;
mod attention;
#[cfg(feature = "flex")]
mod bridge;
mod distance;
mod encoder;
mod graph;
mod linear;
mod nodes;
mod norm;
mod recurrent;
mod tiled;
#[cfg(all(test, feature = "flex"))]
mod twins;

pub(crate) use adamw::adamw;
pub(crate) use attention::{Attention, attend};
pub(crate) use distance::squared_distance;
pub(crate) use encoder::{EncoderWeights, encode, rotated, units};
pub(crate) use graph::{Edges, fill, gatv2, gin};
pub(crate) use linear::{Activation, linear};
pub(crate) use nodes::{BlockWeights, embed, gin_block, mean};
pub(crate) use norm::{layer_norm, squares};
pub(crate) use recurrent::{RecurrentWeights, recur};

use burn::tensor::{DType, Tensor};

/// Whether the fused way is open to a tensor.
fn fusable<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && crate::device::is_cpu(&tensor.device())
}
