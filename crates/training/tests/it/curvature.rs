//! Curvature of losses whose second derivative is known.

use fattail_core::Panel;
use fattail_descent::Squared;
use fattail_training::{
    Buffer, Curvature, Desk, Engine, Order, Plan, Reading, Samples, Spectrum, Symptom, Training,
};

use crate::{toy::Linear, training::settings};

/// Rows of `scales[i]` at feature i, each with both signs: the mean of x x' is diagonal with
/// `scales[i]^2 / n`, and the constant has 1.
fn diagonal(scales: &[f32]) -> Samples {
    let n = scales.len();
    let mut panel = Panel::builder();
    for (feature, &scale) in scales.iter().enumerate() {
        let value = |row: usize| match row {
            row if row / 2 != feature => 0.0,
            row => scale * (1.0 - 2.0 * (row % 2) as f32),
        };
        panel = panel.feature(format!("x{feature}"), (0..2 * n).map(value).collect::<Vec<f32>>());
    }
    let target = (0..2 * n).map(|row| row as f32 / n as f32).collect::<Vec<f32>>();
    Samples::known(&panel.target("y", target).build().unwrap(), &Reading::default()).unwrap()
}

fn measure(samples: &Samples, curvature: &Curvature) -> Spectrum {
    let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
    plan.arrange(samples, Order::InOrder, samples.len(), (0, 0));
    let batch = buffer.batch(samples, &plan, plan.step(0), 0).unwrap();
    let mut engine = Linear::new(samples.width(), true);
    let weights = vec![0.3; samples.width() + 1];
    engine.set_weights(&weights).unwrap();
    let spectrum = curvature.measure(&mut engine, &batch, &weights).unwrap();
    assert_eq!(engine.weights(), weights);
    spectrum
}

#[test]
fn the_eigenvalues_of_a_quadratic_are_found() {
    // 4 features: eigenvalues 4, 9/4, 1/4, 1/16 and the constant's 1.
    let samples = diagonal(&[4.0, 3.0, 1.0, 0.5]);
    let spectrum = measure(&samples, &Curvature { iterations: 5, ..Curvature::default() });
    for (found, expected) in spectrum.eigenvalues.iter().zip([4.0, 2.25, 1.0, 0.25, 0.0625]) {
        assert!((found - expected).abs() < 1e-3, "{spectrum:?}");
    }
    assert_eq!(spectrum.rank, 5);
}

#[test]
fn the_largest_of_many_needs_few_iterations() {
    let scales: Vec<f32> = (0..60).map(|index| if index == 7 { 40.0 } else { 1.0 }).collect();
    let spectrum =
        measure(&diagonal(&scales), &Curvature { iterations: 8, ..Curvature::default() });
    let largest = 1600.0 / 60.0;
    assert!((spectrum.eigenvalues[0] / largest - 1.0).abs() < 1e-3, "{spectrum:?}");
}

#[test]
fn equal_eigenvalues_and_the_null_space_are_told_apart() {
    // Eigenvalues 1 three times (with the constant's), then 0 twice.
    let samples = diagonal(&[2.0, 2.0, 0.0, 0.0]);
    let spectrum = measure(&samples, &Curvature { iterations: 5, ..Curvature::default() });
    assert_eq!((spectrum.rank, spectrum.eigenvalues.len()), (3, 5));
    for (found, expected) in spectrum.eigenvalues.iter().zip([1.0, 1.0, 1.0, 0.0, 0.0]) {
        assert!((found - expected).abs() < 1e-3, "{spectrum:?}");
    }
}

#[test]
fn a_rank_that_is_too_low_is_an_event() {
    let curvature = Some(Curvature { iterations: 4, ..Curvature::default() });
    let training = Training { curvature, epochs: 1, ..settings() };
    let run = |scales: &[f32]| {
        let samples = diagonal(scales);
        let mut engine = Linear::new(samples.width(), true);
        let plain = Training { curvature: None, ..training.clone() };
        let run = training.run(&mut engine, &samples, &Squared, Desk::default()).unwrap();
        let mut other = Linear::new(samples.width(), true);
        plain.run(&mut other, &samples, &Squared, Desk::default()).unwrap();
        // Measuring changes nothing.
        assert_eq!(engine.snapshot().unwrap(), other.snapshot().unwrap());
        run.events
    };
    let events = run(&[2.0, 0.0, 0.0]);
    let Symptom::RankDeficient { rank: 2, sought: 4, largest } = events[0].symptom else {
        panic!("{events:?}")
    };
    // 4 / 3.
    assert!((largest - 4.0 / 3.0).abs() < 1e-3, "{largest}");
    assert!(run(&[2.0, 1.0, 1.5]).is_empty());
}
