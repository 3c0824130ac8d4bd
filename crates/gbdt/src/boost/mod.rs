//! Trees upon trees.

mod data;
mod encode;
mod fit;
mod gradients;
mod holdout;
mod model;
mod order;
mod ordered;
mod sample;
mod train;
mod vector;

pub use model::GbdtModel;
