#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod elastic;
mod error;
mod gather;
mod huber;
mod leave_out;
mod model;
mod moments;
mod problem;
mod residual;
mod ridge;
mod spread;
mod train;

pub use elastic::ElasticNet;
pub use error::Error;
pub use huber::{HuberModel, HuberRegression, Threshold};
pub use leave_out::{Choice, PathPoint};
pub use model::{Coefficient, LinearModel};
pub use ridge::Ridge;
