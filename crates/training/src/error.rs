//! Why a run does not start, and what ends one that nobody can help.

use fattail_core::Error as CoreError;

use crate::{Fault, Footprint};

/// The result of this crate's work.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting, or what was to be trained on.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The engine failed for a reason that no policy is for.
    #[error(transparent)]
    Engine(Fault),
    /// A run does not fit the memory that it may take.
    #[error(
        "a run on {samples} samples together takes {} bytes (parameters {}, optimiser {}, \
         activations {}, workspace {}, samples and copies {beside}), allowed are {budget}; {}",
        .needs.total().saturating_add(*.beside), .needs.parameters, .needs.optimiser,
        .needs.activations, .needs.workspace, advice(*.largest)
    )]
    Memory {
        /// The samples that go together.
        samples: usize,
        /// What the engine takes for them.
        needs: Footprint,
        /// Bytes beside the engine: samples, buffers, copies of weights, checkpoints.
        beside: u64,
        /// The bytes allowed.
        budget: u64,
        /// The most samples that would fit; 0 when not even one does.
        largest: usize,
    },
    /// Bytes that are no checkpoint, or one that was cut or changed.
    #[error("this is not a checkpoint: {reason}")]
    NotACheckpoint {
        /// What is wrong with them.
        reason: String,
    },
    /// A checkpoint in a form that is not known here.
    #[error("the checkpoint has version {found}, this is version {expected}")]
    Version {
        /// Its version.
        found: u64,
        /// The version that is read here.
        expected: u64,
    },
    /// A checkpoint of another network, of other settings or of other samples.
    #[error("the checkpoint is of another run: its {what} is {found}, here it is {expected}")]
    OtherRun {
        /// What differs.
        what: String,
        /// As the checkpoint has it.
        found: String,
        /// As the run has it.
        expected: String,
    },
}

fn advice(largest: usize) -> String {
    match largest {
        0 => "not even one sample fits".to_owned(),
        _ => format!("{largest} samples would fit"),
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Failed(cause) => Self::Core(cause),
            other => Self::Engine(other),
        }
    }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(cause) => cause,
            other => Self::other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_every_part_and_what_would_fit() {
        let needs = Footprint { parameters: 1, optimiser: 2, activations: 30, workspace: 4 };
        let error = Error::Memory { samples: 8, needs, beside: 63, budget: 20, largest: 3 };
        assert_eq!(
            error.to_string(),
            "a run on 8 samples together takes 100 bytes (parameters 1, optimiser 2, activations \
             30, workspace 4, samples and copies 63), allowed are 20; 3 samples would fit"
        );
    }
}
