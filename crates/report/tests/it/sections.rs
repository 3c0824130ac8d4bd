//! Tear sheets, gate, certificate, overfitting and drift in every format.

use std::sync::LazyLock;

use fattail_evaluate::{Part, TearSheet};
use fattail_report::{CertificateFacts, DriftMap, GateOutcome, Overfitting, Report};

use crate::page::{assert_alone, assert_balanced};
use crate::sample::{evidence, full, sheet};

/// Made once: a thousand exposures an era take their time.
static SHEET: LazyLock<TearSheet> = LazyLock::new(|| sheet(240));

fn whole() -> Report {
    let mut report = evidence(full(240));
    report.models[0].tear_sheet = Some(SHEET.clone());
    report
}

#[test]
fn the_page_shows_every_section_and_figure() {
    let html = whole().to_html().unwrap();
    assert_balanced(&html);
    assert_alone(&html);
    assert!(!html.contains("NaN") && !html.contains("inf<"));
    for id in ["tear", "overfitting", "drift", "certificate", "gate"] {
        assert!(html.contains(&format!(" id=\"{id}\"")), "{id}");
    }
    for title in [
        "Target of each prediction quantile",
        "Top less bottom quantile, running sum",
        "Rank correlation by target",
        "Rank correlation with later targets",
        "Rank autocorrelation of the predictions",
        "Churn from each era to the next",
        "The 15 features followed most closely, of 24",
        "Running sum of spearman and its 5 worst falls",
        "Mean spearman of the last 52 eras",
        "Sharpe of the last 52 eras",
        "spearman of an era, how often",
        "spearman against a bell curve",
        "Memory of spearman",
        "Rank out of sample of the best in sample",
        "Best in sample, out of sample",
        "Share of splits that score at most so much",
        "PSI of the 30 features that moved furthest",
    ] {
        let figure = html.split(&format!("<h3>{title}")).nth(1).expect(title);
        let figure = figure.split("</figure>").next().unwrap();
        // Drawn for a wide screen and a phone, with words for screen readers, and told how to be read.
        assert_eq!(figure.matches("<svg class=").count(), 2, "{title}");
        assert_eq!(figure.matches(&format!("<title>{title}")).count(), 2, "{title}");
        assert!(figure.contains("<figcaption>"), "{title}");
    }
    // Halves come in pairs; the memory of the scores and the staircase have none beside them.
    assert_eq!(html.matches("<figure class=\"half\">").count(), 12);
    assert_eq!(html.matches("<figure class=\"alone\">").count(), 2);
}

#[test]
fn a_page_with_all_figures_stays_small() {
    let html = whole().to_html().unwrap();
    assert!(html.len() < 1_200_000, "{} bytes", html.len());
}

#[test]
fn the_gate_stands_before_the_figures_with_every_check() {
    let html = whole().to_html().unwrap();
    let gate = html.split("id=\"gate\"").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(gate.contains("Submission gate: shut, 3 of 4 checks passed"));
    assert_eq!((gate.matches("✓").count(), gate.matches("✗").count()), (3, 1));
    assert!(gate.contains("0.412, at most 0.3 allowed"));
    assert!(html.find("id=\"gate\"") < html.find("<section id=\"eras\""));
    assert!(html.contains("class=\"gate below\""));
    let mut open = whole();
    open.gate = Some(GateOutcome { passed: true, ..open.gate.unwrap() });
    assert!(open.to_html().unwrap().contains("class=\"gate above\""));
}

#[test]
fn markdown_holds_the_same_facts_as_tables() {
    let (report, markdown) = (whole(), whole().to_markdown());
    let sheet = report.models[0].tear_sheet.as_ref().unwrap();
    let spread = sheet.quantiles.found().unwrap().spread_mean.mean;
    assert!(markdown.contains(&format!("| top less bottom | – | {spread:+.4} |")), "{markdown}");
    for heading in [
        "ridge: quantiles of the predictions",
        "ridge: worst drawdowns",
        "ridge: autocorrelation of the scores",
        "Overfitting",
        "Drift",
        "Leak certificate",
        "Submission gate: shut, 3 of 4 checks passed",
    ] {
        assert!(markdown.contains(&format!("## {heading}\n")), "{heading}");
    }
    assert!(markdown.contains("| largest exposure | failed | 0.412 | at most 0.3 |"));
    assert!(markdown.contains("| feature\\_11\\_momentum |") && markdown.contains("| caught |"));
    assert!(!markdown.contains("NaN"));
}

#[test]
fn json_comes_back_and_old_json_is_still_read() {
    let report = whole();
    let text = report.to_json().unwrap();
    let back = Report::from_json(&text).unwrap();
    assert_eq!(back.to_json().unwrap(), text);
    assert_eq!(back.gate.as_ref().unwrap().checks[2], report.gate.as_ref().unwrap().checks[2]);
    // Without the sections nothing of them is written, which is how older reports look.
    let old = full(30).to_json().unwrap();
    for field in ["tear_sheet", "overfitting", "drift", "gate", "certificate"] {
        assert!(!old.contains(field), "{field}");
    }
    let back = Report::from_json(&old).unwrap();
    assert!(back.gate.is_none() && back.models[0].tear_sheet.is_none());
    // A section may leave out what it does not know.
    let few: Overfitting = serde_json::from_str("{\"pbo\": 0.5, \"logits\": [null]}").unwrap();
    assert!(few.pbo == 0.5 && few.logits[0].is_nan());
}

#[test]
fn empty_sections_and_missing_parts_are_survived() {
    let missing = || Part::Missing { reason: "there are no predictions".into() };
    let none = TearSheet {
        metric: "corr".into(),
        horizon: SHEET.horizon,
        quantiles: missing(),
        target_quantiles: Vec::new(),
        information: Vec::new(),
        decay: Vec::new(),
        rank_autocorrelation: Part::Missing { reason: "no id lasts".into() },
        churn: Part::Missing { reason: "no id lasts".into() },
        quantile_turnover: Part::Missing { reason: "no id lasts".into() },
        exposure: Part::Missing { reason: "no features".into() },
        drawdowns: Part::Missing { reason: "no era has a score".into() },
        rolling: Part::Missing { reason: "no era has a score".into() },
        distribution: Part::Missing { reason: "no era has a score".into() },
        autocorrelation: Part::Missing { reason: "no era has a score".into() },
    };
    let mut report = full(12);
    report.models[0].tear_sheet = Some(none);
    report.overfitting = Some(Overfitting::default());
    report.drift = Some(DriftMap::default());
    report.gate = Some(GateOutcome::default());
    report.certificate = Some(CertificateFacts::default());
    let html = report.to_html().unwrap();
    assert_balanced(&html);
    assert!(html.contains("exposure: no features") && html.contains("churn: no id lasts"));
    assert!(report.to_markdown().contains("- exposure: no features"));
    assert!(!html.contains("NaN") && !report.to_markdown().contains("NaN"));
}

#[test]
fn names_of_sections_run_nothing() {
    const EVIL: &str = "\"><script>alert('x')</script>|\n# h{{ 7 * 7 }}";
    let mut report = whole();
    let sheet = report.models[0].tear_sheet.as_mut().unwrap();
    sheet.metric = EVIL.into();
    if let Part::Found(drawdowns) = &mut sheet.drawdowns {
        drawdowns.worst[0].places = [usize::MAX; 3];
    }
    sheet.information[1].target = EVIL.into();
    if let Part::Found(exposure) = &mut sheet.exposure {
        exposure.features[0].name = EVIL.into();
        exposure.eras[0] = EVIL.into();
    }
    sheet.churn = Part::Missing { reason: EVIL.into() };
    let gate = report.gate.as_mut().unwrap();
    (gate.name, gate.checks[0].name, gate.checks[0].note) = (EVIL.into(), EVIL.into(), EVIL.into());
    let drift = report.drift.as_mut().unwrap();
    (drift.measure, drift.features[11], drift.flagged[0].feature) =
        (EVIL.into(), EVIL.into(), EVIL.into());
    let certificate = report.certificate.as_mut().unwrap();
    (certificate.state, certificate.hash, certificate.statement) =
        (EVIL.into(), EVIL.into(), EVIL.into());
    let html = report.to_html().unwrap();
    assert!(!html.contains("<script") && html.contains("{{ 7 * 7 }}"));
    assert_balanced(&html);
    let markdown = report.to_markdown();
    assert!(!markdown.contains("<script") && !markdown.contains("\n# h"));
}
