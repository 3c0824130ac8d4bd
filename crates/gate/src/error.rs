//! What keeps a decision from being made or overridden.

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
    /// An override of a rule that does not block.
    #[error("rule '{rule}' does not block, so there is nothing to override; blocking: {blocking}")]
    NotBlocking {
        /// The rule.
        rule: String,
        /// The rules that block.
        blocking: String,
    },
    /// An override without a name or a reason.
    #[error("an override needs {what}")]
    Anonymous {
        /// What is missing.
        what: &'static str,
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
