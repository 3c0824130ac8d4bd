//! Tear sheets, gate, certificate, overfitting and drift in every format.

use std::sync::LazyLock;

use fattail_evaluate::{Part, TearSheet};
use fattail_report::{
    Bound, CertificateFacts, DriftFlag, DriftMap, GateCheck, GateOutcome, Overfitting, Report,
};

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
        "Top less bottom quantile by target, running sum",
        "Rank correlation by target, running sum",
        "Rank correlation by target<",
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
        "corr, 52 eras a row",
    ] {
        let figure = html.split(&format!("<h3>{title}")).nth(1).expect(title);
        let figure = figure.split("</figure>").next().unwrap();
        // Drawn for a wide screen and a phone, with words for screen readers, and told how to be read.
        assert_eq!(figure.matches("<svg class=").count(), 2, "{title}");
        let titles = figure.matches(&format!("<title>{title}")).count();
        assert_eq!(titles, 2, "{title}");
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
    assert!(gate.contains("<p>Not asked: benchmark.</p>"));
    // What is seen as a mark is read as a word.
    assert_eq!(gate.matches("<span class=\"unseen\">passed: </span>").count(), 3);
    assert_eq!(gate.matches("<span class=\"unseen\">failed: </span>").count(), 1);
    assert!(!html.contains("<b aria-label"));
}

#[test]
fn an_open_gate_tells_what_it_let_through() {
    let told = |gate: GateOutcome| {
        let report = Report { gate: Some(gate), ..full(12) };
        let (html, markdown) = (report.to_html().unwrap(), report.to_markdown());
        assert_balanced(&html);
        let class = html.split("<div class=\"gate ").nth(1).unwrap();
        (class.split('"').next().unwrap().to_owned(), html, markdown)
    };
    let check = |name: &str, figure, passed| GateCheck {
        name: name.into(),
        figure,
        bound: Bound::AtLeast,
        threshold: 0.95,
        passed,
        ..GateCheck::default()
    };
    let gate = |checks: Vec<GateCheck>| GateOutcome { passed: true, checks, ..Default::default() };
    let clean = gate(vec![check("mean", 0.99, true)]);
    let (class, html, _) = told(clean.clone());
    assert!(class == "above" && html.contains("Gate: open, 1 of 1 checks passed"));

    let failed = vec![check("mean", 0.99, true), check("luck", f64::NAN, false)];
    let (class, html, markdown) = told(gate(failed.clone()));
    assert!(class == "around" && html.contains("Gate: open by override of luck, 1 of 2 checks"));
    assert!(html.contains("<span class=\"unseen\">overridden: </span>"));
    assert!(html.contains("not defined, at least 0.95 allowed"));
    assert!(markdown.contains("| luck | overridden | – | at least 0.95 |"), "{markdown}");
    let (class, html, markdown) = told(GateOutcome { passed: false, ..gate(failed) });
    assert!(class == "below" && html.contains("Gate: shut, 1 of 2 checks passed"));
    assert!(markdown.contains("| luck | failed |"));

    let waived = GateOutcome {
        not_asked: vec!["mean".into(), "sharpe".into()],
        waived: vec!["sharpe".into()],
        ..clean
    };
    let (class, html, markdown) = told(waived.clone());
    assert!(class == "around" && html.contains("Gate: open by waiver, 1 of 1 checks passed"));
    assert!(markdown.contains("- Not asked: mean, sharpe.\n- Waived: sharpe."), "{markdown}");
    let (class, html, _) = told(GateOutcome { checks: Vec::new(), ..waived });
    assert!(class == "around" && html.contains("Gate: open by waiver, no check was asked"));
    assert_eq!(told(gate(Vec::new())).0, "around");
}

#[test]
fn a_skipped_check_is_none_that_passed() {
    let (html, markdown) = (whole().to_html().unwrap(), whole().to_markdown());
    let line = "Leak certificate: valid, 2 of 3 checks passed, 1 skipped, 2 of 2 planted leaks";
    assert!(html.contains(line) && markdown.contains(line));
    assert!(markdown.contains("| rows may come in any order | skipped | – |"), "{markdown}");
    // A check of which nothing is known is none that passed either.
    let facts: CertificateFacts = serde_json::from_str(r#"{"checks": [{"name": "x"}]}"#).unwrap();
    let report = Report { certificate: Some(facts), ..Report::default() };
    assert!(report.to_markdown().contains("0 of 1 checks passed, 1 unknown"));
}

#[test]
fn the_benchmark_is_a_line_of_the_running_sum() {
    let html = whole().to_html().unwrap();
    let sum = |html: &str| {
        let sum = html.split("<h3>Running sum of corr</h3>").nth(1).unwrap();
        sum.split("</figure>").next().unwrap().to_owned()
    };
    assert!(sum(&html).contains("<i class=\"k1\"></i>meta model"));
    let without = Report { benchmark: None, ..whole() }.to_html().unwrap();
    assert!(!sum(&without).contains("meta model"));
    assert!(sum(&html).matches("<polyline").count() > sum(&without).matches("<polyline").count());
}

#[test]
fn what_is_not_shown_is_told_on_paper_too() {
    let html = whole().to_html().unwrap();
    for keys in [".legend i", ".scale i"] {
        let rule = html.lines().find(|line| line.contains(keys) && line.contains("exact")).unwrap();
        assert!(rule.contains("print-color-adjust: exact; forced-color-adjust: none"));
    }
    let mut report = whole();
    let sheet = report.models[0].tear_sheet.as_mut().unwrap();
    sheet.quantile_turnover = Part::Missing { reason: "no id lasts".into() };
    let html = report.to_html().unwrap();
    let reasons = html.split("What is not shown, and why").nth(1).unwrap();
    assert!(reasons.split("</section>").next().unwrap().contains("turnover of quantiles: no id"));
    // Not in a fold that paper leaves shut.
    let before = html.split("What is not shown, and why").next().unwrap();
    assert_eq!(before.matches("<details").count(), before.matches("</details>").count());
    assert_eq!(html.matches("class=\"scroll\"").count(), html.matches("tabindex=\"0\"").count());
}

#[test]
fn drift_tells_its_test_and_cuts_long_lists() {
    let report = |drift: DriftMap| Report { drift: Some(drift), ..Report::default() };
    let told = whole().to_markdown();
    assert!(told.contains("The test over all features at the level 0.05 says: features moved."));
    assert!(whole().to_html().unwrap().contains("Without drift it is about 0.0045. Levels: watch"));
    let weak = DriftMap {
        verdict: "nothing moved".into(),
        level: 0.001,
        smallest_p: 0.01,
        ..DriftMap::default()
    };
    let told = report(weak).to_markdown();
    assert!(told.contains("p that the test can give is 0.01: it could not have raised"), "{told}");

    let features: Vec<String> = (0..20_000).map(|at| format!("f{at}")).collect();
    let flag = |feature: &String| DriftFlag { feature: feature.clone(), ..DriftFlag::default() };
    let many = DriftMap {
        measure: "PSI".into(),
        eras: vec!["0001".into()],
        flagged: features.iter().skip(2).map(flag).collect(),
        // Of the first features alone there are values.
        values: vec![vec![0.002], vec![0.001], vec![0.0005]],
        features,
        expected: 0.001,
        ..DriftMap::default()
    };
    let many = report(many);
    let markdown = many.to_markdown();
    assert!(markdown.contains("19998 of 20000 features are flagged"), "{markdown}");
    assert!(markdown.contains("| and 19948 more |") && !markdown.contains("| f52 |"));
    // Twice what is expected is pale: the scale ends at five times it.
    assert!(many.to_html().unwrap().contains("<span>0.005</span>"));
}

#[test]
fn overfitting_counts_the_models() {
    let told = |models| {
        let overfitting = Overfitting { models, pbo: 0.25, ..Overfitting::default() };
        Report { overfitting: Some(overfitting), ..Report::default() }.to_markdown()
    };
    assert!(told(10).contains("the model that is best of 10 in one half"));
    assert!(told(2).contains("best of 2 in one half") && told(2).contains("the share is coarse"));
    assert!(told(0).contains("the model that is best in one half") && !told(10).contains("coarse"));
    assert!(told(10).contains("| Models | 10 |"));
}

#[test]
fn markdown_holds_the_same_facts_as_tables() {
    let (report, markdown) = (whole(), whole().to_markdown());
    let sheet = report.models[0].tear_sheet.as_ref().unwrap();
    let spread = sheet.quantiles.found().unwrap().spread_mean.mean;
    assert!(markdown.contains(&format!("| top less bottom | – | {spread:+.4} |")), "{markdown}");
    for of in &sheet.target_quantiles {
        let mean = &of.spreads.found().unwrap().spread_mean;
        let start =
            format!("| {} | {} | {:+.4} |", of.target.replace('_', "\\_"), of.days, mean.mean);
        let t = format!("| {:+.2} ({} df) |", mean.t_statistic, mean.degrees);
        let row = markdown.lines().find(|line| line.starts_with(&start) && line.contains(&t));
        assert!(row.is_some(), "{start}\n{t}\n{markdown}");
    }
    for heading in [
        "ridge: quantiles of the predictions",
        "ridge: quantiles by target",
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

#[test]
#[ignore = "leaves a page to look at"]
fn a_page_to_look_at() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html");
    let mut report = whole();
    let mut gate = report.gate.take().unwrap();
    gate.passed = true;
    gate.waived = gate.not_asked.clone();
    report.gate = Some(gate);
    if let Some(sheet) = report.models[0].tear_sheet.as_mut() {
        sheet.churn = Part::Missing { reason: "no id lasts".into() };
    }
    std::fs::write(path, report.to_html().unwrap()).unwrap();
}
