//! Files for LightGBM itself: `check.py` in the reference folder loads them and compares.

use std::path::Path;

use fattail_exchange::lightgbm;
use fattail_trees::Forest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::forests::{forest, strange, value};
use super::models;

/// What is not finite stands as a string, as in the reference files.
fn plain(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(x.to_string().to_lowercase()) }
}

fn list(numbers: impl IntoIterator<Item = f64>) -> Value {
    numbers.into_iter().map(plain).collect()
}

fn store(folder: &Path, name: &str, forest: &Forest, rows: &[Vec<f64>]) -> Value {
    let text = lightgbm::write(forest).unwrap();
    std::fs::write(folder.join(format!("{name}.txt")), &text).unwrap();
    // As it is read back: LightGBM then has the same sums in the same order.
    let forest = lightgbm::read(&text).unwrap();
    let factor = if forest.average { forest.iterations() as f64 } else { 1.0 };
    let raw = rows.iter().flat_map(|row| forest.raw_row(row).unwrap()).map(|score| score * factor);
    let prediction = rows.iter().flat_map(|row| forest.predict_row(row).unwrap());
    let rows: Value = rows.iter().map(|row| list(row.iter().copied())).collect();
    json!({ "name": name, "rows": rows, "raw": list(raw), "prediction": list(prediction) })
}

fn sample<T>(runner: &mut TestRunner, strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

#[test]
#[ignore = "writes files for tests/reference/lightgbm/check.py"]
fn write_files_for_lightgbm() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lightgbm");
    std::fs::create_dir_all(&folder).unwrap();
    let mut runner = TestRunner::deterministic();
    let mut cases = Vec::new();
    for at in 0..400 {
        let strategy = if at % 2 == 0 { forest().boxed() } else { strange().boxed() };
        let forest = sample(&mut runner, strategy);
        let rows = sample(&mut runner, vec(vec(value(), forest.features.len()), 8));
        cases.push(store(&folder, &format!("random_{at}"), &forest, &rows));
    }
    for (name, text) in models() {
        let forest = lightgbm::read(text).unwrap();
        let rows = sample(&mut runner, vec(vec(value(), forest.features.len()), 40));
        cases.push(store(&folder, &name, &forest, &rows));
    }
    std::fs::write(folder.join("cases.json"), Value::from(cases).to_string()).unwrap();
}
