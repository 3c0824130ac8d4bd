//! SHAP values and interactions against LightGBM and XGBoost.

use fattail_core::Panel;
use fattail_trees::{Forest, explain::Explainer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    forest: Forest,
    rows: Vec<Vec<Option<f32>>>,
    shap: Vec<f64>,
    raw: Vec<f64>,
    interactions: Option<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../reference/explain/explain.json");
    serde_json::from_str(text).unwrap()
}

/// The rows again and again, so that there are enough for tables.
fn panel(case: &Case, copies: usize) -> Panel {
    let named = |panel: fattail_core::PanelBuilder, at: usize| {
        let column = case.rows.iter().map(|row| row[at].unwrap_or(f32::NAN));
        let column: Vec<f32> = column.collect();
        panel.feature(case.forest.features[at].name.as_str(), column.repeat(copies))
    };
    (0..case.forest.features.len()).fold(Panel::builder(), named).build().unwrap()
}

fn expect_near(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() < tolerance,
            "{name}, number {at}: {found} for {expected}"
        );
    }
}

#[test]
fn peers_agree() {
    for case in cases() {
        // LightGBM sums in f64, XGBoost in f32.
        let tolerance = if case.name.starts_with("xgboost") { 2e-5 } else { 1e-11 };
        let explainer = Explainer::new(&case.forest).unwrap();
        for copies in [1, 20, 500] {
            let panel = panel(&case, copies);
            let found = explainer.shap(&panel).unwrap();
            expect_near(&case.name, &found.values[..case.shap.len()], &case.shap, tolerance);
            let sums: Vec<f64> =
                found.values.chunks(found.features + 1).map(|row| row.iter().sum()).collect();
            expect_near(&case.name, &sums[..case.raw.len()], &case.raw, tolerance);
            let found = explainer.interactions(&panel).unwrap();
            if let Some(expected) = &case.interactions {
                expect_near(&case.name, &found.values[..expected.len()], expected, tolerance);
            }
        }
    }
}
