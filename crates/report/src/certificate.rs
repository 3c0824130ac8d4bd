//! What a leak certificate states: checks and whether planted leaks were caught, handed to a report.

use serde::{Deserialize, Serialize};

use crate::number;
use crate::table::Table;

/// A leak certificate as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateFacts {
    /// `valid`, `failed`, `void` or what else the certificate says of itself.
    pub state: String,
    /// Whether it can be relied on.
    pub holds: bool,
    /// Its checks.
    pub checks: Vec<CertificateCheck>,
    /// The hash that it is known by.
    pub hash: String,
    /// What it states, in a sentence or two.
    pub statement: String,
}

/// One check of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateCheck {
    /// What is checked.
    pub name: String,
    /// Whether the pipeline passed.
    pub passed: bool,
    /// Whether the leak that was planted to try the check was caught; none where no leak was planted.
    pub plant_caught: Option<bool>,
    /// What else is to be said; may be empty.
    pub note: String,
}

impl CertificateFacts {
    /// State and counts in a line.
    pub(crate) fn sentence(&self) -> String {
        let passed = self.checks.iter().filter(|check| check.passed).count();
        let plants = || self.checks.iter().filter_map(|check| check.plant_caught);
        let caught = plants().filter(|&caught| caught).count();
        format!(
            "Leak certificate: {}, {passed} of {} checks passed, {caught} of {} planted leaks caught",
            if self.state.is_empty() { "no state" } else { &self.state },
            self.checks.len(),
            plants().count()
        )
    }

    pub(crate) fn table(&self) -> Table {
        let noted = self.checks.iter().any(|check| !check.note.is_empty());
        let mut table = Table::new(4, ["Check", "Result", "Planted leak"]);
        table.head.extend(noted.then(|| "Note".to_owned()));
        for check in &self.checks {
            let result = if check.passed { "passed" } else { "failed" };
            let plant = match check.plant_caught {
                Some(true) => "caught",
                Some(false) => "missed",
                None => number::NONE,
            };
            table.row(
                [&*check.name, result, plant].into_iter().chain(noted.then_some(&*check.note)),
            );
        }
        table
    }
}
