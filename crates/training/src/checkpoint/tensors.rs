//! Groups of named tensors in the safetensors format.
//!
//! A tensor is called `group.index.name`, so that names may be any text and their order is kept.
//! The header is read by the format's own crate; the length of what follows is compared before a
//! slice is taken, since offsets in hostile headers may add up to anything.

use std::{borrow::Cow, collections::HashMap};

use safetensors::{Dtype, View, serialize, tensor::Metadata};
use serde::{Deserialize, Serialize};

use super::{Groups, not, unwritable};
use crate::{Named, Result};

/// Bytes before the header: its length.
const PREFIX: usize = 8;

/// What a tensor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    Weights,
    Optimiser,
    GoodWeights,
    GoodOptimiser,
    Best,
    Average,
    GoodAverage,
}

impl Group {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Weights, "weights"),
        (Self::Optimiser, "optimiser"),
        (Self::GoodWeights, "good_weights"),
        (Self::GoodOptimiser, "good_optimiser"),
        (Self::Best, "best"),
        (Self::Average, "average"),
        (Self::GoodAverage, "good_average"),
    ];

    fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(group, _)| *group)
    }
}

/// A tensor as the format's crate takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    name: &'a str,
    shape: &'a [usize],
    values: &'a [f32],
}

impl<'a> Written<'a> {
    /// Values under the name and in the shape of a tensor.
    pub(super) fn new(tensor: &'a Named, values: &'a [f32]) -> Self {
        Self { name: &tensor.name, shape: &tensor.shape, values }
    }
}

impl View for Written<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = Vec::with_capacity(self.data_len());
        self.values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.values.len() * 4
    }
}

/// The bytes of all groups.
pub(super) fn write(
    groups: &[(Group, Vec<Written<'_>>)],
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let tensors = groups.iter().flat_map(|(group, tensors)| {
        tensors.iter().enumerate().map(|(index, tensor)| {
            (format!("{}.{index:06}.{}", group.name(), tensor.name), *tensor)
        })
    });
    serialize(tensors, Some(metadata)).map_err(unwritable)
}

/// A tensor that was read.
pub(super) struct Read {
    group: Group,
    index: usize,
    tensor: Named,
}

/// The metadata and the tensors of bytes.
pub(super) fn read(bytes: &[u8]) -> Result<(HashMap<String, String>, Vec<Read>)> {
    let (header, data) = split(bytes).ok_or_else(|| not("it is shorter than its header says"))?;
    let metadata: Metadata =
        serde_json::from_slice(header).map_err(|cause| not(cause.to_string()))?;
    if metadata.data_len() != data.len() {
        let (told, found) = (metadata.data_len(), data.len());
        return Err(not(format!("its tensors take {told} bytes, there are {found}")));
    }
    let mut tensors = Vec::new();
    for (key, info) in metadata.tensors() {
        let named = placed(&key).ok_or_else(|| not(format!("the tensor '{key}' is unknown")))?;
        if info.dtype != Dtype::F32 {
            return Err(not(format!("the tensor '{key}' is not of f32")));
        }
        let (start, end) = info.data_offsets;
        let raw = data.get(start..end).ok_or_else(|| not(format!("'{key}' lies outside")))?;
        let (chunks, _) = raw.as_chunks::<4>();
        let values = chunks.iter().map(|&four| f32::from_le_bytes(four)).collect();
        let (group, index, name) = named;
        let tensor = Named { name, shape: info.shape.clone(), values };
        tensors.push(Read { group, index, tensor });
    }
    Ok((metadata.metadata().clone().unwrap_or_default(), tensors))
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<PREFIX>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

fn placed(key: &str) -> Option<(Group, usize, String)> {
    let mut parts = key.splitn(3, '.');
    let group = Group::named(parts.next()?)?;
    let index = parts.next()?.parse().ok()?;
    Some((group, index, parts.next()?.to_owned()))
}

/// The tensors of each group, in their order.
pub(super) fn gather(mut tensors: Vec<Read>, present: &[Group]) -> Result<Groups> {
    tensors.sort_by_key(|read| (read.group, read.index));
    let mut groups: Groups = present.iter().map(|&group| (group, Vec::new())).collect();
    for Read { group, index, tensor } in tensors {
        let list = groups
            .get_mut(&group)
            .filter(|list| list.len() == index)
            .ok_or_else(|| not(format!("'{}' is out of place", tensor.name)))?;
        list.push(tensor);
    }
    Ok(groups)
}
