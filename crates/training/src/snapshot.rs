//! Weights and an optimiser's state as named tensors.

use serde::{Deserialize, Serialize};

use crate::mix;

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

impl Named {
    /// A number that tells these tensors from others: of names, shapes and values, in their order.
    ///
    /// ```
    /// use fattail_training::Named;
    /// let tensor = |value| Named { name: "head".to_owned(), shape: vec![1], values: vec![value] };
    /// assert_ne!(Named::fingerprint(&[tensor(1.0)]), Named::fingerprint(&[tensor(2.0)]));
    /// ```
    #[must_use]
    pub fn fingerprint(tensors: &[Self]) -> u64 {
        tensors.iter().fold(tensors.len() as u64, |state, tensor| {
            let shape = tensor.shape.iter().map(|&axis| axis as u64);
            let values = tensor.values.iter().map(|value| u64::from(value.to_bits()));
            let name = mix::fold(state, mix::text(&tensor.name));
            shape.chain(values).fold(name, mix::fold)
        })
    }
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
