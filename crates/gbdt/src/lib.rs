#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod boost;
mod check;
mod contradictions;
mod era;
mod error;
mod grow;
mod histogram;
mod linear;
pub mod parameters;
mod settings;
mod split;

pub use boost::{Beside, GbdtModel};
pub use error::Error;
pub use fattail_bins::{Binning, Mappers};
pub use fattail_objective::Objective;
pub use histogram::{Alone, Reduce};
pub use settings::{
    Boosting, Categorical, CategoricalMethod, Constraints, Criterion, Dart, EarlyStop, EraBoosting,
    EraSettings, ForcedSplit, Gbdt, Growth, Limits, MonotoneMethod, Neutralise, Precision, Rows,
    Sampling, Seeds,
};
