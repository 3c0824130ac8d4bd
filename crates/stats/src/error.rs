//! What the kernels refuse, each with the name, the given value and the allowed range.

/// An input that a kernel of this crate refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice or buffer has another length than its partner.
    #[error("`{name}` has {given} values, expected {expected}")]
    Length {
        /// The argument.
        name: &'static str,
        /// Its length.
        given: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A slice has fewer values than the formula needs.
    #[error("`{name}` has {given} values, needs at least {least}")]
    TooShort {
        /// The argument.
        name: &'static str,
        /// Its length.
        given: usize,
        /// The least length.
        least: usize,
    },
    /// A setting lies outside its range.
    #[error("`{name}` is {given}, allowed: {allowed}")]
    Range {
        /// The argument.
        name: &'static str,
        /// Its value.
        given: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },
    /// An era's range does not fit into the rows.
    #[error("range {start}..{end} does not fit into {len} rows")]
    Bounds {
        /// First row.
        start: usize,
        /// One past the last row.
        end: usize,
        /// Number of rows.
        len: usize,
    },
    /// A value is NaN or infinite where only finite values have a meaning.
    #[error("`{name}` is not finite at column {column}, row {row}")]
    NotFinite {
        /// The argument.
        name: &'static str,
        /// Column of the value (0 for a single slice).
        column: usize,
        /// Row of the value.
        row: usize,
    },
    /// A symmetric matrix is not positive definite.
    #[error("matrix of size {size} is not positive definite")]
    NotPositiveDefinite {
        /// Rows of the matrix.
        size: usize,
    },
    /// An iterative factorisation did not converge.
    #[error("{method} of a {rows} x {columns} matrix did not converge")]
    NoConvergence {
        /// The factorisation.
        method: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
}

/// The result of a kernel.
pub type Result<T> = std::result::Result<T, Error>;

/// Refuses a length that is not the expected one.
pub(crate) fn same_length(name: &'static str, given: usize, expected: usize) -> Result<()> {
    if given == expected { Ok(()) } else { Err(Error::Length { name, given, expected }) }
}

/// Refuses a slice shorter than `least`.
pub(crate) fn at_least(name: &'static str, given: usize, least: usize) -> Result<()> {
    if given >= least { Ok(()) } else { Err(Error::TooShort { name, given, least }) }
}

/// Refuses the first value that is NaN or infinite.
pub(crate) fn all_finite(name: &'static str, column: usize, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::NotFinite { name, column, row }),
    }
}
