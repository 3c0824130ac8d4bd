//! What can be wrong with a forest.

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a forest is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tree whose parts do not fit together.
    #[error("tree {tree}: {reason}")]
    Tree {
        /// The tree's position in its forest.
        tree: usize,
        /// What does not fit.
        reason: String,
    },
    /// A forest whose parts do not fit together.
    #[error("{name} is {given}, allowed is {allowed}")]
    Forest {
        /// The part.
        name: &'static str,
        /// What it is.
        given: String,
        /// What it may be.
        allowed: String,
    },
    /// A row of another width than the model's features.
    #[error("the row has {given} values, the model {expected} features")]
    Width {
        /// Values given.
        given: usize,
        /// Features of the model.
        expected: usize,
    },
    /// Something that this kind of model cannot do.
    #[error("{operation} is not defined for {what}")]
    Unsupported {
        /// The operation.
        operation: &'static str,
        /// The kind of model.
        what: &'static str,
    },
    /// An answer larger than the memory allowed.
    #[error("{operation} of all rows needs {}, allowed are {budget} bytes", amount(.bytes))]
    Memory {
        /// The operation.
        operation: &'static str,
        /// What the answer needs, unless that is beyond counting.
        bytes: Option<usize>,
        /// What is allowed.
        budget: usize,
    },
}

fn amount(bytes: &Option<usize>) -> String {
    bytes.map_or_else(|| "more bytes than can be counted".into(), |bytes| format!("{bytes} bytes"))
}

impl From<Error> for fattail_core::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
