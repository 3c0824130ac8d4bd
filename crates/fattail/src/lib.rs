#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use fattail_core::*;
pub use fattail_descent as descent;
pub use fattail_evaluate as evaluate;
pub use fattail_linear as linear;
pub use fattail_prepare as prepare;
pub use fattail_report as report;
pub use fattail_stats as stats;
pub use fattail_store as store;
