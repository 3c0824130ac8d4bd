//! Why an ingest stops. What is wrong with rows does not stop it: they are mended or set aside.

use std::{io, path::Path};

use parquet::errors::ParquetError;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an ingest stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be opened or read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: Box<Path>,
        /// The cause.
        source: io::Error,
    },
    /// A file that became shorter while it was read.
    #[error("'{}' became shorter while it was read: {found} bytes of {expected}", path.display())]
    Shrunk {
        /// The file.
        path: Box<Path>,
        /// Bytes that it had.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// A file or folder that cannot be written.
    #[error("cannot write '{}': {source}", path.display())]
    Write {
        /// The place.
        path: Box<Path>,
        /// The cause.
        source: io::Error,
    },
    /// Values that Parquet refuses.
    #[error("cannot write '{}': {source}", path.display())]
    Encode {
        /// The file.
        path: Box<Path>,
        /// The cause.
        source: ParquetError,
    },
    /// More row groups than Parquet counts.
    #[error("'{}' would have more than 32767 row groups: allow more memory, so that they are larger", path.display())]
    TooManyGroups {
        /// The file.
        path: Box<Path>,
    },
    /// Another process writes the same output.
    #[error("another process writes '{}'", path.display())]
    Busy {
        /// The work folder.
        path: Box<Path>,
    },
    /// A schema file that is not one.
    #[error("'{}' is not a schema: {source}", path.display())]
    Schema {
        /// The file.
        path: Box<Path>,
        /// The cause.
        source: serde_json::Error,
    },
    /// A schema file with two columns of one name.
    #[error("'{}' has two columns of the name '{name}'", path.display())]
    Twice {
        /// The file.
        path: Box<Path>,
        /// The name.
        name: String,
    },
    /// A file of too many columns.
    #[error("'{}' has {source}", path.display())]
    Wide {
        /// The file.
        path: Box<Path>,
        /// How many.
        source: fattail_mend::TooManyColumns,
    },
    /// A file that does not have the columns of the schema.
    #[error("'{}' does not have the columns of the schema: {}", path.display(), differs(.missing, .added))]
    Columns {
        /// The file.
        path: Box<Path>,
        /// Columns that it lacks.
        missing: Vec<String>,
        /// Columns that the schema lacks.
        added: Vec<String>,
    },
    /// A setting that is not allowed.
    #[error(transparent)]
    Setting(fattail_core::Error),
}

impl Error {
    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }

    pub(crate) fn write(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }

    /// What Parquet refuses; a refusal of the disk is told as one.
    pub(crate) fn encode(path: &Path, source: ParquetError) -> Self {
        match source {
            ParquetError::External(cause) if cause.is::<io::Error>() => {
                let source =
                    cause.downcast::<io::Error>().map_or_else(io::Error::other, |cause| *cause);
                Self::Write { path: path.into(), source }
            }
            source => Self::Encode { path: path.into(), source },
        }
    }
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

fn differs(missing: &[String], added: &[String]) -> String {
    let told = |what: &str, names: &[String]| match names {
        [] => None,
        names => Some(format!("{what} '{}'", names.join("', '"))),
    };
    [told("it lacks", missing), told("it has besides", added)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}
