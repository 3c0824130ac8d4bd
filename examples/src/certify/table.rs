//! All twelve leaks and their twins, certified one after another.

use std::fmt;

use fattail::{
    Observer, Progress,
    certificate::{Certificate, Certifier, Check, Verdict},
    silent,
};
use serde::Serialize;

use super::{Case, Leak};
use crate::Outcome;

/// A leak and its twin, certified.
#[derive(Debug, Clone, Serialize)]
pub struct Tried {
    /// The leak.
    pub leak: &'static str,
    /// The checks that are there for it.
    pub expected: &'static [Check],
    /// What was found of the pipeline that leaks.
    pub leaking: Certificate,
    /// What was found of its twin.
    pub twin: Certificate,
}

impl Tried {
    /// Whether the leak was caught by the checks that are there for it, and the twin passed.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let found = |check: &Check| self.leaking.leaks().any(|finding| finding.check == *check);
        self.leaking.verdict == Verdict::Failed
            && self.expected.iter().all(found)
            && self.twin.verdict == Verdict::Passed
    }
}

/// Certifies every leak and every twin.
///
/// # Errors
/// When a case cannot be run.
pub fn try_all(certifier: &Certifier, seed: u64, observer: Observer<'_>) -> Outcome<Vec<Tried>> {
    let total = Leak::ALL.len() as u64;
    let mut all = Vec::new();
    for leak in Leak::ALL {
        observer(Progress { stage: "leaks", done: all.len() as u64, total });
        let certified = |leaks: bool| -> Outcome<Certificate> {
            let Case { panel, folds, procedure } = Case::new(leak, leaks, seed)?;
            Ok(certifier.certify(&procedure, &panel, &folds, &silent)?)
        };
        let (name, expected) = (leak.name(), leak.caught_by());
        let (leaking, twin) = (certified(true)?, certified(false)?);
        all.push(Tried { leak: name, expected, leaking, twin });
    }
    observer(Progress { stage: "leaks", done: total, total });
    Ok(all)
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caught: Vec<String> =
            self.leaking.leaks().map(|finding| format!("{:?}", finding.check)).collect();
        let (leaking, twin) = (self.leaking.verdict.word(), self.twin.verdict.word());
        write!(f, "{:24} {leaking:7} twin {twin:7} {}", self.leak, caught.join(", "))
    }
}
