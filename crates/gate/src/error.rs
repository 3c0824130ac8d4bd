//! What keeps a decision from being made or overridden.

use crate::Rule;

/// What is wrong with what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A threshold out of its range.
    #[error("threshold '{name}' is {given}, allowed is {allowed}")]
    Threshold {
        /// The threshold.
        name: &'static str,
        /// Its value.
        given: f64,
        /// The range.
        allowed: &'static str,
    },
    /// An override of a rule that was asked and does not block, or not any more. The decision stands as it is.
    #[error("rule '{rule}' does not block, so there is nothing to override; blocking: {blocking}")]
    NotBlocking {
        /// The rule.
        rule: Rule,
        /// The rules that block, in words.
        blocking: String,
    },
    /// An override of a rule that the gate does not ask: known before anything is judged, by [`Gate::asks`](crate::Gate::asks).
    #[error("rule '{rule}' is not asked, so there is nothing to override; asked: {asked}")]
    NotAsked {
        /// The rule.
        rule: Rule,
        /// The rules that are asked, in words.
        asked: String,
    },
    /// A waiver of a rule that was asked, which can only be overridden, or that is waived already.
    #[error("rule '{rule}' cannot be waived, allowed are {allowed}")]
    NotWaivable {
        /// The rule.
        rule: Rule,
        /// The rules that are neither asked nor waived, in words.
        allowed: String,
    },
    /// An override or a waiver without a name, a reason or a rule.
    #[error("an override or a waiver needs {what}")]
    Anonymous {
        /// What is missing.
        what: &'static str,
    },
    /// A second correlation with the name of the first, which agrees with itself.
    #[error("the second correlation is '{metric}', as the first is")]
    SameMetric {
        /// The name.
        metric: String,
    },
    /// Two series of scores that should be of the same eras.
    #[error("'{name}' has {given} eras, the scores have {expected}")]
    Eras {
        /// The series.
        name: &'static str,
        /// Its eras.
        given: usize,
        /// Those of the scores.
        expected: usize,
    },
}

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
