#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adversarial;
mod change;
mod distance;
mod eras;
mod error;
mod found;
mod kernel;
mod null;
mod scan;
mod special;

pub use adversarial::{Adversarial, AdversarialReport, AucNull, auc};
pub use change::{
    Adwin, AdwinDetector, Alarm, Baseline, Cusum, CusumDetector, Dependence, Direction,
    FalseAlarms, PageHinkley, PageHinkleyDetector, alarm_within, average_run_length,
    siegmund_run_length,
};
pub use distance::{
    Binning, Tally, Wasserstein, chi_squared, jensen_shannon, kolmogorov_smirnov, psi, wasserstein,
};
pub use eras::{EraBlocks, EraTest, Layout};
pub use error::{Error, Result};
pub use found::{Found, Reason};
pub use kernel::Mmd;
pub use null::{Method, Null, Outcome};
pub use scan::{Changed, FeatureDrift, Heat, Profile, Rule, Scan, ScanReport, Verdict};
