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
    assert!(ElasticNet { confidence: 0.0, ..ElasticNet::default() }.fit(&panel).is_err());
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
    assert!(net.coefficient("constant").unwrap().std_error.is_nan());
    let used = net.coefficients.iter().filter(|coefficient| coefficient.value != 0.0);
    assert!(used.clone().count() > 0 && used.clone().all(|c| c.low < c.high), "{net:?}");
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

#[test]
fn elastic_nets_survive_equal_features() {
    let panel = mixed(21, 12, 3);
    let again: Vec<(String, Vec<f32>)> = ["x0", "x1", "wide"]
        .iter()
        .map(|name| {
            let position = panel.schema().features().iter().position(|f| &**f == *name).unwrap();
            (format!("{name} again"), panel.feature(position).to_f32())
        })
        .collect();
    let twice = panel.append_features(again).unwrap();
    for (ratio, standardise) in [(0.5, true), (1.0, true), (0.5, false), (1.0, false)] {
        let settings = ElasticNet { ratio, standardise, ..ElasticNet::default() };
        let (once, both) = (settings.fit(&panel).unwrap(), settings.fit(&twice).unwrap());
        assert!(both.predict(&twice).unwrap().iter().all(|v| v.is_finite()));
        if ratio == 1.0 && once.penalty == both.penalty {
            let sum = |model: &fattail_linear::LinearModel, name: &str| -> f64 {
                let own = model.coefficients.iter().filter(|c| c.name.starts_with(name));
                own.map(|c| c.value).sum()
            };
            assert!((sum(&once, "x0") - sum(&both, "x0")).abs() < 0.02, "{once:?} {both:?}");
        }
    }
}

#[test]
fn elastic_nets_survive_targets_without_spread() {
    let eras: Vec<String> = (0..30).map(|row| (row / 5).to_string()).collect();
    let panel = |target: Vec<f32>| {
        Panel::builder()
            .eras(&eras)
            .unwrap()
            .feature("a", (0..30).map(|row| (row * 7 % 5) as f32).collect::<Vec<_>>())
            .feature("b", (0..30).map(|row| (row * 3 % 4) as f32).collect::<Vec<_>>())
            .target("y", target)
            .build()
            .unwrap()
    };
    for level in [0.0f32, 0.1, 1e6] {
        let model = ElasticNet::default().fit(&panel(vec![level; 30])).unwrap();
        assert!(model.coefficients.iter().all(|coefficient| coefficient.value == 0.0));
        assert!((model.intercept.value - f64::from(level)).abs() <= 1e-12 * f64::from(level));
    }
    // It varies in one era alone: without that era there is nothing to explain.
    for level in [0.1f32, 1e4] {
        let once = (0..30).map(|row| if row < 5 { level + row as f32 } else { level }).collect();
        let model = ElasticNet::default().fit(&panel(once)).unwrap();
        assert!(model.path.iter().all(|point| point.error.is_finite()));
    }
}

#[test]
fn walks_out_of_sweeps() {
    let panel = mixed(3, 6, 2);
    let short = ElasticNet { max_sweeps: 1, penalties: vec![1e-6], ..ElasticNet::default() };
    let error = cause(short.fit(&panel).unwrap_err());
    assert!(matches!(error, Error::NotConverged { iterations: 1, .. }), "{error}");
    // A tolerance that no walk reaches: the gap is rounding, and that is accepted.
    let strict = ElasticNet { tolerance: 1e-300, ..ElasticNet::default() };
    let (strict, plain) = (strict.fit(&panel).unwrap(), ElasticNet::default().fit(&panel).unwrap());
    assert_eq!(strict.penalty, plain.penalty);
    // No penalty at all is least squares, whose gap says nothing.
    let settings = ElasticNet { penalties: vec![0.0], ..ElasticNet::default() };
    let (net, ridge) = (settings.fit(&panel).unwrap(), single(0.0).fit(&panel).unwrap());
    for (net, ridge) in net.coefficients.iter().zip(&ridge.coefficients) {
        assert!((net.value - ridge.value).abs() < 1e-9, "{net:?} {ridge:?}");
    }
}
