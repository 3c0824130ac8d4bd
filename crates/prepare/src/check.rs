//! Refusals that several steps share.

use fattail_core::{Error, Result};

/// Refuses a slice of another length.
pub(crate) fn same_length(name: &str, given: usize, expected: usize) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    Err(Error::Length { name: name.to_owned(), given, expected })
}

/// Refuses a setting below 1.
pub(crate) fn at_least_one(name: &'static str, given: usize) -> Result<()> {
    if given > 0 {
        return Ok(());
    }
    Err(Error::setting(name, given, "at least 1"))
}

/// Refuses a share outside 0 to 1.
pub(crate) fn share(name: &'static str, given: f64) -> Result<()> {
    if (0.0..=1.0).contains(&given) {
        return Ok(());
    }
    Err(Error::setting(name, given, "0 to 1"))
}
