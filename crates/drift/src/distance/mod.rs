//! Distances between two samples of one feature, each with its null distribution.
//!
//! All of them are functions of one [`Tally`]: how often each distinct value stands in either sample,
//! and how often it is missing. Bins (`u8`) are counted, other numbers sorted. Rows are taken as
//! independent: for rows of a panel, which are not, see [`EraTest`](crate::EraTest).

mod bins;
mod deal;
mod smirnov;
mod tally;
mod wasserstein;

pub use bins::{Binning, chi_squared, jensen_shannon, psi};
pub use smirnov::kolmogorov_smirnov;
pub use tally::Tally;
pub use wasserstein::{Wasserstein, wasserstein};

pub(crate) use bins::{Table, bin_ends, psi_of};
pub(crate) use tally::count_bins;
pub(crate) use wasserstein::{raw_distance, scaled_distance};
