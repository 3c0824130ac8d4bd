//! What the tests refuse, each with the name, the given value and the allowed range.

use fattail_stats::std;

/// A spread below this share of the values' own size is rounding.
pub(crate) const ROUNDING: f64 = 1e-7;

/// The result of a test.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An input that this crate refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A column has another length than its partners.
    #[error("`{name}` has {given} rows at column {column}, expected {expected}")]
    Length {
        /// The argument.
        name: &'static str,
        /// The column, 0 for a single slice.
        column: usize,
        /// Its length.
        given: usize,
        /// The length it must have.
        expected: usize,
    },
    /// Fewer values than the formula needs.
    #[error("`{name}` has {given} values, needs at least {least}")]
    TooShort {
        /// The argument.
        name: &'static str,
        /// Its length.
        given: usize,
        /// The least length.
        least: usize,
    },
    /// A setting or value lies outside its range.
    #[error("`{name}` is {given}, allowed: {allowed}")]
    Range {
        /// The setting.
        name: &'static str,
        /// Its value.
        given: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },
    /// A value is NaN or infinite where only finite values have a meaning.
    #[error("`{name}` is not finite at column {column}, row {row}")]
    NotFinite {
        /// The argument.
        name: &'static str,
        /// Column of the value, 0 for a single slice.
        column: usize,
        /// Row of the value.
        row: usize,
    },
    /// A series without spread, or with one of rounding alone, where one is needed.
    #[error("`{name}` is constant at column {column}")]
    Constant {
        /// The argument.
        name: &'static str,
        /// The column, 0 for a single slice.
        column: usize,
    },
    /// What the arithmetic below refuses.
    #[error(transparent)]
    Stats(#[from] fattail_stats::Error),
}

/// Refuses a slice shorter than `least`.
pub(crate) fn at_least(name: &'static str, given: usize, least: usize) -> Result<()> {
    if given >= least { Ok(()) } else { Err(Error::TooShort { name, given, least }) }
}

/// Refuses a share that is not strictly between 0 and 1.
pub(crate) fn share(name: &'static str, given: f64) -> Result<()> {
    if given > 0.0 && given < 1.0 {
        return Ok(());
    }
    Err(Error::Range { name, given, allowed: "above 0 and below 1" })
}

/// Refuses a series that is too short, not finite or constant.
pub(crate) fn series(name: &'static str, values: &[f64], least: usize) -> Result<()> {
    finite(name, 0, values)?;
    at_least(name, values.len(), least)?;
    varied(name, 0, values)
}

/// Refuses columns that are none, differ in length, are too short or not finite; answers the rows.
pub(crate) fn columns(name: &'static str, columns: &[&[f64]], least: usize) -> Result<usize> {
    at_least(name, columns.len(), 1)?;
    let expected = columns[0].len();
    at_least(name, expected, least)?;
    for (column, values) in columns.iter().enumerate() {
        same_length(name, column, values.len(), expected)?;
        finite(name, column, values)?;
    }
    Ok(expected)
}

/// Refuses a column that is not as long as its partners.
pub(crate) fn same_length(
    name: &'static str,
    column: usize,
    given: usize,
    expected: usize,
) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    Err(Error::Length { name, column, given, expected })
}

/// Refuses the first value that is NaN or infinite.
pub(crate) fn finite(name: &'static str, column: usize, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::NotFinite { name, column, row }),
    }
}

/// Refuses a column whose values are all the same, or differ by rounding.
pub(crate) fn varied(name: &'static str, column: usize, values: &[f64]) -> Result<()> {
    varied_beside(name, column, values, size(values))
}

/// The same for values that are differences of numbers of some size.
pub(crate) fn varied_beside(
    name: &'static str,
    column: usize,
    values: &[f64],
    size: f64,
) -> Result<()> {
    if constant(values, size) { Err(Error::Constant { name, column }) } else { Ok(()) }
}

/// Whether the spread of values is rounding beside numbers of this size.
pub(crate) fn constant(values: &[f64], size: f64) -> bool {
    let flat = values.iter().all(|v| *v == values[0]);
    flat || std(values, 0) <= ROUNDING * size
}

/// The largest absolute value.
pub(crate) fn size(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()))
}
