//! Names from files try to break out of every format.

use fattail_evaluate::Summary;
use fattail_report::{Difference, FileLink, Report, Setting};

use crate::sample::{full, report};

const EVIL: &str = "\"><script>alert('x')</script><img src=x onerror=y>|\n# h\u{1b}[2J{{ 7 * 7 }}";

fn hostile() -> Report {
    let mut report = full(12);
    report.title = EVIL.into();
    report.generated_by = EVIL.into();
    report.data.source = EVIL.into();
    report.data.target = EVIL.into();
    report.settings = vec![Setting::new(EVIL, EVIL)];
    report.warnings = vec![EVIL.into()];
    let model = &mut report.models[0];
    model.name = EVIL.into();
    model.settings = vec![EVIL.into()];
    model.coefficients[0].name = EVIL.into();
    model.folds[0].train_first = EVIL.into();
    model.folds[0].scores[0].0 = EVIL.into();
    for metric in &mut model.metrics {
        metric.model.scores.metric = EVIL.into();
        metric.model.scores.eras[0].era = EVIL.into();
        metric.model.scores.eras[4].reason = Some(EVIL.into());
    }
    report.files = vec![FileLink { label: EVIL.into(), path: EVIL.into() }];
    let mut second = report.models[0].clone();
    second.coefficients.clear();
    report.models.push(second);
    report.differences = Difference::all(&report.models, Summary::of);
    report
}

#[test]
fn html_shows_names_and_runs_none() {
    let html = hostile().to_html().unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"));
    assert!(html.contains("&lt;script&gt;") && html.contains("{{ 7 * 7 }}"));
    crate::page::assert_balanced(&html);
}

#[test]
fn markdown_tables_keep_their_columns() {
    let markdown = hostile().to_markdown();
    assert!(!markdown.contains("<script") && !markdown.contains("\n# h"));
    let mut columns = None;
    for line in markdown.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let bars = line.matches('|').count() - line.matches("\\|").count();
        assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
    }
}

#[test]
fn the_terminal_gets_no_control_characters() {
    let text = hostile().summary_table();
    assert!(!text.contains('\u{1b}'));
    // Heads of two lines; two metrics of two models, each with the constant; a difference a metric.
    assert_eq!(text.lines().count(), 2 + 2 * 2 * 2 + 1 + 2 + 2);
}

#[test]
fn only_relative_paths_become_links() {
    let mut report = report(Vec::new());
    let link = |path: &str| FileLink { label: "f".into(), path: path.into() };
    report.files =
        ["javascript:alert(1)", "//host/x", "/etc/x", "../x", "a\\b", "x:y"].map(link).into();
    assert!(!report.to_html().unwrap().contains("<a href=\"javascript"));
    assert_eq!(report.to_html().unwrap().matches("<code>").count(), 6);
    report.files = vec![link("out/my file.csv")];
    assert!(report.to_html().unwrap().contains("href=\"out&#x2f;my%20file.csv\""));
}
