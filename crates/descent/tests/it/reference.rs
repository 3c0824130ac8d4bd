//! Against scipy and scikit-learn; 1e-12 relative, the size of rounding in sums of 40 numbers.

use fattail_descent::{
    Absolute, Huber, LogCosh, Loss, Objective, OneCycle, Pearson, Quantile, Schedule, Squared,
    Truth, Tukey,
};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/losses.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
}

#[test]
fn values_and_starts() {
    let reference = reference();
    let (target, weights) = (singles(&reference["target"]), singles(&reference["weights"]));
    let prediction = numbers(&reference["prediction"]);
    let truth = Truth::new(&target).with_weights(&weights).unwrap();
    let losses: [(&str, Objective); 6] = [
        ("squared", Squared.into()),
        ("absolute", Absolute.into()),
        ("huber", Huber { delta: 0.7 }.into()),
        ("quantile", Quantile { tau: 0.3 }.into()),
        ("log_cosh", LogCosh.into()),
        ("tukey", Tukey { c: 2.0 }.into()),
    ];
    for (name, loss) in losses {
        close(loss.value(&truth, &prediction), reference["values"][name].as_f64().unwrap());
        if let Some(start) = reference["starts"][name].as_f64() {
            close(loss.start(&truth), start);
        }
    }
    close(Pearson.value(&truth, &prediction), reference["pearson"].as_f64().unwrap());
}

#[test]
fn one_cycle() {
    let cycle = OneCycle { peak: 0.01, steps: 57, ..OneCycle::default() };
    for (step, expected) in numbers(&reference()["one_cycle"]).into_iter().enumerate() {
        close(cycle.rate(step as u64), expected);
    }
}
