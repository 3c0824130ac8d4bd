//! What can go wrong in binning.

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a panel could not be binned.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Forced boundaries that do not increase.
    #[error(
        "forced boundaries of '{feature}' must be finite and increase, found {value} at position {at}"
    )]
    Forced {
        /// The feature.
        feature: String,
        /// The first value that is out of order.
        value: f64,
        /// Its position.
        at: usize,
    },
    /// Bins that came from outside and cannot be.
    #[error("the bins of '{feature}' are not sound: {reason}")]
    Unsound {
        /// The feature.
        feature: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Bins without a name or names without bins.
    #[error("there are bins for {mappers} features and names for {names}")]
    Names {
        /// The bins.
        mappers: usize,
        /// The names.
        names: usize,
    },
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
