//! Neutralisation: what is left is orthogonal, whoever asks for it.

use fattail_core::{Fit, Panel, Predict, Transform};
use fattail_prepare::{Neutralise, Neutralised, Subject, neutralise};
use proptest::prelude::*;

use crate::tables::{Adds, Plan, panel};

/// A panel of finite features.
fn finite(seed: u64) -> Panel {
    panel(Plan { seed, changed_from: usize::MAX }).select(&["bins", "plain"]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_rest_is_orthogonal_in_each_era(seed: u64) {
        let panel = finite(seed);
        let predictions: Vec<f32> = (0..panel.rows()).map(|row| (row as f32 * 1.7).sin()).collect();
        let rest = neutralise(&panel, &predictions, 1.0).unwrap();
        for era in panel.iter() {
            let rows = panel.eras().range(era.index());
            for feature in era.features() {
                let here = feature.iter().zip(&rest[rows.clone()]);
                let (dot, size) = here.fold((0.0, 1.0), |(dot, size), (x, y)| {
                    (dot + f64::from(x * y), size + f64::from(x.abs()))
                });
                prop_assert!(dot.abs() < 1e-4 * size, "{dot} of {size}");
            }
        }
    }

    #[test]
    fn half_the_proportion_is_half_the_way(seed: u64) {
        let panel = finite(seed);
        let y: Vec<f32> = (0..panel.rows()).map(|row| (row as f32 * 0.7).cos()).collect();
        let [none, half, all] = [0.0, 0.5, 1.0].map(|p| neutralise(&panel, &y, p).unwrap());
        prop_assert_eq!(&none, &y);
        for row in 0..y.len() {
            prop_assert!((half[row] - 0.5 * (y[row] + all[row])).abs() < 1e-5);
        }
    }
}

#[test]
fn targets_features_and_learners_agree() {
    let panel = finite(5);
    let features = vec!["bins".to_owned()];
    let step = |subject| Neutralise { features: features.clone(), proportion: 1.0, subject };
    let chosen = panel.select(&["bins"]).unwrap();
    let target = step(Subject::Target).fit(&panel).unwrap().transform(panel.clone()).unwrap();
    let expected = neutralise(&chosen, &panel.target().unwrap().to_f32(), 1.0).unwrap();
    for (found, expected) in target.target().unwrap().to_f32().iter().zip(expected) {
        assert!(*found == expected || found.is_nan() && expected.is_nan());
    }
    let others = step(Subject::Features).fit(&panel).unwrap().transform(panel.clone()).unwrap();
    let expected = neutralise(&chosen, &panel.feature(1).to_f32(), 1.0).unwrap();
    assert_eq!(others.feature(1).to_f32(), expected);
    assert_eq!(others.feature(0).to_f32(), panel.feature(0).to_f32());
    let learner = Neutralised { learner: Adds, features, proportion: 1.0 };
    let found = learner.fit(&panel).unwrap().predict(&panel.without_targets()).unwrap();
    let expected = neutralise(&chosen, &Adds.predict(&panel).unwrap(), 1.0).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn refusals_name_the_place() {
    let panel = Panel::builder()
        .eras(&["1", "2"])
        .unwrap()
        .feature("x", vec![1.0, f32::NAN])
        .build()
        .unwrap();
    let error = neutralise(&panel, &[1.0, 2.0], 1.0).unwrap_err().to_string();
    assert_eq!(error, "column 'x' holds NaN in era '2' at row 1");
    assert!(neutralise(&panel, &[1.0, f32::NAN], 1.0).is_ok());
    assert!(neutralise(&panel, &[1.0], 1.0).is_err());
    assert!(neutralise(&panel, &[1.0, 1.0], 1.5).unwrap_err().to_string().contains("1.5"));
    let unknown = Neutralise { features: vec!["z".into()], ..Neutralise::default() };
    assert!(unknown.fit(&panel).unwrap_err().to_string().contains("'z'"));
}
