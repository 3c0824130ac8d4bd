//! Runs that succeed, and what they leave.

use serde_json::Value;

use crate::workshop::{GATE_OFF, Workshop};

fn json(shop: &Workshop, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(shop.path(name)).expect("the file")).expect("JSON")
}

#[test]
fn numerai_leaves_a_whole_folder_and_score_agrees_with_it() {
    let shop = Workshop::new();
    let market =
        fattail_testing::Market { eras: 120, rows: 80, features: 16, ..Default::default() };
    let panel = market.panel().unwrap();
    fattail::store::write_parquet(&panel, shop.path("m.parquet")).unwrap();
    let args =
        ["--data", "@m.parquet", "--meta", "meta_model", "--out", "@out", "--json", "@r.json"];
    let args = [&args[..], &GATE_OFF].concat();
    let output = shop.run(env!("CARGO_BIN_EXE_numerai"), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("ridge") && table.contains("constant") && table.contains("report.html"));

    let submission = std::fs::read_to_string(shop.path("out/submission.csv")).unwrap();
    assert_eq!(
        (submission.lines().next(), submission.lines().count()),
        (Some("id,prediction"), 81)
    );
    let report = json(&shop, "r.json");
    assert_eq!(report, json(&shop, "out/report.json"));
    let first = &report["models"][0]["metrics"][0];
    assert_eq!(first["model"]["scores"]["metric"], "corr");
    assert_eq!(first["constant"]["scores"]["eras"][0]["value"], Value::Null);
    assert_eq!(first["constant"]["scores"]["eras"][0]["reason"], "predictions are constant");

    // The same predictions, scored by the other binary, score the same.
    let args = [
        "--predictions",
        "@out/predictions.parquet",
        "--targets",
        "@m.parquet",
        "--features",
        "@m.parquet",
        "--json",
        "@s.json",
    ];
    let output = shop.run(env!("CARGO_BIN_EXE_score"), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let scored = json(&shop, "s.json");
    let other = &scored["models"][0]["metrics"][0];
    assert_eq!(other["model"]["scores"], first["model"]["scores"]);

    // A second run replaces the folder.
    let args = ["--data", "@m.parquet", "--out", "@out", "--threads", "1"];
    let args = [&args[..], &GATE_OFF].concat();
    assert!(shop.run(env!("CARGO_BIN_EXE_numerai"), &args).status.success());
    assert!(shop.path("out/report.html").exists());
}

#[test]
fn constant_predictions_are_scored_as_undefined_with_the_reason() {
    let shop = Workshop::new();
    let rows = |value: &str| -> String {
        (0..40).map(|row| format!("n{row},{:04},{value}\n", row / 20 + 1)).collect()
    };
    shop.write("p.csv", format!("id,era,prediction\n{}", rows("0.5")));
    let targets: String = (0..40)
        .map(|row| format!("n{row},{:04},{}\n", row / 20 + 1, f64::from(row % 5) / 4.0))
        .collect();
    shop.write("t.csv", format!("id,era,target\n{targets}"));
    let args = ["--predictions", "@p.csv", "--targets", "@t.csv", "--json", "@s.json"];
    let output = shop.run(env!("CARGO_BIN_EXE_score"), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let corr = &json(&shop, "s.json")["models"][0]["metrics"][0]["model"];
    assert_eq!(corr["scores"]["eras"][0]["value"], Value::Null);
    assert_eq!(corr["scores"]["eras"][0]["reason"], "predictions are constant");
    assert_eq!(corr["summary"]["mean"], Value::Null);
}

#[test]
fn same_seed_same_bits_for_any_number_of_threads() {
    let shop = Workshop::new();
    for (threads, out) in [("1", "@a.json"), ("2", "@b.json")] {
        let args = ["--threads", threads, "--out", "@out", "--json", out, "--seed", "3"];
        let output = shop.run(env!("CARGO_BIN_EXE_numerai"), &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let read = |name| std::fs::read(shop.path(name)).unwrap();
    assert!(read("a.json") == read("b.json"));
}

/// The submission of a market whose target is known in some eras only, and changed there.
fn submission_with(known: impl Fn(usize) -> bool, value: impl Fn(usize, f32) -> f32) -> Vec<u8> {
    let shop = Workshop::new();
    let market =
        fattail_testing::Market { eras: 120, rows: 40, features: 16, ..Default::default() };
    let panel = market.panel().unwrap();
    let eras = panel.eras();
    let targets = panel.target().unwrap().to_f32();
    let changed = targets.iter().enumerate().map(|(row, &target)| {
        let era = eras.of_row(row).unwrap();
        if known(era) { value(era, target) } else { f32::NAN }
    });
    let panel = panel.with_target_values(changed.collect::<Vec<f32>>()).unwrap();
    fattail::store::write_parquet(&panel, shop.path("m.parquet")).unwrap();
    let args = ["--data", "@m.parquet", "--target", "target", "--out", "@out", "--folds", "3"];
    let args = [&args[..], &GATE_OFF].concat();
    let output = shop.run(env!("CARGO_BIN_EXE_numerai"), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(shop.path("out/submission.csv")).unwrap()
}

#[test]
fn answers_that_are_not_known_yet_never_reach_the_submission() {
    // The live era is 119 and the gap 5: answers of eras 114 and later cannot be known.
    for unknown_at_first in [0, 12] {
        let known = |era| era >= unknown_at_first;
        let plain = submission_with(known, |_, target| target);
        let late =
            submission_with(known, |era, target| if era >= 114 { 1.0 - target } else { target });
        let early =
            submission_with(known, |era, target| if era < 114 { 1.0 - target } else { target });
        assert!(plain == late, "the submission looked into the future");
        assert!(plain != early, "the check cannot fail: nothing changes the submission");
    }
}
