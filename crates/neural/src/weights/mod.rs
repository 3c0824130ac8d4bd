//! Weights as files: safetensors in and out, PyTorch's state dictionaries in.
//!
//! Tensors carry the names of the networks' fields and PyTorch's layouts, so most state dictionaries load
//! as they are; where a user named things otherwise, [`renamed`] changes the beginnings of names and
//! [`without`] leaves tensors out. A tensor whose values lie in the network's order takes its shape: axes of
//! length 1 come and go (PyTorch Geometric's attention is 1 x heads x width), and the first axes of a matrix
//! may be apart (a table of features x bins x width).
//!
//! Nothing here trusts a file: lengths are compared with the file's before anything is copied, a model's
//! shape with its weights before anything is built from it, and a state dictionary's pickle is read by a
//! reader that runs no code.

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

/// Tensors without those whose names have one of these beginnings.
///
/// ```
/// use fattail_neural::weights::{Named, without};
/// let named = |name: &str| Named { name: name.into(), shape: vec![1], values: vec![2.0] };
/// let weights = without(vec![named("lin_l.bias"), named("lin_r.bias")], &["lin_r."]);
/// assert_eq!(weights.len(), 1);
/// ```
#[must_use]
pub fn without(mut weights: Vec<Named>, beginnings: &[&str]) -> Vec<Named> {
    weights.retain(|tensor| beginnings.iter().all(|start| !tensor.name.starts_with(start)));
    weights
}

/// A network with these weights: every parameter by its name and shape, none too many, all finite.
///
/// # Errors
/// Names the first tensor that is missing, unknown, of another shape or not finite.
pub fn load<N: Module>(network: N, weights: &[Named]) -> Result<N> {
    crate::engine::load(network, weights)
}

/// Whether values of one shape are those of the other in the same order: axes of length 1 do not count,
/// and the first axis of a matrix may be several that it joins.
pub(crate) fn same_order(found: &[usize], expected: &[usize]) -> bool {
    let long = |shape: &[usize]| -> Vec<usize> {
        shape.iter().copied().filter(|&length| length != 1).collect()
    };
    let (found_long, expected_long) = (long(found), long(expected));
    if found_long == expected_long {
        return true;
    }
    let &[rows, columns] = expected else {
        return false;
    };
    let Some((&last, first)) = found.split_last() else {
        return false;
    };
    let joined = first.iter().try_fold(1usize, |all, &length| all.checked_mul(length));
    last == columns && joined == Some(rows)
}

/// Numbers of `N` bytes each.
fn each<const N: usize>(data: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::same_order;

    #[test]
    fn shapes_of_one_order_are_told_from_others() {
        for (found, expected) in [
            (&[][..], &[1][..]),
            (&[1, 2, 4], &[2, 4]),
            (&[5, 1], &[5]),
            (&[4, 5, 8], &[20, 8]),
            (&[4, 5, 1], &[20, 1]),
        ] {
            assert!(same_order(found, expected), "{found:?} {expected:?}");
        }
        for (found, expected) in [
            (&[2, 4][..], &[4, 2][..]),
            (&[4, 5], &[20]),
            (&[5, 8, 4], &[20, 8]),
            (&[2, 2, 2], &[2, 2, 3]),
            (&[usize::MAX, 3, 2], &[6, 2]),
        ] {
            assert!(!same_order(found, expected), "{found:?} {expected:?}");
        }
    }
}
