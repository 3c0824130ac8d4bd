//! Writes models for the checks by their peers: `cargo test -p fattail-exchange -- --ignored peers`, then
//! `check.py` in `reference/xgboost`, `reference/onnx` and `reference/treelite` with the folder that it names.

use std::path::Path;

use fattail_exchange::{onnx, treelite, xgboost};
use fattail_trees::Forest;
use serde_json::json;

use crate::forests::{plans, rows};

fn keep(name: &str, forest: &Forest, rows: &[Vec<f64>]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    std::fs::create_dir_all(&folder).unwrap();
    let put = |end: &str, bytes: &[u8]| {
        std::fs::write(folder.join(format!("{name}.{end}")), bytes).unwrap();
    };
    let predictions: Vec<_> = rows.iter().map(|row| forest.predict_row(row).unwrap()).collect();
    put("cases", json!({ "x": rows, "prediction": predictions }).to_string().as_bytes());
    put("onnx", &onnx::write(forest).unwrap());
    put("treelite", &treelite::write(forest).unwrap());
    // Two links have no place there.
    if let Ok(text) = xgboost::write_json(forest) {
        put("json", text.as_bytes());
        put("ubj", &xgboost::write_ubjson(forest).unwrap());
    }
}

#[test]
#[ignore = "writes files for the scripts that ask the peers"]
fn peers_get_their_models() {
    for plan in plans() {
        let forest = plan.forest();
        keep(&format!("plan_{}", plan.name), &forest, &rows(&forest, 2_000));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/xgboost");
    for name in crate::xgboost::NAMES {
        let forest =
            xgboost::read_json(&std::fs::read(folder.join(format!("{name}.json"))).unwrap())
                .unwrap();
        keep(name, &forest, &crate::xgboost::inputs(name));
    }
}
