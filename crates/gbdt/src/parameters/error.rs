//! What can be wrong with parameters.

/// The result of reading parameters.
pub type ParameterResult<T, E = ParameterError> = std::result::Result<T, E>;

/// Why parameters are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A name that no parameter has.
    #[error("unknown parameter '{name}'{}", hint(.nearest))]
    Unknown {
        /// The name.
        name: String,
        /// The nearest one that is known.
        nearest: Option<String>,
    },
    /// A value out of its range.
    #[error("parameter '{name}' is '{value}', allowed is {allowed}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// The range.
        allowed: &'static str,
    },
    /// A name that the parameter's list does not have.
    #[error("parameter '{name}': {reason}")]
    Choice {
        /// The parameter.
        name: &'static str,
        /// What is not known, and the nearest that is.
        reason: String,
    },
    /// Parameters that contradict each other.
    #[error("contradictory parameters: {first}, but {second}")]
    Conflict {
        /// What one asks for.
        first: String,
        /// What the other says.
        second: String,
    },
    /// A parameter of LightGBM's that this engine does not have.
    #[error("parameter '{name}' is not supported: {reason}")]
    Unsupported {
        /// The parameter.
        name: &'static str,
        /// Why, or what to use.
        reason: &'static str,
    },
    /// A position or name that no column has.
    #[error("parameter '{name}' names column {given}, the data has {columns} beside the label")]
    Position {
        /// The parameter.
        name: &'static str,
        /// The position or name.
        given: String,
        /// The number of columns beside the label.
        columns: usize,
    },
    /// A list that must hold one value a column.
    #[error(
        "parameter '{name}' has {given} values, the data has {columns} columns beside the label"
    )]
    Length {
        /// The parameter.
        name: &'static str,
        /// The number of values.
        given: usize,
        /// The number of columns beside the label.
        columns: usize,
    },
    /// A line of a configuration file that is not `name = value`.
    #[error("line {line}: '{text}' is not 'name = value'")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What it says.
        text: String,
    },
}

impl From<ParameterError> for fattail_core::Error {
    fn from(error: ParameterError) -> Self {
        Self::other(error)
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(", did you mean '{name}'?")).unwrap_or_default()
}
