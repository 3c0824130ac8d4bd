//! The report as JSON, for programs: the data model itself, NaN as `null`.

use crate::{Report, Result};

impl Report {
    /// The report as indented JSON with a line break at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Json`](crate::Error::Json) if a value cannot be written.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Json`](crate::Error::Json) with line and column of what does not fit.
    pub fn from_json(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }
}
