//! Models as files of whichever format.

use std::path::Path;

use fattail::{
    exchange::{lightgbm, onnx, read, treelite, xgboost},
    store::write_atomic,
    trees::Forest,
};

use crate::Outcome;

/// Reads a model; its content tells the format.
///
/// # Errors
/// When the file cannot be read or is no model.
pub(super) fn read_model(path: &Path) -> Outcome<Forest> {
    let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| told(&error))?;
    Ok(read(&bytes).map_err(|error| told(&error))?)
}

/// Writes a model; the ending of the name tells the format: `.json` and `.ubj` XGBoost, `.onnx`,
/// `.treelite`, anything else LightGBM's text.
///
/// # Errors
/// When the format has no place for the model or the disk refuses.
pub(super) fn write_model(path: &Path, forest: &Forest) -> Outcome {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let bytes = match &*ending {
        "json" => xgboost::write_json(forest).map(String::into_bytes),
        "ubj" | "ubjson" => xgboost::write_ubjson(forest),
        "onnx" => onnx::write(forest),
        "treelite" | "tl" => treelite::write(forest),
        _ => lightgbm::write(forest).map(String::into_bytes),
    };
    let bytes = bytes.map_err(|error| format!("'{}': {error}", path.display()))?;
    Ok(write_atomic(path, |file| file.write_all(&bytes))?)
}

/// The names of a model's features.
pub(super) fn features(forest: &Forest) -> Vec<String> {
    forest.features.iter().map(|feature| feature.name.clone()).collect()
}
