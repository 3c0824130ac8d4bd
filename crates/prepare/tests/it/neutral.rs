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

/// Predicts one number an era.
#[derive(Debug, Clone)]
struct Constant;

impl Fit for Constant {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> fattail_core::Result<Self> {
        Ok(Self)
    }
}

impl Predict for Constant {
    fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
        let rows = panel.eras().ranges().map(|range| range.len());
        Ok(rows.zip(1..).flat_map(|(rows, era)| vec![0.1 * era as f32; rows]).collect())
    }
}

#[test]
fn a_constant_learner_leaves_exact_zeros() {
    for seed in 0..50 {
        let panel = finite(seed);
        let learner = |proportion| Neutralised { learner: Constant, features: vec![], proportion };
        let of = |p| learner(p).fit(&panel).unwrap().predict(&panel).unwrap();
        assert!(of(1.0).iter().all(|v| *v == 0.0));
        let half = of(0.5);
        for era in panel.eras().ranges() {
            assert!(half[era.clone()].iter().all(|v| *v == half[era.start] && *v > 0.0));
        }
    }
}

#[test]
fn what_the_features_explain_wholly_leaves_exact_zeros() {
    let mut eras_left = 0;
    for seed in 0..50 {
        let panel = finite(seed);
        let (x, z) = (panel.feature(0).to_f32(), panel.feature(1).to_f32());
        let sums: Vec<f32> = x.iter().zip(&z).map(|(x, z)| 0.3 * x - 0.7 * z + 0.1).collect();
        // The sums are rounded three times, a learner's once.
        let exact = |(x, z): (&f32, &f32)| (0.3 * f64::from(*x) - 0.7 * f64::from(*z) + 0.1) as f32;
        let once: Vec<f32> = x.iter().zip(&z).map(exact).collect();
        assert!(neutralise(&panel, &once, 1.0).unwrap().iter().all(|v| *v == 0.0));
        let mut wavy = sums;
        wavy.iter_mut().enumerate().for_each(|(row, v)| *v += 1e-3 * (row as f32).sin());
        let rest = neutralise(&panel, &wavy, 1.0).unwrap();
        let long = panel.eras().ranges().filter(|range| range.len() > 3);
        eras_left += long.filter(|range| rest[range.clone()].iter().any(|v| *v != 0.0)).count();
    }
    assert!(eras_left > 50, "what is left must stay: {eras_left}");
}

#[test]
fn no_subject_is_refused() {
    let panel = finite(1);
    for features in [vec![], vec!["plain".to_owned(), "bins".to_owned()]] {
        let step = Neutralise { features, subject: Subject::Features, ..Neutralise::default() };
        let error = step.fit(&panel).unwrap_err().to_string();
        assert!(error.contains("some features, not all"), "{error}");
    }
}

#[test]
fn subjects_with_holes_are_neutralised_where_they_are_known() {
    let panel = panel(Plan { seed: 8, changed_from: usize::MAX });
    let features = vec!["bins".to_owned()];
    let step =
        Neutralise { features: features.clone(), proportion: 1.0, subject: Subject::Features };
    let found = step.fit(&panel).unwrap().transform(panel.clone()).unwrap();
    let chosen = panel.select(&features).unwrap();
    let same = |a: &f32, b: &f32| a == b || a.is_nan() && b.is_nan();
    for at in [1, 2] {
        let expected = neutralise(&chosen, &panel.feature(at).to_f32(), 1.0).unwrap();
        let found = found.feature(at).to_f32();
        assert!(found.iter().zip(&expected).all(|(a, b)| same(a, b)), "{found:?} {expected:?}");
    }
}
