//! Trees upon trees.

mod dart;
mod data;
mod encode;
mod eras;
mod fit;
mod gradients;
mod holdout;
mod memory;
mod model;
mod order;
mod ordered;
mod refit;
mod sample;
mod start;
mod train;
mod vector;

pub use fit::Beside;
pub use model::GbdtModel;
