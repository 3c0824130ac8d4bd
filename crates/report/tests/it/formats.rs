//! The same small report in all formats.

use fattail_report::Report;

use crate::sample::{full, model, report};

fn small() -> Report {
    report(vec![model("ridge", &[("corr", &[0.02, 0.04, f64::NAN, -0.03])])])
}

#[test]
fn every_format_holds_the_figures() {
    let report = small();
    let (html, markdown, text) =
        (report.to_html().unwrap(), report.to_markdown(), report.summary_table());
    for found in [&html, &markdown, &text] {
        assert!(found.contains("+0.0100"), "mean: {found}");
        assert!(found.contains("66.7 %"), "hit rate: {found}");
        assert!(found.contains("constant"), "baseline: {found}");
        assert!(!found.contains("NaN"));
    }
    for found in [&html, &markdown] {
        assert!(found.contains("corr is not defined in 1 of 4 eras: predictions are constant"));
        assert!(found.contains("the data is synthetic"));
        assert!(found.contains("no interval can be given"), "four eras: {found}");
        assert!(found.contains("0106 to 0156") && found.contains("+0.0123"));
        assert!(found.contains("5 eras: 20 days of label"));
        assert!(found.contains("Weekly backtest") && found.contains("fattail 0.1.0"));
    }
}

#[test]
fn an_interval_around_zero_is_told() {
    let values: Vec<f64> = (0..30).map(|era| if era % 3 == 0 { 0.02 } else { -0.01 }).collect();
    let report = report(vec![model("ridge", &[("corr", &values)])]);
    for found in [report.to_html().unwrap(), report.to_markdown()] {
        assert!(found.contains("the 95 % interval of mean corr includes zero"), "{found}");
    }
}

#[test]
fn json_comes_back_and_writes_nan_as_null() {
    let report = full(30);
    let text = report.to_json().unwrap();
    assert!(text.contains("\"value\": null") && text.ends_with("}\n"));
    let back = Report::from_json(&text).unwrap();
    assert_eq!(back.to_json().unwrap(), text);
    assert_eq!(back.models[0].coefficients, report.models[0].coefficients);
    assert!(back.models[0].metrics[0].model.scores.eras[10].value.is_nan());
}

#[test]
fn json_that_does_not_fit_names_the_place() {
    let error = Report::from_json("{\n \"title\": 1}").unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn the_terminal_table_is_aligned() {
    let text = small().summary_table();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|&width| width <= 110), "{text}");
    assert_eq!(widths[0], widths[2], "{text}");
}
