//! What can go wrong in this room.

use fattail_core::Error as CoreError;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A device, weights or shapes that do not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A device that has no such name.
    #[error("there is no device named '{name}': this build knows {known}")]
    UnknownDevice {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A device that is absent or does not work.
    #[error("device '{name}' cannot be used: {reason}")]
    NoDevice {
        /// The device.
        name: String,
        /// Why.
        reason: String,
    },
    /// Weights that lack a tensor.
    #[error("the weights have no tensor '{name}'")]
    MissingTensor {
        /// The tensor.
        name: String,
    },
    /// Weights with a tensor that the network does not have.
    #[error("the weights have a tensor '{name}', which the network does not have")]
    UnknownTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor of another shape.
    #[error("tensor '{name}' has shape {found:?}, the network has {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The network's.
        expected: Vec<usize>,
    },
    /// A value that is NaN or infinite.
    #[error("tensor '{name}' has the value {value} at {at}")]
    NotFinite {
        /// The tensor.
        name: String,
        /// The value.
        value: f32,
        /// Its position.
        at: usize,
    },
    /// Bytes that are no weights file.
    #[error("these bytes are no {format} weights: {reason}")]
    Format {
        /// The format.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A failed reading of a device.
    #[error("the device could not be read: {reason}")]
    Device {
        /// What it said.
        reason: String,
    },
    /// Arguments of a fused kernel.
    #[error(transparent)]
    Kernel(#[from] fattail_fused::Error),
    /// A run that did not start or could not go on.
    #[error(transparent)]
    Training(#[from] fattail_training::Error),
    /// A fault of an engine outside of a run.
    #[error(transparent)]
    Fault(#[from] fattail_training::Fault),
    /// Settings and panels.
    #[error(transparent)]
    Core(#[from] CoreError),
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(core) => core,
            Error::Training(fattail_training::Error::Core(core)) => core,
            other => Self::other(other),
        }
    }
}
