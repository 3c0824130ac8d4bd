//! What the binaries share: where data comes from, which metrics are taken, how a failure is told.
#![forbid(unsafe_code)]

pub mod boost;
mod data;
mod outline;
mod score;
mod shell;
mod weekly;

pub use data::{DataArgs, Source};
pub use outline::{metrics, numerai_horizon};
pub use score::{Joined, ScoreFiles, metrics_of};
pub use shell::{Bars, Outcome, RunArgs, run, set_threads, write_out};
pub use weekly::{Weekly, facts_of, leave};
