//! The input gate of `numerai`, its breaker, and what its report shows beside scores.

use std::{path::Path, process::Output};

use fattail::{ColumnData, Panel};
use serde_json::Value;

use crate::workshop::{GATE_OFF, Workshop};

const NUMERAI: &str = env!("CARGO_BIN_EXE_numerai");
const ROWS: usize = 60;

fn market() -> Panel {
    let market = fattail_testing::Market {
        eras: 120,
        rows: ROWS,
        features: 16,
        signal: 0.2,
        ..Default::default()
    };
    market.panel().unwrap()
}

/// The market with the bins of one feature replaced.
fn with_bins(position: usize, replace: impl Fn(usize, u8) -> u8) -> Panel {
    let panel = market();
    let column = |at: usize| -> ColumnData {
        let bins = panel.feature(at).to_f32().into_iter().map(|bin| bin as u8).enumerate();
        let bins = bins.map(|(row, bin)| if at == position { replace(row, bin) } else { bin });
        bins.collect::<Vec<u8>>().into()
    };
    let names = panel.schema().features().iter().cloned().enumerate();
    let columns: Vec<_> = names.map(|(at, name)| (name, column(at))).collect();
    panel.with_features(columns).unwrap()
}

/// The market with one bin in the first rows of the live era's first feature.
fn spoilt(rows: usize, value: u8) -> Panel {
    let live = 119 * ROWS;
    with_bins(0, |row, bin| if (live..live + rows).contains(&row) { value } else { bin })
}

fn run(shop: &Workshop, panel: &Panel, more: &[&str]) -> Output {
    fattail::store::write_parquet(panel, shop.path("m.parquet")).unwrap();
    let args = ["--data", "@m.parquet", "--folds", "3", "--out", "@out"];
    shop.run(NUMERAI, &[&args, &GATE_OFF[..], more].concat())
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file")).expect("JSON")
}

#[test]
fn a_broken_live_era_is_refused_before_anything_is_fitted() {
    let shop = Workshop::new();
    let broken = run(&shop, &spoilt(ROWS, 2), &[]);
    let line = told(&broken);
    assert_eq!((broken.status.code(), line.lines().count()), (Some(1), 1), "{line}");
    assert!(line.contains("the input gate refuses the eras to predict"), "{line}");
    assert!(line.contains("era '0120'") && !shop.path("out").exists(), "{line}");

    let off = run(&shop, &spoilt(ROWS, 2), &["--inputs", "off"]);
    assert!(off.status.success(), "{}", told(&off));
    let warnings = &json(&shop.path("out/report.json"))["warnings"];
    assert!(warnings[0].as_str().unwrap().starts_with("the input gate is off"), "{warnings}");
    assert!(!shop.path("out/inputs.json").exists());
}

#[test]
fn a_broken_row_is_put_aside_and_submitted_in_the_middle() {
    let shop = Workshop::new();
    let output = run(&shop, &spoilt(1, 77), &[]);
    assert!(output.status.success(), "{}", told(&output));
    let report = json(&shop.path("out/report.json"));
    let warning = report["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("the input gate puts 1 rows aside, 1 of them live"), "{warning}");
    assert!(warning.contains("is 77, allowed is"), "{warning}");
    let lines = std::fs::read_to_string(shop.path("out/quarantine.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 1);
    let submission = std::fs::read_to_string(shop.path("out/submission.csv")).unwrap();
    let first = submission.lines().nth(1).unwrap();
    assert!(first.ends_with(",0.5") && submission.lines().count() == ROWS + 1, "{first}");
    // Of the ranks of 59 rows, the middle one alone is 0.5 as well.
    assert_eq!(submission.lines().filter(|line| line.ends_with(",0.5")).count(), 2);

    // The schema that was left judges the next file.
    std::fs::copy(shop.path("out/inputs.json"), shop.path("inputs.json")).unwrap();
    let stored = run(&shop, &spoilt(ROWS, 77), &["--inputs", "@inputs.json"]);
    assert!(told(&stored).contains("the input gate refuses"), "{}", told(&stored));
    shop.write("inputs.json", "{}");
    let corrupt = run(&shop, &market(), &["--inputs", "@inputs.json"]);
    assert!(told(&corrupt).contains("inputs.json'") && told(&corrupt).contains("version"));
}

#[test]
fn the_report_shows_tear_sheets_overfitting_and_drift() {
    let shop = Workshop::new();
    let options = ["--model", "ridge,gbdt", "--rounds", "5", "--target", "target,target_long"];
    let output = run(&shop, &market(), &options);
    assert!(output.status.success(), "{}", told(&output));
    let report = json(&shop.path("out/report.json"));
    for model in report["models"].as_array().unwrap() {
        let sheet = &model["tear_sheet"];
        assert_eq!(sheet["metric"], "corr");
        for part in ["information", "target_quantiles"] {
            let named: Vec<_> =
                sheet[part].as_array().unwrap().iter().map(|of| &of["target"]).collect();
            assert_eq!(named, ["target", "target_long"], "{part}");
        }
    }
    let found = &report["overfitting"];
    assert!((0.0..=1.0).contains(&found["pbo"].as_f64().unwrap()));
    assert!(!found["logits"].as_array().unwrap().is_empty());
    let drift = &report["drift"];
    assert_eq!(drift["features"].as_array().unwrap().len(), 16);
    assert_eq!(
        drift["values"][0].as_array().unwrap().len(),
        drift["eras"].as_array().unwrap().len()
    );
    let page = std::fs::read_to_string(shop.path("out/report.html")).unwrap();
    for heading in [
        "Rank correlation by target, running sum",
        "Rank out of sample of the best in sample",
        "PSI of each feature",
    ] {
        assert!(page.contains(heading), "{heading}");
    }

    // A feature that moved is told.
    let moved = with_bins(3, |row, bin| if row < 108 * ROWS { bin } else { (bin + 1).min(4) });
    let output = run(&shop, &moved, &[]);
    assert!(output.status.success(), "{}", told(&output));
    let flagged = &json(&shop.path("out/report.json"))["drift"]["flagged"];
    assert_eq!(flagged.as_array().unwrap().len(), 1, "{flagged}");
    assert_eq!(flagged[0]["feature"], moved.schema().features()[3].to_string());
}

#[test]
fn a_job_that_keeps_failing_is_not_started_again_at_once() {
    let shop = Workshop::new();
    let broken = ["--breaker", "@breaker.json", "--inputs", "@none.json"];
    for _ in 0..3 {
        let line = told(&run(&shop, &market(), &broken));
        assert!(line.contains("none.json'"), "{line}");
    }
    let line = told(&run(&shop, &market(), &["--breaker", "@breaker.json"]));
    assert!(line.contains("3 failures in a row") && line.contains("none.json"), "{line}");
    std::fs::remove_file(shop.path("breaker.json")).unwrap();
    assert!(run(&shop, &market(), &["--breaker", "@breaker.json"]).status.success());
}
