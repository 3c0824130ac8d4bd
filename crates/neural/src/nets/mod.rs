//! The networks: how layers are put together.

mod features;
mod graph;
mod mlp;
mod recurrent;
mod sequence;
mod vae;

pub use features::{FeatureNetwork, FeatureShape, Tokens};
pub use graph::{GraphKind, GraphNetwork, GraphShape, Nodes, Weighted};
pub use mlp::MlpNetwork;
pub use recurrent::{RecurrentNetwork, RecurrentShape};
pub use sequence::{SequenceNetwork, SequenceShape};
pub use vae::{VaeNetwork, VaeShape};

use burn::tensor::Tensor;
use fattail_training::Probe;

/// The share of units (columns) that are positive for no sample (row).
fn dead(layer: String, activations: Tensor<2>) -> Probe {
    let width = activations.dims()[1].max(1);
    let alive = activations.greater_scalar(0.0).any_dim(0).int().sum();
    let alive = alive.try_into_scalar::<i64>().unwrap_or(width as i64);
    Probe { layer, dead: 1.0 - alive as f64 / width as f64, saturated: 0.0 }
}

/// The share of values of a sigmoid below 0.01 or above 0.99.
fn saturated(layer: String, values: Tensor<1>) -> Probe {
    let count = values.dims()[0].max(1);
    let flat = values.sub_scalar(0.5).abs().greater_scalar(0.49).int().sum();
    let flat = flat.try_into_scalar::<i64>().unwrap_or(0);
    Probe { layer, dead: 0.0, saturated: flat as f64 / count as f64 }
}
