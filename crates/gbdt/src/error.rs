//! What can go wrong in boosting.

/// Why a model could not be trained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No row has a finite target and a positive weight.
    #[error("none of {rows} rows has a known target and a positive weight")]
    NothingKnown {
        /// The rows of the panel.
        rows: usize,
    },
    /// Holding out leaves no era to fit on.
    #[error(
        "cannot stop early: of {eras} eras, {held} are held out after a gap of {gap}, which leaves none to fit on"
    )]
    NoHoldout {
        /// The eras of the panel.
        eras: usize,
        /// The eras held out.
        held: usize,
        /// The eras between.
        gap: usize,
    },
    /// Training would take more memory than it may.
    #[error("training needs {needed} bytes beside the panel, allowed are {allowed}: {parts}")]
    Memory {
        /// The bytes needed.
        needed: u64,
        /// The bytes allowed.
        allowed: u64,
        /// What needs them.
        parts: String,
    },
    /// A category is too large for a set of bits.
    #[error("category {category} of feature '{feature}' is above {most}: number categories from 0")]
    Category {
        /// The feature.
        feature: String,
        /// The category.
        category: i32,
        /// The largest allowed.
        most: i32,
    },
    /// Settings that cannot go together.
    #[error("{first} and {second} cannot go together: {reason}")]
    Contradiction {
        /// One setting.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
