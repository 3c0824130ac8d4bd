//! Eras as judges: where they must agree with the pool, and where they must not.

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{Criterion, EraSettings, Gbdt, GbdtModel, Growth, Limits};

use crate::data::{Draws, bins, name};

fn fit(panel: &Panel, limits: Limits, eras: EraSettings) -> GbdtModel {
    Gbdt { rounds: 12, limits, eras, ..Gbdt::default() }.fit(panel).unwrap()
}

fn json(model: &GbdtModel) -> String {
    serde_json::to_string(model).unwrap()
}

/// Numbers with missing values.
fn with_missing(seed: u64) -> Panel {
    let mut draws = Draws::new(seed);
    let labels: Vec<String> = (0..1200).map(|row| format!("{:02}", row / 100)).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    let mut target = vec![0.0f32; 1200];
    for at in 0..4 {
        let missing = |x: f64| if x < 0.15 { f32::NAN } else { x as f32 };
        let column: Vec<f32> = target.iter().map(|_| missing(draws.unit())).collect();
        for (y, &x) in target.iter_mut().zip(&column) {
            *y += if x.is_nan() { 0.4 } else { (5.0 * x + at as f32).sin() };
        }
        builder = builder.feature(name(at).as_str(), column);
    }
    target.iter_mut().for_each(|y| *y += draws.normal() as f32);
    builder.target("target", target).build().unwrap()
}

#[test]
fn eras_without_an_opinion_find_the_splits_of_the_pool() {
    let silent = EraSettings { adaptive: Some(0.0), ..EraSettings::default() };
    let limits = [
        Limits::default(),
        Limits { min_data_in_leaf: 1, ..Limits::default() },
        Limits { lambda_l1: 0.5, lambda_l2: 2.0, path_smooth: 3.0, ..Limits::default() },
        Limits { lambda_l2: 5.0, ..Limits::default() },
        Limits { min_gain_to_split: 0.3, ..Limits::default() },
        Limits { extra_trees: true, min_gain_to_split: 0.1, ..Limits::default() },
    ];
    for panel in [bins(1, 12, 100, 9, 2.0), with_missing(2)] {
        for limits in limits {
            let plain = fit(&panel, limits, EraSettings::default());
            assert!(json(&plain) == json(&fit(&panel, limits, silent)), "{limits:?}");
            let folds = EraSettings { folds: Some(5), ..silent };
            assert!(json(&plain) == json(&fit(&panel, limits, folds)), "{limits:?}");
        }
    }
}

/// Feature f0 has slope 1 in every era; f1 has slope 3 or -1.5 by turns, 0.75 on average.
fn unstable(seed: u64) -> Panel {
    let mut draws = Draws::new(seed);
    let rows = 40 * 50;
    let labels: Vec<String> = (0..rows).map(|row| format!("{:02}", row / 50)).collect();
    let columns: Vec<Vec<u8>> =
        (0..2).map(|_| (0..rows).map(|_| (draws.unit() * 5.0) as u8).collect()).collect();
    let target: Vec<f32> = (0..rows)
        .map(|row| {
            let slope = if (row / 50) % 2 == 0 { 4.5 } else { -1.5 };
            let x = |at: usize| f64::from(columns[at][row]) - 2.0;
            (x(0) + slope * x(1) + draws.normal()) as f32
        })
        .collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    for (at, column) in columns.into_iter().enumerate() {
        builder = builder.feature(name(at).as_str(), column);
    }
    builder.target("target", target).build().unwrap()
}

/// How often the first questions of the trees are about f0.
fn share_of_stable(eras: EraSettings) -> f64 {
    let panel = unstable(5);
    let model = Gbdt { rounds: 3, leaves: 2, eras, ..Gbdt::default() }.fit(&panel).unwrap();
    let trees = &model.forest.trees;
    let stable =
        trees.iter().filter(|tree| tree.nodes.first().is_some_and(|node| node.feature == 0));
    stable.count() as f64 / trees.len() as f64
}

#[test]
fn adaptive_penalties_prefer_what_all_eras_agree_on() {
    assert_eq!(share_of_stable(EraSettings::default()), 0.0, "the pool wins more on f1");
    for factor in [1.0, 10.0] {
        let eras = EraSettings { adaptive: Some(factor), ..EraSettings::default() };
        assert_eq!(share_of_stable(eras), 1.0, "factor {factor}");
    }
}

#[test]
fn one_fold_has_no_t_statistic() {
    let panel = bins(1, 12, 100, 5, 1.0);
    let criterion = Criterion::TStatistic { least: 0.0 };
    let one = EraSettings { criterion, folds: Some(1), ..EraSettings::default() };
    let model = fit(&panel, Limits::default(), one);
    assert!(model.forest.trees.iter().all(|tree| tree.nodes.is_empty()));
    let many = EraSettings { folds: None, ..one };
    let model = fit(&panel, Limits::default(), many);
    assert!(model.forest.trees.iter().any(|tree| !tree.nodes.is_empty()));
}

#[test]
fn eras_that_cannot_judge_are_asked_for() {
    // A feature that tells two halves of the eras apart: no era has rows on both sides.
    let labels: Vec<String> = (0..200).map(|row| format!("{}", row / 50)).collect();
    let feature: Vec<u8> = (0..200).map(|row| u8::from(row >= 100)).collect();
    let target: Vec<f32> = feature.iter().map(|&x| f32::from(x)).collect();
    let panel = Panel::builder().eras(&labels).unwrap().feature("x", feature);
    let panel = panel.target("target", target).build().unwrap();
    let splits = |eras: EraSettings| {
        let model = fit(&panel, Limits::default(), eras);
        model.forest.trees.iter().map(|tree| tree.nodes.len()).sum::<usize>()
    };
    assert!(splits(EraSettings::default()) > 0);
    assert_eq!(splits(EraSettings { valid_share: 0.1, ..EraSettings::default() }), 0);
    let criterion = Criterion::Directional { power: 1.0, least: 0.0 };
    assert_eq!(splits(EraSettings { criterion, ..EraSettings::default() }), 0);
}

#[test]
fn equal_weights_are_weights_of_one_over_the_rows() {
    let sizes = [10, 40, 100, 30];
    let labels: Vec<String> =
        sizes.iter().enumerate().flat_map(|(era, &rows)| vec![era.to_string(); rows]).collect();
    let weights: Vec<f32> =
        sizes.iter().flat_map(|&rows| vec![(45.0 / rows as f64) as f32; rows]).collect();
    let mut draws = Draws::new(3);
    let x: Vec<u8> = labels.iter().map(|_| (draws.unit() * 5.0) as u8).collect();
    let y: Vec<f32> = x.iter().map(|&x| f32::from(x) + draws.normal() as f32).collect();
    let builder = || {
        Panel::builder().eras(&labels).unwrap().feature("x", x.clone()).target("target", y.clone())
    };
    let equal = EraSettings { equal_weights: true, ..EraSettings::default() };
    let equal = fit(&builder().build().unwrap(), Limits::default(), equal);
    let weighted = builder().weights(weights).build().unwrap();
    let weighted_fit = fit(&weighted, Limits::default(), EraSettings::default());
    assert_eq!(json(&equal), json(&weighted_fit));
    let plain = fit(&builder().build().unwrap(), Limits::default(), EraSettings::default());
    assert_ne!(json(&equal), json(&plain));
    assert!(equal.predict(&weighted).unwrap().iter().all(|p| p.is_finite()));
}

#[test]
fn settings_out_of_range_are_refused() {
    let panel = bins(1, 4, 30, 3, 1.0);
    let eras = EraSettings::default();
    let split = |alpha, gamma| Criterion::EraSplit { alpha, gamma, directional: 0.0, pooled: 0.0 };
    let wrong = [
        (EraSettings { folds: Some(0), ..eras }, "folds"),
        (EraSettings { min_rows: 0, ..eras }, "min_rows"),
        (EraSettings { valid_share: 1.5, ..eras }, "valid_share"),
        (EraSettings { adaptive: Some(-1.0), ..eras }, "adaptive"),
        (EraSettings { criterion: split(f64::NAN, 1.0), ..eras }, "alpha"),
        (EraSettings { criterion: split(0.0, 0.0), ..eras }, "gamma"),
        (
            EraSettings { criterion: Criterion::Directional { power: 1.0, least: 2.0 }, ..eras },
            "least",
        ),
        (EraSettings { criterion: Criterion::TStatistic { least: f64::NAN }, ..eras }, "least"),
    ];
    for (eras, part) in wrong {
        let error = Gbdt { eras, ..Gbdt::default() }.fit(&panel).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let eras = EraSettings { adaptive: Some(1.0), ..eras };
    let oblivious = Gbdt { eras, growth: Growth::Oblivious, ..Gbdt::default() };
    assert!(oblivious.fit(&panel).unwrap_err().to_string().contains("oblivious"));
}
