//! What can go wrong in this room.

use std::fmt;

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
    /// Weights that are too few for the network.
    #[error(
        "the network has {expected} parameters in {expected_tensors} tensors, the weights are {found} \
         in {tensors} tensors"
    )]
    TooFewWeights {
        /// The weights.
        found: usize,
        /// Their tensors.
        tensors: usize,
        /// The network's parameters.
        expected: usize,
        /// The network's tensors.
        expected_tensors: usize,
    },
    /// A layer's argument with an axis that does not fit.
    #[error("{what} has shape {found:?}, allowed on axis {axis} is {allowed}")]
    Argument {
        /// The layer and its argument.
        what: &'static str,
        /// The argument's shape.
        found: Vec<usize>,
        /// The axis.
        axis: usize,
        /// Its length.
        allowed: Length,
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
    /// A file of a model in a form that is not known here.
    #[error("the model's file has version {found}, this build reads version {expected}")]
    Version {
        /// Its version.
        found: u64,
        /// The version that is read here.
        expected: u64,
    },
    /// A PyTorch file with tensors larger than it can hold, such as views that repeat a value.
    #[error("tensor '{name}' of the PyTorch file takes {bytes} bytes, allowed are {allowed}")]
    TooLarge {
        /// The tensor.
        name: String,
        /// Its bytes, or where all before it count, theirs and its own.
        bytes: u64,
        /// The bytes allowed.
        allowed: u64,
    },
    /// A prediction that is NaN or infinite: a feature is too large for the network.
    #[error("the prediction of row {row} is {value}: a feature is too large for the network")]
    Prediction {
        /// The row of the panel.
        row: u32,
        /// The prediction.
        value: f32,
    },
    /// A graph whose correlations do not fit the memory that a run may take.
    #[error("the correlations of {nodes} nodes take {needs} bytes, allowed are {budget}")]
    GraphMemory {
        /// The nodes.
        nodes: usize,
        /// The bytes that they take.
        needs: u64,
        /// The bytes allowed.
        budget: u64,
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
    /// Arguments of the kernel of small perceptrons.
    #[error(transparent)]
    Perceptron(#[from] fattail_mlp::Error),
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

/// The lengths that an axis may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// This one.
    Exactly(usize),
    /// This one or more.
    AtLeast(usize),
    /// Any even one.
    Even,
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(length) => write!(f, "{length}"),
            Self::AtLeast(length) => write!(f, "at least {length}"),
            Self::Even => f.write_str("an even number"),
        }
    }
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
