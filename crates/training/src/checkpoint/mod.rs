//! A run at a moment, as bytes in the safetensors format.
//!
//! The tensors are the weights and the optimiser's state now and at the last good moment, the best
//! weights and the averaged ones. The metadata has one entry, JSON: the form's name and version,
//! fingerprints of settings and samples, and everything else that the run goes on from. Numbers come
//! back as the same bits. Whatever the bytes are, reading them allocates no more than a small
//! multiple of their length and answers with an error that names what is wrong.

mod tensors;

pub(crate) use tensors::Group;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Counters, Error, Named, Result, Snapshot, run::State};
use tensors::{Written, gather, read, write};

const FORMAT: &str = "fattail-training";
const VERSION: u64 = 2;
/// The one entry of the metadata.
const ENTRY: &str = "run";

/// What a run is: it goes on only from a checkpoint of the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// What the engine says of itself.
    pub(crate) engine: String,
    /// The fingerprint of the settings.
    pub(crate) settings: u64,
    /// The fingerprint of the samples.
    pub(crate) samples: u64,
}

/// What is written: nothing is copied but into the bytes.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) marks: &'a Marks,
    pub(crate) state: &'a State,
    pub(crate) current: &'a Snapshot,
    pub(crate) good: &'a Snapshot,
    pub(crate) best: Option<&'a [f32]>,
    pub(crate) average: Option<&'a [f32]>,
    pub(crate) good_average: Option<&'a [f32]>,
}

/// What a run goes on from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) marks: Marks,
    pub(crate) state: State,
    pub(crate) current: Snapshot,
    pub(crate) good: Snapshot,
    pub(crate) best: Option<Vec<f32>>,
    pub(crate) average: Option<Vec<f32>>,
    pub(crate) good_average: Option<Vec<f32>>,
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    format: Cow<'a, str>,
    version: u64,
    marks: Cow<'a, Marks>,
    counters: [Counters; 2],
    /// The groups of tensors that are there, since one may have none.
    groups: Vec<Group>,
    state: Cow<'a, State>,
}

impl Moment<'_> {
    /// The bytes.
    ///
    /// # Errors
    /// When the format cannot hold the tensors: too many of them.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let layout = &self.current.weights;
        let mut groups: Vec<(Group, Vec<Written<'_>>)> = vec![
            (Group::Weights, whole(layout)),
            (Group::Optimiser, whole(&self.current.optimiser)),
            (Group::GoodWeights, whole(&self.good.weights)),
            (Group::GoodOptimiser, whole(&self.good.optimiser)),
        ];
        let vectors = [
            (Group::Best, self.best),
            (Group::Average, self.average),
            (Group::GoodAverage, self.good_average),
        ];
        let vectors = vectors.into_iter();
        groups.extend(vectors.filter_map(|(group, values)| Some((group, shaped(values?, layout)))));
        let header = Header {
            format: FORMAT.into(),
            version: VERSION,
            marks: Cow::Borrowed(self.marks),
            counters: [self.current.counters, self.good.counters],
            groups: groups.iter().map(|(group, _)| *group).collect(),
            state: Cow::Borrowed(self.state),
        };
        let text = serde_json::to_string(&header).map_err(unwritable)?;
        write(&groups, HashMap::from([(ENTRY.to_owned(), text)]))
    }
}

impl Checkpoint {
    /// Reads what [`Moment::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::NotACheckpoint`] or [`Error::Version`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (metadata, tensors) = read(bytes)?;
        let text = metadata.get(ENTRY).ok_or_else(|| not("the metadata has no entry 'run'"))?;
        let header = header(text)?;
        let mut groups = gather(tensors, &header.groups)?;
        let mut take = |group| groups.remove(&group);
        let snapshot = |weights: Option<Vec<Named>>, optimiser: Option<Vec<Named>>, counters| {
            Some(Snapshot { weights: weights?, optimiser: optimiser?, counters })
        };
        let current = snapshot(take(Group::Weights), take(Group::Optimiser), header.counters[0]);
        let good =
            snapshot(take(Group::GoodWeights), take(Group::GoodOptimiser), header.counters[1]);
        let (Some(current), Some(good)) = (current, good) else {
            return Err(not("weights are missing"));
        };
        let mut vector = |group| flat_like(take(group), &current.weights);
        Ok(Self {
            marks: header.marks.into_owned(),
            state: header.state.into_owned(),
            best: vector(Group::Best)?,
            average: vector(Group::Average)?,
            good_average: vector(Group::GoodAverage)?,
            current,
            good,
        })
    }
}

/// The header, after its version was looked at: another version may have other fields.
fn header(text: &str) -> Result<Header<'static>> {
    let value: Value = serde_json::from_str(text).map_err(|cause| not(cause.to_string()))?;
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(not(format!("its format is not '{FORMAT}'")));
    }
    let version = value.get("version").and_then(Value::as_u64);
    match version.ok_or_else(|| not("it has no version"))? {
        VERSION => serde_json::from_value(value).map_err(|cause| not(cause.to_string())),
        found => Err(Error::Version { found, expected: VERSION }),
    }
}

/// All values, tensor after tensor.
pub(crate) fn flat(weights: &[Named]) -> Vec<f32> {
    weights.iter().flat_map(|tensor| tensor.values.iter().copied()).collect()
}

/// The first tensor in which two lists differ by name or shape, as both have it.
pub(crate) fn difference(a: &[Named], b: &[Named]) -> Option<[String; 2]> {
    let told = |tensor: Option<&Named>| match tensor {
        Some(Named { name, shape, .. }) => format!("'{name}' of shape {shape:?}"),
        None => "nothing".to_owned(),
    };
    let alike = |a: &Named, b: &Named| (&a.name, &a.shape) == (&b.name, &b.shape);
    let same = a.iter().zip(b).take_while(|(a, b)| alike(a, b)).count();
    let differ = same < a.len().max(b.len());
    differ.then(|| [told(a.get(same)), told(b.get(same))])
}

fn flat_like(tensors: Option<Vec<Named>>, layout: &[Named]) -> Result<Option<Vec<f32>>> {
    let Some(tensors) = tensors else { return Ok(None) };
    match difference(&tensors, layout) {
        None => Ok(Some(flat(&tensors))),
        Some([found, expected]) => Err(not(format!("it has {found} beside {expected}"))),
    }
}

fn whole(tensors: &[Named]) -> Vec<Written<'_>> {
    tensors.iter().map(|tensor| Written::new(tensor, &tensor.values)).collect()
}

fn shaped<'a>(values: &'a [f32], layout: &'a [Named]) -> Vec<Written<'a>> {
    let mut rest = values;
    let tensors = layout.iter().map(|tensor| {
        let (these, others) = rest.split_at(tensor.values.len().min(rest.len()));
        rest = others;
        Written::new(tensor, these)
    });
    tensors.collect()
}

fn not(reason: impl Into<String>) -> Error {
    Error::NotACheckpoint { reason: reason.into() }
}

fn unwritable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Core(fattail_core::Error::other(cause))
}

/// Tensors by group.
type Groups = BTreeMap<Group, Vec<Named>>;
