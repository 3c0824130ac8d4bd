#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod decision;
mod error;
mod evidence;
mod judge;
mod settings;

pub use decision::{Decision, Override};
pub use error::{Error, Result};
pub use evidence::Evidence;
pub use judge::{Bound, Judged, Rule};
pub use settings::{Agreement, Gate};
