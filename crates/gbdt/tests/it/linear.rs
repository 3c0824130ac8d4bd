//! Lines in the leaves.

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{EarlyStop, Gbdt, Limits, Rows, Sampling};

use crate::data::Draws;

/// A target that is a line in each half of x, with missing values in z.
fn bent(seed: u64, eras: usize, rows: usize) -> Panel {
    let mut draws = Draws::new(seed);
    let total = eras * rows;
    let labels: Vec<String> = (0..total).map(|row| format!("{:04}", row / rows)).collect();
    let x: Vec<f32> = (0..total).map(|_| draws.normal() as f32).collect();
    let z: Vec<f32> = (0..total)
        .map(|_| if draws.unit() < 0.1 { f32::NAN } else { draws.unit() as f32 })
        .collect();
    let target = x.iter().zip(&z).map(|(&x, &z)| x.abs() * 3.0 + if z.is_nan() { 0.0 } else { z });
    let target: Vec<f32> = target.map(|y| y + 0.05 * draws.normal() as f32).collect();
    let panel = Panel::builder().eras(&labels).unwrap().feature("x", x).feature("z", z);
    panel.target("target", target).build().unwrap()
}

fn error(panel: &Panel, settings: &Gbdt, train: &Panel) -> f64 {
    let predicted = settings.fit(train).unwrap().predict(panel).unwrap();
    let target = panel.target().unwrap().to_f32();
    let squares = predicted.iter().zip(&target).map(|(p, y)| f64::from(p - y).powi(2));
    squares.sum::<f64>() / target.len() as f64
}

#[test]
fn lines_fit_lines_with_fewer_leaves() {
    let (train, test) = (bent(1, 5, 300), bent(2, 5, 300));
    let limits = Limits { min_data_in_leaf: 30, ..Limits::default() };
    let plain = Gbdt { rounds: 30, leaves: 4, limits, ..Gbdt::default() };
    let lines = Gbdt { linear: Some(0.01), ..plain.clone() };
    let (steps, lined) = (error(&test, &plain, &train), error(&test, &lines, &train));
    assert!(lined < 0.6 * steps, "steps {steps}, lines {lined}");
}

#[test]
fn scores_in_training_are_the_predictions() {
    // The holdout's last metric is measured on scores that grew tree by tree; panels that are cut
    // have columns that do not lie end to end.
    let panel = bent(3, 10, 100);
    let cut = panel.cut(&[0, 1, 3, 4, 5, 7, 9]).unwrap();
    let stop = Some(EarlyStop { rounds: 100, holdout: 0.29, ..EarlyStop::default() });
    let rows = Rows::Bag { fraction: 0.7, every: 1 };
    for sampling in [Sampling::default(), Sampling { rows, ..Sampling::default() }] {
        let settings =
            Gbdt { rounds: 15, linear: Some(0.1), stop: stop.clone(), sampling, ..Gbdt::default() };
        let model = settings.fit(&cut).unwrap();
        let held = cut.cut(&[5, 6]).unwrap();
        let predicted = model.predict(&held).unwrap();
        let target = held.target().unwrap().to_f32();
        let squares = predicted.iter().zip(&target).map(|(p, y)| f64::from(p - y).powi(2));
        let mean = squares.sum::<f64>() / target.len() as f64;
        let best = model.history.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((mean - best).abs() < 1e-5 * best, "{mean} {best}");
        assert!(model.forest.trees[1].linear.len() > 1);
    }
}
