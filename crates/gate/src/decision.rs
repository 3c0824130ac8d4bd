//! The decision: every rule with its figure, and the overrides with their names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Gate, Judged, Result, Rule};

/// What the gate says, and who said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The thresholds.
    pub gate: Gate,
    /// Every rule that was asked.
    pub judged: Vec<Judged>,
    /// The rules that were overridden.
    pub overrides: Vec<Override>,
}

/// A rule that was overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The rule.
    pub rule: Rule,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl Decision {
    /// The rules that block: not passed and not overridden.
    pub fn blocking(&self) -> impl Iterator<Item = &Judged> {
        let overridden = |rule| self.overrides.iter().any(|known| known.rule == rule);
        self.judged.iter().filter(move |judged| !judged.passed && !overridden(judged.rule))
    }

    /// Whether nothing blocks.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.blocking().next().is_none()
    }

    /// The decision with one rule overridden: by name, by somebody, for a reason, and on the record. `at` is the
    /// time in seconds since 1970.
    ///
    /// # Errors
    /// When the rule does not block, or name or reason are empty.
    pub fn overridden(mut self, rule: Rule, by: &str, reason: &str, at: u64) -> Result<Self> {
        for (text, what) in [(by, "the name of whoever does it"), (reason, "a reason")] {
            if text.trim().is_empty() {
                return Err(Error::Anonymous { what });
            }
        }
        if self.blocking().all(|judged| judged.rule != rule) {
            let blocking: Vec<&str> = self.blocking().map(|judged| judged.rule.name()).collect();
            let blocking = if blocking.is_empty() { "none".into() } else { blocking.join(", ") };
            return Err(Error::NotBlocking { rule: rule.name().into(), blocking });
        }
        self.overrides.push(Override { rule, by: by.into(), reason: reason.into(), at });
        Ok(self)
    }
}

impl fmt::Display for Decision {
    /// A line a rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_admitted() { "open" } else { "BLOCKED" };
        writeln!(f, "submission gate: {word}")?;
        for judged in &self.judged {
            let known = self.overrides.iter().find(|known| known.rule == judged.rule);
            let state = match (judged.passed, known) {
                (true, _) => "passed",
                (false, Some(_)) => "overridden",
                (false, None) => "BLOCKS",
            };
            write!(f, "  {state:11}{:16}{}", judged.rule.name(), judged.note)?;
            match known {
                Some(known) => writeln!(f, " (by {}: {})", known.by, known.reason)?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
