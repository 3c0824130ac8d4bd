//! The fused kernel and the network of tensors are the same: one loss curve over a thousand steps.

use fattail_descent::{Huber, Objective};
use fattail_mlp::{Head, Network};
use fattail_training::{Batch, Engine, Update};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Recipe;
use crate::{Architecture, device};

const ROWS: usize = 4096;
const INPUTS: usize = 5;
const BATCH: usize = 16;

/// Features, and a target in 0..1 that they tell something of.
fn data() -> (Vec<f32>, Vec<f32>) {
    let mut generator = ChaCha8Rng::seed_from_u64(3);
    let features: Vec<f32> =
        (0..ROWS * INPUTS).map(|_| 2.0 * generator.random::<f32>() - 1.0).collect();
    let target = |row: &[f32]| {
        let signal = 0.5 + 0.2 * row[0] - 0.15 * row[1] * row[2];
        signal + 0.1 * (generator.random::<f32>() - 0.5)
    };
    let target = features.chunks(INPUTS).map(target).collect();
    (features, target)
}

fn engines(dropout: f64) -> [Box<dyn Engine>; 2] {
    let shape = Network {
        inputs: INPUTS,
        hidden: vec![16, 8],
        input_norm: true,
        norm: true,
        residual: true,
        dropout,
        head: Head::Sigmoid,
    };
    let architecture = Architecture::Mlp(shape);
    let weights = architecture.start(5).expect("a shape");
    let recipe = Recipe { objective: Objective::from(Huber { delta: 0.1 }), ..Recipe::default() };
    let cpu = device::cpu().expect("a CPU");
    let flat: Vec<f32> = weights.into_iter().flat_map(|tensor| tensor.values).collect();
    [true, false].map(|fused| {
        let mut engine = architecture.engine(&cpu, recipe, fused).expect("an engine");
        engine.set_weights(&flat).expect("its weights");
        engine
    })
}

fn batch<'a>(features: &'a [f32], target: &'a [f32], step: usize) -> Batch<'a> {
    let first = step * BATCH % ROWS;
    Batch {
        features: &features[first * INPUTS..(first + BATCH) * INPUTS],
        width: INPUTS,
        target: &target[first..first + BATCH],
        weight: None,
        rows: &[0; BATCH],
        eras: &[0; BATCH],
        key: step as u64,
    }
}

#[test]
fn a_thousand_steps_are_the_same_within_1e_5() {
    let (features, target) = data();
    for dropout in [0.0, 0.1] {
        let [mut fused, mut tensors] = engines(dropout);
        let mut far: f64 = 0.0;
        for step in 0..1000 {
            let batch = batch(&features, &target, step);
            let warm = ((step + 1) as f64 / 100.0).min(1.0);
            let update = Update {
                rate: 1e-3 * warm,
                clip_norm: Some(1.0),
                clip_value: None,
                refuse_above: f64::INFINITY,
            };
            let losses = [&mut fused, &mut tensors].map(|engine| {
                let loss = engine.gradient(&batch, 1.0).unwrap();
                assert!(engine.apply(&update).unwrap().applied);
                loss
            });
            far = far.max((losses[0] - losses[1]).abs());
        }
        assert!(far <= 1e-5, "dropout {dropout}: the curves are {far} apart");
    }
}

#[test]
fn slopes_snapshots_and_predictions_are_the_same() {
    let (features, target) = data();
    let [mut fused, mut tensors] = engines(0.1);
    let look = batch(&features, &target, 0);
    let near = |a: &[f32], b: &[f32]| {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    };
    near(&fused.slope(&look).unwrap(), &tensors.slope(&look).unwrap());
    let (mut a, mut b) = ([0.0; BATCH], [0.0; BATCH]);
    fused.predict(&look, &mut a).unwrap();
    tensors.predict(&look, &mut b).unwrap();
    near(&a, &b);
    // A snapshot of one is a snapshot of the other.
    let update =
        Update { rate: 1e-2, clip_norm: None, clip_value: Some(0.1), refuse_above: f64::INFINITY };
    for step in 0..3 {
        fused.gradient(&batch(&features, &target, step), 1.0).unwrap();
        fused.apply(&update).unwrap();
    }
    tensors.restore(&fused.snapshot().unwrap()).unwrap();
    for step in 3..6 {
        let batch = batch(&features, &target, step);
        let losses = [&mut fused, &mut tensors].map(|engine| {
            let loss = engine.gradient(&batch, 1.0).unwrap();
            engine.apply(&update).unwrap();
            loss
        });
        assert!((losses[0] - losses[1]).abs() < 1e-6, "step {step}: {losses:?}");
    }
}
