//! The backtest refits on training eras only, hides answers, and answers the same bits on any number of
//! threads.

use std::sync::{Arc, Mutex};

use fattail_core::{Fit, Metric, Panel, Predict, Progress, Result, silent};
use fattail_evaluate::{
    Backtest, ContributionTo, Corr, Expanding, FeatureNeutralCorr, Fold, Given, HuberError,
    Predictions, PurgedKFold, Split, SquaredError, WalkForward, Window, backtest,
    score_predictions,
};

use crate::panels::{ROWS, Slope, panel};

fn labels(panel: &Panel) -> Vec<String> {
    panel.eras().labels().map(String::from).collect()
}

/// Writes down what it is shown.
#[derive(Default)]
struct Spy {
    fitted: Mutex<Vec<(Vec<String>, usize)>>,
    predicted: Arc<Mutex<Vec<Vec<String>>>>,
}

struct SpyModel(Arc<Mutex<Vec<Vec<String>>>>);

impl Fit for Spy {
    type Fitted = SpyModel;

    fn fit(&self, train: &Panel) -> Result<SpyModel> {
        assert!(train.has_target());
        self.fitted.lock().unwrap().push((labels(train), train.rows()));
        Ok(SpyModel(self.predicted.clone()))
    }
}

impl Predict for SpyModel {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        assert!(!panel.has_target() && panel.weights().is_none(), "answers are visible");
        self.0.lock().unwrap().push(labels(panel));
        Ok((0..panel.rows()).map(|row| panel.feature(0).to_f32()[row]).collect())
    }
}

#[test]
fn a_refit_sees_training_eras_only() {
    let (panel, spy) = (panel(40, 1), Spy::default());
    let split = Expanding { folds: 3, ..Expanding::default() };
    let result = backtest(&spy, &panel, &split, &[&SquaredError], &silent).unwrap();
    let folds = split.folds(panel.eras()).unwrap();
    let fitted = spy.fitted.into_inner().unwrap();
    assert_eq!(fitted.len(), folds.len());
    for ((seen, rows), (fold, run)) in fitted.iter().zip(folds.iter().zip(&result.folds)) {
        let expected: Vec<String> =
            fold.train.iter().map(|&era| panel.eras().label(era).to_owned()).collect();
        assert_eq!((seen, *rows), (&expected, fold.train.len() * ROWS));
        assert_eq!((&run.train_first, &run.train_last), (&seen[0], &seen[seen.len() - 1]));
        assert_eq!((run.train_eras, run.test_eras), (fold.train.len(), fold.test.len()));
        assert_eq!(run.test_first, panel.eras().label(fold.test[0]));
    }
}

#[test]
fn the_eras_left_out_before_the_test_eras_are_seen_and_not_scored() {
    let panel = panel(40, 1);
    let splits: [&dyn Split; 4] = [
        &Expanding { folds: 3, ..Expanding::default() },
        &WalkForward { chunk: 10, window: Window::Rolling(3), ..WalkForward::default() },
        &PurgedKFold { folds: 4, ..PurgedKFold::default() },
        &Given(vec![Fold { train: vec![1, 2, 12], test: vec![6, 7, 10, 15] }]),
    ];
    // By hand, as positions: the eras between training and test, then the test eras.
    let hand: [&[std::ops::Range<usize>]; 4] = [
        &[5..20, 15..30, 25..40],
        &[5..20, 15..30, 25..40],
        &[0..10, 6..20, 16..30, 26..40],
        &[3..11, 13..16],
    ];
    for (split, hand) in splits.into_iter().zip(hand) {
        let spy = Spy::default();
        let result = backtest(&spy, &panel, split, &[&SquaredError], &silent).unwrap();
        let predicted = spy.predicted.lock().unwrap().clone();
        let label = |era: usize| panel.eras().label(era).to_owned();
        let expected: Vec<Vec<String>> =
            hand.iter().map(|eras| eras.clone().map(label).collect()).collect();
        assert_eq!(predicted, expected);
        // Predictions are those of the test eras, row by row, and no others.
        let folds = split.folds(panel.eras()).unwrap();
        let tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        assert_eq!(result.predictions.eras, tested);
        let own = panel.cut(&tested).unwrap().feature(0).to_f32().to_vec();
        assert_eq!(result.predictions.values, own);
        assert_eq!(result.scores[0].eras.len(), tested.len());
    }
}

fn metrics() -> Vec<Box<dyn Metric>> {
    vec![
        Box::new(Corr::default()),
        Box::new(ContributionTo::mmc("meta")),
        Box::new(FeatureNeutralCorr {
            features: Some(vec!["second".into()]),
            ..FeatureNeutralCorr::default()
        }),
        Box::new(HuberError::default()),
    ]
}

fn run(panel: &Panel, threads: usize) -> Backtest {
    let metrics = metrics();
    let metrics: Vec<&dyn Metric> = metrics.iter().map(AsRef::as_ref).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let split = WalkForward { chunk: 10, ..WalkForward::default() };
    pool.install(|| backtest(&Slope, panel, &split, &metrics, &silent)).unwrap()
}

#[test]
fn the_same_bits_for_one_and_two_threads() {
    let panel = panel(60, 2);
    let (one, two) = (run(&panel, 1), run(&panel, 2));
    let bits = |result: &Backtest| -> Vec<u64> {
        let all = result.scores.iter().chain(&result.constant);
        all.flat_map(|s| &s.eras).map(|era| era.value.to_bits()).collect()
    };
    assert_eq!(bits(&one), bits(&two));
    assert_eq!(one.predictions, two.predictions);
    assert_eq!(one.scores[0].eras.len(), 50);
    assert!(one.scores[0].mean() > 0.3, "{}", one.scores[0].mean());
}

#[test]
fn the_constant_predictor_stands_beside_the_model() {
    let panel = panel(60, 3);
    let result = run(&panel, 1);
    let names: Vec<&str> = result.constant.iter().map(|s| s.metric.as_str()).collect();
    assert_eq!(names, ["corr", "mmc", "fnc", "negative_huber_error"]);
    assert!(result.constant[0].eras.iter().all(|era| {
        era.value.is_nan() && era.reason.as_deref() == Some("predictions are constant")
    }));
    assert!(result.constant[1].eras.iter().all(|era| era.value == 0.0));
    assert!(result.constant[3].eras.iter().all(|era| era.value < 0.0));
    // By hand: the mean target of the first fold's training eras, scored in the first test era.
    let folds = WalkForward { chunk: 10, ..Default::default() }.folds(panel.eras()).unwrap();
    let train = panel.cut(&folds[0].train).unwrap().target().unwrap().to_f64();
    let mean = (train.iter().sum::<f64>() / train.len() as f64) as f32;
    let era = panel.era(folds[0].test[0]);
    let expected = HuberError::default().score(&era, &[mean; ROWS]).unwrap();
    assert_eq!(result.constant[3].eras[0].value, expected);
}

#[test]
fn a_backtest_survives_json_and_nan_is_null() {
    let result = run(&panel(60, 4), 1);
    let text = serde_json::to_string(&result).unwrap();
    assert!(text.contains(r#""value":null,"reason":"predictions are constant""#));
    let back: Backtest = serde_json::from_str(&text).unwrap();
    assert_eq!((&back.predictions, &back.scores), (&result.predictions, &result.scores));
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}

#[test]
fn predictions_can_be_scored_again() {
    let panel = panel(60, 5);
    let result = run(&panel, 2);
    let metrics = metrics();
    let metrics: Vec<&dyn Metric> = metrics.iter().map(AsRef::as_ref).collect();
    let again = score_predictions(&panel, &result.predictions, &metrics).unwrap();
    assert_eq!(again, result.scores);
    let short = Predictions { values: vec![0.0; 3], ..result.predictions };
    assert!(score_predictions(&panel, &short, &metrics).is_err());
}

#[test]
fn progress_is_told() {
    let told = Mutex::new(Vec::new());
    let observer =
        |progress: Progress<'_>| told.lock().unwrap().push((progress.done, progress.total));
    let split = Expanding { folds: 2, ..Expanding::default() };
    backtest(&Slope, &panel(30, 6), &split, &[], &observer).unwrap();
    assert_eq!(told.into_inner().unwrap(), [(0, 2), (1, 2), (2, 2)]);
}

/// Predicts what it is told to.
struct Fixed(Vec<f32>);

impl Fit for Fixed {
    type Fitted = Fixed;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(Self(self.0.clone()))
    }
}

impl Predict for Fixed {
    fn predict(&self, _: &Panel) -> Result<Vec<f32>> {
        Ok(self.0.clone())
    }
}

#[test]
fn bad_predictions_are_refused_with_their_place() {
    let panel = panel(4, 7);
    let split = Given(vec![Fold { train: vec![0], test: vec![2, 3] }]);
    let refusal = |values: Vec<f32>| {
        backtest(&Fixed(values), &panel, &split, &[], &silent).unwrap_err().to_string()
    };
    // Era 1 is left out and predicted before eras 2 and 3; what it gets does not matter.
    assert_eq!(refusal(vec![0.0]), "fold 0: the model gave 1 predictions for 36 rows");
    let mut values = vec![0.0; 36];
    values[11] = f32::NAN;
    values[26] = f32::NAN;
    assert_eq!(refusal(values), "fold 0: the prediction is NaN in era '0004' at row 2 of the era");
}

#[test]
fn folds_that_leak_are_refused() {
    let panel = panel(6, 8);
    let refusal =
        |folds| backtest(&Slope, &panel, &Given(folds), &[], &silent).unwrap_err().to_string();
    let fold = |train: &[usize], test: &[usize]| Fold { train: train.into(), test: test.into() };
    assert_eq!(refusal(vec![fold(&[0, 1], &[1])]), "fold 0 trains and tests on era 1");
    let text = refusal(vec![fold(&[0], &[3]), fold(&[0], &[2])]);
    assert_eq!(text, "fold 1 tests era 2 after era 3: test eras increase over the folds");
    assert!(refusal(vec![fold(&[], &[2])]).contains("empty"));
}

#[test]
fn a_missing_column_is_an_error_and_not_a_nan() {
    let split = Expanding { folds: 2, ..Expanding::default() };
    let metric = ContributionTo::mmc("mta");
    let error = backtest(&Slope, &panel(30, 9), &split, &[&metric], &silent).unwrap_err();
    assert_eq!(error.to_string(), "unknown extra column 'mta', did you mean 'meta'?");
}
