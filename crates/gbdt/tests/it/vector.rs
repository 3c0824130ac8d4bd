//! Several targets, in one tree a round and in one tree each.

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{Gbdt, Growth, Limits, Objective, Precision};
use fattail_trees::{Predictor, Tree};
use serde_json::Value;

use crate::data::{self, Draws};

fn settings() -> Gbdt {
    let limits = Limits { min_data_in_leaf: 10, ..Limits::default() };
    Gbdt { rounds: 8, leaves: 8, limits, ..Gbdt::default() }
}

/// A panel with a second target.
fn with_second(panel: &Panel, of: impl Fn(f32) -> f32) -> (Panel, Gbdt) {
    let second: Vec<f32> = panel.target().unwrap().to_f32().into_iter().map(of).collect();
    let panel = panel.append_target("second", second).unwrap();
    let targets = vec!["target".into(), "second".into()];
    (panel, Gbdt { targets, multi_output: true, ..settings() })
}

#[test]
fn equal_targets_grow_the_trees_of_one() {
    let panel = data::bins(3, 4, 300, 6, 0.5);
    for growth in [Growth::LeafWise, Growth::DepthWise] {
        let one = Gbdt { growth, ..settings() }.fit(&panel).unwrap();
        let (panel, settings) = with_second(&panel, |y| y);
        let both = Gbdt { growth, ..settings }.fit(&panel).unwrap();
        both.forest.check().unwrap();
        assert_eq!((both.forest.outputs, both.forest.iterations()), (2, 8));
        for (both, one) in both.forest.trees.iter().zip(&one.forest.trees) {
            assert_eq!((both.width, both.leaves()), (2, one.leaves()));
            for (a, b) in both.nodes.iter().zip(&one.nodes) {
                assert_eq!(
                    (a.feature, &a.rule, a.left, a.right),
                    (b.feature, &b.rule, b.left, b.right)
                );
                assert!(
                    (a.gain / 2.0 - b.gain).abs() <= 1e-9 * b.gain.abs(),
                    "{} {}",
                    a.gain,
                    b.gain
                );
            }
            for (leaf, &value) in one.values.iter().enumerate() {
                assert_eq!(both.leaf(leaf)[0], both.leaf(leaf)[1]);
                assert!((both.leaf(leaf)[0] - value).abs() < 1e-12);
            }
        }
    }
}

/// The sum over both targets of the squared error of a stump that asks `x <= bin`.
fn error_of(x: &[u8], targets: &[Vec<f32>], bin: u8) -> f64 {
    let mut error = 0.0;
    for y in targets {
        for left in [true, false] {
            let side: Vec<f64> = x
                .iter()
                .zip(y)
                .filter(|(x, _)| (**x <= bin) == left)
                .map(|(_, &y)| f64::from(y))
                .collect();
            let mean = side.iter().sum::<f64>() / side.len().max(1) as f64;
            error += side.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
        }
    }
    error
}

#[test]
fn a_stump_is_the_best_for_both_targets_together() {
    let mut draws = Draws::new(9);
    let x: Vec<u8> = (0..400).map(|_| (draws.unit() * 6.0) as u8).collect();
    let step = |at: u8, size: f64, draws: &mut Draws| -> Vec<f32> {
        x.iter().map(|&x| (if x > at { size } else { 0.0 } + draws.normal()) as f32).collect()
    };
    let targets = vec![step(1, 1.0, &mut draws), step(4, 1.3, &mut draws)];
    let panel = Panel::builder().feature("x", x.clone()).target("a", targets[0].clone());
    let panel = panel.target("b", targets[1].clone()).main_target("a").build().unwrap();
    let targets_named = vec!["a".into(), "b".into()];
    let stump = Gbdt {
        targets: targets_named,
        multi_output: true,
        leaves: 2,
        rounds: 1,
        learning_rate: 1.0,
        ..settings()
    };
    for precision in [Precision::Integer, Precision::Double] {
        let model = Gbdt { precision, ..stump.clone() }.fit(&panel).unwrap();
        let tree: &Tree = &model.forest.trees[0];
        let best =
            (0..5).min_by(|&a, &b| error_of(&x, &targets, a).total_cmp(&error_of(&x, &targets, b)));
        let side = |value: u8| tree.find(&[f64::from(value)]);
        let found = (0..5).find(|&bin| side(bin) != side(bin + 1));
        assert_eq!(found, best);
        for (output, y) in targets.iter().enumerate() {
            let left: Vec<f64> = x
                .iter()
                .zip(y)
                .filter(|(x, _)| side(**x) == side(0))
                .map(|(_, &y)| f64::from(y))
                .collect();
            let mean = left.iter().sum::<f64>() / left.len() as f64;
            assert!((tree.leaf(side(0))[output] - mean).abs() < 1e-6);
        }
    }
}

#[test]
fn predictions_have_all_outputs_and_the_first_is_the_prediction() {
    let (panel, settings) = with_second(&data::bins(4, 4, 300, 6, 0.1), |y| -2.0 * y);
    for multi_output in [true, false] {
        let model = Gbdt { rounds: 40, multi_output, ..settings.clone() }.fit(&panel).unwrap();
        let all = Predictor::new(&model.forest).unwrap().predict(&panel).unwrap();
        let first = model.predict(&panel).unwrap();
        let target = panel.target().unwrap().to_f32();
        let (mut error, mut square) = ([0.0; 2], 0.0);
        for (row, &y) in target.iter().enumerate() {
            let y = f64::from(y);
            assert_eq!(all[2 * row] as f32, first[row]);
            error[0] += (all[2 * row] - y).powi(2);
            error[1] += (all[2 * row + 1] + 2.0 * y).powi(2);
            square += y * y;
        }
        assert!(error[0] < 0.1 * square && error[1] < 0.4 * square, "{error:?} of {square}");
    }
}

#[test]
fn unknown_targets_teach_their_own_output_nothing() {
    let panel = data::bins(5, 2, 400, 4, 0.1);
    let mut count = 0;
    let hole = |y: f32| y;
    let (panel, settings) = with_second(&panel, hole);
    let second: Vec<f32> = panel
        .target()
        .unwrap()
        .to_f32()
        .into_iter()
        .map(|y| {
            count += 1;
            if count % 3 == 0 { f32::NAN } else { y }
        })
        .collect();
    let panel = panel.append_target("holes", second).unwrap();
    let targets = vec!["target".into(), "holes".into()];
    let model = Gbdt { targets, rounds: 40, ..settings }.fit(&panel).unwrap();
    let all = Predictor::new(&model.forest).unwrap().predict(&panel).unwrap();
    let apart: f64 = all.chunks(2).map(|pair| (pair[0] - pair[1]).powi(2)).sum();
    let size: f64 = all.chunks(2).map(|pair| pair[0].powi(2)).sum();
    assert!(apart < 0.05 * size, "{apart} of {size}");
}

#[test]
fn classes_and_quantiles_share_a_tree() {
    let panel = data::bins(6, 2, 400, 4, 0.3);
    let class = panel.target().unwrap().to_f32().into_iter().map(|y| {
        if y > 1.0 {
            2.0
        } else if y < -1.0 {
            0.0
        } else {
            1.0
        }
    });
    let class: Vec<f32> = class.collect();
    let classes = panel.with_target_values(class.clone()).unwrap();
    let objective = Objective::Multiclass { classes: 3 };
    let right = |multi_output: bool| {
        let objective = objective.clone();
        let model =
            Gbdt { objective, multi_output, rounds: 40, ..settings() }.fit(&classes).unwrap();
        assert_eq!(model.forest.trees.len(), if multi_output { 40 } else { 120 });
        let all = Predictor::new(&model.forest).unwrap().predict(&classes).unwrap();
        all.chunks(3).zip(&class).filter(|(p, class)| p[**class as usize] > 0.5).count()
    };
    // A tree for all classes has a third of the leaves.
    let (one, each) = (right(true), right(false));
    assert!(one > 600 && one * 10 > each * 9, "{one} of {each} of 800");
    let objective = Objective::Quantile { alphas: vec![0.1, 0.9] };
    let model =
        Gbdt { objective, multi_output: true, rounds: 30, ..settings() }.fit(&panel).unwrap();
    let all = Predictor::new(&model.forest).unwrap().predict(&panel).unwrap();
    let target = panel.target().unwrap().to_f32();
    let below = |output: usize| {
        let below = all.chunks(2).zip(&target).filter(|(p, y)| f64::from(**y) < p[output]).count();
        below as f64 / target.len() as f64
    };
    assert!(
        (below(0) - 0.1).abs() < 0.06 && (below(1) - 0.9).abs() < 0.06,
        "{} {}",
        below(0),
        below(1)
    );
}

#[test]
fn predictions_are_those_of_xgboost() {
    // Reference: `tests/reference/vector.py`. XGBoost adds up in f32: 1e-4 of values up to 5.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/vector.json");
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut panel = Panel::builder().main_target("y0");
    for (at, column) in reference["features"].as_array().unwrap().iter().enumerate() {
        let digits = column.as_str().unwrap().bytes().map(|digit| digit - b'0');
        panel = panel.feature(data::name(at), digits.collect::<Vec<u8>>());
    }
    let numbers = |list: &Value| -> Vec<f32> {
        list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
    };
    for (at, target) in reference["targets"].as_array().unwrap().iter().enumerate() {
        panel = panel.target(format!("y{at}"), numbers(target));
    }
    let panel = panel.build().unwrap();
    let limits = Limits {
        min_data_in_leaf: 1,
        min_sum_hessian_in_leaf: 0.0,
        lambda_l2: 1.0,
        ..Limits::default()
    };
    let settings = Gbdt {
        targets: vec!["y0".into(), "y1".into(), "y2".into()],
        multi_output: true,
        growth: Growth::DepthWise,
        depth: Some(3),
        leaves: 8,
        rounds: 4,
        learning_rate: 0.3,
        from_average: false,
        limits,
        ..Gbdt::default()
    };
    let model = settings.fit(&panel).unwrap();
    let all = Predictor::new(&model.forest).unwrap().predict(&panel).unwrap();
    for (at, (found, expected)) in all.iter().zip(numbers(&reference["predictions"])).enumerate() {
        assert!((found - f64::from(expected)).abs() < 1e-4, "{at}: {found} for {expected}");
    }
}
