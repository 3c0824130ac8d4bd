//! The whole flow on a market whose signal is known: file, preparation, backtest, report, artifacts.

use fattail::{
    Fit, Ids, Metric, Panel, Pipeline, Predict, Result,
    evaluate::{
        Backtest, Corr, EmbargoRule, Expanding, Horizon, HuberError, Split, Summary, backtest,
    },
    linear::Ridge,
    prepare::{
        Change, Lag, Method, Mode, Neutralised, Recipe, Robust, RollingFeatures, Scaler,
        SelectStable,
    },
    report::{ModelReport, Report},
    silent,
    store::{self, Artifacts, ReadOptions},
};
use fattail_testing::Market;

fn market() -> Market {
    Market {
        eras: 120,
        rows: 150,
        features: 20,
        stable: 6,
        flipping: 2,
        signal: 0.12,
        ..Market::default()
    }
}

fn split() -> Expanding {
    Expanding { folds: 3, horizon: Horizon::NUMERAI_20, rule: EmbargoRule::RealTime }
}

fn run(learner: &Pipeline, panel: &Panel) -> Backtest {
    let metrics: [&dyn Metric; 2] = [&Corr::default(), &HuberError::default()];
    backtest(learner, panel, &split(), &metrics, &silent).unwrap()
}

#[test]
fn a_known_signal_is_found_from_file_to_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.parquet");
    store::write_parquet(&market().panel().unwrap(), &file).unwrap();
    let options = ReadOptions { extras: vec!["meta_model".into()], ..ReadOptions::default() };
    let panel = store::read(&file, &options, &silent).unwrap();

    let result = run(&Pipeline::learner(Ridge { gap: 5, ..Ridge::default() }), &panel);
    let corr = Summary::with_horizon(&result.scores[0].values(), &Horizon::NUMERAI_20);
    assert!(corr.interval[0] > 0.0, "the planted signal is not found: {corr:?}");
    assert!(result.constant[0].eras.iter().all(|era| era.value.is_nan() && era.reason.is_some()));
    let (model, constant) = (result.scores[1].mean(), result.constant[1].mean());
    assert!(model > constant, "Huber error {model} is not better than the constant's {constant}");

    let report = Report {
        models: vec![ModelReport::new("ridge", &result, Summary::of)],
        ..Report::default()
    };
    let out = folder.path().join("out");
    let artifacts = Artifacts::create(&out).unwrap();
    artifacts.write("report.html", report.to_html().unwrap().as_bytes()).unwrap();
    assert!(!out.exists(), "nothing stands under the final name before the commit");
    artifacts.commit().unwrap();
    assert!(out.join("report.html").exists());
}

#[test]
fn every_preparation_composes_with_a_learner() {
    let panel = market().panel().unwrap();
    let scaler = Scaler { method: Method::Robust(Robust::default()), mode: Mode::Train };
    let learner = Neutralised { learner: Ridge::default(), features: Vec::new(), proportion: 0.5 };
    let pipeline = Pipeline::first(SelectStable::default()).then(scaler).learner(learner);
    let result = run(&pipeline, &panel);
    assert!(result.scores[0].values().iter().all(|score| score.is_finite()));
    assert_eq!(pipeline.describe().count(), 3);
}

/// Counts what a fit is given.
#[derive(Debug)]
struct Spy(std::sync::Arc<std::sync::Mutex<Vec<Vec<String>>>>);

/// Predicts the first feature.
struct First;

impl Fit for Spy {
    type Fitted = First;

    fn fit(&self, train: &Panel) -> Result<First> {
        self.0.lock().unwrap().push(train.eras().labels().map(str::to_owned).collect());
        Ok(First)
    }
}

impl Predict for First {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        assert!(!panel.has_target());
        Ok(panel.feature(0).to_f32())
    }
}

#[test]
fn every_fold_is_fitted_on_its_train_eras_alone() {
    let panel = market().panel().unwrap();
    let seen = std::sync::Arc::default();
    let result = run(&Pipeline::learner(Spy(std::sync::Arc::clone(&seen))), &panel);
    let folds = split().folds(panel.eras()).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), folds.len());
    for (labels, fold) in seen.iter().zip(&folds) {
        let expected: Vec<&str> = fold.train.iter().map(|&era| panel.eras().label(era)).collect();
        assert_eq!(labels, &expected);
        assert!(fold.test[0] > fold.train[fold.train.len() - 1] + 5);
    }
    assert_eq!(result.folds.len(), folds.len());
}

/// Fits nothing and predicts the last feature.
#[derive(Debug)]
struct Last;

impl Fit for Last {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(Self)
    }
}

impl Predict for Last {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let last = panel.feature(panel.width() - 1).to_f32();
        Ok(last.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect())
    }
}

#[test]
fn a_step_that_looks_back_sees_no_hole_where_the_gap_is() {
    // The same eight ids in every era; the feature counts the rows, so a lag shows where it comes from.
    let eras: Vec<String> = (0..60 * 8).map(|row| format!("{:03}", row / 8)).collect();
    let ids = (0..60 * 8).map(|row| format!("id{}", row % 8)).collect::<Ids>();
    let panel = Panel::builder()
        .eras(&eras)
        .unwrap()
        .ids(ids)
        .feature("row", (0..60 * 8).map(|row| row as f32).collect::<Vec<f32>>())
        .target("target", (0..60 * 8).map(|row| (row % 5) as f32).collect::<Vec<f32>>())
        .build()
        .unwrap();
    let lag = Recipe::Lag(Lag { periods: 1, change: Change::Value });
    let step = RollingFeatures { features: vec!["row".into()], recipes: vec![lag] };
    let result = run(&Pipeline::first(step).learner(Last), &panel);
    let tested = panel.cut(&result.predictions.eras).unwrap();
    let expected: Vec<f32> = tested.feature(0).to_f32().iter().map(|row| row - 8.0).collect();
    assert_eq!(result.predictions.values, expected);
}
