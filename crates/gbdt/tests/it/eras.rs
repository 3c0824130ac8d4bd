//! Criteria that listen to eras, where the pool is fooled.

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{Criterion, EraSettings, Gbdt};

use crate::data::{Draws, mean_correlation, name};

/// A sine that every era shifts up or down by much more than its height, and ten features by which
/// eras can be told apart: fitting the shifts wins most, and says nothing of other eras.
fn shifted_sine(seed: u64, eras: usize, rows: usize) -> Panel {
    let mut draws = Draws::new(seed);
    let total = eras * rows;
    let labels: Vec<String> = (0..total).map(|row| format!("{:04}", row / rows)).collect();
    let marks: Vec<Vec<f64>> =
        (0..10).map(|_| (0..eras).map(|_| draws.normal()).collect()).collect();
    let shifts: Vec<f64> = (0..eras).map(|_| 15.0 * draws.normal()).collect();
    let x: Vec<f32> = (0..total).map(|_| draws.unit() as f32).collect();
    let target: Vec<f32> = (0..total)
        .map(|row| {
            let sine = (std::f64::consts::TAU * f64::from(x[row])).sin();
            (sine + shifts[row / rows] + 0.5 * draws.normal()) as f32
        })
        .collect();
    let mut builder = Panel::builder().eras(&labels).unwrap().feature("x", x);
    for (at, marks) in marks.iter().enumerate() {
        let mark = (0..total).map(|row| (marks[row / rows] + 0.3 * draws.normal()) as f32);
        builder = builder.feature(name(at).as_str(), mark.collect::<Vec<f32>>());
    }
    builder.target("target", target).build().unwrap()
}

/// The mean correlation of held-out eras, over three draws of the market.
fn held_out(eras: EraSettings) -> f64 {
    let draws = [1, 3, 5].map(|seed| {
        let (train, test) = (shifted_sine(seed, 64, 200), shifted_sine(seed + 1, 64, 100));
        let settings = Gbdt { rounds: 60, depth: Some(4), leaves: 16, eras, ..Gbdt::default() };
        let model = settings.fit(&train).unwrap();
        mean_correlation(&test, &model.predict(&test).unwrap())
    });
    draws.iter().sum::<f64>() / draws.len() as f64
}

fn by(criterion: Criterion) -> EraSettings {
    // A split that few eras can judge is one that tells eras apart.
    EraSettings { criterion, valid_share: 0.8, ..EraSettings::default() }
}

#[test]
fn the_pool_fits_the_shifts_and_eras_that_judge_find_the_sine() {
    let plain = held_out(EraSettings::default());
    let directional = held_out(by(Criterion::Directional { power: 2.0, least: 0.5 }));
    let t = held_out(by(Criterion::TStatistic { least: 1.0 }));
    let split = Criterion::EraSplit { alpha: 0.0, gamma: 0.0, directional: 1.0, pooled: 0.0 };
    let split = held_out(by(split));
    let all =
        format!("plain {plain:.3} directional {directional:.3} t {t:.3} era split {split:.3}");
    println!("{all}");
    assert!(plain.abs() < 0.15, "{all}");
    assert!(directional > 0.5 && split > 0.5 && t > 0.5, "{all}");
}
