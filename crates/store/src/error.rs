//! What can be wrong with a file, told with path, place, column and value.

use std::{fmt, io, path::Path};

use crate::{SubmissionError, shown::shown};

/// The result of everything that touches a file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What a number has to be.
pub(crate) const NUMBER: &str = "a finite number";
pub(crate) const TOO_LARGE: &str = "a number that fits f32";

/// Where in a file. Rows are counted from 0, lines from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The whole file.
    File,
    /// A row group of a Parquet file.
    Group {
        /// The row group.
        group: usize,
    },
    /// A row of a row group of a Parquet file.
    GroupRow {
        /// The row group.
        group: usize,
        /// The row in the row group.
        row: usize,
    },
    /// A record batch of a mapped panel.
    Block {
        /// The record batch.
        block: usize,
    },
    /// A line of a text file.
    Line(u64),
    /// A row of a table without row groups or lines.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Group { group } => write!(f, ", row group {group}"),
            Self::GroupRow { group, row } => write!(f, ", row group {group}, row {row}"),
            Self::Block { block } => write!(f, ", block {block}"),
            Self::Line(line) => write!(f, ", line {line}"),
            Self::Row(row) => write!(f, ", row {row}"),
        }
    }
}

/// What the door to disk answers when it stays shut.
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
    /// A file that cannot be written. Nothing of it stays.
    #[error("cannot write '{}': {source}", path.display())]
    Write {
        /// The file.
        path: Box<Path>,
        /// The cause.
        source: Cause,
    },
    /// Bytes that are not what the format promises, such as a truncated file.
    #[error("'{}'{place} is not readable as {format}: {source}", path.display())]
    Format {
        /// The file.
        path: Box<Path>,
        /// Where.
        place: Place,
        /// The format.
        format: &'static str,
        /// The cause.
        source: Cause,
    },
    /// Bytes of a mapped panel that are not those that were written.
    #[error("'{}', block {block}, column '{column}': its checksum is {found:08x}, expected {expected:08x}", path.display())]
    Checksum {
        /// The file.
        path: Box<Path>,
        /// The block.
        block: usize,
        /// The column.
        column: String,
        /// The checksum of what is there.
        found: u32,
        /// The checksum of what was written.
        expected: u32,
    },
    /// A panel that takes more memory than it may.
    #[error("'{}' needs {needed} bytes in memory, allowed are {allowed}: read fewer columns or eras", path.display())]
    TooLarge {
        /// The file.
        path: Box<Path>,
        /// Bytes of values and ids, as far as they are known.
        needed: u64,
        /// Bytes allowed.
        allowed: u64,
    },
    /// A column that the file does not have.
    #[error("'{}' has no column '{column}', asked for as {role}{}", path.display(), hint(.nearest))]
    MissingColumn {
        /// The file.
        path: Box<Path>,
        /// The column.
        column: String,
        /// What it was asked for as.
        role: &'static str,
        /// The nearest name in the file.
        nearest: Option<String>,
    },
    /// Nothing to read under a rule that asks for columns.
    #[error("'{}' has no feature: no column {rule}", path.display())]
    NoFeatures {
        /// The file.
        path: Box<Path>,
        /// The rule.
        rule: String,
    },
    /// A column name that stands twice in the file.
    #[error("'{}' has column '{column}' twice", path.display())]
    DuplicateColumn {
        /// The file.
        path: Box<Path>,
        /// The column.
        column: String,
    },
    /// A column asked for in two roles, such as a target that would be a feature as well.
    #[error("'{}', column '{column}' is asked for as {} and as {}", path.display(), roles[0], roles[1])]
    TwoRoles {
        /// The file.
        path: Box<Path>,
        /// The column.
        column: String,
        /// Its roles.
        roles: [&'static str; 2],
    },
    /// A column of a type that its role does not allow.
    #[error("'{}', column '{column}': found type {found}, expected {expected}", path.display())]
    WrongType {
        /// The file.
        path: Box<Path>,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What its role needs.
        expected: &'static str,
    },
    /// A value that its column does not allow.
    #[error("'{}'{place}, column '{column}': found {value}, expected {expected}", path.display())]
    Value {
        /// The file.
        path: Box<Path>,
        /// Where.
        place: Place,
        /// The column.
        column: String,
        /// The value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// An era that comes again or too late.
    #[error("'{}'{place}, column '{column}': era '{}' follows era '{}', expected sorted eras", path.display(), shown(era), shown(previous))]
    UnsortedEras {
        /// The file.
        path: Box<Path>,
        /// Where.
        place: Place,
        /// The column of the eras.
        column: String,
        /// The era out of place.
        era: String,
        /// The era before it.
        previous: String,
    },
    /// An id that stands twice in one era.
    #[error("'{}'{place}, column '{column}': id '{}' stands twice in era '{}'", path.display(), shown(id), shown(era))]
    DuplicateId {
        /// The file.
        path: Box<Path>,
        /// Where the second one stands.
        place: Place,
        /// The column of the ids.
        column: String,
        /// The id.
        id: String,
        /// The era.
        era: String,
    },
    /// A file without rows, or whose rows were all filtered out.
    #[error("'{}' has no rows{reason}", path.display())]
    NoRows {
        /// The file.
        path: Box<Path>,
        /// Why, if something was filtered.
        reason: String,
    },
    /// Columns that do not make a panel.
    #[error("'{}': {source}", path.display())]
    Panel {
        /// The file.
        path: Box<Path>,
        /// The cause.
        source: fattail_core::Error,
    },
    /// A row of the panel for which the other table has no value.
    #[error(
        "column '{column}' has no value for id '{}' in era '{}' ({missing} of {rows} rows have none)",
        shown(id),
        shown(era)
    )]
    NoMatch {
        /// The column.
        column: String,
        /// The first id without a value.
        id: String,
        /// Its era.
        era: String,
        /// How many rows have no value.
        missing: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A join of two panels of which one has no ids.
    #[error("column '{column}' is joined by era and id, but {side} has no ids")]
    NoIds {
        /// The column.
        column: String,
        /// `the panel` or `the table`.
        side: &'static str,
    },
    /// A join by a column that the table does not have.
    #[error("the table to join: {source}")]
    Join {
        /// The cause.
        source: fattail_core::Error,
    },
    /// A setting that is not allowed.
    #[error(transparent)]
    Setting(fattail_core::Error),
    /// Predictions that the tournament would refuse.
    #[error("'{}': {source}", path.display())]
    Submission {
        /// The file.
        path: Box<Path>,
        /// The rule broken.
        source: SubmissionError,
    },
    /// A panel that does not fit into a spill folder. Nothing of it was written.
    #[error("spill folder '{}' is limited to {limit} bytes: {need} more do not fit beside the {used} in use", folder.display())]
    SpillFull {
        /// The folder.
        folder: Box<Path>,
        /// Bytes that it may hold.
        limit: u64,
        /// Bytes that it holds.
        used: u64,
        /// Bytes of the panel's file.
        need: u64,
    },
    /// A panel asked of a spill folder that does not hold it, or no longer.
    #[error("spill folder '{}' holds no panel {key}", folder.display())]
    NotSpilled {
        /// The folder.
        folder: Box<Path>,
        /// What was asked for.
        key: u64,
    },
    /// A folder that stands where artifacts should go and was not made by [`crate::Artifacts`].
    #[error("'{}' is not empty and was not made as an artifact folder: it is not replaced", path.display())]
    ForeignFolder {
        /// The folder.
        path: Box<Path>,
    },
}

impl Error {
    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }

    pub(crate) fn write(path: &Path, source: impl Into<Cause>) -> Self {
        Self::Write { path: path.into(), source: source.into() }
    }

    pub(crate) fn format(
        path: &Path,
        place: Place,
        format: &'static str,
        source: impl Into<Cause>,
    ) -> Self {
        Self::Format { path: path.into(), place, format, source: source.into() }
    }

    /// The same error, told of the file at `path`.
    pub(crate) fn told_of(mut self, place: &Path) -> Self {
        match &mut self {
            Self::Read { path, .. }
            | Self::Write { path, .. }
            | Self::Format { path, .. }
            | Self::Checksum { path, .. }
            | Self::TooLarge { path, .. }
            | Self::MissingColumn { path, .. }
            | Self::NoFeatures { path, .. }
            | Self::DuplicateColumn { path, .. }
            | Self::TwoRoles { path, .. }
            | Self::WrongType { path, .. }
            | Self::Value { path, .. }
            | Self::UnsortedEras { path, .. }
            | Self::DuplicateId { path, .. }
            | Self::NoRows { path, .. }
            | Self::Panel { path, .. }
            | Self::Submission { path, .. }
            | Self::ForeignFolder { path } => *path = place.into(),
            Self::NoMatch { .. }
            | Self::NoIds { .. }
            | Self::Join { .. }
            | Self::SpillFull { .. }
            | Self::NotSpilled { .. }
            | Self::Setting(_) => {}
        }
        self
    }
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(", did you mean '{name}'?")).unwrap_or_default()
}
