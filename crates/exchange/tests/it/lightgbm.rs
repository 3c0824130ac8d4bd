//! LightGBM's files against LightGBM's own predictions, and back.

mod for_peer;
mod forests;
mod hostile;
mod reference;
mod refused;
mod round_trip;

use std::path::PathBuf;

/// The folder of the models that LightGBM wrote.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/lightgbm")
}

/// Every model that LightGBM wrote, by name.
fn models() -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let models = files.filter(|path| path.extension().is_some_and(|end| end == "txt"));
    let mut list: Vec<(String, String)> = models
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    list.sort();
    assert!(list.len() > 30, "the models are missing");
    list
}
