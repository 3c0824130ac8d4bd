#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod chunks;
mod error;
mod known;
mod labels;
mod metric;
mod names;
mod objective;
mod objectives;
mod percentile;

pub use bound::Bound;
pub use error::Error;
pub use labels::Labels;
pub use metric::{EraScore, Evaluation};
pub use objective::{Objective, OwnLoss};
pub use objectives::{Aft, Binary, Lambdarank, Noise, label_gain};
