//! PyTorch's `torch.save` of a state dictionary, read without running its pickle.
//!
//! A tensor in such a file may be a view that repeats one value any number of times, so its size says
//! nothing about the file's. `torch.save` compresses nothing; a tensor larger than its file is refused, and
//! so are tensors of together more than `SHARED` times the file, before they are read. The pickle itself is
//! bounded by its reader: 100 MiB, 64 MiB of copies, 1,000 levels.

use std::path::Path;

use fattail_training::Named;
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchReader, Tensor};

use super::each;
use crate::{Error, Result};

/// How many names a stored value may have, on average: layers that share their weights.
const SHARED: u64 = 16;

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: "PyTorch", reason: reason.to_string() }
}

/// The tensors of a `.pt` or `.pth` file, in `f32` whatever they were, sorted by name. `within` names the
/// entry that holds the state dictionary, such as `state_dict`, when the file holds more.
///
/// ```
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/mlp_sequential.pt");
/// use fattail_mlp::{Head, Network};
/// use fattail_neural::{Architecture, NeuralModel, weights::{from_pytorch, renamed}};
///
/// // nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1))
/// let weights = from_pytorch(path, None)?;
/// let rules = [("0.", "layers.0.linear."), ("2.", "layers.1.linear."), ("4.", "head.")];
/// let shape = Network {
///     inputs: 5, hidden: vec![16, 8], input_norm: false, norm: false, residual: false,
///     dropout: 0.0, head: Head::Identity,
/// };
/// let features = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
/// let model =
///     NeuralModel::with_weights(Architecture::Mlp(shape), features, renamed(weights, &rules))?;
/// assert_eq!(model.parameters(), 241);
/// # Ok::<(), fattail_neural::Error>(())
/// ```
///
/// # Errors
/// [`Error::Format`] for a file that cannot be read, is no such file, or lacks the entry or any tensor, and
/// [`Error::TooLarge`] for tensors that take more than the file holds; tensors of whole numbers, such as
/// counters of batches, are left out.
pub fn from_pytorch(path: impl AsRef<Path>, within: Option<&str>) -> Result<Vec<Named>> {
    let path = path.as_ref();
    let told = |cause: &dyn ToString| bad(format!("{}: {}", path.display(), cause.to_string()));
    let length = std::fs::metadata(path).map_err(|cause| told(&cause))?.len();
    let reader = match within {
        Some(within) => PytorchReader::with_top_level_key(path, within),
        None => PytorchReader::new(path),
    };
    let mut tensors: Vec<(String, Tensor)> =
        reader.map_err(|cause| told(&cause))?.into_tensors().into_iter().collect();
    tensors.retain(|(_, tensor)| is_float(tensor.dtype()));
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    if tensors.is_empty() {
        return Err(told(&"it has no tensor of numbers with a point"));
    }
    expect_held(&tensors, length)?;
    let named = |(name, tensor): (String, Tensor)| {
        let values = values(&name, &tensor)?;
        Ok(Named { shape: tensor.shape().to_vec(), values, name })
    };
    tensors.into_iter().map(named).collect()
}

/// Refuses tensors that take more than a file of `length` bytes can hold.
fn expect_held(tensors: &[(String, Tensor)], length: u64) -> Result<()> {
    let mut all = 0u64;
    for (name, tensor) in tensors {
        let bytes = tensor.byte_len() as u64;
        all = all.saturating_add(bytes);
        let shared = length.saturating_mul(SHARED);
        for (bytes, allowed) in [(bytes, length), (all, shared)] {
            if bytes > allowed {
                return Err(Error::TooLarge { name: name.clone(), bytes, allowed });
            }
        }
    }
    Ok(())
}

fn is_float(kind: DType) -> bool {
    matches!(kind, DType::F32 | DType::F64 | DType::F16 | DType::BF16)
}

fn values(name: &str, tensor: &Tensor) -> Result<Vec<f32>> {
    let bytes = tensor.read().map_err(bad)?;
    Ok(match tensor.dtype() {
        DType::F32 => each(&bytes, f32::from_le_bytes),
        DType::F64 => each(&bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        DType::F16 => each(&bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
        DType::BF16 => each(&bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        other => return Err(bad(format!("tensor '{name}' is of kind {other:?}"))),
    })
}
