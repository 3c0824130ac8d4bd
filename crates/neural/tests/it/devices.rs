//! The CPU against a GPU, or Mesa's software device: every model's predictions within 1e-3, before training
//! and after it, and the gradient of a batch within 1e-4 of its length.
//!
//! Runs in a build with the feature `vulkan` or `wgpu`, on the first device that passes its probe; where
//! there is none it says so. `.ci/vulkan` installs one and asks for it with `--features wgpu`.

use fattail_core::{Ids, Panel};
use fattail_neural::{
    AdamW, Adapter, Adjacency, FeatureTransformer, GraphNet, GraphOf, Kernel, Learner, NeuralModel,
    Precision, Recurrent, Regime, RobustMlp, SequenceTransformer, Vae, device, layers::Cell,
    nets::GraphKind,
};
use fattail_training::{Batch, Desk, Training};

use crate::learners::panel;

/// The first device beside the CPU that works.
fn other() -> Option<String> {
    let names = ["vulkan", "vulkan:cpu", "wgpu", "wgpu:cpu"];
    let found = names.into_iter().find(|name| device::require(name).is_ok());
    if found.is_none() {
        eprintln!("SKIPPED: no device beside the CPU");
    }
    found.map(str::to_owned)
}

fn near(what: &str, cpu: &[f32], gpu: &[f32]) {
    assert_eq!(cpu.len(), gpu.len());
    for (row, (cpu, gpu)) in cpu.iter().zip(gpu).enumerate() {
        assert!(
            (cpu - gpu).abs() <= 1e-3,
            "{what}, row {row}: {cpu} on the CPU, {gpu} on the device"
        );
    }
}

/// A few steps, so that the gradients of every parameter count. AdamW's first steps are as long for a
/// gradient that is rounding as for any other; an epsilon above rounding makes a step a smooth function of its
/// gradient, so that what differs after training is what gradients differ in.
fn regime(device: &str) -> Regime {
    let training = Training { epochs: 1, batch_size: 50, ..Training::default() };
    let optimiser = AdamW { epsilon: 1e-4, ..AdamW::default() };
    Regime { training, optimiser, device: device.to_owned(), ..Regime::default() }
}

/// Predicted on both with the same weights, its gradient on both, and then trained on both.
fn check(what: &str, data: &Panel, fit: impl Fn(Regime) -> NeuralModel) {
    let Some(name) = other() else {
        return;
    };
    let (host, gpu) = (device::cpu().unwrap(), device::require(&name).unwrap());
    let cpu = fit(regime("cpu"));
    let expected = cpu.predict_on(data, &host).unwrap();
    near(&format!("{what} forward"), &expected, &cpu.predict_on(data, &gpu).unwrap());
    slopes(what, data, &cpu, &name);
    let trained = fit(regime(&name));
    let run = trained.run.as_ref().unwrap();
    assert!(run.events.is_empty(), "{what}: {:?}", run.events);
    near(&format!("{what} trained"), &expected, &trained.predict_on(data, &host).unwrap());
}

fn learner<L: Learner>(learner: &L, data: &Panel) -> NeuralModel {
    learner.fit_with(data, Desk::default()).unwrap()
}

/// The gradients of an era's first samples at a model's weights.
fn slopes(what: &str, data: &Panel, model: &NeuralModel, device: &str) {
    let (window, rows) = (model.architecture.window(), data.eras().range(0));
    let columns: Vec<Vec<f32>> = (0..data.width()).map(|at| data.feature(at).to_f32()).collect();
    let row = |row: usize| columns.iter().map(move |column| column[row]);
    let samples = rows.len() + 1 - window.min(rows.len());
    let features: Vec<f32> =
        (0..samples).flat_map(|first| (first..first + window).flat_map(row)).collect();
    let target = &data.target().unwrap().to_f32()[..samples];
    let rows: Vec<u32> = (0..samples as u32).collect();
    let batch = Batch {
        features: &features,
        width: window * data.width(),
        target,
        weight: None,
        rows: &rows,
        eras: &vec![0; samples],
        key: 3,
    };
    let slope = |device: &str| {
        let engine = regime(device).engine(&model.architecture, Kernel::Tensors, &model.weights);
        let mut engine = engine.unwrap();
        engine.slope(&batch).unwrap()
    };
    let (cpu, gpu) = (slope("cpu"), slope(device));
    assert_eq!(cpu.len(), gpu.len());
    let length = |all: &mut dyn Iterator<Item = f32>| {
        all.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt()
    };
    let apart = length(&mut cpu.iter().zip(&gpu).map(|(cpu, gpu)| cpu - gpu));
    let size = length(&mut cpu.iter().copied());
    assert!(size > 0.0 && apart <= 1e-4 * size, "{what}: gradients of {size} are {apart} apart");
}

fn features(patch: usize, data: &Panel, regime: Regime) -> NeuralModel {
    let shape = FeatureTransformer { patch, width: 8, heads: 2, hidden: 12, ..Default::default() };
    learner(&FeatureTransformer { regime, ..shape }, data)
}

fn sequence(window: usize, layers: usize, data: &Panel, regime: Regime) -> NeuralModel {
    let shape = SequenceTransformer { window, layers, width: 8, heads: 2, ..Default::default() };
    learner(&SequenceTransformer { hidden: 12, dropout: 0.2, regime, ..shape }, data)
}

fn recurrent(cell: Cell, data: &Panel, regime: Regime) -> NeuralModel {
    let shape = Recurrent { cell, window: 4, hidden: 8, layers: 2, ..Default::default() };
    learner(&Recurrent { regime, ..shape }, data)
}

fn graph(kind: GraphKind, of: GraphOf, data: &Panel, regime: Regime) -> NeuralModel {
    let adjacency = Adjacency::Nearest { neighbours: 2 };
    learner(&GraphNet { kind, of, adjacency, width: 8, regime, ..GraphNet::default() }, data)
}

#[test]
fn perceptrons_are_the_same_on_a_gpu() {
    let data = panel(6);
    check("mlp", &data, |regime| {
        learner(&RobustMlp { kernel: Kernel::Tensors, regime, ..RobustMlp::default() }, &data)
    });
}

#[test]
fn transformers_of_features_are_the_same_on_a_gpu() {
    let data = panel(6);
    check("features", &data, |regime| features(1, &data, regime));
}

#[test]
fn patches_are_the_same_on_a_gpu() {
    let data = panel(6);
    check("patches", &data, |regime| features(3, &data, regime));
}

#[test]
fn bins_are_the_same_on_a_gpu() {
    let data = binned(&panel(6));
    check("bins", &data, |regime| features(1, &data, regime));
}

#[test]
fn windows_are_the_same_on_a_gpu() {
    let data = panel(6);
    check("window", &data, |regime| sequence(4, 2, &data, regime));
}

/// More positions than a block of queries, hidden ones and dropped ones: the way of tiles.
#[test]
fn long_windows_are_the_same_on_a_gpu() {
    let data = one_era(&panel(7));
    check("long window", &data, |regime| sequence(300, 1, &data, regime));
}

#[test]
fn lstm_is_the_same_on_a_gpu() {
    let data = panel(6);
    check("lstm", &data, |regime| recurrent(Cell::Lstm, &data, regime));
}

#[test]
fn gru_is_the_same_on_a_gpu() {
    let data = panel(6);
    check("gru", &data, |regime| recurrent(Cell::Gru, &data, regime));
}

#[test]
fn gatv2_is_the_same_on_a_gpu() {
    let data = panel(6);
    check("gatv2", &data, |regime| graph(GraphKind::Gatv2, GraphOf::Features, &data, regime));
}

#[test]
fn gin_is_the_same_on_a_gpu() {
    let data = panel(6);
    check("gin", &data, |regime| graph(GraphKind::Gin, GraphOf::Features, &data, regime));
}

#[test]
fn graphs_of_assets_are_the_same_on_a_gpu() {
    let data = with_ids(&panel(6));
    check("assets", &data, |regime| graph(GraphKind::Gatv2, GraphOf::Assets, &data, regime));
}

#[test]
fn the_autoencoder_is_the_same_on_a_gpu() {
    let data = panel(6);
    check("vae", &data, |regime| {
        let vae = Vae { latent: 2, hidden: 8, regime, ..Vae::default() };
        vae.fit_with(&data, Desk::default()).unwrap().model
    });
}

/// A model that was trained on the CPU, fitted to recent eras on both.
#[test]
fn adapters_are_the_same_on_a_gpu() {
    let Some(name) = other() else {
        return;
    };
    let data = panel(6);
    let base = RobustMlp { kernel: Kernel::Tensors, regime: regime("cpu"), ..RobustMlp::default() };
    let model = learner(&base, &data);
    let host = device::cpu().unwrap();
    let adapted = |device: &str| {
        let adapter = Adapter { rank: 2, regime: regime(device), ..Adapter::default() };
        adapter.fit(&model, &data).unwrap().predict_on(&data, &host).unwrap()
    };
    near("adapter", &adapted("cpu"), &adapted(&name));
}

/// bf16 has three digits: a device is near the CPU as far as that goes, or says that it has none.
#[test]
fn half_precision_is_near_or_refused_on_a_gpu() {
    use fattail_neural::burn::tensor::FloatDType;
    let Some(name) = other() else {
        return;
    };
    let data = panel(6);
    let host = device::cpu().unwrap();
    let trained = |device: &str, precision| {
        let regime = Regime { precision, ..regime(device) };
        let mlp = RobustMlp { kernel: Kernel::Tensors, regime, ..RobustMlp::default() };
        let model = mlp.fit_with(&data, Desk::default())?;
        model.predict_on(&data, &host)
    };
    let mixed = trained(&name, Precision::Mixed);
    if !device::require(&name).unwrap().supports_dtype(FloatDType::BF16) {
        let told = mixed.unwrap_err().to_string();
        assert!(told.contains("precision") && told.contains("bf16"), "{told}");
        return;
    }
    let full = trained("cpu", Precision::Full).unwrap();
    for (full, mixed) in full.iter().zip(mixed.unwrap()) {
        assert!((full - mixed).abs() <= 2e-2, "{full} in full, {mixed} in mixed precision");
    }
}

/// The panel's features in five bins.
fn binned(data: &Panel) -> Panel {
    let start =
        Panel::builder().era_runs(data.eras().clone()).target("y", data.target().unwrap().to_f32());
    let bins = |column: usize| -> Vec<u8> {
        let values = data.feature(column).to_f32();
        values.iter().map(|value| (2.5 * (value + 1.0)).clamp(0.0, 4.0) as u8).collect()
    };
    let names = ["a", "b", "c", "d"];
    let all = names.iter().enumerate();
    all.fold(start, |panel, (at, name)| panel.feature(*name, bins(at))).build().unwrap()
}

/// The same with ids: fifty assets in each era.
fn with_ids(data: &Panel) -> Panel {
    let ids: Vec<String> = (0..data.rows()).map(|row| format!("id{}", row % 50)).collect();
    let ids = ids.iter().map(String::as_str).collect::<Ids>();
    copied(data, Panel::builder().era_runs(data.eras().clone()).ids(ids))
}

/// The same without eras.
fn one_era(data: &Panel) -> Panel {
    copied(data, Panel::builder())
}

fn copied(data: &Panel, start: fattail_core::PanelBuilder) -> Panel {
    let names = ["a", "b", "c", "d"];
    let start = start.target("y", data.target().unwrap().to_f32());
    let all = names.iter().enumerate();
    all.fold(start, |panel, (at, name)| panel.feature(*name, data.feature(at).to_f32()))
        .build()
        .unwrap()
}
