//! Weights and an optimiser's state as named tensors.

use serde::{Deserialize, Serialize};

/// A named tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The name, stable over versions.
    pub name: String,
    /// The shape.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: Vec<f32>,
}

/// A network at a moment, and what its optimiser remembers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The weights.
    pub weights: Vec<Named>,
    /// Moments and the like.
    pub optimiser: Vec<Named>,
    /// Small numbers that go with them.
    pub counters: Counters,
}

/// Numbers that an engine keeps from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Steps that the optimiser took.
    pub steps: u64,
    /// The factor that losses are scaled by in mixed precision; 0 where they are not.
    pub loss_scale: f64,
    /// Steps since the factor changed.
    pub since_scale: u64,
}
