//! What can go wrong in a linear fit.

/// Why a linear model could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No row has a finite target and a positive weight.
    #[error("none of {rows} rows has a known target and a positive weight")]
    NothingKnown {
        /// The rows of the panel.
        rows: usize,
    },
    /// A weight below zero.
    #[error("weight {value} in era '{era}' at row {row} of the era, allowed is zero or more")]
    NegativeWeight {
        /// The weight.
        value: f32,
        /// The era.
        era: String,
        /// The row, counted from the start of the era.
        row: usize,
    },
    /// Features that determine each other, and no penalty to choose among them.
    #[error("the features are collinear at penalty {penalty}: take a larger penalty")]
    Collinear {
        /// The penalty.
        penalty: f64,
    },
    /// No era can be left out with its neighbours and leave anything to fit on.
    #[error(
        "cannot choose among penalties: of {eras} eras, none leaves another when it goes with {gap} neighbours on each side"
    )]
    NothingLeft {
        /// The eras of the panel.
        eras: usize,
        /// The neighbours left out on each side.
        gap: usize,
    },
    /// The walk did not arrive.
    #[error(
        "{method} did not converge in {iterations} iterations: {left} is left, allowed is {tolerance}"
    )]
    NotConverged {
        /// The method.
        method: &'static str,
        /// The iterations done.
        iterations: usize,
        /// What is left of the stopping measure.
        left: f64,
        /// What was allowed.
        tolerance: f64,
    },
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
