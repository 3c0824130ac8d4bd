//! Selection, missing values, limits and rolling features by example, and what they refuse.

use fattail_core::{Fit, Panel, Pipeline, Predict, Transform};
use fattail_prepare::*;

use crate::tables::{Adds, Plan, Step, panel, transforms};

fn names(panel: &Panel) -> Vec<String> {
    panel.schema().features().iter().map(ToString::to_string).collect()
}

/// `good` and `copy` go with the target, `flips` changes sides, `flat` is constant.
fn market() -> Panel {
    let rows = 0..40u8;
    let labels: Vec<String> = rows.clone().map(|row| (row / 10).to_string()).collect();
    let wave = |row: u8| f32::from(row % 10);
    let side = |row: u8| if (row / 10).is_multiple_of(2) { 1.0 } else { -1.0 };
    let noise = |row: u8| f32::from(row.wrapping_mul(37) % 11);
    Panel::builder()
        .eras(&labels)
        .unwrap()
        .feature("flat", vec![2u8; 40])
        .feature("flips", rows.clone().map(|row| side(row) * wave(row)).collect::<Vec<_>>())
        .feature("good", rows.clone().map(|row| wave(row) + 0.1 * noise(row)).collect::<Vec<_>>())
        .feature("copy", rows.clone().map(|row| wave(row) + 0.3 * noise(row)).collect::<Vec<_>>())
        .target("y", rows.map(wave).collect::<Vec<_>>())
        .build()
        .unwrap()
}

#[test]
fn steady_features_are_kept() {
    let panel = market();
    let stable = SelectStable { by: Stability::Sign, keep: Keep::Above(0.9) };
    assert_eq!(
        names(&stable.fit(&panel).unwrap().transform(panel.clone()).unwrap()),
        ["good", "copy"]
    );
    let distinct = SelectDistinct { threshold: 0.9, by: Stability::Mean };
    let kept = distinct.fit(&panel).unwrap().transform(panel.clone()).unwrap();
    assert_eq!(names(&kept), ["flat", "flips", "good"]);
    let none = SelectStable { keep: Keep::Above(f64::MAX), ..SelectStable::default() };
    assert!(none.fit(&panel).unwrap_err().to_string().contains("selection of features is empty"));
}

#[test]
fn what_predictions_lean_on_is_kept() {
    let panel = market();
    let select = |holdout| SelectImportant {
        learner: Adds,
        holdout,
        gap: 1,
        repeats: 3,
        seed: 1,
        keep: Keep::Above(0.0),
    };
    let kept = select(2).fit(&panel).unwrap();
    assert!(!kept.names().iter().any(|name| &**name == "flat"));
    assert!(kept.names().iter().any(|name| &**name == "good"));
    assert!(select(3).fit(&panel).is_err());
    assert!(select(usize::MAX).fit(&panel).is_err());
    let error = select(1).fit(&panel).unwrap_err().to_string();
    assert_eq!(error, "setting 'holdout' is 1, allowed is at least 2");
}

/// Where the values of a feature lie in memory.
fn place(panel: &Panel, name: &str) -> usize {
    match panel.feature_named(name).unwrap().contiguous().unwrap() {
        fattail_core::Values::U8(values) => values.as_ptr().addr(),
        fattail_core::Values::F32(values) => values.as_ptr().addr(),
    }
}

#[test]
fn what_does_not_change_is_shared() {
    let panel = Panel::builder()
        .eras(&["1", "1", "1", "2", "2", "2"])
        .unwrap()
        .feature("bins", vec![0u8, 4, 1, 3, 1, 0])
        .feature("hidden", vec![0u8, 4, 1, 2, 2, 2])
        .feature("numbers", vec![0.0f32, 1.0, 4.0, 0.5, 2.0, 0.0])
        .feature("wild", vec![0.0f32, 1.0, 4.0, 0.5, 2.0, 1e9])
        .build()
        .unwrap();
    let shared = |before: &Panel, after: &Panel| -> Vec<String> {
        let all = names(before).into_iter();
        all.filter(|name| place(before, name) == place(after, name)).collect()
    };
    let hidden = AllTwosToMissing {}.transform(panel.clone()).unwrap();
    assert_eq!(shared(&panel, &hidden), ["bins", "numbers", "wild"]);
    let again = AllTwosToMissing {}.transform(hidden.clone()).unwrap();
    assert_eq!(shared(&hidden, &again), names(&panel));
    let filled = Impute::default().fit(&hidden).unwrap().transform(hidden.clone()).unwrap();
    assert_eq!(shared(&hidden, &filled), ["bins", "numbers", "wild"]);
    assert!(filled.feature(0).is_u8() && !filled.feature(1).is_u8());
    let limits = Winsorise { width: 5.0 }.fit(&panel).unwrap();
    assert_eq!(shared(&panel, &limits.transform(panel.clone()).unwrap()), names(&panel)[..3]);
    let against = vec!["bins".to_owned(), "numbers".to_owned()];
    let step = Neutralise {
        features: against.clone(),
        subject: Subject::Features,
        ..Neutralise::default()
    };
    let neutral = step.fit(&panel).unwrap().transform(panel.clone()).unwrap();
    assert_eq!(shared(&panel, &neutral), against);
}

#[test]
fn volumes_weigh_the_series_of_each_id() {
    let panel = |eras: &[&str], price: Vec<f32>, volume: Vec<u8>| {
        let ids: fattail_core::Ids = ["a", "b"].iter().cycle().take(eras.len()).collect();
        let builder = Panel::builder().eras(eras).unwrap().ids(ids);
        builder.feature("price", price).feature("volume", volume).build().unwrap()
    };
    let train = panel(&["1", "1"], vec![10.0, 100.0], vec![1, 1]);
    let later = panel(&["2", "2"], vec![20.0, 200.0], vec![3, 1]);
    let recipe = Recipe::Vwap { volume: "volume".into(), rolling: Rolling::new(2) };
    for features in [vec![], vec!["price".to_owned()]] {
        let step = RollingFeatures { features, recipes: vec![recipe.clone()] };
        let made = step.fit(&train).unwrap().transform(later.clone()).unwrap();
        assert_eq!(names(&made), ["price", "volume", "price_vwap_2"]);
        assert_eq!(made.feature(2).to_f32(), [17.5, 150.0]);
    }
    let unknown = Recipe::Vwap { volume: "volumes".into(), rolling: Rolling::new(2) };
    let step = RollingFeatures { features: vec![], recipes: vec![unknown] };
    assert!(step.fit(&train).unwrap_err().to_string().contains("did you mean 'volume'?"));
}

#[test]
fn all_twos_are_missing_and_filled() {
    let panel = Panel::builder()
        .eras(&["1", "1", "2", "2"])
        .unwrap()
        .feature("x", vec![0u8, 4, 2, 2])
        .feature("z", vec![1u8, 3, 2, 1])
        .build()
        .unwrap();
    let hidden = AllTwosToMissing {}.transform(panel).unwrap();
    assert!(hidden.feature(0).to_f32()[2..].iter().all(|v| v.is_nan()));
    assert!(hidden.feature(1).is_u8());
    for (fill, expected) in
        [(Fill::Median, 2.0), (Fill::Mean, 2.0), (Fill::Constant(9.0), 9.0), (Fill::EraMedian, 2.0)]
    {
        let fitted = Impute { fill }.fit(&hidden).unwrap();
        let filled = fitted.transform(hidden.clone()).unwrap();
        assert_eq!(filled.feature(0).to_f32(), [0.0, 4.0, expected, expected]);
    }
    assert!(Impute { fill: Fill::Constant(f32::NAN) }.fit(&hidden).is_err());
}

#[test]
fn limits_of_a_feature_that_hardly_varies_are_none() {
    let panel = |x: Vec<f32>| Panel::builder().feature("x", x).build().unwrap();
    let limits = Winsorise::default().fit(&panel(vec![1.0, 1.0, 1.0, 9.0])).unwrap();
    assert_eq!(limits.transform(panel(vec![99.0])).unwrap().feature(0).to_f32(), [99.0]);
    assert!(Winsorise { width: 0.0 }.fit(&panel(vec![1.0])).is_err());
}

#[test]
fn rolling_features_need_to_know_whose_rows_they_are() {
    let rolling = Recipe::Window(Rolling::new(2), vec![Stat::Mean]);
    let step = RollingFeatures { features: vec!["x".into()], recipes: vec![rolling] };
    let one = |labels: &[&str]| {
        Panel::builder().eras(labels).unwrap().feature("x", vec![1.0f32, 3.0, 5.0]).build().unwrap()
    };
    let alone = one(&["1", "2", "3"]);
    let made = step.fit(&alone).unwrap().transform(alone).unwrap();
    assert_eq!(made.feature_named("x_mean_2").unwrap().to_f32()[1..], [2.0, 4.0]);
    let crowd = one(&["1", "1", "2"]);
    let error = step.fit(&crowd).unwrap().transform(crowd).unwrap_err().to_string();
    assert!(error.contains("ids, or one row an era"), "{error}");
    let bad = Recipe::Window(Rolling::new(0), vec![Stat::Mean]);
    assert!(
        RollingFeatures { features: vec![], recipes: vec![bad] }
            .fit(&one(&["1", "2", "3"]))
            .is_err()
    );
}

#[test]
fn expanding_ranks_go_on_after_train() {
    let panel = |labels: &[&str], y: Vec<f32>| {
        Panel::builder().eras(labels).unwrap().target("y", y).build().unwrap()
    };
    let train = panel(&["1", "2"], vec![1.0, 2.0]);
    let fitted = ExpandingRank { closed: Closed::Left }.fit(&train).unwrap();
    let later = fitted.transform(panel(&["3", "4"], vec![1.5, f32::NAN])).unwrap();
    let found = later.target().unwrap().to_f32();
    assert!(found[0] == 0.5 && found[1].is_nan());
}

#[test]
fn every_transform_takes_a_panel_without_a_target() {
    let train = panel(Plan { seed: 3, changed_from: usize::MAX });
    for Step { name, recipe, .. } in transforms() {
        let made = recipe.fit(&train).unwrap().transform(train.without_targets());
        assert_eq!(made.unwrap().rows(), train.rows(), "{name}");
    }
}

#[test]
fn steps_make_a_pipeline() {
    let pipeline = Pipeline::first(PerEraRank::default())
        .then(Impute::default())
        .then(Scaler::default())
        .learner(Neutralised { learner: Adds, features: vec![], proportion: 0.5 });
    let train = panel(Plan { seed: 9, changed_from: usize::MAX });
    let predictions = pipeline.fit(&train).unwrap().predict(&train).unwrap();
    assert!(predictions.iter().all(|v| v.is_finite()));
}
