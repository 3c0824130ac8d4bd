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
mod quantised;
pub mod weights;

pub use adjacency::Adjacency;
pub use architecture::Architecture;
pub use engine::{AdamW, Precision};
pub use error::{Error, Result};
pub use learners::{
    Adapter, FeatureTransformer, GraphNet, GraphOf, Kernel, Learner, Recurrent, Regime, RobustMlp,
    SequenceTransformer, Vae, VaeModel,
};
pub use model::NeuralModel;
pub use quantised::QuantisedModel;
