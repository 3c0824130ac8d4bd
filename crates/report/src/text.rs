//! The report in a few aligned lines, for the terminal.

use crate::Report;
use crate::figure::{differences, overview};

impl Report {
    /// A table of every model and metric with the constant predictor below each, in aligned
    /// columns; below it, of several models, their differences.
    #[must_use]
    pub fn summary_table(&self) -> String {
        let mut text = overview(self).to_text();
        if self.models.len() > 1 && !self.differences.is_empty() {
            text.push('\n');
            text.push_str(&differences(self).to_text());
        }
        text
    }
}
