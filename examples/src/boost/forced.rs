//! LightGBM's JSON files of forced splits and forced bins.

use std::fs::read_to_string;

use fattail::gbdt::{
    ForcedSplit, Gbdt,
    parameters::{Column, Parameters},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::Outcome;

/// A column by position, the labels left out, or by name.
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

/// Puts what the files of the parameters force into the settings. Bins of a column that is no feature do
/// not count.
///
/// # Errors
/// When a file cannot be read, is not what it should be, names a column that is not there or splits on one
/// that is no feature.
pub(super) fn force(parameters: &Parameters, columns: &[Column], gbdt: &mut Gbdt) -> Outcome {
    if let Some(path) = &parameters.files.forced_splits {
        gbdt.constraints.forced = Some(Box::new(split(path, read(path)?, columns)?));
    }
    if let Some(path) = &parameters.files.forced_bins {
        let list: Vec<Bins> = read(path)?;
        let pair = |bins: Bins| Ok((find(path, &bins.feature, columns)?, bins.bin_upper_bound));
        let pairs: Vec<(&Column, Vec<f64>)> = list.into_iter().map(pair).collect::<Outcome<_>>()?;
        let features = pairs.into_iter().filter(|(column, _)| column.is_feature);
        gbdt.bins.forced = features.map(|(column, bounds)| (column.name.clone(), bounds)).collect();
    }
    Ok(())
}

fn read<T: DeserializeOwned>(path: &str) -> Outcome<T> {
    let text = read_to_string(path).map_err(|error| format!("'{path}': {error}"))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("'{path}': {error}"))?)
}

fn split(path: &str, given: Split, columns: &[Column]) -> Outcome<ForcedSplit> {
    let child = |child: Option<Box<Split>>| {
        child.map(|child| split(path, *child, columns).map(Box::new)).transpose()
    };
    let Column { name, is_feature } = find(path, &given.feature, columns)?;
    if !is_feature {
        return Err(format!("'{path}' splits on column '{name}', which is no feature").into());
    }
    Ok(ForcedSplit {
        feature: name.clone(),
        threshold: given.threshold,
        left: child(given.left)?,
        right: child(given.right)?,
    })
}

fn find<'a>(path: &str, feature: &Feature, columns: &'a [Column]) -> Outcome<&'a Column> {
    let (found, shown) = match feature {
        Feature::Position(at) => (columns.get(*at), at.to_string()),
        Feature::Name(name) => {
            (columns.iter().find(|column| column.name == *name), format!("'{name}'"))
        }
    };
    let told = || {
        format!("'{path}' names column {shown}, the data has {} beside the label", columns.len())
    };
    Ok(found.ok_or_else(told)?)
}
