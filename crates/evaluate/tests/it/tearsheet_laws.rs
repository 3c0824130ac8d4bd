//! Laws of the tear sheet: what must hold for any predictions, and what is told when a part is missing.

use fattail_core::{Ids, Panel};
use fattail_evaluate::{
    EraScore, MaxExposure, MeanExposure, Predictions, Scores, SpearmanCorr, Summary, TargetColumn,
    TearSettings, TearSheet, quantile_means, score_predictions,
};
use fattail_stats::{Counter, normal_quantile, unit};
use proptest::prelude::*;

use crate::panels::{ROWS, panel};

/// Scores of the predicted eras.
fn scores(panel: &Panel, predictions: &Predictions, values: &[f64]) -> Scores {
    let era = |(&era, &value): (&usize, &f64)| {
        let era = panel.eras().label(era).to_owned();
        EraScore { era, value, reason: None }
    };
    let eras = predictions.eras.iter().zip(values).map(era).collect();
    Scores { metric: "corr".into(), eras }
}

/// One row an era, and a prediction of it: for parts that look at scores alone.
fn bare(eras: usize) -> (Panel, Predictions) {
    let labels: Vec<String> = (0..eras).map(|era| format!("{era:04}")).collect();
    let builder = Panel::builder().eras(&labels).unwrap();
    let panel = builder.target("target", vec![0.5; eras]).build().unwrap();
    (panel, Predictions { eras: (0..eras).collect(), values: noise(eras, 3) })
}

fn eras_of(panel: &Panel) -> Vec<String> {
    let eras = panel.eras();
    (0..eras.len())
        .flat_map(|era| vec![eras.label(era).to_owned(); eras.range(era).len()])
        .collect()
}

/// The same panel with ids that last.
fn with_ids(eras: usize, seed: u64) -> Panel {
    let plain = panel(eras, seed);
    let ids: Ids = (0..plain.rows()).map(|row| format!("n{}", row % ROWS)).collect();
    let labels: Vec<String> = (0..plain.rows()).map(|row| format!("{:04}", row / ROWS)).collect();
    Panel::builder()
        .eras(&labels)
        .unwrap()
        .ids(ids)
        .feature("first", plain.feature(0).to_f32())
        .feature("second", plain.feature(1).to_f32())
        .target("target", plain.target().unwrap().to_f32())
        .build()
        .unwrap()
}

fn sheet(panel: &Panel, values: Vec<f32>) -> (TearSheet, Vec<Scores>) {
    let predictions = Predictions { eras: (0..panel.eras().len()).collect(), values };
    let metrics: [&dyn fattail_core::Metric; 3] =
        [&SpearmanCorr, &MaxExposure::default(), &MeanExposure::default()];
    let scores = score_predictions(panel, &predictions, &metrics).unwrap();
    let settings = TearSettings { window: 4, quantiles: 4, ..TearSettings::default() };
    (TearSheet::of(panel, &predictions, &scores[0], &settings).unwrap(), scores)
}

fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut random = Counter::new(seed).draw(1);
    (0..count).map(|_| unit(&mut random) as f32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_perfect_ranking_has_the_largest_spread(
        target in proptest::collection::vec(0.0..1.0_f64, 10..60),
        seed in any::<u64>(),
        k in 2_usize..6,
    ) {
        let perfect = quantile_means(&target, &target, k).unwrap();
        prop_assert!(perfect.windows(2).all(|pair| pair[0] <= pair[1]), "{perfect:?}");
        let other: Vec<f64> = noise(target.len(), seed).iter().map(|&v| f64::from(v)).collect();
        let found = quantile_means(&other, &target, k).unwrap();
        // Distinct predictions make quantiles of the same sizes: none can earn more than the best rows.
        prop_assert!(found[k - 1] - found[0] <= perfect[k - 1] - perfect[0] + 1e-12);
        // Any rising map of the predictions ranks the same.
        let mapped: Vec<f64> = other.iter().map(|p| p.exp() - 7.0).collect();
        prop_assert_eq!(quantile_means(&mapped, &target, k).unwrap(), found);
    }

    #[test]
    fn quantiles_hold_every_row_once(
        prediction in proptest::collection::vec(0_i32..9, 5..60),
        k in 2_usize..6,
    ) {
        // With its own row's indicator as target, a row adds its share of one quantile.
        let p: Vec<f64> = prediction.iter().map(|&v| f64::from(v)).collect();
        let means = quantile_means(&p, &p, k).unwrap();
        // Plain twin: ranks by counting.
        let n = p.len();
        let mut sums = vec![(0.0, 0); k];
        for x in &p {
            let below = p.iter().filter(|y| *y < x).count();
            let equal = p.iter().filter(|y| *y == x).count();
            let rank = below as f64 + (equal as f64 + 1.0) / 2.0;
            let q = (((rank - 0.5) * k as f64 / n as f64) + 1e-9).floor() as usize;
            sums[q].0 += x;
            sums[q].1 += 1;
        }
        for (mean, (sum, count)) in means.iter().zip(sums) {
            let plain = sum / f64::from(count);
            prop_assert!((mean - plain).abs() < 1e-12 || (mean.is_nan() && count == 0));
        }
    }

    #[test]
    fn drawdowns_fit_their_curve(values in proptest::collection::vec(
        prop_oneof![9 => -1.0..1.0_f64, 1 => Just(f64::NAN)], 2..80)) {
        let (panel, predictions) = bare(values.len());
        let settings = TearSettings { worst: 1000, window: 2, ..TearSettings::default() };
        let scores = scores(&panel, &predictions, &values);
        let sheet = TearSheet::of(&panel, &predictions, &scores, &settings).unwrap();
        let Some(found) = sheet.drawdowns.found() else {
            prop_assert!(values.iter().all(|value| value.is_nan()));
            return Ok(());
        };
        prop_assert_eq!(found.count, found.worst.len());
        prop_assert!(found.worst.windows(2).all(|pair| pair[0].depth >= pair[1].depth));
        let summary = Summary::of(&values);
        let deepest = found.worst.first().map_or(0.0, |drawdown| drawdown.depth);
        prop_assert_eq!(deepest, summary.drawdown);
        let longest = found.worst.iter().map(|drawdown| drawdown.length).max().unwrap_or(0);
        prop_assert_eq!(longest, summary.drawdown_eras);
        let below: usize = found.worst.iter().map(|drawdown| drawdown.length).sum();
        let curve = &found.fall;
        prop_assert_eq!(below, curve.iter().filter(|fall| **fall < 0.0).count());
        for drawdown in &found.worst {
            let [peak, trough, end] = drawdown.places;
            prop_assert_eq!((curve[peak], -curve[trough]), (0.0, drawdown.depth));
            prop_assert_eq!(drawdown.recovery.is_some(), curve[end] == 0.0);
            let inside = || curve[peak + 1..=end].iter().filter(|fall| **fall < 0.0);
            prop_assert_eq!(inside().count(), drawdown.length);
            prop_assert!(inside().all(|fall| -fall <= drawdown.depth));
        }
    }

    #[test]
    fn the_sheet_agrees_with_the_metrics(eras in 4_usize..9, seed in any::<u64>()) {
        let panel = with_ids(eras, seed);
        let (sheet, metrics) = sheet(&panel, noise(panel.rows(), seed));
        // Decay at lag 0 and the correlation with the panel's target are the metric.
        prop_assert!((sheet.decay[0].correlation.mean - metrics[0].mean()).abs() < 1e-12);
        prop_assert_eq!(&sheet.information[0].by_era, &metrics[0].values());
        let exposure = sheet.exposure.found().unwrap();
        let minus = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<f64>>();
        prop_assert_eq!(minus(&exposure.largest), metrics[1].values());
        for (found, metric) in minus(&exposure.mean).iter().zip(metrics[2].values()) {
            prop_assert!((found - metric).abs() < 1e-12);
        }
        // Churn is one less the rank correlation with the era before.
        let churn = &sheet.churn.found().unwrap()[0];
        let first = &sheet.rank_autocorrelation.found().unwrap()[0];
        prop_assert!((churn.mean() - 1.0 + first.correlation.mean).abs() < 1e-12);
    }
}

#[test]
fn a_feature_is_exposed_to_itself_by_one() {
    let panel = with_ids(40, 2);
    let (sheet, _) = sheet(&panel, panel.feature(0).to_f32());
    let exposure = sheet.exposure.found().unwrap();
    assert_eq!(exposure.features[0].name, "first");
    assert!(exposure.features[0].by_era.iter().all(|value| (value - 1.0).abs() < 1e-12));
    assert!(exposure.largest_feature.iter().all(|name| name.as_deref() == Some("first")));
    // The signal of the panel: its first feature says half of the target.
    let quantiles = sheet.quantiles.found().unwrap();
    assert_eq!(quantiles.monotonicity, 1.0);
    assert!(quantiles.spread_mean.interval[0] > 0.0);
}

#[test]
fn every_target_has_its_quantiles() {
    let plain = with_ids(40, 2);
    let builder = Panel::builder().eras(&eras_of(&plain)).unwrap();
    let long: Vec<f32> = plain.feature(1).to_f32();
    let builder = builder.feature("first", plain.feature(0).to_f32());
    let builder = builder.target("target", plain.target().unwrap().to_f32());
    let panel = builder.target("long", long).build().unwrap();
    let predictions = Predictions { eras: (0..40).collect(), values: panel.feature(0).to_f32() };
    let scores = scores(&panel, &predictions, &[0.1; 40]);
    let targets = [("target", 20), ("long", 60), ("none", 20)];
    let settings = TearSettings {
        targets: targets.map(|(name, days)| TargetColumn::new(name, days)).into(),
        ..TearSettings::default()
    };
    let sheet = TearSheet::of(&panel, &predictions, &scores, &settings).unwrap();
    let names: Vec<&str> = sheet.target_quantiles.iter().map(|found| &found.target[..]).collect();
    assert_eq!(names, ["target", "long", "none"]);
    let main = sheet.quantiles.found().unwrap();
    assert_eq!(sheet.target_quantiles[0].spreads.found().unwrap(), main);
    let long = sheet.target_quantiles[1].spreads.found().unwrap();
    let column = |name: &str, era: usize| -> Vec<f64> {
        panel.target_named(name).unwrap().era(era).iter().map(f64::from).collect()
    };
    let prediction: Vec<f64> = panel.feature(0).era(7).iter().map(f64::from).collect();
    let expected = quantile_means(&prediction, &column("long", 7), 5).unwrap();
    assert_eq!(long.means.iter().map(|means| means[7]).collect::<Vec<_>>(), expected);
    // 40 eras hold three labels of twelve eras: one degree, where those of four have three.
    assert_eq!((main.spread_mean.degrees, long.spread_mean.degrees), (3, 1));
    assert!(sheet.target_quantiles[2].spreads.reason().unwrap().contains("none"));
}

#[test]
fn predictions_that_do_not_change_keep_their_ranks() {
    let panel = with_ids(6, 3);
    let once = noise(ROWS, 5);
    let (sheet, _) = sheet(&panel, once.repeat(6));
    for lag in &sheet.rank_autocorrelation.found().unwrap()[..5] {
        assert!((lag.correlation.mean - 1.0).abs() < 1e-12 && lag.shared == 1.0);
    }
    let beyond = &sheet.rank_autocorrelation.found().unwrap()[5];
    assert!(beyond.correlation.mean.is_nan());
    assert_eq!(beyond.reason.as_deref(), Some("no era lies 6 after a predicted one"));
    assert!(sheet.quantile_turnover.found().unwrap().iter().all(|q| q.turnover.mean == 0.0));
}

#[test]
fn what_is_missing_is_told_and_survives_json() {
    let panel = panel(4, 1);
    let predictions = Predictions { eras: vec![0, 2, 3], values: noise(3 * ROWS, 3) };
    let settings = TearSettings {
        targets: vec![TargetColumn::new("target", 20), TargetColumn::new("target_60", 60)],
        lags: 2,
        ..TearSettings::default()
    };
    let few = scores(&panel, &predictions, &[0.1, f64::NAN, 0.2]);
    let sheet = TearSheet::of(&panel, &predictions, &few, &settings).unwrap();
    assert_eq!(sheet.churn.reason(), Some("the panel has no ids"));
    assert_eq!(sheet.rank_autocorrelation.reason(), Some("the panel has no ids"));
    assert_eq!(sheet.decay[1].reason.as_deref(), Some("the panel has no ids"));
    assert!(sheet.decay[0].reason.is_none() && sheet.decay[0].correlation.eras == 3);
    let unknown = sheet.information[1].reason.as_deref().unwrap();
    assert!(unknown.contains("target_60"), "{unknown}");
    assert!(sheet.rolling.reason().unwrap().contains("longer than the 3 eras"));
    assert!(sheet.autocorrelation.reason().unwrap().contains("fewer than three"));
    assert_eq!(sheet.quantiles.found().unwrap().eras, ["0001", "0003", "0004"]);
    let json = serde_json::to_string(&sheet).unwrap();
    assert!(!json.contains("NaN") && json.contains("null"));
    let back: TearSheet = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), json);
}

#[test]
fn eras_that_are_no_neighbours_have_no_churn() {
    let panel = with_ids(5, 4);
    let predictions = Predictions { eras: vec![0, 1, 3, 4], values: noise(4 * ROWS, 3) };
    let settings = TearSettings::default();
    let scores = scores(&panel, &predictions, &[0.1, 0.2, 0.1, 0.3]);
    let sheet = TearSheet::of(&panel, &predictions, &scores, &settings).unwrap();
    let churn = &sheet.churn.found().unwrap()[0];
    assert_eq!(churn.eras[1].reason.as_deref(), Some("the era before it was not predicted"));
    assert!(churn.eras[0].value.is_finite() && churn.eras[2].value.is_finite());
    let lags = sheet.rank_autocorrelation.found().unwrap();
    assert_eq!((lags[0].correlation.eras, lags[1].correlation.eras), (2, 1));
    // Targets of eras that were not predicted are there all the same.
    assert_eq!((sheet.decay[1].correlation.eras, sheet.decay[2].correlation.eras), (3, 2));
    assert_eq!(sheet.quantile_turnover.found().unwrap()[0].turnover.eras, 2);
}

#[test]
fn nothing_at_all_is_survived_and_misfits_are_refused() {
    let (panel, settings) = (panel(3, 1), TearSettings::default());
    let none = Scores { metric: "corr".into(), eras: Vec::new() };
    let sheet = TearSheet::of(&panel, &Predictions::default(), &none, &settings).unwrap();
    assert_eq!(sheet.quantiles.reason(), Some("there are no predictions"));
    assert_eq!(sheet.exposure.reason(), Some("there are no predictions"));
    assert_eq!(sheet.drawdowns.reason(), Some("no era has a score"));
    let short = Predictions { eras: vec![0], values: vec![0.5] };
    let error = TearSheet::of(&panel, &short, &none, &settings).unwrap_err();
    assert!(error.to_string().contains("prediction"), "{error}");
    let order = Predictions { eras: vec![1, 0], values: noise(2 * ROWS, 1) };
    assert!(TearSheet::of(&panel, &order, &none, &settings).is_err());
    let settings = TearSettings { quantiles: 1, ..settings };
    assert!(TearSheet::of(&panel, &short, &none, &settings).is_err());
}

#[test]
fn scores_of_other_eras_are_refused() {
    let (panel, settings) = (panel(3, 1), TearSettings::default());
    let predictions = Predictions { eras: vec![0, 2], values: noise(2 * ROWS, 1) };
    let refusal = |scores: &Scores| {
        TearSheet::of(&panel, &predictions, scores, &settings).unwrap_err().to_string()
    };
    let mut other = scores(&panel, &predictions, &[0.1, 0.2]);
    other.eras[1].era = "0002".into();
    assert_eq!(refusal(&other), "the score at place 1 is of 0002, the prediction of 0003");
    other.eras.pop();
    assert_eq!(refusal(&other), "'scores' has 1 values, expected 2");
}

#[test]
fn one_predicted_era_has_a_decay_without_a_churn() {
    let panel = with_ids(3, 6);
    let predictions = Predictions { eras: vec![0], values: noise(ROWS, 1) };
    let (scores, settings) = (scores(&panel, &predictions, &[0.1]), TearSettings::default());
    let sheet = TearSheet::of(&panel, &predictions, &scores, &settings).unwrap();
    assert_eq!(sheet.churn.reason(), Some("fewer than two eras were predicted"));
    // Ids last, and the targets of the two eras after it are there.
    let eras = |lag: usize| sheet.decay[lag].correlation.eras;
    assert_eq!((eras(0), eras(1), eras(2), eras(3)), (1, 1, 1, 0));
    assert!(sheet.decay[2].correlation.mean.is_finite());
}

#[test]
fn overlap_alone_stays_inside_the_band() {
    // Moving sums of four normal values: what scores of unchanging predictions look like.
    let ((panel, predictions), mut outside, mut all) = (bare(600), 0, 0);
    let settings = TearSettings { score_lags: 12, ..TearSettings::default() };
    for seed in 0..60 {
        let mut random = Counter::new(seed).draw(2);
        let steps: Vec<f64> = (0..603).map(|_| normal_quantile(unit(&mut random))).collect();
        let sums: Vec<f64> = steps.windows(4).map(|window| window.iter().sum()).collect();
        let scores = scores(&panel, &predictions, &sums);
        let sheet = TearSheet::of(&panel, &predictions, &scores, &settings).unwrap();
        let lags = &sheet.autocorrelation.found().unwrap().lags;
        outside += lags.iter().filter(|lag| lag.is_outside()).count();
        all += lags.len();
    }
    // About one in 20 beyond the overlap, one in 40 within it.
    let share = outside as f64 / all as f64;
    assert!((0.015..0.07).contains(&share), "{share}");
}
