//! Every value of the reference files, within 1e-9: what is computed here and what stands there are
//! compared as whole trees, so that a key on one side only fails.
//!
//! One file was made with `float32` targets, which numerai-tools centres and powers in `float32`; for
//! that one the targets are rounded in the same places before they are handed over.

use std::collections::BTreeMap;

use fattail_core::Values;
use fattail_evaluate::{
    Contribution, Corr, Summary, TargetScale, correlation_contribution, feature_neutral_corr,
    max_feature_correlation, neutral_contribution, neutral_correlation, neutralize,
    neutralized_weights, numerai_corr, pearson_corr, spearman_corr, tie_broken_rank_corr,
};
use fattail_stats::{GaussTable, Ranker, Ties, mean, orthogonalise};
use serde_json::{Map, Value, json};

const SCORES: &str = include_str!("../reference/numerai_golden.json");
const ROWS: &str = include_str!("../reference/numerai_golden_input.csv");
const SCORES_F64: &str = include_str!("../reference/numerai_golden_f64.json");
const SERIES: &str = include_str!("../reference/era_series_golden.json");

#[derive(Default)]
struct EraRows {
    target: Vec<f64>,
    meta: Vec<f64>,
    predictions: [Vec<f64>; 2],
    features: Vec<Vec<u8>>,
}

fn read() -> (Vec<String>, BTreeMap<String, EraRows>) {
    let mut reader = csv::Reader::from_reader(ROWS.as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().skip(6).map(String::from).collect();
    let mut records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    records.sort_by(|a, b| a[0].cmp(&b[0]));
    let mut eras: BTreeMap<String, EraRows> = BTreeMap::new();
    for record in &records {
        let number = |at: usize| record[at].parse::<f64>().unwrap();
        let era = eras.entry(record[1].to_owned()).or_default();
        era.target.push(number(2));
        era.meta.push(number(3));
        era.predictions[0].push(number(4));
        era.predictions[1].push(number(5));
        era.features.resize(names.len(), Vec::new());
        for (column, at) in era.features.iter_mut().zip(6..) {
            column.push(record[at].parse().unwrap());
        }
    }
    (names, eras)
}

/// Where numerai-tools rounds the target.
#[derive(Clone, Copy, PartialEq)]
enum Rounding {
    F32,
    F64,
}

/// `scale · t - mean`, as `float32` arithmetic gives it; the sums of quarters are exact.
fn centred_f32(target: &[f64], scale: f64) -> Vec<f64> {
    let sum: f64 = target.iter().map(|t| scale * t).sum();
    let mean = sum as f32 / target.len() as f32;
    target.iter().map(|t| f64::from((scale * t) as f32 - mean)).collect()
}

impl Rounding {
    fn corr(self, p: &[f64], t: &[f64], settings: &Corr) -> f64 {
        if self == Self::F64 {
            return numerai_corr(p, t, settings).unwrap();
        }
        let mut t = centred_f32(t, 1.0);
        if settings.target_pow15 {
            let power = |t: &mut f64| *t = f64::from((t.signum() * t.abs().powf(1.5)) as f32);
            t.iter_mut().for_each(power);
        }
        numerai_corr(p, &t, &Corr { target_pow15: false, ..*settings }).unwrap()
    }

    fn fnc(self, p: &[f64], features: &[Values<'_>], t: &[f64]) -> f64 {
        if self == Self::F64 {
            return feature_neutral_corr(p, features, t, &Corr::default()).unwrap();
        }
        let neutral = neutralize(&gaussian(p), features, 1.0).unwrap();
        self.corr(&neutral, t, &Corr::default())
    }

    fn mmc(self, p: &[f64], m: &[f64], t: &[f64], settings: &Contribution) -> f64 {
        if self == Self::F64 {
            return correlation_contribution(p, m, t, settings).unwrap();
        }
        let settings = Contribution { scale: TargetScale::AsIs, ..*settings };
        let t = centred_f32(t, 4.0);
        let score = correlation_contribution(p, m, &t, &settings).unwrap();
        // `float32` leaves a mean that is not zero; the kernel takes it off, the reference does not.
        let mut q = vec![0.0; p.len()];
        orthogonalise(&gaussian(p), &gaussian(m), &mut q).unwrap();
        q.sort_by(f64::total_cmp);
        let ends = settings.top_bottom.unwrap_or(q.len() / 2);
        let kept = [&q[..ends], &q[q.len() - ends..]].concat();
        score + mean(&t) * mean(&kept)
    }
}

fn gaussian(p: &[f64]) -> Vec<f64> {
    let mut scores = vec![0.0; p.len()];
    Ranker::new().gaussian(p, Ties::Average, &mut GaussTable::new(), &mut scores).unwrap();
    scores
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn first_three(columns: &[Vec<f64>]) -> Value {
    (0..3).map(|row| columns.iter().map(|c| c[row]).collect::<Vec<f64>>()).collect()
}

/// What the reference says about one era.
fn scores_of(era: &EraRows, names: &[String], rounding: Rounding) -> Value {
    let each = |f: &dyn Fn(&[f64]) -> Value| json!({ "lgbm": f(&era.predictions[0]), "pred_ties": f(&era.predictions[1]) });
    let features: Vec<Values<'_>> = era.features.iter().map(|c| Values::U8(c)).collect();
    let (t, m, f) = (&era.target[..], &era.meta[..], &features[..]);
    let corr = |settings: Corr| each(&|p: &[f64]| json!(rounding.corr(p, t, &settings)));
    let mmc = |top_bottom| {
        let settings = Contribution { top_bottom, ..Default::default() };
        each(&|p: &[f64]| json!(rounding.mmc(p, m, t, &settings)))
    };
    let contribution = Contribution::default();
    let (mut halves, mut powers) = (Vec::new(), Vec::new());
    for p in &era.predictions {
        halves.push(neutralize(&gaussian(p), f, 0.5).unwrap());
        // Without neutralisers and with weights of one, the weights are the powered scores.
        powers.push(neutralized_weights(p, &[], &vec![1.0; p.len()]).unwrap());
    }
    json!({
        "n": t.len(),
        "numerai_corr": corr(Corr::default()),
        "numerai_corr_nopow": corr(Corr { target_pow15: false, top_bottom: None }),
        "numerai_corr_tb100": corr(Corr { target_pow15: true, top_bottom: Some(100) }),
        "mmc": mmc(None),
        "mmc_tb100": mmc(Some(100)),
        "fnc10": each(&|p| json!(rounding.fnc(p, f, t))),
        "neutral_correlation10": each(&|p| json!(neutral_correlation(p, f, t, None).unwrap())),
        "neutral_contribution10":
            each(&|p| json!(neutral_contribution(p, m, f, t, &contribution).unwrap())),
        "spearman": each(&|p| json!(spearman_corr(p, t).unwrap())),
        "tie_broken_rank_corr": each(&|p| json!(tie_broken_rank_corr(p, t).unwrap())),
        "pearson": each(&|p| json!(pearson_corr(p, t).unwrap())),
        "max_feature_corr": each(&|p| {
            let (at, size) = max_feature_correlation(p, f, None).unwrap().unwrap();
            json!([names[at], size])
        }),
        "neutralize_half_first3": first_three(&halves),
        "neutralize_half_l2": { "lgbm": norm(&halves[0]), "pred_ties": norm(&halves[1]) },
        "rgp15_first3": first_three(&powers),
        "rgp15_l2": { "lgbm": norm(&powers[0]), "pred_ties": norm(&powers[1]) },
    })
}

/// Compares two trees; returns how many numbers they hold.
fn same(found: &Value, expected: &Value, path: &str) -> usize {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(found), keys(expected), "keys of {path}");
            let each = |(key, value): (&String, &Value)| {
                same(value, &expected[key], &format!("{path}/{key}"))
            };
            found.iter().map(each).sum()
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "length of {path}");
            let pairs = found.iter().zip(expected).enumerate();
            pairs.map(|(i, (a, b))| same(a, b, &format!("{path}/{i}"))).sum()
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            let near = (found - expected).abs() <= 1e-9;
            assert!(near, "{path}: {found}, the reference has {expected}");
            1
        }
        _ => {
            assert_eq!(found, expected, "{path}");
            0
        }
    }
}

/// Collects the differences of the numbers of two trees of the same shape.
fn differences(found: &Value, expected: &Value, path: &str, out: &mut Vec<(f64, String)>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(_)) => {
            for (key, value) in found {
                differences(value, &expected[key], &format!("{path}/{key}"), out);
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            for (i, (a, b)) in found.iter().zip(expected).enumerate() {
                differences(a, b, &format!("{path}/{i}"), out);
            }
        }
        (Value::Number(found), Value::Number(expected)) => {
            let gap = (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs();
            out.push((gap, path.to_owned()));
        }
        _ => assert_eq!(found, expected, "{path}"),
    }
}

fn all_scores(rounding: Rounding) -> Map<String, Value> {
    let (names, eras) = read();
    eras.iter().map(|(era, rows)| (era.clone(), scores_of(rows, &names, rounding))).collect()
}

/// Numbers an era.
const NUMBERS: usize = 1 + 12 * 2 + 2 * 2 + 2 * 6;

#[test]
fn every_score_of_float32_targets() {
    let expected: Value = serde_json::from_str(SCORES).unwrap();
    let found = json!({
        "numerai_tools": "0.7.2",
        "source": "numerai/spx_eras_47f.parquet",
        "columns": ["lgbm", "pred_ties"],
        "eras": all_scores(Rounding::F32),
    });
    assert_eq!(same(&found, &expected, ""), 10 * NUMBERS);
}

/// What a user sees: the scores of the library as they are, without its reference's rounding of targets,
/// beside the published ones.
#[test]
fn every_score_of_float32_targets_without_rounding() {
    let expected: Value = serde_json::from_str(SCORES).unwrap();
    let mut all = Vec::new();
    differences(&json!(all_scores(Rounding::F64)), &expected["eras"], "", &mut all);
    assert_eq!(all.len(), 10 * NUMBERS);
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near = all.iter().filter(|(gap, _)| *gap <= 1e-9).count();
    let (largest, path) = &all[0];
    let facts = format!("largest {largest:e} at {path}, {near} of {} within 1e-9", all.len());
    assert!(*largest <= 2e-8 && near * 100 >= all.len() * 94, "{facts}");
}

#[test]
fn every_score_of_float64_targets() {
    let expected: Value = serde_json::from_str(SCORES_F64).unwrap();
    let found = json!({
        "numerai_tools": "0.7.2",
        "columns": ["lgbm", "pred_ties"],
        "eras": all_scores(Rounding::F64),
    });
    assert_eq!(same(&found, &expected, ""), 10 * NUMBERS);
}

#[test]
fn every_value_of_the_series() {
    let expected: Value = serde_json::from_str(SERIES).unwrap();
    let series = expected["series"].as_object().unwrap();
    let values: Vec<f64> = series.values().map(|v| v.as_f64().unwrap()).collect();
    let summary = Summary::of(&values);
    // The eras of the input file are scored again, the others are taken as given.
    let (_, eras) = read();
    let mut again = series.clone();
    for (era, rows) in &eras {
        let score = Rounding::F32.corr(&rows.predictions[0], &rows.target, &Corr::default());
        assert!(again.insert(era.clone(), json!(score)).is_some(), "era {era}");
    }
    let found = json!({
        "n": summary.eras,
        "mean": summary.mean,
        "std0": summary.std,
        "sharpe": summary.sharpe,
        "mdd_cumsum": summary.drawdown,
        "mdd_cumprod": -summary.payout_drawdown,
        "smart_sharpe_signed": summary.smart_sharpe_signed,
        "smart_sharpe_abs": summary.smart_sharpe_abs,
        "ac1": summary.autocorrelation,
        "skew": summary.skewness,
        "kurt": summary.kurtosis,
        "apy_lag4": 100.0 * summary.apy,
        "hit_rate": summary.hit_rate,
        "cvar95": summary.cvar_95,
        "series": again,
    });
    assert_eq!(same(&found, &expected, ""), 14 + 400);
}
