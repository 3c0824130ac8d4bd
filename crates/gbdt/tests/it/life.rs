//! Early stopping, DART, random forests, going on and refitting do what LightGBM does. Reference:
//! `tests/reference/life.py`.
//!
//! Raw predictions and metrics agree within 1e-6 of their size: the reference has ten digits, and
//! LightGBM rounds gradients to `f32` from scores that were summed in another order.

use std::{fs, path::Path};

use fattail_core::{Fit, Panel, silent};
use fattail_gbdt::{Beside, EarlyStop, Gbdt, Precision, parameters::Parameters};
use fattail_trees::Forest;
use serde_json::Value;

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn panel(case: &Value) -> Panel {
    let data = read("five_bins.json");
    let target = case["settings"]["target"].as_str().unwrap_or("regression");
    let target: Vec<f32> = numbers(&data["targets"][target]).iter().map(|&y| y as f32).collect();
    let eras: Vec<String> = (0..target.len()).map(|row| format!("{:02}", row / 100)).collect();
    let mut panel = Panel::builder().eras(&eras).unwrap().target("y", target);
    for (at, column) in data["features"].as_array().unwrap().iter().enumerate() {
        let digits = column.as_str().unwrap().bytes().map(|digit| digit - b'0');
        panel = panel.feature(format!("f{at}"), digits.collect::<Vec<u8>>());
    }
    panel.build().unwrap()
}

fn settings(case: &Value) -> Gbdt {
    let own = ["target", "first", "decay", "refitted"];
    let given = case["settings"].as_object().unwrap().iter();
    let given = given.filter(|(name, _)| !own.contains(&name.as_str()));
    let text = |value: &Value| value.as_str().map_or(value.to_string(), ToString::to_string);
    let given: Vec<(String, String)> = given.map(|(name, v)| (name.clone(), text(v))).collect();
    let pairs = given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let names: Vec<String> = (0..12).map(|at| format!("f{at}")).collect();
    let settings = Parameters::parse(pairs).unwrap().gbdt(&names).unwrap();
    let stop = settings.stop.map(|stop| EarlyStop { holdout: 0.2, gap: 0, ..stop });
    Gbdt { stop, precision: Precision::Double, ..settings }
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn close(found: &[f64], expected: &[f64]) -> Result<(), String> {
    let apart = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-6 * b.abs().max(1.0);
    match found.iter().zip(expected).position(apart) {
        Some(at) => Err(format!("{} for {} at {at}", found[at], expected[at])),
        None if found.len() < expected.len() => Err(format!("{} numbers only", found.len())),
        None => Ok(()),
    }
}

fn raw(forest: &Forest, panel: &Panel, count: usize) -> Vec<f64> {
    let columns: Vec<Vec<f64>> = (0..panel.width()).map(|at| panel.feature(at).to_f64()).collect();
    let row = |row: usize| -> Vec<f64> { columns.iter().map(|column| column[row]).collect() };
    (0..count / forest.outputs).flat_map(|at| forest.raw_row(&row(at)).unwrap()).collect()
}

/// The forest of a case; of early stopping its history as well.
fn forest(case: &Value, panel: &Panel) -> Result<Forest, String> {
    let settings = settings(case);
    let given = &case["settings"];
    if let Some(first) = given["first"].as_u64() {
        let all = settings.rounds;
        let old = Gbdt { rounds: first as usize, ..settings.clone() }.fit(panel).unwrap();
        let new = Gbdt { rounds: all - first as usize, ..settings };
        let beside = Beside { forest: Some(&old.forest), ..Beside::default() };
        return Ok(new.fit_with(panel, beside, &silent).unwrap().forest);
    }
    if let Some(decay) = given["decay"].as_f64() {
        let half = |eras: std::ops::Range<usize>| panel.cut(&eras.collect::<Vec<_>>()).unwrap();
        let model = settings.fit(&half(0..10)).unwrap();
        let mut settings = settings;
        if let Some(penalties) = given["refitted"].as_object() {
            settings.limits.lambda_l1 = penalties["lambda_l1"].as_f64().unwrap();
            settings.limits.lambda_l2 = penalties["lambda_l2"].as_f64().unwrap();
        }
        return Ok(settings.refit(&model.forest, &half(10..20), decay).unwrap());
    }
    let model = settings.fit(panel).unwrap();
    if settings.stop.is_some() {
        close(&model.history, &numbers(&case["metric"]))?;
        let best = case["best"].as_u64().unwrap() as usize;
        if model.forest.iterations() != best || model.rounds != model.history.len() {
            return Err(format!("{} rounds for {best}", model.forest.iterations()));
        }
    }
    Ok(model.forest)
}

fn check(kind: &str) {
    let all = read("life.json");
    let cases = all["cases"].as_object().unwrap().iter();
    let of_kind: Vec<_> = cases.filter(|(name, _)| name.starts_with(kind)).collect();
    assert!(of_kind.len() > 2);
    let differs = |(name, case): &(&String, &Value)| {
        let (panel, expected) = (panel(case), numbers(&case["raw"]));
        let found = forest(case, &panel);
        let told = found.and_then(|found| close(&raw(&found, &panel, expected.len()), &expected));
        told.err().map(|told| format!("{name}: {told}"))
    };
    let told: Vec<String> = of_kind.iter().filter_map(differs).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn dart() {
    check("dart");
}

#[test]
fn random_forest() {
    check("forest");
}

#[test]
fn early_stopping() {
    check("stop");
}

#[test]
fn going_on() {
    check("go_on");
}

#[test]
fn refitting() {
    check("refit");
}
