#![doc = include_str!("../README.md")]
// Lifted in `predict` for its SIMD kernels alone, each with a safe twin.
#![deny(unsafe_code)]

mod error;
pub mod explain;
mod forest;
mod link;
mod predict;
mod tree;

pub use error::{Error, Result};
pub use forest::{Feature, Forest, Info};
pub use link::Link;
pub use predict::Predictor;
pub use tree::{Child, LinearLeaf, Missing, Node, Rule, Tree};
