//! Against LightGBM 4.7 and XGBoost 3: starts to 1e-12, sums of slopes over leaves to 1e-6 of their
//! sizes (slopes are single), renewed leaves to 1e-10 (they pass through a rate of 1e-12), metrics to
//! 1e-9; XGBoost's, which are single, to 2e-4.

use fattail_objective::{Aft, Binary, Bound, Evaluation, Labels, Lambdarank, Noise, Objective};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/objective.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::INFINITY)).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

fn number(value: &Value, name: &str, default: f64) -> f64 {
    value.get(name).map_or(default, |v| v.as_f64().unwrap())
}

fn objective(case: &Value) -> Objective {
    let settings = &case["settings"];
    let number = |name: &str, default: f64| number(settings, name, default);
    let flag = |name: &str, default| settings.get(name).map_or(default, |v| v.as_bool().unwrap());
    let name = case["objective"].as_str().unwrap();
    let binary = Binary {
        sigmoid: number("sigmoid", 1.0),
        is_unbalance: flag("is_unbalance", false),
        scale_pos_weight: number("scale_pos_weight", 1.0),
    };
    let classes = number("num_class", 1.0) as usize;
    match name {
        "regression" if flag("reg_sqrt", false) => Objective::RegressionSqrt,
        "huber" => Objective::Huber { alpha: number("alpha", 0.9) },
        "fair" => Objective::Fair { c: number("fair_c", 1.0) },
        "quantile" => Objective::Quantile { alphas: vec![number("alpha", 0.9)] },
        "poisson" => Objective::Poisson { max_delta_step: number("poisson_max_delta_step", 0.7) },
        "tweedie" => Objective::Tweedie { variance_power: number("tweedie_variance_power", 1.5) },
        "binary" => Objective::Binary(binary),
        "multiclass" => Objective::Multiclass { classes },
        "multiclassova" => Objective::MulticlassOva { classes, binary },
        "lambdarank" => Objective::Lambdarank(Lambdarank {
            sigmoid: number("sigmoid", 1.0),
            truncation_level: number("lambdarank_truncation_level", 30.0) as usize,
            norm: flag("lambdarank_norm", true),
            label_gain: settings.get("label_gain").map_or_else(Vec::new, numbers),
        }),
        "rank_xendcg" => Objective::RankXendcg {
            seed: number("objective_seed", 5.0) as u32,
            label_gain: settings.get("label_gain").map_or_else(Vec::new, numbers),
        },
        _ => Objective::from_name(name).unwrap(),
    }
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let bound = tolerance * expected.abs().max(1.0);
    assert!((found - expected).abs() <= bound, "{what}: {found}, expected {expected}");
}

/// Sums of a slope over the rows of each leaf, and of its sizes.
fn by_leaf(leaves: &[f64], slopes: &[f32], leaf: f64) -> (f64, f64) {
    let rows = leaves.iter().zip(slopes).filter(|pair| *pair.0 == leaf);
    rows.fold((0.0, 0.0), |(sum, size), (_, &slope)| {
        (sum + f64::from(slope), size + f64::from(slope.abs()))
    })
}

fn check_tree(case: &Value, tree: &Value, bound: &dyn Bound, scores: &[f64]) {
    let (name, weighted) = (case["objective"].as_str().unwrap(), &case["weighted"]);
    let what = format!("{name} {} {weighted}", case["settings"]);
    let iteration = tree["iteration"].as_u64().unwrap() as usize;
    let output = tree["output"].as_u64().unwrap() as usize;
    if iteration > 0 && name != "rank_xendcg" {
        return; // Equal scores are no longer equal.
    }
    let rows = scores.len() / bound.outputs();
    let (mut g, mut h) = (vec![9.0; scores.len()], vec![9.0; scores.len()]);
    bound.slopes(iteration, scores, &mut g, &mut h);
    let (g, h) = (&g[output * rows..][..rows], &h[output * rows..][..rows]);
    let (leaves, values, weights) =
        (numbers(&tree["leaf"]), numbers(&tree["value"]), numbers(&tree["weight"]));
    for (leaf, (&value, &weight)) in values.iter().zip(&weights).enumerate() {
        let ((gradient, size), (hessian, _)) =
            (by_leaf(&leaves, g, leaf as f64), by_leaf(&leaves, h, leaf as f64));
        // LightGBM takes the weight of the first row for all of them there.
        if !(name == "mape" && weighted == true) {
            close(hessian, weight, 1e-6, &what);
        }
        if bound.renews() {
            let rows: Vec<u32> =
                (0..rows as u32).filter(|&row| leaves[row as usize] == leaf as f64).collect();
            close(bound.renew(output, &rows, scores).unwrap(), value, 1e-10, &what);
        } else {
            let expected = -value * weight;
            assert!(
                (gradient - expected).abs() <= 2e-6 * size + 1e-9,
                "{what} {gradient} {expected}"
            );
        }
    }
}

#[test]
fn lightgbm() {
    let reference = reference();
    let (weights, scores) = (singles(&reference["weights"]), numbers(&reference["scores"]));
    let wide: Vec<f64> = reference["wide"].as_array().unwrap().iter().flat_map(numbers).collect();
    let mut eras = vec![0];
    eras.extend(numbers(&reference["groups"]).iter().scan(0, |end, rows| {
        *end += *rows as usize;
        Some(*end)
    }));
    let mut leaves = 0;
    for case in reference["cases"].as_array().unwrap() {
        let objective = objective(case);
        let target = singles(&reference["targets"][case["target"].as_str().unwrap()]);
        let weights = (case["weighted"] == true).then_some(&weights[..]);
        let labels = Labels { targets: &[&target], weights, eras: &eras };
        let bound = objective.bind(labels).unwrap();
        assert_eq!(bound.text(), case["text"].as_str().unwrap());
        assert_eq!(bound.link(), objective.link());
        let expected = numbers(&case["start"]);
        assert_eq!(bound.start().len(), expected.len());
        for (&found, &expected) in bound.start().iter().zip(&expected) {
            close(found, expected, 1e-12, &bound.text());
        }
        let scores = if bound.outputs() > 1 { &wide } else { &scores };
        for tree in case["trees"].as_array().unwrap() {
            leaves += tree["value"].as_array().unwrap().len();
            check_tree(case, tree, &*bound, scores);
        }
        for (name, value) in case["metrics"].as_object().unwrap() {
            let metric = objective.evaluation_named(name).unwrap();
            let found = metric.value(&labels, scores, bound.link()).unwrap();
            // LightGBM sums the weights of these two in single precision.
            let single = matches!(metric, Evaluation::CrossEntropy | Evaluation::KullbackLeibler);
            let tolerance = if single && labels.weights.is_some() { 1e-6 } else { 1e-9 };
            close(
                found,
                value.as_f64().unwrap(),
                tolerance,
                &format!("{name} of {}", bound.text()),
            );
        }
    }
    assert!(leaves > 500, "{leaves}");
}

/// The loss of a case of XGBoost, and its metric.
fn survival(case: &Value) -> (Objective, Evaluation) {
    let settings = &case["settings"];
    match case["objective"].as_str().unwrap() {
        "survival:cox" => (Objective::Cox, Evaluation::Cox),
        "survival:aft" => {
            let noise: Noise =
                serde_json::from_value(settings["aft_loss_distribution"].clone()).unwrap();
            let sigma = number(settings, "aft_loss_distribution_scale", 1.0);
            let aft = Aft { noise, sigma };
            (Objective::Aft(aft), Evaluation::Aft(aft))
        }
        _ => {
            let delta = number(settings, "huber_slope", 1.0);
            (Objective::PseudoHuber { delta }, Evaluation::PseudoHuber { delta })
        }
    }
}

#[test]
fn xgboost() {
    let reference = reference();
    let scores = numbers(&reference["scores"]);
    let (lower, upper) = (singles(&reference["lower"]), singles(&reference["upper"]));
    let (signed, real) = (singles(&reference["signed"]), singles(&reference["targets"]["real"]));
    for case in reference["survival"].as_array().unwrap() {
        let (objective, metric) = survival(case);
        let targets: &[&[f32]] = match objective {
            Objective::Aft(_) => &[&lower, &upper],
            Objective::Cox => &[&signed],
            _ => &[&real],
        };
        let labels = Labels { targets, ..Labels::default() };
        let bound = objective.bind(labels).unwrap();
        let (mut g, mut h) = (vec![0.0; scores.len()], vec![0.0; scores.len()]);
        bound.slopes(0, &scores, &mut g, &mut h);
        let leaves = numbers(&case["leaf"]);
        for (leaf, weight) in case["weight"].as_object().unwrap() {
            let place: f64 = leaf.parse().unwrap();
            let ((gradient, size), (hessian, _)) =
                (by_leaf(&leaves, &g, place), by_leaf(&leaves, &h, place));
            let weight = weight.as_f64().unwrap();
            close(hessian, weight, 2e-4, &case["settings"].to_string());
            let expected = -weight * case["value"][leaf].as_f64().unwrap();
            assert!((gradient - expected).abs() <= 2e-4 * size.max(1e-3), "{gradient} {expected}");
        }
        let found = metric.value(&labels, &scores, bound.link()).unwrap();
        let what = format!("{} {}", metric.name(), case["settings"]);
        close(found, case["metric"].as_f64().unwrap(), 2e-4, &what);
    }
}
