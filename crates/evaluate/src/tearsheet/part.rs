//! A part of a tear sheet that is there, or the reason why it is not.

use serde::{Deserialize, Serialize};

/// A part, or why it cannot be had.
///
/// ```
/// use fattail_evaluate::Part;
/// let missing: Part<u32> = Part::Missing { reason: "the panel has no ids".into() };
/// assert_eq!((missing.found(), missing.reason()), (None, Some("the panel has no ids")));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part<T> {
    /// The part.
    Found(T),
    /// There is none.
    Missing {
        /// Why.
        reason: String,
    },
}

impl<T> Part<T> {
    /// The part, if it is there.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(part) => Some(part),
            Self::Missing { .. } => None,
        }
    }

    /// Why it is not there.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Found(_) => None,
            Self::Missing { reason } => Some(reason),
        }
    }
}

impl<T, E: ToString> From<Result<T, E>> for Part<T> {
    fn from(part: Result<T, E>) -> Self {
        match part {
            Ok(part) => Self::Found(part),
            Err(reason) => Self::Missing { reason: reason.to_string() },
        }
    }
}
