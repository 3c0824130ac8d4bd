//! The report in a few aligned lines, for the terminal.

use crate::Report;
use crate::figure::overview;

impl Report {
    /// A table of every model and metric with the constant predictor below each, in aligned
    /// columns.
    #[must_use]
    pub fn summary_table(&self) -> String {
        overview(self).to_text()
    }
}
