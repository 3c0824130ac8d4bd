#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod block_length;
mod correlate;
mod cosines;
mod error;
mod gauss;
mod location;
mod matrix;
mod moments;
mod multiple;
mod project;
mod random;
mod rank;
mod resample;
mod series;
mod sums;
mod weighted;

pub use block_length::{BlockLength, optimal_block_length};
pub use correlate::{by_era, covariance, kendall, pearson, spearman};
pub use cosines::{cosine_count, cosine_waves, cosines};
pub use error::{Error, Result};
pub use gauss::{
    GaussTable, gaussianise, normal_cdf, normal_density, normal_quantile, power_signed,
};
pub use location::{
    MAD_TO_SIGMA, Sample, interquartile_range, median, median_absolute_deviation, quantile,
    quantile_sorted, trimmed_mean, winsorise, winsorised_mean, winsorised_std,
};
pub use matrix::{Eigen, eigh, gram, solve_spd};
pub use moments::{Moments, kurtosis, mean, skewness, std, variance};
pub use multiple::{benjamini_hochberg, step_up};
pub use project::{Projector, lstsq, orthogonalise, residual};
pub use random::{Counter, below, unit};
pub use rank::{Ranker, Ties, rank, uniform_rank};
pub use resample::{Blocks, Interval, bootstrap, bootstrap_interval};
pub use series::{autocorrelation, lag_correlation, long_run_variance, mean_t_statistic};
pub use weighted::{
    weighted_by_era, weighted_mean, weighted_pearson, weighted_quantile, weighted_rank,
    weighted_spearman, weighted_std, weighted_variance,
};
