#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adjacency;
mod architecture;
pub mod device;
mod engine;
mod error;
pub mod layers;
mod learners;
mod loss;
mod model;
pub mod nets;
pub mod network;
mod ops;
mod parameters;
mod quantised;
pub mod weights;

/// The tensors and devices of layers and networks: use this one, so that versions agree.
pub use burn;

pub use adjacency::Adjacency;
pub use architecture::Architecture;
pub use engine::{AdamW, Precision};
pub use error::{Error, Length, Result};
pub use learners::{
    Adapter, FeatureTransformer, GraphNet, GraphOf, Kernel, Learner, Recurrent, Regime, RobustMlp,
    SequenceTransformer, Vae, VaeModel,
};
pub use model::NeuralModel;
pub use quantised::QuantisedModel;
