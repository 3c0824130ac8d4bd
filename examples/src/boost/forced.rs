//! LightGBM's JSON files of forced splits and forced bins.

use std::{collections::BTreeMap, fs::read_to_string};

use fattail::gbdt::{ForcedSplit, Gbdt, parameters::Parameters};
use serde::{Deserialize, de::DeserializeOwned};

use crate::Outcome;

/// A feature by position or name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Feature {
    Position(usize),
    Name(String),
}

#[derive(Deserialize)]
struct Split {
    feature: Feature,
    threshold: Option<f64>,
    left: Option<Box<Split>>,
    right: Option<Box<Split>>,
}

#[derive(Deserialize)]
struct Bins {
    feature: Feature,
    bin_upper_bound: Vec<f64>,
}

/// Puts what the files of the parameters force into the settings.
///
/// # Errors
/// When a file cannot be read, is not what it should be or names a feature that is not there.
pub(super) fn force(parameters: &Parameters, names: &[String], gbdt: &mut Gbdt) -> Outcome {
    if let Some(path) = &parameters.files.forced_splits {
        gbdt.constraints.forced = Some(Box::new(split(path, read(path)?, names)?));
    }
    if let Some(path) = &parameters.files.forced_bins {
        let list: Vec<Bins> = read(path)?;
        let pairs = list
            .into_iter()
            .map(|bins| Ok((name(path, bins.feature, names)?, bins.bin_upper_bound)));
        gbdt.bins.forced = pairs.collect::<Outcome<BTreeMap<_, _>>>()?;
    }
    Ok(())
}

fn read<T: DeserializeOwned>(path: &str) -> Outcome<T> {
    let text = read_to_string(path).map_err(|error| format!("'{path}': {error}"))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("'{path}': {error}"))?)
}

fn split(path: &str, given: Split, names: &[String]) -> Outcome<ForcedSplit> {
    let child = |child: Option<Box<Split>>| {
        child.map(|child| split(path, *child, names).map(Box::new)).transpose()
    };
    Ok(ForcedSplit {
        feature: name(path, given.feature, names)?,
        threshold: given.threshold,
        left: child(given.left)?,
        right: child(given.right)?,
    })
}

fn name(path: &str, feature: Feature, names: &[String]) -> Outcome<String> {
    let found = match &feature {
        Feature::Position(at) => names.get(*at),
        Feature::Name(name) => names.iter().find(|known| *known == name),
    };
    let shown = match &feature {
        Feature::Position(at) => at.to_string(),
        Feature::Name(name) => format!("'{name}'"),
    };
    let told = || format!("'{path}' names feature {shown}, the data has {} features", names.len());
    Ok(found.cloned().ok_or_else(told)?)
}
