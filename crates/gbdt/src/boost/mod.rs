//! Trees upon trees.

mod dart;
mod data;
mod eras;
mod fit;
mod gradients;
mod holdout;
mod memory;
mod model;
mod refit;
mod sample;
mod start;
mod train;

pub use model::GbdtModel;
