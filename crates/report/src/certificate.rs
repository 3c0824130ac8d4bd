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
    /// How it ended.
    pub state: CheckState,
    /// Whether the leak that was planted to try the check was caught; none where no leak was planted.
    pub plant_caught: Option<bool>,
    /// What else is to be said; may be empty.
    pub note: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing was found.
    Passed,
    /// Something was found.
    Failed,
    /// It does not apply.
    Skipped,
    /// It could not be made, or nobody said how it ended.
    #[default]
    Unknown,
}

impl CheckState {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }
}

impl CertificateFacts {
    /// State and counts in a line.
    pub(crate) fn sentence(&self) -> String {
        let ended = |state| self.checks.iter().filter(|check| check.state == state).count();
        let others = [CheckState::Failed, CheckState::Skipped, CheckState::Unknown];
        let others = others.map(|state| (ended(state), state.word())).into_iter();
        let others = others.filter(|(count, _)| *count > 0);
        let others: String = others.map(|(count, word)| format!(", {count} {word}")).collect();
        let plants = || self.checks.iter().filter_map(|check| check.plant_caught);
        let caught = plants().filter(|&caught| caught).count();
        format!(
            "Leak certificate: {}, {} of {} checks passed{others}, {caught} of {} planted leaks caught",
            if self.state.is_empty() { "no state" } else { &self.state },
            ended(CheckState::Passed),
            self.checks.len(),
            plants().count()
        )
    }

    pub(crate) fn table(&self) -> Table {
        let noted = self.checks.iter().any(|check| !check.note.is_empty());
        let mut table = Table::new(4, ["Check", "Result", "Planted leak"]);
        table.head.extend(noted.then(|| "Note".to_owned()));
        for check in &self.checks {
            let plant = match check.plant_caught {
                Some(true) => "caught",
                Some(false) => "missed",
                None => number::NONE,
            };
            table.row(
                [&*check.name, check.state.word(), plant]
                    .into_iter()
                    .chain(noted.then_some(&*check.note)),
            );
        }
        table
    }
}
