#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod discovery;
mod error;
mod interval;
mod long_run;
mod null;
mod overfitting;
mod resampling;
mod sharpe;
mod superior;
mod trials;

pub use discovery::{Storey, benjamini_hochberg, benjamini_yekutieli, holm, storey};
pub use error::{Error, Result};
pub use interval::{Bootstrap, Estimate, Hac, LongRun};
pub use overfitting::{Cscv, Curves, Dominance, Overfitting, Statistic};
pub use resampling::{Resampling, Scheme};
pub use sharpe::{
    Hypotheses, MaximumMoments, SharpeSample, expected_maximum, minimum_backtest_length,
    minimum_backtest_length_bound,
};
pub use superior::{
    Better, ConfidenceSet, Equality, ModelSet, RealityCheck, Spa, Stepwise, Studentised, Superior,
};
pub use trials::{Clusters, Counting, Trials, cluster};
