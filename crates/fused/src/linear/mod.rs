//! Matrix products with bias, activation and their gradients.

//!
//! [`Linear`] and [`LayerNorm`] are whole operations on slices, parallel over tiles of rows; `tile` and
//! `product` are the pieces that the encoder and attention are made of.

mod activation;
mod dense;
mod distance;
pub(crate) mod lanes;
mod norm;
pub(crate) mod product;
pub(crate) mod tile;

use crate::error::{Error, Result};
pub use activation::Activation;
pub use dense::{Linear, LinearGradients, THREAD_BYTES};
pub use distance::SquaredDistance;
pub(crate) use norm::Norm;
pub use norm::{LayerNorm, LayerNormGradients};

/// Refuses sizes of zero.
pub(crate) fn check_sizes(sizes: &[(&'static str, usize)]) -> Result<()> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        None => Ok(()),
        Some((name, _)) => {
            Err(Error::Setting { name, value: "0".to_owned(), allowed: "1 or more" })
        }
    }
}

/// Refuses what is no share to drop.
pub(crate) fn check_rate(name: &'static str, rate: f32) -> Result<()> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(Error::Setting { name, value: rate.to_string(), allowed: "0 or more, below 1" })
}

/// Refuses what cannot be added to a variance.
pub(crate) fn check_epsilon(epsilon: f32) -> Result<()> {
    if epsilon >= 0.0 && epsilon.is_finite() {
        return Ok(());
    }
    Err(Error::Setting {
        name: "epsilon",
        value: epsilon.to_string(),
        allowed: "0 or more, finite",
    })
}
