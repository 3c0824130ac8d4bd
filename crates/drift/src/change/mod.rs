//! Alarms on a series of era scores: when did the level change?
//!
//! Each detector is a state that takes one score an era, answers an [`Alarm`] or nothing, and is
//! written and read with serde, so that it survives restarts; its settings have a batch form with the
//! same answers. Scores that are NaN, infinite or beyond ±1e100 are eras without a score: they take
//! their place in the count of eras and are otherwise skipped.
//!
//! | detector | state | false alarms |
//! |---|---|---|
//! | [`Cusum`] | two sums | stated: average run length, or a chance within so many eras |
//! | [`PageHinkley`] | two sums and a running mean | stated, by [`PageHinkley::calibrated`] |
//! | [`Adwin`] | buckets of a window, `O(log n)` | not stated: a heuristic, measured conservative |
//!
//! Scores of overlapping labels repeat each other, and every stated rate is for independent scores:
//! [`Dependence`] thins or whitens them first.

mod adwin;
mod baseline;
mod cusum;
mod dependence;
mod page_hinkley;
mod run_length;

use serde::{Deserialize, Serialize};

pub use adwin::{Adwin, AdwinDetector};
pub use baseline::Baseline;
pub use cusum::{Cusum, CusumDetector};
pub use dependence::Dependence;
pub use page_hinkley::{PageHinkley, PageHinkleyDetector};
pub use run_length::{FalseAlarms, alarm_within, average_run_length, siegmund_run_length};

/// Which way the level went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The scores rose.
    Up,
    /// The scores fell.
    Down,
}

/// A change of level, found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The number of the score that raised it, from 0, skipped scores counted.
    pub at: u64,
    /// The number of the first score that the detector holds for changed.
    pub since: u64,
    /// Which way the level went.
    pub direction: Direction,
    /// The detector's statistic.
    pub statistic: f64,
    /// The limit that it passed.
    pub threshold: f64,
}
