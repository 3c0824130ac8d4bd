//! What keeps a certificate from being made or read.

/// What is wrong with what was asked, not with what was certified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting out of its range.
    #[error("setting '{name}' is {given}, allowed is {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        given: f64,
        /// The range.
        allowed: &'static str,
    },
    /// A fold that has no test eras, or names eras that the panel does not have.
    #[error("fold {fold} {fault}")]
    Fold {
        /// The fold.
        fold: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A run that answers with another number of folds or of predictions than it was asked for.
    #[error("the procedure answered {given} {what}, expected {expected}")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many came.
        given: usize,
        /// How many were asked for.
        expected: usize,
    },
    /// A certificate that was changed after it was made.
    #[error("the certificate was changed: its seal is {given}, its contents have {expected}")]
    Seal {
        /// The seal in the file.
        given: String,
        /// The seal of the contents.
        expected: String,
    },
    /// A certificate whose verdict is not what its checks say.
    #[error("the certificate says '{given}', its checks say '{expected}'")]
    Verdict {
        /// The verdict in the file.
        given: String,
        /// The verdict of the checks.
        expected: String,
    },
    /// A certificate of a format that this version does not know.
    #[error("the certificate has format '{given}', expected '{expected}'")]
    Format {
        /// The format in the file.
        given: String,
        /// The format that is read.
        expected: &'static str,
    },
    /// Something that is no certificate.
    #[error("not a certificate")]
    Json(#[from] serde_json::Error),
    /// An error of the panel, the split or the procedure.
    #[error(transparent)]
    Core(#[from] fattail_core::Error),
    /// An error of the backtest's settings.
    #[error(transparent)]
    Evaluate(#[from] fattail_evaluate::Error),
}

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
