//! Kernels against scikit-learn and pandas; `tests/reference/make.py` makes the files.
//!
//! Tolerance 1e-9, relative above 1: the peers sum in another order. At prices of 1e9 the transform
//! subtracts the centre, so the mean's last bits (1e-7 of a price) are what both sides share.

use fattail_prepare::{
    Change, Decay, Ewm, Lag, Method, Output, QuantileNormal, Robust, Rolling, Spread, Stat, vwap,
};
use serde_json::Value;

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (row, (f, e)) in found.iter().zip(expected).enumerate() {
        let near = (f.is_nan() && e.is_nan()) || (f - e).abs() <= 1e-9 * e.abs().max(1.0);
        assert!(near, "{what}, row {row}: {f} instead of {e}");
    }
}

fn method(name: &str) -> Method {
    let robust = |low, high, unit_variance| {
        Method::Robust(Robust { spread: Spread::Quantiles { low, high }, unit_variance })
    };
    match name {
        "standard" => Method::Standard,
        "robust" => robust(0.25, 0.75, false),
        "robust_10_90" => robust(0.1, 0.9, false),
        "robust_unit" => robust(0.25, 0.75, true),
        other => {
            let mut parts = other.split('_').skip(1);
            let quantiles = parts.next().unwrap().parse().unwrap();
            let uniform = parts.next() == Some("uniform");
            let output = if uniform { Output::Uniform } else { Output::Normal };
            Method::Quantile(QuantileNormal { quantiles, output })
        }
    }
}

#[test]
fn scalers_are_those_of_scikit_learn() {
    let file = read(include_str!("../reference/scalers.json"));
    for case in file["cases"].as_array().unwrap() {
        let (column, name) = (case["column"].as_str().unwrap(), case["method"].as_str().unwrap());
        let scale = method(name).learn(&numbers(&file["columns"][column])).unwrap();
        let probe = numbers(&case["probe"]);
        let mut out = vec![0.0; probe.len()];
        scale.apply_slice(&probe, &mut out).unwrap();
        assert_near(&out, &numbers(&case["out"]), &format!("{name} of {column}"));
        let one: Vec<f64> = probe.iter().map(|&x| scale.apply(x)).collect();
        assert_near(&one, &out, "one by one");
    }
}

#[test]
fn windows_are_those_of_pandas() {
    let file = read(include_str!("../reference/series.json"));
    let stats = [
        Stat::Count,
        Stat::Sum,
        Stat::Mean,
        Stat::Variance,
        Stat::Std,
        Stat::Min,
        Stat::Max,
        Stat::Range,
    ];
    for series in file["series"].as_array().unwrap() {
        let x = numbers(&series["x"]);
        for case in series["windows"].as_array().unwrap() {
            let rolling = Rolling {
                length: case["length"].as_u64().unwrap() as usize,
                min_periods: case["least"].as_u64().map(|n| n as usize),
                ddof: case["ddof"].as_u64().unwrap() as usize,
            };
            let out = rolling.columns(&[&x], &stats).unwrap();
            for (stat, found) in stats.iter().zip(&out[0]) {
                let expected = numbers(&case["out"][stat.name()]);
                assert_near(found, &expected, &format!("{} {rolling:?}", stat.name()));
            }
        }
    }
}

#[test]
fn decays_are_those_of_pandas() {
    let file = read(include_str!("../reference/series.json"));
    for series in file["series"].as_array().unwrap() {
        let x = numbers(&series["x"]);
        for case in series["decays"].as_array().unwrap() {
            let value = case["value"].as_f64().unwrap();
            let decay = match case["kind"].as_str().unwrap() {
                "alpha" => Decay::Alpha(value),
                "span" => Decay::Span(value),
                "halflife" => Decay::HalfLife(value),
                _ => Decay::CentreOfMass(value),
            };
            let ewm = Ewm {
                decay,
                adjust: case["adjust"].as_bool().unwrap(),
                ignore_missing: case["ignore"].as_bool().unwrap(),
                min_periods: case["least"].as_u64().unwrap() as usize,
            };
            let (mut mean, mut std) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            ewm.apply(&x, &mut mean, &mut std).unwrap();
            assert_near(&mean, &numbers(&case["mean"]), &format!("mean of {ewm:?}"));
            assert_near(&std, &numbers(&case["std"]), &format!("std of {ewm:?}"));
        }
    }
}

#[test]
fn prices_and_volumes_are_those_of_pandas() {
    let file = read(include_str!("../reference/series.json"));
    let (price, volume) = (numbers(&file["vwap"]["price"]), numbers(&file["vwap"]["volume"]));
    let mut out = vec![0.0; price.len()];
    vwap(&price, &volume, &Rolling::new(6), &mut out).unwrap();
    assert_near(&out, &numbers(&file["vwap"]["out"]), "vwap");
    Lag { periods: 3, change: Change::Momentum }.apply(&price, &mut out).unwrap();
    assert_near(&out, &numbers(&file["momentum_3"]), "momentum");
}
