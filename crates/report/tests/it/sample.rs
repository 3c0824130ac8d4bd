//! Small reports made by hand, and long ones from a formula.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use fattail_core::{Ids, Panel};
use fattail_evaluate::{
    Backtest, EraScore, FoldRun, Horizon, Predictions, Scores, SpearmanCorr, Summary, TargetColumn,
    TearSettings, TearSheet, score_predictions,
};
use fattail_report::{
    Benchmark, Bound, CertificateCheck, CertificateFacts, CheckState, Coefficient, DataFacts,
    Difference, DriftFlag, DriftMap, DriftThreshold, FileLink, GateCheck, GateOutcome, ModelReport,
    Overfitting, Report, Setting, SplitFacts,
};

/// Scores named by position; NaN comes with a reason.
pub(crate) fn scores(metric: &str, values: &[f64]) -> Scores {
    let reason = |v: f64| v.is_nan().then(|| "predictions are constant".to_owned());
    let era = |(i, &value): (usize, &f64)| EraScore {
        era: format!("{:04}", i + 1),
        value,
        reason: reason(value),
    };
    Scores { metric: metric.to_owned(), eras: values.iter().enumerate().map(era).collect() }
}

/// A model whose constant predictor has no scores, as with every rank score.
pub(crate) fn model(name: &str, metrics: &[(&str, &[f64])]) -> ModelReport {
    let found = metrics.iter().map(|(metric, values)| scores(metric, values));
    let constant =
        metrics.iter().map(|(metric, values)| scores(metric, &vec![f64::NAN; values.len()]));
    let backtest = Backtest {
        scores: found.collect(),
        constant: constant.collect(),
        folds: vec![fold()],
        ..Backtest::default()
    };
    ModelReport::new(name, &backtest, Summary::of)
}

fn fold() -> FoldRun {
    FoldRun {
        train_first: "0001".into(),
        train_last: "0100".into(),
        train_eras: 100,
        test_first: "0106".into(),
        test_last: "0156".into(),
        test_eras: 51,
        scores: vec![("corr".into(), 0.0123), ("mmc".into(), f64::NAN)],
    }
}

/// A report around models.
pub(crate) fn report(models: Vec<ModelReport>) -> Report {
    Report {
        title: "Weekly backtest".into(),
        generated_by: "fattail 0.1.0".into(),
        data: DataFacts {
            source: "market.parquet".into(),
            rows: 457_360,
            eras: 1011,
            first_era: "20030103".into(),
            last_era: "20220520".into(),
            features: 47,
            target: "target_20".into(),
            bytes: 21_500_000,
        },
        settings: vec![Setting::new("seed", 42), Setting::new("threads", 2)],
        split: Some(SplitFacts {
            name: "walk forward, 52 eras a fold".into(),
            gap_eras: 5,
            rule: "20 days of label, 2 of lag, 2 until it is known, 5 days an era".into(),
        }),
        differences: Difference::all(&models, Summary::of),
        models,
        warnings: vec!["the data is synthetic".into()],
        files: vec![FileLink { label: "predictions".into(), path: "out/predictions.csv".into() }],
        ..Report::default()
    }
}

/// Values between minus and plus a half, without a generator.
pub(crate) fn noise(seed: u32) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5
    }
}

/// A wave with a drift and some noise: looks like scores, needs no generator.
pub(crate) fn wave(eras: usize, drift: f64) -> Vec<f64> {
    let mut noise = noise(12_345);
    (0..eras).map(|i| drift + 0.02 * (i as f64 / 17.0).sin() + 0.03 * (noise() + noise())).collect()
}

/// Coefficients with intervals, from large to small.
pub(crate) fn coefficients(count: usize) -> Vec<Coefficient> {
    let one = |i: usize| {
        let sign = if i.is_multiple_of(3) { -1.0 } else { 1.0 };
        let value = sign * 0.04 / (1.0 + i as f64 / 4.0);
        Coefficient {
            name: format!("feature_{i}_momentum"),
            value,
            low: value - 0.012,
            high: value + 0.012,
        }
    };
    (0..count).map(one).collect()
}

/// A full report of one model.
pub(crate) fn full(eras: usize) -> Report {
    let (corr, mmc) = (wave(eras, 0.012), wave(eras, 0.004));
    let mut corr = corr;
    if let Some(value) = corr.get_mut(eras / 3) {
        *value = f64::NAN;
    }
    let mut ridge = model("ridge", &[("corr", &corr), ("mmc", &mmc)]);
    ridge.settings = vec!["RankTarget { .. }".into(), "Ridge { penalty: 10.0 }".into()];
    ridge.coefficients = coefficients(40);
    let exposure: Vec<f64> = wave(eras, 0.25).iter().map(|v| v.abs()).collect();
    ridge.exposure = Some(scores("largest correlation with a feature", &exposure));
    ridge.folds = (0..6).map(|_| fold()).collect();
    report(vec![ridge])
}

const NAMES: usize = 60;
const FEATURES: usize = 24;

/// The tear sheet of a signal that fades, on names that last.
pub(crate) fn sheet(eras: usize) -> TearSheet {
    let mut noise = noise(7);
    let rows = eras * NAMES;
    let mut state = vec![0.0; NAMES];
    let (mut signal, mut short, mut long) = (Vec::new(), Vec::new(), Vec::new());
    let mut features = vec![Vec::new(); FEATURES];
    for era in 0..eras {
        // The label sums what the state brings over the next eras, so neighbours overlap.
        let strength = 0.16 + 0.1 * (era as f64 / 40.0).sin();
        for value in &mut state {
            *value = 0.9 * *value + 0.43 * (noise() + noise() + noise());
            let shocks = noise() + noise();
            signal.push((*value + 0.3 * noise()) as f32);
            short.push((strength * *value + shocks) as f32);
            long.push((1.4 * strength * *value + shocks + noise()) as f32);
            for (at, feature) in features.iter_mut().enumerate() {
                let turn = ((era as f64 / (30.0 + at as f64)) + at as f64).cos();
                let weight = turn * 1.2 / (1.0 + at as f64 / 3.0);
                feature.push((weight * *value + noise()) as f32);
            }
        }
    }
    let labels: Vec<String> = (0..rows).map(|row| format!("{:04}", row / NAMES + 1)).collect();
    let ids: Ids = (0..rows).map(|row| format!("n{}", row % NAMES)).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap().ids(ids);
    for (at, feature) in features.into_iter().enumerate() {
        builder = builder.feature(format!("feature_{at}_of_the_sample"), feature);
    }
    let panel = builder.target("target_20", short).target("target_60", long).build().unwrap();
    let predictions = Predictions { eras: (0..eras).collect(), values: signal };
    let scores = score_predictions(&panel, &predictions, &[&SpearmanCorr]).unwrap();
    let settings = TearSettings {
        horizon: Horizon::NUMERAI_20,
        targets: vec![TargetColumn::new("target_20", 20), TargetColumn::new("target_60", 60)],
        top_features: 15,
        ..TearSettings::default()
    };
    TearSheet::of(&panel, &predictions, &scores[0], &settings).unwrap()
}

/// What other rooms hand to a report.
pub(crate) fn evidence(mut report: Report) -> Report {
    let mut noise = noise(99);
    let mut bell = || noise() + noise() + noise();
    let logits: Vec<f64> = (0..252).map(|_| 0.9 + 1.8 * bell()).collect();
    let in_sample: Vec<f64> = (0..252).map(|_| 0.03 + 0.004 * bell()).collect();
    let out_of_sample: Vec<f64> =
        in_sample.iter().map(|x| 0.03 - 0.6 * x + 0.008 * bell()).collect();
    report.overfitting = Some(Overfitting {
        models: 10,
        pbo: logits.iter().filter(|logit| **logit <= 0.0).count() as f64 / 252.0,
        logits,
        all_out_of_sample: (0..2520).map(|_| 0.008 + 0.014 * bell()).collect(),
        probability_of_loss: out_of_sample.iter().filter(|x| **x < 0.0).count() as f64 / 252.0,
        in_sample,
        out_of_sample,
        slope: -0.6,
        intercept: 0.03,
    });
    let eras: Vec<String> = (900..1011).map(|era| format!("{era:04}")).collect();
    let features: Vec<String> = (0..40).map(|i| format!("feature_{i}_momentum")).collect();
    let values = |at: usize| {
        let level = |era: usize| match (at, era) {
            (3, 60..) => 0.3,
            (11, 95..) => 0.5,
            (_, 80..84) => 0.12,
            _ => 0.03,
        };
        (0..eras.len()).map(|era| (level(era) * (1.0 + bell())).max(0.0)).collect()
    };
    let values: Vec<Vec<f64>> = (0..features.len()).map(values).collect();
    let flag = |feature: usize, note: &str| DriftFlag {
        feature: features[feature].clone(),
        value: values[feature].iter().copied().fold(f64::NAN, f64::max),
        note: note.into(),
    };
    let flagged = vec![flag(11, "since era 0995"), flag(3, "since era 0960")];
    let level = |name: &str, value| DriftThreshold { name: name.into(), value };
    report.drift = Some(DriftMap {
        measure: "PSI".into(),
        note: "Each era against the training eras before it.".into(),
        expected: 0.0045,
        thresholds: vec![level("watch", 0.1), level("alarm", 0.25)],
        verdict: "features moved".into(),
        level: 0.05,
        smallest_p: 0.001,
        flagged,
        eras,
        features,
        values,
    });
    let corr = report.models[0].metrics[0].model.scores.eras.len();
    let scores = scores("corr", &wave(corr, 0.004));
    report.benchmark = Some(Benchmark { name: "meta model".into(), scores: vec![scores] });
    report.gate = Some(gate());
    let check = |name: &str, state, plant_caught| CertificateCheck {
        name: name.into(),
        state,
        plant_caught,
        note: String::new(),
    };
    report.certificate = Some(CertificateFacts {
        state: "valid".into(),
        holds: true,
        checks: vec![
            check("later rows do not move earlier predictions", CheckState::Passed, Some(true)),
            check("labels are used after they are known", CheckState::Passed, Some(true)),
            check("rows may come in any order", CheckState::Skipped, None),
        ],
        hash: "9f2c1e40b7a85d63".repeat(4),
        statement:
            "Three checks at 8 cut points with seed 42 found no use of what was not yet known."
                .into(),
    });
    report
}

fn gate() -> GateOutcome {
    let check = |name: &str, figure, bound, threshold, passed, note: &str| GateCheck {
        name: name.into(),
        figure,
        bound,
        threshold,
        passed,
        note: note.into(),
    };
    GateOutcome {
        name: "Submission gate".into(),
        passed: false,
        checks: vec![
            check("lower end of mean corr", 0.0071, Bound::AtLeast, 0.003, true, "95 % interval"),
            check("largest drawdown", 0.326, Bound::AtMost, 0.4, true, ""),
            check("largest exposure", 0.412, Bound::AtMost, 0.3, false, "feature_0_of_the_sample"),
            check("leak certificate", f64::NAN, Bound::AtLeast, f64::NAN, true, "valid, 3 checks"),
        ],
        not_asked: vec!["benchmark".into()],
        notes: vec!["Nothing was overridden.".into()],
        ..GateOutcome::default()
    }
}
