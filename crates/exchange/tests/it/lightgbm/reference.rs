//! What LightGBM 4.7 predicts, from `make.py`. The tolerance of 1e-12 leaves room for the order of sums and
//! for another `exp`; trees alone agree in every bit.

use fattail_exchange::{Format, lightgbm, read};
use fattail_trees::Forest;
use serde_json::Value;

use super::{folder, models};

const TOLERANCE: f64 = 1e-12;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn assert_close(name: &str, row: &[f64], ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        let same = ours == theirs || ours.is_nan() && theirs.is_nan();
        let close = (ours - theirs).abs() <= TOLERANCE * theirs.abs().max(1.0);
        assert!(same || close, "{name}: {ours} is not {theirs} for {row:?}");
    }
}

/// LightGBM does not divide the raw scores of a random forest.
fn undivided(forest: &Forest, raw: Vec<f64>) -> Vec<f64> {
    let factor = if forest.average { forest.iterations() as f64 } else { 1.0 };
    raw.iter().map(|score| score * factor).collect()
}

fn check(case: &Value, rows: &[Vec<f64>]) {
    let name = case["name"].as_str().unwrap();
    let text = std::fs::read(folder().join(format!("{name}.txt"))).unwrap();
    assert_eq!(Format::detect(&text), Some(Format::LightGbm));
    let forest = read(&text).unwrap();
    let (raw, prediction) = (numbers(&case["raw"]), numbers(&case["prediction"]));
    assert_eq!(raw.len(), rows.len() * forest.outputs);
    for (at, row) in rows.iter().enumerate() {
        let part = at * forest.outputs..(at + 1) * forest.outputs;
        let ours = undivided(&forest, forest.raw_row(row).unwrap());
        assert_close(name, row, &ours, &raw[part.clone()]);
        assert_close(name, row, &forest.predict_row(row).unwrap(), &prediction[part]);
    }
}

#[test]
fn every_kind_of_model_predicts_the_same() {
    let cases: Value =
        serde_json::from_slice(&std::fs::read(folder().join("cases.json")).unwrap()).unwrap();
    let rows: Vec<Vec<f64>> = cases["rows"].as_array().unwrap().iter().map(numbers).collect();
    let list = cases["cases"].as_array().unwrap();
    assert_eq!(list.len(), models().len());
    list.iter().for_each(|case| check(case, &rows));
}

/// But for the importances where the caller of LightGBM asked for gains: those are computed anew as splits.
#[test]
fn what_lightgbm_wrote_is_written_byte_for_byte() {
    for (name, text) in models().into_iter().filter(|(name, _)| name != "gain") {
        let again = lightgbm::write(&lightgbm::read(&text).unwrap()).unwrap();
        for (line, (ours, theirs)) in again.lines().zip(text.lines()).enumerate() {
            assert_eq!(ours, theirs, "{name}, line {}", line + 1);
        }
        assert_eq!(again, text, "{name}");
    }
}

#[test]
fn what_is_written_is_read_as_the_same_forest() {
    for (name, text) in models() {
        let forest = lightgbm::read(&text).unwrap();
        assert_eq!(lightgbm::read(lightgbm::write(&forest).unwrap()), Ok(forest), "{name}");
    }
}

#[test]
fn line_ends_of_windows_and_a_mark_in_front() {
    for (name, text) in models() {
        let forest = lightgbm::read(&text).unwrap();
        let changed = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(lightgbm::read(&changed), Ok(forest), "{name}");
    }
}

/// Version 2 knew neither `num_tree_per_iteration`, `tree_sizes`, `is_linear` nor `end of trees`.
#[test]
fn old_files() {
    for (name, text) in models().into_iter().filter(|(name, _)| !name.contains("linear")) {
        let forest = lightgbm::read(&text).unwrap();
        let unknown = ["num_tree_per_iteration=", "tree_sizes=", "is_linear=", "leaf_weight="];
        let old: String = text
            .lines()
            .filter(|line| !unknown.iter().any(|key| line.starts_with(key)))
            .map(|line| format!("{line}\n"))
            .collect();
        let old = old.replace("end of trees\n\nfeature_importances:", "\nfeature importances:");
        let mut read = lightgbm::read(old.replace("version=v4", "version=v2")).unwrap();
        for (ours, theirs) in read.trees.iter_mut().zip(&forest.trees) {
            ours.weights.clone_from(&theirs.weights);
        }
        assert_eq!(read, forest, "{name}");
    }
}
