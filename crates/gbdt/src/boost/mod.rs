//! Trees upon trees.

mod data;
mod eras;
mod fit;
mod gradients;
mod holdout;
mod model;
mod sample;
mod train;

pub use model::GbdtModel;
