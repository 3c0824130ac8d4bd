//! Scalers: streams against windows gathered anew, and laws of what comes out.

use fattail_core::{Fit, Panel, Transform};
use fattail_prepare::*;
use proptest::prelude::*;

use crate::tables::scalers;

fn eras() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let value =
        prop_oneof![6 => -5.0..5.0f64, 2 => (0..3i32).prop_map(f64::from), 1 => Just(f64::NAN)];
    prop::collection::vec(prop::collection::vec(value, 1..12), 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn windows_are_those_gathered_anew(eras in eras(), which in 0..30usize) {
        let Scaler { method, mode } = scalers()[which];
        let (length, closed) = match mode {
            Mode::Rolling { eras, closed } => (eras, closed),
            Mode::Expanding { closed } => (usize::MAX, closed),
            _ => (1, Closed::Both),
        };
        let limit = (length < usize::MAX).then_some(length);
        let mut stream = ScalerStream::new(method, limit, closed).unwrap();
        for (at, era) in eras.iter().enumerate() {
            let mut out = vec![0.0; era.len()];
            stream.push(era, &mut out).unwrap();
            let end = if closed == Closed::Both { at + 1 } else { at };
            let window: Vec<f64> = eras[end.saturating_sub(length)..end].concat();
            let scale = method.learn(if window.is_empty() { era } else { &window }).unwrap();
            for (value, found) in era.iter().zip(out) {
                let expected = scale.apply(*value);
                let near = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                prop_assert!(near || found.is_nan() && expected.is_nan(), "{method:?} {found} {expected}");
            }
        }
    }

    #[test]
    fn a_quantile_transform_never_turns_two_values_round(x in prop::collection::vec(-9.0..9.0f64, 1..80)) {
        for output in [Output::Normal, Output::Uniform] {
            let method = Method::Quantile(QuantileNormal { quantiles: 11, output });
            let scale = method.learn(&x).unwrap();
            let mut sorted = x.clone();
            sorted.sort_by(f64::total_cmp);
            let made: Vec<f64> = sorted.iter().map(|&v| scale.apply(v)).collect();
            prop_assert!(made.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}

#[test]
fn another_set_of_features_is_refused() {
    let panel = |name: &str| Panel::builder().feature(name, vec![1.0f32, 2.0]).build().unwrap();
    for scaler in scalers() {
        let fitted = scaler.fit(&panel("a")).unwrap();
        let error = fitted.transform(panel("b")).unwrap_err().to_string();
        assert!(error.contains("expected 'a', found 'b'"), "{error}");
    }
}

#[test]
fn settings_survive_json() {
    for scaler in scalers() {
        let text = serde_json::to_string(&scaler).unwrap();
        assert_eq!(serde_json::from_str::<Scaler>(&text).unwrap(), scaler);
    }
    let rank = PerEraRank { ties: fattail_stats::Ties::Broken };
    let text = serde_json::to_string(&rank).unwrap();
    assert_eq!(text, r#"{"ties":"broken"}"#);
    assert_eq!(serde_json::from_str::<PerEraRank>(&text).unwrap(), rank);
}
