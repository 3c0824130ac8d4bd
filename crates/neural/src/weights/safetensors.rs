//! The safetensors format: a JSON header of names, kinds, shapes and places, then bytes.

use std::collections::HashMap;

use ::safetensors::{Dtype, SafeTensors, tensor::TensorView};
use fattail_training::Named;
use half::{bf16, f16};

use super::each;
use crate::{Error, Result};

const FORMAT: &str = "safetensors";

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: FORMAT, reason: reason.to_string() }
}

/// The bytes of a file with these tensors in `f32`, and text that goes with them.
///
/// ```
/// use fattail_neural::weights::{Named, from_safetensors, to_safetensors};
/// let bias = Named { name: "head.bias".into(), shape: vec![2], values: vec![0.5, -1.0] };
/// let bytes = to_safetensors(&[bias], &[("made by", "me")])?;
/// let read = from_safetensors(&bytes)?;
/// assert_eq!((read[0].name.as_str(), read[0].values[1]), ("head.bias", -1.0));
/// assert!(from_safetensors(&bytes[..20]).is_err());
/// # Ok::<(), fattail_neural::Error>(())
/// ```
///
/// # Errors
/// When a name stands twice or a tensor's length is not that of its shape.
pub fn to_safetensors(weights: &[Named], text: &[(&str, &str)]) -> Result<Vec<u8>> {
    let bytes: Vec<Vec<u8>> = weights
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let mut views = HashMap::with_capacity(weights.len());
    for (tensor, bytes) in weights.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(bad)?;
        if views.insert(tensor.name.clone(), view).is_some() {
            return Err(bad(format!("tensor '{}' stands twice", tensor.name)));
        }
    }
    let text = text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ::safetensors::serialize(views, Some(text.collect())).map_err(bad)
}

/// The tensors of a file, in `f32` whatever they were, sorted by name; see [`to_safetensors`].
///
/// # Errors
/// [`Error::Format`] for bytes that are no such file and for kinds that are no numbers with a point.
pub fn from_safetensors(bytes: &[u8]) -> Result<Vec<Named>> {
    let file = SafeTensors::deserialize(bytes).map_err(bad)?;
    let mut all = file
        .iter()
        .map(|(name, view)| {
            let (name, shape) = (name.to_owned(), view.shape().to_vec());
            Ok(Named { values: values(&name, &view)?, name, shape })
        })
        .collect::<Result<Vec<_>>>()?;
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn values(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>> {
    let data = view.data();
    Ok(match view.dtype() {
        Dtype::F32 => each(data, f32::from_le_bytes),
        Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::F16 => each(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => each(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        other => return Err(bad(format!("tensor '{name}' is of kind {other:?}"))),
    })
}
