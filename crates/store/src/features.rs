//! Named sets of features from a `features.json`.

use std::{fs, path::Path};

use fattail_core::FeatureSets;
use serde::Deserialize;

use crate::{Error, Place, Result};

/// What a `features.json` holds that matters here.
#[derive(Deserialize)]
struct FeatureFile {
    feature_sets: FeatureSets,
}

/// Reads the sets under `feature_sets`.
///
/// # Errors
/// When the file cannot be read, is not JSON or has no `feature_sets`.
pub fn read_feature_sets(path: impl AsRef<Path>) -> Result<FeatureSets> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).map_err(Error::read(path))?;
    let file: FeatureFile = serde_json::from_str(&text)
        .map_err(|source| Error::format(path, Place::File, "a feature file", source))?;
    Ok(file.feature_sets)
}
