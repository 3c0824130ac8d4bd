//! What a submission gate decided: checks with their figures, handed to a report.

use fattail_core::null;
use serde::{Deserialize, Serialize};

use crate::number;
use crate::table::Table;

/// The decision of a gate.
///
/// ```
/// use fattail_report::{Bound, GateCheck, GateOutcome, Report};
/// let check = GateCheck {
///     name: "mean corr".into(),
///     figure: 0.012,
///     bound: Bound::AtLeast,
///     threshold: 0.005,
///     passed: true,
///     note: "lower end of the interval".into(),
/// };
/// let gate = GateOutcome { name: "Submission gate".into(), passed: true, checks: vec![check], ..GateOutcome::default() };
/// let report = Report { gate: Some(gate), ..Report::default() };
/// assert!(report.to_markdown().contains("Submission gate: open, 1 of 1 checks passed"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GateOutcome {
    /// The gate's name.
    pub name: String,
    /// Whether it is open.
    pub passed: bool,
    /// Its checks, in the order in which they are shown. Where the gate is open, a check that did not pass was
    /// overridden.
    pub checks: Vec<GateCheck>,
    /// The checks that were not asked: they have not passed.
    pub not_asked: Vec<String>,
    /// Those of them that somebody answers for; `notes` tells who and why.
    pub waived: Vec<String>,
    /// What else the reader must know, such as an override and who made it.
    pub notes: Vec<String>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GateCheck {
    /// What is checked.
    pub name: String,
    /// What was found; NaN for a check without a number.
    #[serde(with = "null")]
    pub figure: f64,
    /// Which side of the threshold is allowed.
    pub bound: Bound,
    /// The threshold; NaN for a check without one.
    #[serde(with = "null")]
    pub threshold: f64,
    /// Whether it passed.
    pub passed: bool,
    /// Why, in a few words; may be empty.
    pub note: String,
}

/// Which side of a threshold is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The threshold or more.
    #[default]
    AtLeast,
    /// The threshold or less.
    AtMost,
    /// More than the threshold.
    Above,
    /// Less than the threshold.
    Below,
}

impl Bound {
    fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

impl GateOutcome {
    /// The decision in a line.
    pub(crate) fn sentence(&self) -> String {
        let name = if self.name.is_empty() { "Gate" } else { &self.name };
        let state = match (self.passed, &self.overridden()[..]) {
            (false, _) => "shut".to_owned(),
            (true, []) if !self.waived.is_empty() => "open by waiver".to_owned(),
            (true, []) => "open".to_owned(),
            (true, names) => format!("open by override of {}", names.join(", ")),
        };
        let passed = self.checks.iter().filter(|check| check.passed).count();
        match self.checks.len() {
            0 => format!("{name}: {state}, no check was asked"),
            all => format!("{name}: {state}, {passed} of {all} checks passed"),
        }
    }

    /// The class in the page and the mark that needs no colour: open, open past a check, shut.
    pub(crate) fn mark(&self) -> (&'static str, &'static str) {
        let past = self.checks.is_empty()
            || !self.waived.is_empty()
            || self.checks.iter().any(|check| !check.passed);
        match (self.passed, past) {
            (false, _) => ("below", "▼"),
            (true, true) => ("around", "◆"),
            (true, false) => ("above", "▲"),
        }
    }

    /// How a check ended, in a word.
    pub(crate) fn result(&self, check: &GateCheck) -> &'static str {
        match (check.passed, self.passed) {
            (true, _) => "passed",
            (false, true) => "overridden",
            (false, false) => "failed",
        }
    }

    /// What was not asked or waived, and the notes: a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lists = [("Not asked", &self.not_asked), ("Waived", &self.waived)];
        let lists = lists.into_iter().filter(|(_, names)| !names.is_empty());
        let lists = lists.map(|(what, names)| format!("{what}: {}.", names.join(", ")));
        lists.chain(self.notes.iter().cloned()).collect()
    }

    /// The names of the checks that an open gate did not heed.
    fn overridden(&self) -> Vec<&str> {
        let failed = self.checks.iter().filter(|check| self.passed && !check.passed);
        let mut names: Vec<&str> = failed.map(|check| &*check.name).collect();
        names.dedup();
        names
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(2, ["Check", "Result", "Figure", "Allowed", "Note"]);
        for check in &self.checks {
            table.row([
                &check.name,
                self.result(check),
                &number::figure(check.figure),
                &check.allowed(),
                &check.note,
            ]);
        }
        table
    }
}

impl GateCheck {
    /// The allowed figures in words.
    pub(crate) fn allowed(&self) -> String {
        if self.threshold.is_finite() {
            format!("{} {}", self.bound.words(), number::figure(self.threshold))
        } else {
            number::NONE.to_owned()
        }
    }

    /// Figure and threshold in words; of a check without numbers nothing.
    pub(crate) fn told(&self) -> String {
        match (self.figure.is_finite(), self.threshold.is_finite()) {
            (true, true) => format!("{}, {} allowed", number::figure(self.figure), self.allowed()),
            (true, false) => number::figure(self.figure),
            (false, true) => format!("not defined, {} allowed", self.allowed()),
            (false, false) => String::new(),
        }
    }
}
