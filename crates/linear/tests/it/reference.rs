//! Against scikit-learn and statsmodels. Ridge and standard errors to 1e-9; elastic net and Huber
//! to 1e-7: both sides iterate.

use fattail_core::{Fit, Panel};
use fattail_linear::{ElasticNet, HuberRegression, LinearModel, Ridge};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/linear.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

fn panel(reference: &Value) -> Panel {
    let eras: Vec<String> =
        numbers(&reference["era"]).iter().map(|era| format!("{era:03}")).collect();
    let mut builder = Panel::builder().eras(&eras).unwrap();
    for (position, column) in reference["x"].as_array().unwrap().iter().enumerate() {
        let bins: Vec<u8> = numbers(column).into_iter().map(|v| v as u8).collect();
        builder = builder.feature(format!("x{position}"), bins);
    }
    builder.target("y", singles(&reference["y"])).weights(singles(&reference["w"])).build().unwrap()
}

#[track_caller]
fn close(model: &LinearModel, expected: &Value, tolerance: f64) {
    let slopes = numbers(&expected["slopes"]);
    let found = model.coefficients.iter().map(|coefficient| coefficient.value);
    let pairs =
        found.zip(slopes).chain([(model.intercept.value, expected["intercept"].as_f64().unwrap())]);
    for (found, expected) in pairs {
        assert!((found - expected).abs() < tolerance, "{found} {expected}");
    }
}

#[test]
fn ridge() {
    let reference = reference();
    let panel = panel(&reference);
    let settings = Ridge { penalties: vec![0.1], standardise: false, ..Ridge::default() };
    close(&settings.fit(&panel).unwrap(), &reference["ridge"], 1e-9);
    let scaled = Ridge { standardise: true, ..settings.clone() };
    close(&scaled.fit(&panel).unwrap(), &reference["ridge_scaled"], 1e-9);
    let through_zero = Ridge { intercept: false, ..settings };
    close(&through_zero.fit(&panel).unwrap(), &reference["ridge_no_intercept"], 1e-9);
}

#[test]
fn elastic_net() {
    let reference = reference();
    let panel = panel(&reference);
    let settings = ElasticNet {
        ratio: 0.6,
        penalties: vec![0.1],
        standardise: false,
        tolerance: 1e-14,
        ..ElasticNet::default()
    };
    close(&settings.fit(&panel).unwrap(), &reference["elastic"], 1e-7);
    let scaled = ElasticNet { standardise: true, ..settings };
    close(&scaled.fit(&panel).unwrap(), &reference["elastic_scaled"], 1e-7);
}

#[test]
fn huber() {
    let reference = reference();
    let panel = panel(&reference);
    for (name, standardise) in [("huber", false), ("huber_scaled", true)] {
        let settings = HuberRegression { penalty: 0.01, standardise, ..Default::default() };
        let model = settings.fit(&panel).unwrap();
        close(&model.line, &reference[name], 1e-7);
        let scale = reference[name]["scale"].as_f64().unwrap();
        assert!((model.delta / 1.35 - scale).abs() < 1e-7, "{} {scale}", model.delta / 1.35);
    }
}

#[test]
fn standard_errors() {
    let reference = reference();
    let panel = panel(&reference);
    for (name, lags) in [("errors", 0), ("errors_lag_2", 2)] {
        let settings = Ridge { penalties: vec![0.0], lags, ..Ridge::default() };
        let model = settings.fit(&panel).unwrap();
        let all = [&model.intercept].into_iter().chain(&model.coefficients);
        for (found, expected) in all.zip(numbers(&reference[name])) {
            assert!((found.std_error - expected).abs() < 1e-9, "{name} {found:?} {expected}");
            let reach = reference["reach"].as_f64().unwrap();
            assert!((found.high - found.value - reach * expected).abs() < 1e-8);
        }
    }
}

#[test]
fn standard_errors_of_penalised_fits() {
    let reference = reference();
    let panel = panel(&reference);
    let ridge = Ridge { penalties: vec![0.1], ..Ridge::default() }.fit(&panel).unwrap();
    let huber = HuberRegression { penalty: 0.01, ..Default::default() }.fit(&panel).unwrap();
    for (model, name) in [(ridge, "ridge_scaled_errors"), (huber.line, "huber_scaled_errors")] {
        let all = [&model.intercept].into_iter().chain(&model.coefficients);
        for (found, expected) in all.zip(numbers(&reference[name])) {
            assert!((found.std_error - expected).abs() < 1e-8, "{name} {found:?} {expected}");
        }
    }
}

#[test]
fn intervals_of_the_refit_after_an_elastic_net() {
    let reference = reference();
    let panel = panel(&reference);
    let reach = reference["reach"].as_f64().unwrap();
    for (name, ratio, penalty) in [("elastic_refit", 0.6, 0.3), ("lasso_refit", 1.0, 0.2)] {
        let settings = ElasticNet { ratio, penalties: vec![penalty], ..ElasticNet::default() };
        let model = settings.fit(&panel).unwrap();
        let all = [&model.intercept].into_iter().chain(&model.coefficients);
        let expected = reference[name]["middle"].as_array().unwrap().iter();
        let expected = expected.zip(reference[name]["errors"].as_array().unwrap());
        for (found, (middle, error)) in all.zip(expected) {
            let (Some(middle), Some(error)) = (middle.as_f64(), error.as_f64()) else {
                assert!(found.value == 0.0 && found.std_error.is_nan() && found.low.is_nan());
                continue;
            };
            assert!((found.std_error - error).abs() < 1e-9, "{name} {found:?} {error}");
            assert!((found.low - (middle - reach * error)).abs() < 1e-8, "{name} {found:?}");
            assert!((found.high - (middle + reach * error)).abs() < 1e-8, "{name} {found:?}");
        }
        assert!(model.coefficients.iter().any(|coefficient| coefficient.value == 0.0));
        assert!(model.coefficients.iter().any(|coefficient| coefficient.value != 0.0));
    }
}

#[test]
fn elastic_net_at_the_default_tolerance() {
    let reference = reference();
    let panel = panel(&reference);
    let settings = ElasticNet { ratio: 0.6, penalties: vec![0.1], ..ElasticNet::default() };
    close(&settings.fit(&panel).unwrap(), &reference["elastic_scaled"], 1e-3);
}
