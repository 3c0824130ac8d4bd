//! Engines of tensors: adapters and a device that is left, moments that do not do, footprints, probes.

use burn::module::Lora;
use fattail_descent::{Huber, Objective, Pearson};
use fattail_mlp::{Head, Network as Perceptron};
use fattail_training::{Batch, Engine, Named, Snapshot, Update};

use super::{Precision, Recipe, TensorEngine, adapt};
use crate::{
    Architecture, device,
    layers::{EncoderShape, Start},
    nets::{MlpNetwork, SequenceShape},
};

const ROWS: usize = 6;
const INPUTS: usize = 3;

fn shape() -> Perceptron {
    Perceptron {
        inputs: INPUTS,
        hidden: vec![4],
        input_norm: false,
        norm: true,
        residual: false,
        dropout: 0.0,
        head: Head::Identity,
    }
}

fn recipe() -> Recipe {
    Recipe { objective: Huber { delta: 0.1 }.into(), ..Recipe::default() }
}

/// A perceptron, with adapters of rank 2 or without.
fn engine(adapters: bool) -> TensorEngine<MlpNetwork> {
    let build = move |device: &burn::tensor::Device| {
        let network = MlpNetwork::new(&shape(), &mut Start::new(5, device));
        Ok(if adapters { adapt(network, Lora::new(2, 4.0), 7) } else { network })
    };
    let cpu = device::cpu().unwrap();
    TensorEngine::new(&cpu, recipe(), String::new(), Box::new(build)).unwrap()
}

const FEATURES: [f32; ROWS * INPUTS] = [
    0.5, -0.2, 0.1, 0.9, 0.3, -0.7, -0.4, 0.8, 0.2, 0.6, -0.6, 0.4, -0.1, 0.2, 0.3, 0.7, -0.5, -0.9,
];
const TARGET: [f32; ROWS] = [0.1, 0.9, 0.4, 0.6, 0.2, 0.8];

fn batch(key: u64) -> Batch<'static> {
    Batch {
        features: &FEATURES,
        width: INPUTS,
        target: &TARGET,
        weight: None,
        rows: &[0; ROWS],
        eras: &[0, 0, 0, 1, 1, 1],
        key,
    }
}

fn step(engine: &mut dyn Engine, key: u64) {
    let update =
        Update { rate: 1e-2, clip_norm: None, clip_value: None, refuse_above: f64::INFINITY };
    engine.gradient(&batch(key), 1.0).unwrap();
    assert!(engine.apply(&update).unwrap().applied);
}

fn predictions(engine: &mut dyn Engine) -> [f32; ROWS] {
    let mut out = [0.0; ROWS];
    engine.predict(&batch(0), &mut out).unwrap();
    out
}

#[test]
fn adapters_go_along_when_the_device_is_left() {
    let mut engine = engine(true);
    step(&mut engine, 1);
    let kept = engine.snapshot().unwrap();
    assert!(kept.weights.iter().any(|tensor| tensor.name.contains("lora")), "{kept:?}");
    let before = predictions(&mut engine);
    step(&mut engine, 2);
    let after = engine.snapshot().unwrap();
    // What `leave_device` does when the device is not the CPU.
    engine.rebuild(&device::cpu().unwrap()).unwrap();
    engine.restore(&kept).unwrap();
    assert_eq!(predictions(&mut engine), before);
    step(&mut engine, 2);
    assert_eq!(engine.snapshot().unwrap(), after);
    assert!(!engine.leave_device().unwrap(), "it is on the CPU already");
}

fn refused(engine: &mut dyn Engine, snapshot: &Snapshot, words: &str) {
    let told = engine.restore(snapshot).unwrap_err().to_string();
    assert!(told.contains(words), "'{told}' does not say '{words}'");
}

#[test]
fn moments_that_do_not_do_are_refused() {
    for adapters in [false, true] {
        let mut engine = engine(adapters);
        step(&mut engine, 1);
        let sound = engine.snapshot().unwrap();
        engine.restore(&sound).unwrap();
        let change = |change: &dyn Fn(&mut Vec<Named>)| {
            let mut snapshot = sound.clone();
            change(&mut snapshot.optimiser);
            snapshot
        };
        let (first, second) = (&sound.optimiser[0].name, &sound.optimiser[1].name);
        assert!(first.starts_with("first.") && second.starts_with("second."));
        refused(&mut engine, &change(&|all| drop(all.remove(0))), first);
        refused(&mut engine, &change(&|all| drop(all.remove(1))), second);
        refused(&mut engine, &change(&|all| all[1].values[0] = -1e-9), "a second moment");
        refused(&mut engine, &change(&|all| all[1].values[0] = f32::NAN), second);
        let strange = Named { name: "first.strange".into(), shape: vec![1], values: vec![0.0] };
        refused(&mut engine, &change(&|all| all.push(strange.clone())), "first.strange");
        engine.restore(&sound).unwrap();
    }
}

#[test]
fn a_seed_is_an_identity_and_settings_are_another() {
    let mlp = Architecture::Mlp(shape());
    let cpu = device::cpu().unwrap();
    let identity = |architecture: &Architecture, recipe, fused| {
        architecture.engine(&cpu, recipe, fused).unwrap().identity()
    };
    let own = identity(&mlp, recipe(), false);
    assert_eq!(own, identity(&mlp, recipe(), true), "snapshots of one are snapshots of the other");
    let wider = Architecture::Mlp(Perceptron { hidden: vec![5], ..shape() });
    assert_ne!(own, identity(&wider, recipe(), false));
    let other = Recipe { objective: Huber { delta: 0.2 }.into(), ..recipe() };
    assert_ne!(own, identity(&mlp, other, false));
}

#[test]
fn eras_are_what_a_loss_by_eras_counts() {
    let cpu = device::cpu().unwrap();
    let pearson = Recipe { objective: Pearson.into(), ..recipe() };
    let mut engine = Architecture::Mlp(shape()).engine(&cpu, pearson, false).unwrap();
    assert_eq!(engine.mass(&batch(0)), 2.0);
    let still = [0.5; ROWS];
    let constant = Batch { target: &still, ..batch(0) };
    assert_eq!(engine.mass(&constant), 0.0);
    assert!(engine.gradient(&batch(0), 1.0).unwrap().is_finite());
    let rows = Architecture::Mlp(shape()).engine(&cpu, recipe(), false).unwrap();
    assert_eq!(rows.mass(&batch(0)), ROWS as f64);
}

#[test]
fn composed_attention_grows_with_the_length_too() {
    let encoder = EncoderShape {
        width: 8,
        heads: 2,
        hidden: 8,
        norm_first: true,
        causal: true,
        gelu: true,
        rotary: None,
        dropout: 0.1,
        recompute: false,
    };
    let kept = |window: usize, precision: Precision| {
        let shape = SequenceShape { inputs: 1, window, layers: 1, encoder, sigmoid: false };
        let recipe = Recipe { precision, ..recipe() };
        let cpu = device::cpu().unwrap();
        let engine = Architecture::Sequence(shape).engine(&cpu, recipe, false).unwrap();
        engine.footprint(4).activations
    };
    // Half precision is composed on the CPU too: in blocks of queries, so that twice the length is twice the memory.
    let [full, half] = [Precision::Full, Precision::Mixed].map(|way| kept(512, way));
    assert!(half > full, "{full} {half}");
    let [full, half] = [Precision::Full, Precision::Mixed]
        .map(|way| kept(1024, way) as f64 / kept(512, way) as f64);
    assert!(full < 2.1 && half < 2.1, "{full} {half}");
}

#[test]
fn a_loss_by_eras_is_counted() {
    let cpu = device::cpu().unwrap();
    let of = |objective: Objective| {
        let recipe = Recipe { objective, ..recipe() };
        Architecture::Mlp(shape()).engine(&cpu, recipe, false).unwrap().footprint(1000).workspace
    };
    assert_eq!(of(Pearson.into()), of(Huber { delta: 0.1 }.into()) + 48_000);
}
