#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use fattail_bins as bins;
pub use fattail_certificate as certificate;
pub use fattail_core::*;
pub use fattail_drift as drift;
pub use fattail_evaluate as evaluate;
pub use fattail_exchange as exchange;
#[cfg(feature = "neural")]
pub use fattail_fused as fused;
pub use fattail_gate as gate;
pub use fattail_gbdt as gbdt;
pub use fattail_guard as guard;
pub use fattail_ingest as ingest;
pub use fattail_linear as linear;
pub use fattail_luck as luck;
pub use fattail_mend as mend;
#[cfg(feature = "neural")]
pub use fattail_mlp as mlp;
#[cfg(feature = "neural")]
pub use fattail_neural as neural;
pub use fattail_objective as objective;
pub use fattail_prepare as prepare;
pub use fattail_report as report;
pub use fattail_stats as stats;
pub use fattail_store as store;
#[cfg(feature = "neural")]
pub use fattail_training as training;
pub use fattail_trees as trees;

/// Losses that learners walk down.
pub mod loss {
    pub use fattail_descent::{
        Absolute, Huber, LogCosh, Loss, Objective, Pearson, Quantile, RowLoss, Squared, Truth,
        Tukey,
    };
}

/// Learning rates as functions of the step.
pub mod schedule {
    pub use fattail_descent::{
        Constant, Cosine, Exponential, Linear, OneCycle, Plateau, Polynomial, Product, Rate,
        Schedule, Sequence, Staircase,
    };
}

/// When to stop.
pub mod stop {
    pub use fattail_descent::{Reason, Stop};
}
