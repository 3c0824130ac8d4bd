#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod certificate;
mod decision;
mod error;
mod evidence;
mod judge;
mod rule;
mod settings;

pub use decision::{Admitted, Decision, Override, Waiver};
pub use error::{Error, Result};
pub use evidence::Evidence;
pub use rule::{Bound, Judged, Rule};
pub use settings::{Agreement, Gate, Undefined};
