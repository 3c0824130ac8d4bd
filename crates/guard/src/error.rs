//! What this room refuses to do, told with name, value, allowed range and place.

use std::{io, path::PathBuf};

/// The result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with a setting, a gate's schema, the machine's own words, or a breaker's state.
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
    /// A schema of a version that this build does not know.
    #[error("the gate's schema has version {found}, known is {known}")]
    Version {
        /// The version found, or `none`.
        found: String,
        /// The version that this build reads.
        known: u32,
    },
    /// A schema that is not well formed.
    #[error("the gate's schema is not well formed at {place}: {reason}")]
    Schema {
        /// Where.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// A value in the training data that no gate can be learnt from.
    #[error(
        "training column '{column}' holds {value} in era '{era}' at row {row}, allowed is {allowed}"
    )]
    Training {
        /// The column.
        column: String,
        /// The era.
        era: String,
        /// The row of the panel.
        row: usize,
        /// The value.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A training feature without a single value.
    #[error("training column '{column}' has no value in {rows} rows")]
    NoValues {
        /// The column.
        column: String,
        /// Its rows.
        rows: usize,
    },
    /// A training era unlike all others, around which no band is learnt.
    #[error(
        "training era '{era}' has {what} {value}, the others at the utmost {others}: leave it out, or set keep_odd_eras"
    )]
    OddEra {
        /// The era.
        era: String,
        /// What is odd about it.
        what: String,
        /// How much of it the era has.
        value: f64,
        /// How much the others have, but for a few.
        others: f64,
    },
    /// A feature that is a target in every training era.
    #[error("training column '{feature}' equals the target '{target}' in every era")]
    Alias {
        /// The feature.
        feature: String,
        /// The target.
        target: String,
    },
    /// An error of the panel.
    #[error(transparent)]
    Panel(#[from] fattail_core::Error),
    /// A file that cannot be read or written.
    #[error("cannot {what} '{}'", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of the system that does not say what it should.
    #[error("'{}' says '{said}', expected is {expected}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What it says, shortened.
        said: String,
        /// What it should say.
        expected: &'static str,
    },
    /// A limit of which it is not known how much is used.
    #[error("the limit {limit} is known, what is used of it is not: '{}' does not say", path.display())]
    UsageUnknown {
        /// Who sets the limit.
        limit: String,
        /// The file that should say.
        path: PathBuf,
    },
    /// A control group whose limits cannot be seen from here.
    #[error(
        "the process is in the control group '{group}', whose memory limits are not mounted here: give a limit in bytes"
    )]
    GroupUnseen {
        /// The group's name.
        group: String,
    },
    /// No limit of this process is known, so nothing can be promised.
    #[error("no memory limit is known on this system: give one in bytes")]
    NoLimit,
    /// Work that does not fit into the memory that is left.
    #[error(transparent)]
    Memory(#[from] crate::Refusal),
    /// Another process, or another part of this one, holds the breaker.
    #[error("the breaker '{}' is held by another process", path.display())]
    Locked {
        /// The state file.
        path: PathBuf,
    },
    /// A state file that cannot be trusted.
    #[error("the breaker's state '{}' is corrupt ({reason}): reset it once the cause is known", path.display())]
    Corrupt {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The breaker does not allow an attempt now.
    #[error(transparent)]
    Open(#[from] crate::Refused),
    /// A time before 1970 or after the year 10000.
    #[error("the clock says a time that cannot be: {0} seconds from 1970")]
    Clock(i64),
    /// A thread that could not be started.
    #[error("cannot start the watching thread")]
    Thread(#[source] io::Error),
    /// A value that cannot be written as JSON or read from it.
    #[error("cannot read or write JSON")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// A setting out of its range.
    pub(crate) fn setting(name: &'static str, value: impl ToString, allowed: &'static str) -> Self {
        Self::Setting { name, value: value.to_string(), allowed }
    }

    /// A schema that is not well formed.
    pub(crate) fn schema(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Schema { place: place.into(), reason: reason.into() }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { what, path: path.into(), source }
    }
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Panel(error) => error,
            error => Self::other(error),
        }
    }
}
