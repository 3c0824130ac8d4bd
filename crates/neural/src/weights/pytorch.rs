//! PyTorch's `torch.save` of a state dictionary, read without running its pickle.

use std::path::Path;

use fattail_training::Named;
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchReader, Tensor};

use crate::{Error, Result};

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: "PyTorch", reason: reason.to_string() }
}

/// The tensors of a `.pt` or `.pth` file, in `f32` whatever they were, by name. `within` names the
/// entry that holds the state dictionary, such as `state_dict`, when the file holds more.
///
/// # Errors
/// [`Error::Format`] for a file that cannot be read, is no such file, or lacks the entry; tensors of
/// whole numbers, such as counters of batches, are left out.
pub fn from_pytorch(path: impl AsRef<Path>, within: Option<&str>) -> Result<Vec<Named>> {
    let path = path.as_ref();
    let reader = match within {
        Some(within) => PytorchReader::with_top_level_key(path, within),
        None => PytorchReader::new(path),
    };
    let reader = reader.map_err(|cause| bad(format!("{}: {cause}", path.display())))?;
    let mut all = Vec::with_capacity(reader.len());
    for (name, tensor) in reader.into_tensors() {
        if let Some(values) = values(&name, &tensor)? {
            all.push(Named { name, shape: tensor.shape().to_vec(), values });
        }
    }
    all.sort_by(|a: &Named, b| a.name.cmp(&b.name));
    Ok(all)
}

fn values(name: &str, tensor: &Tensor) -> Result<Option<Vec<f32>>> {
    let bytes = tensor.read().map_err(|cause| bad(format!("tensor '{name}': {cause}")))?;
    Ok(Some(match tensor.dtype() {
        DType::F32 => each(&bytes, f32::from_le_bytes),
        DType::F64 => each(&bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        DType::F16 => each(&bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
        DType::BF16 => each(&bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        _ => return Ok(None),
    }))
}

fn each<const N: usize>(data: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect()
}
