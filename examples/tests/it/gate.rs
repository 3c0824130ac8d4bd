//! The submission gate of `numerai`, and `certify` on a file.

use std::process::Output;

use serde_json::Value;

use crate::workshop::Workshop;

const NUMERAI: &str = env!("CARGO_BIN_EXE_numerai");
const CERTIFY: &str = env!("CARGO_BIN_EXE_certify");

/// A folder with a market in it.
fn shop() -> Workshop {
    shop_of(0.2)
}

/// The same with a market of this signal.
fn shop_of(signal: f64) -> Workshop {
    let shop = Workshop::new();
    let market =
        fattail_testing::Market { eras: 120, rows: 60, features: 16, signal, ..Default::default() };
    fattail::store::write_parquet(&market.panel().unwrap(), shop.path("m.parquet")).unwrap();
    shop
}

fn numerai(shop: &Workshop, more: &[&str]) -> Output {
    let args = ["--data", "@m.parquet", "--meta", "meta_model", "--out", "@out"];
    shop.run(NUMERAI, &[&args, more].concat())
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(shop: &Workshop, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(shop.path(name)).expect("the file")).expect("JSON")
}

/// Writes thresholds: those given, and none for all other rules.
fn thresholds(shop: &Workshop, given: &[(&str, Value)]) {
    let mut gate = serde_json::to_value(fattail::gate::Gate::open()).unwrap();
    given.iter().for_each(|(rule, value)| gate[rule] = value.clone());
    shop.write("gate.json", gate.to_string());
}

#[test]
fn what_the_gate_blocks_is_not_written_and_an_override_stays_on_record() {
    let shop = shop();
    thresholds(&shop, &[("sharpe", 9.0.into()), ("drawdown", 0.0.into())]);
    let blocked = numerai(&shop, &["--gate", "@gate.json"]);
    assert_eq!(blocked.status.code(), Some(3));
    let line = told(&blocked);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("blocked by sharpe") && line.contains("drawdown"), "{line}");
    assert!(!shop.path("out/submission.csv").exists() && shop.path("out/report.html").exists());
    let report = json(&shop, "out/report.json");
    assert_eq!(report["gate"]["passed"], false);

    let one = ["--gate", "@gate.json", "--override", "sharpe", "--by", "A. T.", "--because", "x"];
    assert!(told(&numerai(&shop, &one)).contains("blocked by"), "one of the two is overridden");
    let both = [&one[..], &["--override", "drawdown"]].concat();
    let passed = numerai(&shop, &both);
    assert!(passed.status.success(), "{}", told(&passed));
    assert!(shop.path("out/submission.csv").exists());
    let decision = json(&shop, "out/gate.json");
    assert_eq!(decision["overrides"][0]["by"], "A. T.");
    assert_eq!(decision["overrides"].as_array().unwrap().len(), 2);
}

#[test]
fn overrides_need_a_name_a_reason_and_a_rule_that_is_asked() {
    let shop = shop();
    for unsigned in [&["--override", "mean"][..], &["--gate", "off", "--by", "me"]] {
        let line = told(&numerai(&shop, unsigned));
        assert!(line.contains("need --by and --because"), "{line}");
    }
    let nothing = told(&numerai(&shop, &["--by", "me", "--because", "no"]));
    assert!(nothing.contains("need --override or --gate off"), "{nothing}");
    let named = ["--override", "mean", "--by", "me", "--because", "no"];
    let output = numerai(&shop, &named);
    assert!(output.status.success(), "{}", told(&output));
    let warning = &json(&shop, "out/report.json")["warnings"][0];
    assert!(warning.as_str().unwrap().contains("'mean' does not block"), "{warning}");
    let unknown = ["--override", "luck", "--by", "me", "--because", "no"];
    assert!(told(&numerai(&shop, &unknown)).contains("--override is 'luck', allowed are eras"));
    let not_asked = ["--override", "sharpe", "--by", "me", "--because", "no"];
    assert!(
        told(&numerai(&shop, &not_asked)).contains("--override is 'sharpe', allowed are defined")
    );
    shop.write("gate.json", r#"{"mode": 0.1}"#);
    let wrong = told(&numerai(&shop, &["--gate", "@gate.json"]));
    assert!(wrong.contains("unknown field `mode`"), "{wrong}");
    shop.write("gate.json", r#"{"exposure": 1.5}"#);
    let wrong = told(&numerai(&shop, &["--gate", "@gate.json"]));
    assert!(wrong.contains("'exposure' is 1.5"), "{wrong}");
}

#[test]
fn a_gate_that_is_off_is_waived_by_name_and_says_what_it_did_not_ask() {
    let shop = shop();
    let off = ["--gate", "off", "--by", "A. T.", "--because", "a toy"];
    let output = numerai(&shop, &off);
    assert!(output.status.success(), "{}", told(&output));
    let decision = json(&shop, "out/gate.json");
    assert_eq!(decision["waivers"][0]["by"], "A. T.");
    let gate = &json(&shop, "out/report.json")["gate"];
    assert_eq!(gate["checks"].as_array().unwrap().len(), 0);
    assert!(gate["not_asked"].as_array().unwrap().iter().any(|rule| rule == "certificate"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("open by waiver") && said.contains("no rule was asked"), "{said}");
}

#[test]
fn trials_of_earlier_runs_count() {
    // So weak a signal that luck is not out of the question.
    let shop = shop_of(0.02);
    thresholds(&shop, &[("deflated_sharpe", 0.0.into())]);
    let args = ["--gate", "@gate.json", "--trials", "@study.jsonl"];
    let figure = |more: &[&str]| {
        let output = numerai(&shop, &[&args[..], more].concat());
        assert!(output.status.success(), "{}", told(&output));
        let judged = json(&shop, "out/gate.json")["judged"].clone();
        let deflated =
            judged.as_array().unwrap().iter().find(|one| one["rule"] == "deflated_sharpe");
        deflated.unwrap()["figure"].as_f64().unwrap()
    };
    let count = || std::fs::read_to_string(shop.path("study.jsonl")).unwrap().lines().count();
    let alone = figure(&[]);
    assert_eq!((count(), figure(&[]), count()), (1, alone, 1), "the same model is one trial");
    let two = figure(&["--model", "ridge,gbdt", "--rounds", "3"]);
    assert!(count() == 2 && two < alone, "{alone} | {two}");
    // Another seed is another trial, and so is a model that failed.
    let other = ["--model", "gbdt,ridge", "--rounds", "3", "--seed", "1", "--submit", "ridge"];
    let three = figure(&other);
    assert!(count() == 3 && three < two, "{two} | {three}");
    let failing = ["--model", "mlp", "--max-memory", "1"];
    assert!(!numerai(&shop, &[&args[..], &failing].concat()).status.success());
    assert_eq!(count(), 4);
    // A log that is not one is told by its line.
    shop.write("study.jsonl", "{}\n");
    let line = told(&numerai(&shop, &args));
    assert!(line.contains("study.jsonl', line 1"), "{line}");
}

#[test]
fn the_submitted_model_is_certified() {
    let shop = shop();
    thresholds(&shop, &[("certificate", true.into())]);
    let without = numerai(&shop, &["--gate", "@gate.json"]);
    assert!(told(&without).contains("give --certify, or override it"), "{}", told(&without));
    let with = numerai(&shop, &["--gate", "@gate.json", "--certify"]);
    assert!(with.status.success(), "{}", told(&with));
    assert_eq!(json(&shop, "out/certificate.json")["verdict"], "passed");
    assert_eq!(json(&shop, "out/report.json")["certificate"]["holds"], true);
}

#[test]
fn certify_reads_a_pipeline_and_names_what_is_wrong_with_it() {
    let shop = shop();
    let config = shop.run(CERTIFY, &["--data", "@m.parquet", "--show-config"]);
    let mut config: Value = serde_json::from_slice(&config.stdout).unwrap();
    config["workflow"]["learners"].as_array_mut().unwrap().truncate(1);
    config["workflow"]["learners"][0]["ridge"]["penalties"] = serde_json::json!([0.1]);
    shop.write("c.json", config.to_string());
    let args = ["--data", "@m.parquet", "--config", "@c.json", "--json", "@made.json"];
    let output = shop.run(CERTIFY, &args);
    assert!(
        output.status.success(),
        "{}\n{}",
        told(&output),
        String::from_utf8_lossy(&output.stdout)
    );
    let text = std::fs::read_to_string(shop.path("made.json")).unwrap();
    let made = fattail::certificate::Certificate::from_json(&text).unwrap();
    assert_eq!(made.checks.len(), fattail::certificate::Check::ALL.len());

    config["workflow"]["horizon"]["days"] = 0.into();
    shop.write("c.json", config.to_string());
    let output = shop.run(CERTIFY, &args);
    assert!(told(&output).contains("'days' is 0"), "{}", told(&output));
    shop.write("c.json", "{}");
    let output = shop.run(CERTIFY, &args);
    assert!(told(&output).contains("missing field `workflow`"), "{}", told(&output));
}

#[test]
fn a_gate_that_asks_for_nothing_and_a_blank_name_are_told_before_the_work() {
    let shop = shop();
    thresholds(&shop, &[]);
    let line = told(&numerai(&shop, &["--gate", "@gate.json"]));
    assert!(line.contains("asks for nothing: --gate off says so"), "{line}");
    let line = told(&numerai(&shop, &["--gate", "off", "--by", " ", "--because", "x"]));
    assert!(line.contains("need --by and --because"), "{line}");
    assert!(!shop.path("out").exists());
}
