#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bars;
mod conform;
mod disk;
mod market;
mod noise;
mod stream;
mod violation;

pub use bars::{BarSeries, Bars};
pub use conform::{
    learner::{check_learner, check_learner_on_missing},
    loss::check_loss,
    metric::{check_metric, check_metric_except, check_metric_on},
    schedule::check_schedule,
    split::check_split,
    transform::check_transform,
};
pub use disk::{FailedOnDisk, Ran, check_on_small_disk, small_disk, while_shut};
pub use market::{Market, Signal, Signals};
pub use violation::{Law, Verdict, Violation};
