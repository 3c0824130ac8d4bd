//! Bad input gets an error with its name and place; odd input survives.

use crate::panels::mixed;
use fattail_core::{Error as CoreError, Fit, Panel, Predict};
use fattail_linear::{ElasticNet, Error, HuberRegression, Ridge, Threshold};

fn plain(target: Vec<f32>) -> Panel {
    let rows = target.len();
    Panel::builder()
        .feature("x", (0..rows).map(|row| row as f32).collect::<Vec<_>>())
        .target("y", target)
        .build()
        .unwrap()
}

fn cause(error: CoreError) -> Error {
    let CoreError::Other(cause) = error else { panic!("{error}") };
    cause.downcast_ref::<Error>().unwrap().clone()
}

fn single(penalty: f64) -> Ridge {
    Ridge { penalties: vec![penalty], ..Ridge::default() }
}

#[test]
fn settings() {
    let panel = plain(vec![0.0, 1.0]);
    let error = Ridge { penalties: vec![1.0, 1.0], ..Ridge::default() }.fit(&panel).unwrap_err();
    assert!(error.to_string().contains("'penalties' is [1.0, 1.0]"), "{error}");
    assert!(Ridge { confidence: 1.0, ..Ridge::default() }.fit(&panel).is_err());
    assert!(ElasticNet { ratio: 0.0, ..ElasticNet::default() }.fit(&panel).is_err());
    for threshold in [Threshold::Scaled(1.0), Threshold::Fixed(0.0)] {
        assert!(HuberRegression { threshold, ..Default::default() }.fit(&panel).is_err());
    }
}

#[test]
fn values() {
    let panel = plain(vec![0.0, 1.0, 2.0]);
    let bad = panel.with_features([("x", vec![0.0f32, f32::NAN, 1.0])]).unwrap();
    let error = single(1.0).fit(&bad).unwrap_err();
    assert_eq!(error.to_string(), "column 'x' holds NaN in era '0' at row 1");
    let error = single(1.0).fit(&plain(vec![0.0, f32::INFINITY])).unwrap_err();
    assert_eq!(error.to_string(), "column 'y' holds inf in era '0' at row 1");
    let negative = panel.with_weights(vec![1.0f32, -1.0, 1.0]).unwrap();
    assert!(matches!(
        cause(single(1.0).fit(&negative).unwrap_err()),
        Error::NegativeWeight { row: 1, .. }
    ));
    let unknown = plain(vec![f32::NAN, f32::NAN]);
    assert_eq!(cause(single(1.0).fit(&unknown).unwrap_err()), Error::NothingKnown { rows: 2 });
    assert!(single(1.0).fit(&panel.without_targets()).is_err());
}

#[test]
fn choices_that_cannot_be_made() {
    let panel = plain(vec![0.0, 1.0, 2.0]);
    let error = cause(Ridge::default().fit(&panel).unwrap_err());
    assert_eq!(error, Error::NothingLeft { eras: 1, gap: 0 });
    let wide = Ridge { gap: usize::MAX, lags: usize::MAX, ..Ridge::default() };
    let error = cause(wide.fit(&mixed(3, 6, 2)).unwrap_err());
    assert_eq!(error, Error::NothingLeft { eras: 6, gap: usize::MAX });
    let twice = panel.append_features([("again", vec![0.0f32, 2.0, 4.0])]).unwrap();
    let error = cause(single(0.0).fit(&twice).unwrap_err());
    assert_eq!(error, Error::Collinear { penalty: 0.0 });
    let short = HuberRegression { max_iterations: 1, ..Default::default() };
    let error = cause(short.fit(&mixed(3, 6, 2)).unwrap_err());
    assert!(matches!(error, Error::NotConverged { iterations: 1, .. }), "{error}");
}

#[test]
fn other_features_at_prediction() {
    let panel = plain(vec![0.0, 1.0, 2.0]);
    let model = single(0.1).fit(&panel).unwrap();
    let other = panel.with_features([("z", vec![0.0f32; 3])]).unwrap();
    let error = model.predict(&other).unwrap_err().to_string();
    assert!(error.contains("expected 'x', found 'z' at position 0"), "{error}");
}

#[test]
fn constants_and_small_panels_survive() {
    let panel = mixed(9, 8, 3);
    let ridge = Ridge::default().fit(&panel).unwrap();
    let huber = HuberRegression::default().fit(&panel).unwrap();
    let net = ElasticNet::default().fit(&panel).unwrap();
    for model in [&ridge, &huber.line, &net] {
        assert_eq!(model.coefficient("constant").unwrap().value, 0.0);
        assert!(model.predict(&panel).unwrap().iter().all(|value| value.is_finite()));
    }
    assert_eq!(ridge.coefficient("constant").unwrap().std_error, 0.0);
    assert!(net.coefficients[0].std_error.is_nan());
    // One row, and a target without spread.
    assert_eq!(single(0.1).fit(&plain(vec![3.0])).unwrap().intercept.value, 3.0);
    let flat = plain(vec![2.0; 5]);
    let huber = HuberRegression::default().fit(&flat).unwrap();
    assert_eq!((huber.line.intercept.value, huber.line.coefficients[0].value), (2.0, 0.0));
    assert!((single(0.1).fit(&flat).unwrap().intercept.value - 2.0).abs() < 1e-12);
}

#[test]
fn an_exact_fit_ends_the_huber_walk() {
    let panel = plain((0..20).map(|row| 2.0 * row as f32 + 1.0).collect());
    let settings = HuberRegression { penalty: 0.0, ..HuberRegression::default() };
    let model = settings.fit(&panel).unwrap();
    assert!((model.line.coefficients[0].value - 2.0).abs() < 1e-6);
}
