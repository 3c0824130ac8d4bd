//! What the alarms refuse, each with the name, the given value and the allowed range.

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An input that an alarm refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting out of its range.
    #[error("setting '{name}' is {value}, allowed is {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// The range.
        allowed: &'static str,
    },
    /// Fewer rows, eras or scores than the test needs.
    #[error("'{name}' has {given} {unit}, needs at least {least}")]
    TooFew {
        /// The side or argument.
        name: &'static str,
        /// What is counted: `rows`, `blocks of eras`, `scores`.
        unit: &'static str,
        /// How many there are.
        given: usize,
        /// The least number.
        least: usize,
    },
    /// Two arguments that belong together differ in length.
    #[error("'{name}' has {given} values, expected {expected}")]
    Length {
        /// The argument.
        name: &'static str,
        /// Its length.
        given: usize,
        /// The length it must have.
        expected: usize,
    },
    /// An era given on both sides, twice, or outside the panel.
    #[error("era {era} of '{side}' is not allowed: {reason}")]
    Era {
        /// The position of the era in the panel.
        era: usize,
        /// `reference` or `current`.
        side: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A summary of an era that cannot be averaged.
    #[error("summary {bin} of era {era} is {value}, allowed is finite and within ±1e100")]
    Summary {
        /// The position of the era.
        era: usize,
        /// The position in its summary.
        bin: usize,
        /// The value.
        value: f64,
    },
    /// A profile that was not written by this crate, or changed since.
    #[error("the profile's {part} do not fit together")]
    Profile {
        /// What does not fit.
        part: &'static str,
    },
    /// A learner's prediction that cannot be ranked.
    #[error("the learner answers {value} in fold {fold} at row {row} of the held-out rows")]
    Prediction {
        /// The fold, from 0.
        fold: usize,
        /// The row.
        row: usize,
        /// The prediction.
        value: f32,
    },
    /// A kernel of the statistics room refuses.
    #[error(transparent)]
    Stats(#[from] fattail_stats::Error),
    /// The panel or a learner refuses.
    #[error(transparent)]
    Core(#[from] fattail_core::Error),
}

impl Error {
    pub(crate) fn setting(name: &'static str, value: impl ToString, allowed: &'static str) -> Self {
        Self::Setting { name, value: value.to_string(), allowed }
    }
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(cause) => cause,
            other => Self::other(other),
        }
    }
}

/// Refuses a rate of false alarms that is none.
pub(crate) fn checked_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(Error::setting("level", level, "above 0, below 1"))
    }
}

/// Whether a value counts: sums of squares of larger ones overflow.
pub(crate) fn is_number(value: f64) -> bool {
    value.abs() <= 1e100
}

/// Refuses fewer than `least`.
pub(crate) fn at_least(
    name: &'static str,
    unit: &'static str,
    given: usize,
    least: usize,
) -> Result<()> {
    if given >= least { Ok(()) } else { Err(Error::TooFew { name, unit, given, least }) }
}
