//! Weights as files: safetensors in and out, PyTorch's state dictionaries in.
//!
//! Tensors carry the names of the networks' fields and PyTorch's layouts, so most state dictionaries load
//! as they are; where a user named things otherwise, [`renamed`] changes the beginnings of names. Nothing
//! here trusts a file: lengths are checked before anything is copied, and a state dictionary's pickle is
//! read by a reader that runs no code.

mod pytorch;
mod safetensors;

pub use fattail_training::Named;

use burn::module::Module;

use crate::Result;

pub use self::{
    pytorch::from_pytorch,
    safetensors::{from_safetensors, to_safetensors},
};

/// Tensors with the beginnings of their names changed: the first rule that fits.
///
/// ```
/// use fattail_neural::weights::{Named, renamed};
/// let weights = vec![Named { name: "net.0.weight".into(), shape: vec![1], values: vec![2.0] }];
/// let weights = renamed(weights, &[("net.0.", "head.")]);
/// assert_eq!(weights[0].name, "head.weight");
/// ```
#[must_use]
pub fn renamed(mut weights: Vec<Named>, rules: &[(&str, &str)]) -> Vec<Named> {
    for tensor in &mut weights {
        let fits = |(from, to): &(&str, &str)| {
            tensor.name.strip_prefix(from).map(|rest| format!("{to}{rest}"))
        };
        if let Some(name) = rules.iter().find_map(fits) {
            tensor.name = name;
        }
    }
    weights
}

/// A network with these weights: every parameter by its name and shape, none too many, all finite.
///
/// # Errors
/// Names the first tensor that is missing, unknown, of another shape or not finite.
pub fn load<N: Module>(network: N, weights: &[Named]) -> Result<N> {
    crate::engine::load(network, weights)
}
