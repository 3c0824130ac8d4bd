//! Training that goes on with the eras that are predicted worst.

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{Boosting, EraBoosting, EraSettings, Gbdt, Rows, Sampling};

use crate::data::{Draws, bins, name};

/// Twenty eras that follow f0 and, in the last five, the opposite of it.
fn minority() -> Panel {
    let mut draws = Draws::new(4);
    let rows = 20 * 100;
    let labels: Vec<String> = (0..rows).map(|row| format!("{:02}", row / 100)).collect();
    let columns: Vec<Vec<u8>> =
        (0..3).map(|_| (0..rows).map(|_| (draws.unit() * 5.0) as u8).collect()).collect();
    let target: Vec<f32> = (0..rows)
        .map(|row| {
            let sign = if row >= 1500 { -1.0 } else { 1.0 };
            (sign * (f64::from(columns[0][row]) - 2.0) + 0.5 * draws.normal()) as f32
        })
        .collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    for (at, column) in columns.into_iter().enumerate() {
        builder = builder.feature(name(at).as_str(), column);
    }
    builder.target("target", target).build().unwrap()
}

fn correlations(panel: &Panel, boosting: Option<EraBoosting>, rounds: usize) -> Vec<f64> {
    let eras = EraSettings { boosting, ..EraSettings::default() };
    let model = Gbdt { rounds, eras, ..Gbdt::default() }.fit(panel).unwrap();
    let prediction = model.predict(panel).unwrap();
    let pairs = panel.iter().zip(panel.eras().ranges());
    let of = pairs.map(|(era, range)| {
        let x: Vec<f64> = prediction[range].iter().map(|&x| f64::from(x)).collect();
        let y: Vec<f64> = era.target().unwrap().iter().map(|&y| f64::from(y)).collect();
        fattail_stats::spearman(&x, &y).unwrap()
    });
    of.collect()
}

#[test]
fn the_worst_eras_are_predicted_better() {
    let panel = minority();
    let boosting = EraBoosting { proportion: 0.25, every: 10 };
    let last = |all: Vec<f64>| all[15..].iter().sum::<f64>() / 5.0;
    let plain = last(correlations(&panel, None, 20));
    let boosted = last(correlations(&panel, Some(boosting), 20));
    assert!(plain < -0.5 && boosted > plain + 0.3, "plain {plain} boosted {boosted}");
}

#[test]
fn nothing_changes_before_the_first_choice() {
    let panel = minority();
    let boosting = EraBoosting { proportion: 0.25, every: 10 };
    let plain = correlations(&panel, None, 10);
    assert_eq!(plain, correlations(&panel, Some(boosting), 10));
    assert_ne!(correlations(&panel, None, 11), correlations(&panel, Some(boosting), 11));
}

#[test]
fn trees_count_the_rows_of_the_kept_eras() {
    let panel = minority();
    let eras = EraSettings {
        boosting: Some(EraBoosting { proportion: 0.25, every: 2 }),
        ..EraSettings::default()
    };
    let rows_of = |rows: Rows| {
        let sampling = Sampling { rows, ..Sampling::default() };
        let model = Gbdt { rounds: 3, sampling, eras, ..Gbdt::default() }.fit(&panel).unwrap();
        model.forest.trees[2].counts.iter().sum::<u64>()
    };
    assert_eq!(rows_of(Rows::All), 500);
    assert_eq!(rows_of(Rows::Bag { fraction: 0.5, every: 1 }), 250);
    assert_eq!(rows_of(Rows::Eras { fraction: 0.4, every: 1 }), 200);
}

#[test]
fn a_forest_has_no_scores_to_go_by_and_ranges_are_kept() {
    let panel = bins(1, 4, 30, 3, 1.0);
    let with = |boosting| EraSettings { boosting: Some(boosting), ..EraSettings::default() };
    let sampling = Sampling { rows: Rows::Bag { fraction: 0.5, every: 1 }, ..Sampling::default() };
    let eras = with(EraBoosting::default());
    let forest = Gbdt { boosting: Boosting::RandomForest, sampling, eras, ..Gbdt::default() };
    assert!(forest.fit(&panel).unwrap_err().to_string().contains("random forest"));
    for (boosting, part) in [
        (EraBoosting { proportion: 0.0, every: 1 }, "proportion"),
        (EraBoosting { proportion: 0.5, every: 0 }, "every"),
    ] {
        let error = Gbdt { eras: with(boosting), ..Gbdt::default() }.fit(&panel).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}
