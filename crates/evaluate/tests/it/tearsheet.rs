//! The tear sheet against pandas, scipy, statsmodels and numpy, see `tests/reference/README.md`.

use fattail_core::{Ids, Panel};
use fattail_evaluate::{
    EraMean, EraScore, Horizon, Predictions, Scores, TargetColumn, TearSettings, TearSheet,
};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/tearsheet.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn column(reference: &Value, name: &str) -> Vec<f32> {
    floats(&reference["panel"][name]).iter().map(|&value| value as f32).collect()
}

fn panel(reference: &Value) -> (Panel, Predictions) {
    let labels = floats(&reference["panel"]["era"]);
    let labels: Vec<String> = labels.iter().map(|era| format!("{era:04}")).collect();
    let ids: Ids = floats(&reference["panel"]["id"]).iter().map(|id| format!("n{id}")).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap().ids(ids);
    for name in ["a", "b", "c"] {
        builder = builder.feature(name, column(reference, name));
    }
    for name in ["target_20", "target_60"] {
        builder = builder.target(name, column(reference, name));
    }
    let panel = builder.build().unwrap();
    let (eras, values) = ((0..panel.eras().len()).collect(), column(reference, "prediction"));
    (panel, Predictions { eras, values })
}

fn scores(reference: &Value) -> Scores {
    let values = floats(&reference["series"]["scores"]);
    let era = |(i, &value): (usize, &f64)| EraScore { era: format!("{i:04}"), value, reason: None };
    Scores { metric: "corr".into(), eras: values.iter().enumerate().map(era).collect() }
}

fn settings(reference: &Value) -> TearSettings {
    let setting = |name: &str| reference["settings"][name].as_u64().unwrap() as usize;
    TearSettings {
        quantiles: setting("quantiles"),
        window: setting("window"),
        lags: setting("lags"),
        score_lags: setting("score_lags"),
        // Both with the overlap of 20 days: the script knows one lag.
        targets: ["target_20", "target_60"].map(|name| TargetColumn::new(name, 20)).into(),
        ..TearSettings::default()
    }
}

/// The parts that predictions make; the scores are none of theirs.
fn sheet(reference: &Value) -> TearSheet {
    let (panel, predictions) = panel(reference);
    let mut scores = scores(reference);
    scores.eras.truncate(predictions.eras.len());
    TearSheet::of(&panel, &predictions, &scores, &settings(reference)).unwrap()
}

/// The parts that scores make, of a panel with one row an era.
fn sheet_of_series(reference: &Value, settings: &TearSettings) -> TearSheet {
    let scores = scores(reference);
    let labels: Vec<&str> = scores.eras.iter().map(|score| &score.era[..]).collect();
    let builder = Panel::builder().eras(&labels).unwrap();
    let panel = builder.target("target_20", vec![0.5; labels.len()]).build().unwrap();
    let (eras, values) = ((0..labels.len()).collect(), vec![0.5; labels.len()]);
    TearSheet::of(&panel, &Predictions { eras, values }, &scores, settings).unwrap()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &Value, what: &str) {
    let expected = floats(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let close = (found - expected).abs() <= TOLERANCE || (found.is_nan() && expected.is_nan());
        assert!(close, "{what} {i}: {found}, expected {expected}");
    }
}

#[track_caller]
fn assert_mean(found: &EraMean, expected: &Value, what: &str) {
    assert_eq!(found.eras as u64, expected["eras"].as_u64().unwrap(), "{what}");
    let names = ["mean", "standard_error", "half", "half"];
    let expected = Value::from(names.map(|name| expected[name].clone()).to_vec());
    let halves = [found.mean - found.interval[0], found.interval[1] - found.mean];
    assert_close(&[found.mean, found.standard_error, halves[0], halves[1]], &expected, what);
}

#[test]
fn quantiles_are_those_of_qcut() {
    let reference = reference();
    let (sheet, expected) = (sheet(&reference), &reference["quantiles"]);
    let found = sheet.quantiles.found().unwrap();
    for (q, means) in found.means.iter().enumerate() {
        assert_close(means, &expected["means"][q], "means");
        assert_mean(&found.quantiles[q].excess, &expected["excess"][q], "excess");
    }
    assert_close(&found.cumulative_spread, &expected["cumulative_spread"], "cumulative spread");
    assert_mean(&found.spread_mean, &expected["spread"], "spread");
    let monotone = [found.monotonicity, found.era_monotonicity];
    let expected_monotone =
        serde_json::json!([expected["monotonicity"], expected["era_monotonicity"]]);
    assert_close(&monotone, &expected_monotone, "monotonicity");
    for (q, turnover) in sheet.quantile_turnover.found().unwrap().iter().enumerate() {
        assert_mean(&turnover.turnover, &expected["turnover"][q], "turnover");
    }
}

#[test]
fn correlations_now_and_later_are_those_of_scipy() {
    let reference = reference();
    let sheet = sheet(&reference);
    for (at, found) in sheet.information.iter().enumerate() {
        let expected = &reference["information"][at];
        assert_eq!(found.target, expected["target"].as_str().unwrap());
        assert_mean(&found.correlation, expected, "information");
        assert!((found.ratio - expected["ratio"].as_f64().unwrap()).abs() < TOLERANCE);
    }
    let autocorrelation = sheet.rank_autocorrelation.found().unwrap();
    for (found, name) in [(&sheet.decay, "decay"), (autocorrelation, "rank_autocorrelation")] {
        let expected = reference[name].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(
                (found.lag as u64, &found.reason),
                (expected["lag"].as_u64().unwrap(), &None)
            );
            assert_mean(&found.correlation, expected, name);
            assert!((found.shared - expected["shared"].as_f64().unwrap()).abs() < TOLERANCE);
        }
    }
}

#[test]
fn exposures_are_those_of_numpy() {
    let reference = reference();
    let (sheet, expected) = (sheet(&reference), &reference["exposure"]);
    let found = sheet.exposure.found().unwrap();
    assert_close(&found.largest, &expected["largest"], "largest");
    assert_close(&found.mean, &expected["mean"], "mean");
    for (found, expected) in found.features.iter().zip(expected["features"].as_array().unwrap()) {
        assert_eq!(found.name, expected["name"].as_str().unwrap());
        assert_close(&found.by_era, &expected["by_era"], "exposure");
        assert!((found.mean_size - expected["mean_size"].as_f64().unwrap()).abs() < TOLERANCE);
    }
}

#[test]
fn rolling_figures_and_falls_are_those_of_pandas() {
    let reference = reference();
    let (sheet, expected) =
        (sheet_of_series(&reference, &settings(&reference)), &reference["series"]);
    let found = sheet.rolling.found().unwrap();
    assert_close(&found.mean, &expected["rolling_mean"], "rolling mean");
    assert_close(&found.sharpe, &expected["rolling_sharpe"], "rolling Sharpe");
    let half = |(high, mean): (&f64, &f64)| high - mean;
    let halves: Vec<f64> =
        found.high.iter().zip(&found.mean).map(half).skip(found.window - 1).collect();
    assert_close(&halves, &expected["rolling_half"], "rolling half");
    assert_close(&sheet.drawdowns.found().unwrap().fall, &expected["fall"], "fall");
}

#[test]
fn distribution_and_autocorrelation_are_those_of_numpy_and_statsmodels() {
    let reference = reference();
    let (sheet, expected) =
        (sheet_of_series(&reference, &settings(&reference)), &reference["series"]);
    let found = sheet.distribution.found().unwrap();
    assert_close(&found.edges, &expected["edges"], "edges");
    let counts: Vec<f64> = found.counts.iter().map(|&count| count as f64).collect();
    assert_close(&counts, &expected["counts"], "counts");
    let normal: Vec<f64> = found.points.iter().map(|point| point.normal).collect();
    assert_close(&normal, &expected["normal_quantiles"], "normal quantiles");
    let score: Vec<f64> = found.points.iter().map(|point| point.score).collect();
    assert_close(&score, &expected["standardised"], "standardised scores");
    let found = sheet.autocorrelation.found().unwrap();
    let values: Vec<f64> = found.lags.iter().map(|lag| lag.value).collect();
    assert_close(&values, &expected["autocorrelation"], "autocorrelation");
    let spread = |high: f64| high / 1.959_963_984_540_054;
    let variances: Vec<f64> = found
        .lags
        .iter()
        .map(|lag| spread(lag.high - lag.overlap).powi(2) * found.scores as f64)
        .collect();
    assert_close(&variances, &expected["overlap_variance"], "variance");
}

#[test]
fn labels_that_do_not_overlap_have_the_plain_band() {
    let reference = reference();
    let horizon = Horizon { days: 5, ..Horizon::NUMERAI_20 };
    let settings = TearSettings { horizon, ..TearSettings::default() };
    let sheet = sheet_of_series(&reference, &settings);
    let band = reference["series"]["plain_band"].as_f64().unwrap();
    for lag in &sheet.autocorrelation.found().unwrap().lags {
        assert!((lag.high - band).abs() < TOLERANCE && (lag.low + band).abs() < TOLERANCE);
    }
}
