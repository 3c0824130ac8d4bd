//! What can be wrong with a model file, or with a forest that is to become one.

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file is not read or a forest not written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text file that breaks its format.
    #[error("line {line}: {key}: {reason}")]
    Text {
        /// The line, counted from 1.
        line: usize,
        /// The key or section.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A JSON or UBJSON document that breaks its format.
    #[error("{path}: {reason}")]
    Document {
        /// The way to the value, such as `learner.gradient_booster.model.trees[3].left_children`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of no format that is known.
    #[error("the file is no model of LightGBM (text), XGBoost (JSON, UBJSON) or CatBoost (JSON)")]
    UnknownFormat,
    /// A model, or a part of one, that the other side has no place for.
    #[error("{format}: {what} cannot be represented")]
    Unrepresentable {
        /// The format.
        format: &'static str,
        /// What has no place.
        what: String,
    },
    /// A forest whose parts do not fit together.
    #[error(transparent)]
    Forest(#[from] fattail_trees::Error),
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
