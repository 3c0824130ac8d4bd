//! Small reports made by hand, and long ones from a formula.

use fattail_evaluate::{Backtest, EraScore, FoldRun, Scores, Summary};
use fattail_report::{
    Coefficient, DataFacts, Difference, FileLink, ModelReport, Report, Setting, SplitFacts,
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
    }
}

/// A wave with a drift and some noise: looks like scores, needs no generator.
pub(crate) fn wave(eras: usize, drift: f64) -> Vec<f64> {
    let mut state = 12_345u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5
    };
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
