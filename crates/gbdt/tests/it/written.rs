//! Models written as LightGBM's text, for LightGBM to load.
//!
//! First: `cargo test -p fattail-gbdt -- --ignored write_models_for_lightgbm`, then the script
//! `crates/exchange/tests/reference/lightgbm/check.py` on the folder `tmp/gbdt` of the target folder.
//! With LightGBM 4.7.0 no prediction of 48 models differs.

use std::{fs, path::Path};

use fattail_core::{Fit, Panel};
use fattail_exchange::lightgbm::{read, write as text_of};
use fattail_gbdt::{Boosting, Gbdt, Precision, Rows, Sampling};
use serde_json::{Value, json};

use crate::{
    data,
    lightgbm::{FILES, Reference, rows},
};

/// Rows that are predicted.
const ROWS: usize = 300;

fn texts(numbers: impl IntoIterator<Item = f64>) -> Vec<String> {
    numbers.into_iter().map(|number| number.to_string()).collect()
}

fn write(folder: &Path, name: String, settings: &Gbdt, panel: &Panel) -> Value {
    let forest = settings.fit(panel).unwrap().forest;
    let text = text_of(&forest).unwrap();
    assert_eq!(text_of(&read(text.as_bytes()).unwrap()).unwrap(), text);
    fs::write(folder.join(format!("{name}.txt")), text).unwrap();
    let rows = rows(panel, ROWS);
    // LightGBM's raw score of a forest is the sum of its trees.
    let factor = if forest.average { forest.iterations() as f64 } else { 1.0 };
    let raw = rows.iter().flat_map(|row| forest.raw_row(row).unwrap()).map(|raw| raw * factor);
    let prediction = rows.iter().flat_map(|row| forest.predict_row(row).unwrap());
    let rows: Vec<Vec<String>> = rows.iter().map(|row| texts(row.iter().copied())).collect();
    json!({ "name": name, "rows": rows, "raw": texts(raw), "prediction": texts(prediction) })
}

#[test]
#[ignore = "writes files for a Python script"]
fn write_models_for_lightgbm() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gbdt");
    fs::create_dir_all(&folder).unwrap();
    let mut cases = Vec::new();
    for file in FILES {
        let reference = Reference::read(file);
        for (name, case) in reference.cases() {
            let settings = Gbdt { precision: Precision::Integer, ..reference.settings(case) };
            let name = format!("{}_{name}", file.trim_end_matches(".json"));
            cases.push(write(&folder, name, &settings, &reference.panel(case)));
        }
    }
    let panel = data::bins(7, 10, 100, 6, 1.0);
    let sampling = Sampling { rows: Rows::Bag { fraction: 0.5, every: 1 }, ..Sampling::default() };
    let sampled = Gbdt { rounds: 10, sampling, ..Gbdt::default() };
    let forest = Gbdt { boosting: Boosting::RandomForest, ..sampled.clone() };
    let dart = Gbdt { boosting: Boosting::Dart(fattail_gbdt::Dart::default()), ..sampled };
    cases.push(write(&folder, "forest".into(), &forest, &panel));
    cases.push(write(&folder, "dart".into(), &dart, &panel));
    fs::write(folder.join("cases.json"), serde_json::to_string(&cases).unwrap()).unwrap();
}
