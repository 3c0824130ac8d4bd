//! What can be wrong with a panel or with the settings of a fit, told with name, value and place.

/// The result of every trait of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the traits of the house answer when they cannot do their work.
///
/// Rooms with errors of their own put them into [`Error::Other`] with [`Error::other`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An era comes again or comes too late.
    #[error("eras are not sorted: era '{era}' follows era '{previous}' at row {row}")]
    UnsortedEras {
        /// The era out of place.
        era: String,
        /// The era before it.
        previous: String,
        /// The first row of the era out of place.
        row: usize,
    },
    /// A column has another length than the panel.
    #[error("column '{name}' has {given} rows, the panel has {expected}")]
    Length {
        /// The column.
        name: String,
        /// Its length.
        given: usize,
        /// The length of the panel.
        expected: usize,
    },
    /// A name that the panel does not have.
    #[error("unknown {kind} '{name}'{}", hint(.nearest))]
    UnknownColumn {
        /// `feature`, `target`, `extra column`, `feature set` or `era`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A name given twice.
    #[error("{kind} '{name}' is given twice")]
    DuplicateName {
        /// What the name stands for.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A column asked for in two roles, such as a target that would be a feature as well.
    #[error("column '{name}' is given as {} and as {}", roles[0], roles[1])]
    TwoRoles {
        /// The column.
        name: String,
        /// Its roles.
        roles: [&'static str; 2],
    },
    /// An id that stands twice in one era.
    #[error("id '{id}' stands twice in era '{era}', the second time at row {row}")]
    DuplicateId {
        /// The id.
        id: String,
        /// The era.
        era: String,
        /// The row of the second.
        row: usize,
    },
    /// Something that must not be empty.
    #[error("{what} is empty")]
    Empty {
        /// What is empty.
        what: String,
    },
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
    /// A value that is missing or infinite where a number is needed.
    #[error("column '{column}' holds {value} in era '{era}' at row {row}")]
    NonFinite {
        /// The column.
        column: String,
        /// The value.
        value: f64,
        /// The era.
        era: String,
        /// The row of the panel.
        row: usize,
    },
    /// A list of eras that is not strictly increasing or leaves the panel.
    #[error(
        "era index {index} at position {position} is not allowed: indices increase and stay below {eras}"
    )]
    EraIndex {
        /// The index.
        index: usize,
        /// Its position in the list.
        position: usize,
        /// The number of eras.
        eras: usize,
    },
    /// An era that holds rows of two eras of the panel.
    #[error("era '{era}' reaches over the end of an era of the panel at row {row}")]
    EraAcross {
        /// The era.
        era: String,
        /// The first row of the next era of the panel.
        row: usize,
    },
    /// A panel that lacks what the operation needs.
    #[error("{operation} needs {what}, which the panel does not have")]
    Missing {
        /// The operation.
        operation: String,
        /// What is missing.
        what: String,
    },
    /// A panel whose features are not those of the fit.
    #[error(
        "the panel's features differ from those of the fit: expected '{expected}', found '{found}' at position {position}"
    )]
    FeatureMismatch {
        /// The name seen in the fit, or `nothing`.
        expected: String,
        /// The name found, or `nothing`.
        found: String,
        /// Where they differ.
        position: usize,
    },
    /// A score that is not defined; collectors turn it into NaN and keep the reason.
    #[error("{metric} is not defined in era '{era}': {reason}")]
    Undefined {
        /// The metric.
        metric: String,
        /// The era.
        era: String,
        /// Why.
        reason: String,
    },
    /// An error of another room.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Boxes an error of another room.
    pub fn other(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(cause.into())
    }

    /// A setting out of its range.
    pub fn setting(name: &'static str, value: impl ToString, allowed: &'static str) -> Self {
        Self::Setting { name, value: value.to_string(), allowed }
    }

    /// Something that must not be empty.
    pub fn empty(what: impl Into<String>) -> Self {
        Self::Empty { what: what.into() }
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(", did you mean '{name}'?")).unwrap_or_default()
}
