//! The page: whole, small, alone.

use crate::sample::{full, model, report, wave};

/// Every element that is opened is closed, in order.
pub(crate) fn assert_balanced(html: &str) {
    const VOID: [&str; 5] = ["meta", "br", "hr", "link", "input"];
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag that is not closed");
        let name = tag.split([' ', '\n', '/']).find(|word| !word.is_empty()).unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

/// Nothing that a browser would fetch.
pub(crate) fn assert_alone(html: &str) {
    for word in ["http:", "https:", " src=", "<link", "<script", "@import", "url(", "<iframe"] {
        assert!(!html.contains(word), "the page contains {word}");
    }
}

#[test]
fn a_thousand_eras_stay_below_a_megabyte() {
    let html = full(1000).to_html().unwrap();
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
    assert_balanced(&html);
    assert_alone(&html);
}

#[test]
fn a_full_page_has_every_section() {
    let html = full(120).to_html().unwrap();
    for id in ["eras", "figures", "folds", "coefficients", "settings", "reading"] {
        assert!(html.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
    for title in
        ["corr of each era", "Running sum of corr", "Drawdown of corr", "Exposure to features"]
    {
        assert!(html.contains(&format!("<h3>{title}")), "{title}");
        assert!(html.contains(&format!("<title>{title}")), "{title}");
    }
    assert!(html.contains("the 30 largest of 40 coefficients"));
    assert!(html.contains("no score: it ranks nothing"));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("@media print"));
}

#[test]
fn models_stand_side_by_side_and_the_seventh_is_only_in_tables() {
    let names = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"];
    let models = names.map(|name| model(name, &[("corr", &wave(40, 0.01))]));
    let html = report(models.into()).to_html().unwrap();
    assert!(html.contains("Models side by side") && html.contains("first 6 models"));
    assert!(html.contains("<h3>a6: corr of each era") && !html.contains("<h3>a7: corr of"));
    assert!(html.contains("<th scope=\"row\">a7</th>"));
    assert_balanced(&html);
}

#[test]
fn models_are_told_apart_era_by_era() {
    let ridge = model("ridge", &[("corr", &[0.25, 0.5, 0.25]), ("negative_error", &[-1.0; 3])]);
    let mut gbdt =
        model("gbdt", &[("corr", &[0.5, 1.0, f64::NAN]), ("negative_error", &[-0.5; 3])]);
    let constant = gbdt.metrics[1].constant.as_mut().unwrap();
    constant.scores.eras.iter_mut().for_each(|era| era.value = -2.0);
    let report = report(vec![ridge, gbdt]);
    let found: Vec<_> = report
        .differences
        .iter()
        .map(|d| (&*d.model, &*d.minus, &*d.scored.scores.metric, d.scored.summary.mean))
        .collect();
    assert_eq!(found[0].3, 0.375);
    assert_eq!(
        found[1..],
        [("gbdt", "ridge", "negative_error", 0.5), ("gbdt", "constant", "negative_error", 1.5),]
    );
    let html = report.to_html().unwrap();
    assert!(html.contains("<section id=\"differences\">") && html.contains("gbdt − ridge"));
    assert!(html.contains("<h3>Running sum of the difference of corr"));
    assert_balanced(&html);
    assert!(report.to_markdown().contains("## Differences, era by era"));
    assert!(report.summary_table().contains("gbdt − ridge"));
    let back = fattail_report::Report::from_json(&report.to_json().unwrap()).unwrap();
    assert_eq!(back.differences[1].scored.scores, report.differences[1].scored.scores);
}

#[test]
fn nothing_one_era_and_no_score_at_all_are_survived() {
    let one = model("ridge", &[("corr", &[0.01])]);
    let none = model("ridge", &[("corr", &[])]);
    let undefined = model("ridge", &[("corr", &[f64::NAN; 3])]);
    let bare = model("ridge", &[]);
    for models in [vec![], vec![one], vec![none], vec![undefined], vec![bare]] {
        let report = report(models);
        let html = report.to_html().unwrap();
        assert_balanced(&html);
        assert_alone(&html);
        assert!(!html.contains("NaN") && !report.to_markdown().contains("NaN"));
        assert!(report.summary_table().starts_with("Model"));
    }
}

#[test]
fn an_exposure_metric_is_charted_without_its_minus() {
    let exposure = [-0.2, -0.3, -0.1];
    let found =
        model("ridge", &[("corr", &[0.01, 0.02, 0.03]), ("negative_max_exposure", &exposure)]);
    assert_eq!(found.exposure.as_ref().unwrap().values(), [0.2, 0.3, 0.1]);
    let html = report(vec![found]).to_html().unwrap();
    assert!(html.contains("<h3>Exposure to features: max_exposure"));
    assert!(!html.contains("Running sum of negative_max_exposure"));
}

#[test]
fn models_over_different_eras_keep_their_places() {
    let (long, mut short) =
        (model("a", &[("corr", &wave(9, 0.01))]), model("b", &[("corr", &[0.5])]));
    short.metrics[0].model.scores.eras[0].era = "0005".into();
    let html = report(vec![long, short]).to_html().unwrap();
    let sum = html.split("<h3>Running sum of corr").nth(1).unwrap();
    let circle = sum.split("<circle cx=\"").nth(1).unwrap();
    let middle: f64 = circle.split('"').next().unwrap().parse().unwrap();
    assert!((middle - 2000.0).abs() < 100.0, "the one score of b stands at {middle}");
}
