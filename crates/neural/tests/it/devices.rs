//! The CPU against a GPU, or Mesa's software device: every model's predictions within 1e-3, before training
//! and after it, the gradients of a batch within 1e-4 of their length, and the weights after training within 1e-4
//! of the way that they went.
//!
//! Runs in a build with the feature `cuda`, `vulkan` or `wgpu`, on the first device that passes its probe; where
//! there is none it says so. `.ci/vulkan` installs one and asks for it with `--features wgpu`.

use fattail_core::{Ids, Panel};
use fattail_neural::{
    AdamW, Adapter, Adjacency, FeatureTransformer, GraphNet, GraphOf, Kernel, Learner, NeuralModel,
    Precision, Recurrent, Regime, RobustMlp, SequenceTransformer, Vae, device, layers::Cell,
    nets::GraphKind,
};
use fattail_training::{Batch, Desk, Named, Training, Update};

use crate::learners::panel;

/// The first device beside the CPU that works.
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn other() -> Option<String> {
    let names = ["cuda", "vulkan", "vulkan:cpu", "wgpu", "wgpu:cpu"];
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

/// Predicted on both with the same weights, its gradients on both, and then trained on both.
fn check(what: &str, data: &Panel, fit: impl Fn(Regime) -> NeuralModel) {
    let Some(name) = other() else {
        return;
    };
    let (host, gpu) = (device::cpu().unwrap(), device::require(&name).unwrap());
    let cpu = fit(regime("cpu"));
    let expected = cpu.predict_on(data, &host).unwrap();
    near(&format!("{what} forward"), &expected, &cpu.predict_on(data, &gpu).unwrap());
    gradients(what, data, &cpu, &name);
    let trained = fit(regime(&name));
    let run = trained.run.as_ref().unwrap();
    assert!(run.events.is_empty(), "{what}: {:?}", run.events);
    near(&format!("{what} trained"), &expected, &trained.predict_on(data, &host).unwrap());
    let start = cpu.architecture.start(regime("cpu").training.seed).unwrap();
    moved_alike(what, &start, &cpu, &trained);
}

/// Two trained models are closer to one another, by far, than to where they began.
fn moved_alike(what: &str, start: &[Named], cpu: &NeuralModel, gpu: &NeuralModel) {
    let [start, cpu, gpu] = [start, &cpu.weights, &gpu.weights].map(flat);
    let (moved, apart) = (distance(&start, &cpu), distance(&cpu, &gpu));
    assert!(moved > 1e-3 && apart <= 1e-4 * moved, "{what}: moved by {moved}, {apart} apart");
}

fn flat(tensors: &[Named]) -> Vec<f32> {
    tensors.iter().flat_map(|tensor| tensor.values.iter().copied()).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

fn expect_alike(what: &str, cpu: &[f32], gpu: &[f32], share: f64) {
    let (size, apart) = (distance(cpu, &vec![0.0; cpu.len()]), distance(cpu, gpu));
    assert!(size > 0.0 && apart <= share * size, "{what}: those of {size} are {apart} apart");
}

fn learner<L: Learner>(learner: &L, data: &Panel) -> NeuralModel {
    learner.fit_with(data, Desk::default()).unwrap()
}

/// The gradients of an era's first samples at a model's weights: without noise, and with the dropout of a step.
fn gradients(what: &str, data: &Panel, model: &NeuralModel, device: &str) {
    let [cpu, gpu] = ["cpu", device].map(|device| slopes(data, model, &regime(device)));
    for ((cpu, gpu), kind) in cpu.iter().zip(&gpu).zip(["plain", "noisy"]) {
        expect_alike(&format!("{what}, {kind} gradients"), cpu, gpu, 1e-4);
    }
}

fn slopes(data: &Panel, model: &NeuralModel, regime: &Regime) -> [Vec<f32>; 2] {
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
    let engine = regime.engine(&model.architecture, Kernel::Tensors, &model.weights);
    let mut engine = engine.unwrap();
    let plain = engine.slope(&batch).unwrap();
    engine.gradient(&batch, 1.0).unwrap();
    let update =
        Update { rate: 1e-3, clip_norm: None, clip_value: None, refuse_above: f64::INFINITY };
    assert!(engine.apply(&update).unwrap().applied);
    // After one step the first moment is a tenth of the gradient.
    let moments = engine.snapshot().unwrap().optimiser;
    let first: Vec<Named> =
        moments.into_iter().filter(|moment| moment.name.starts_with("first.")).collect();
    [plain, flat(&first)]
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
    check("mlp", &data, |regime| perceptron(&data, regime));
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
    for (what, kind) in [("gatv2 on assets", GraphKind::Gatv2), ("gin on assets", GraphKind::Gin)] {
        check(what, &data, |regime| graph(kind, GraphOf::Assets, &data, regime));
    }
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
    let model = perceptron(&data, regime("cpu"));
    let host = device::cpu().unwrap();
    let adapted = ["cpu", name.as_str()].map(|device| {
        let adapter = Adapter { rank: 2, regime: regime(device), ..Adapter::default() };
        adapter.fit(&model, &data).unwrap()
    });
    let [cpu, gpu] = [0, 1].map(|at: usize| adapted[at].predict_on(&data, &host).unwrap());
    near("adapter", &cpu, &gpu);
    moved_alike("adapter", &model.weights, &adapted[0], &adapted[1]);
}

/// bf16 has two to three digits, and what a gradient is made of is the difference of predictions and targets,
/// which loses one more.
fn expect_half(model: &NeuralModel, data: &Panel, device: &str) {
    let full = slopes(data, model, &regime("cpu"));
    let mixed = Regime { precision: Precision::Mixed, ..regime(device) };
    let mixed = slopes(data, model, &mixed);
    for (full, mixed) in full.iter().zip(&mixed) {
        expect_alike(&format!("bf16 on {device}"), full, mixed, 1e-1);
    }
}

fn perceptron(data: &Panel, regime: Regime) -> NeuralModel {
    learner(&RobustMlp { kernel: Kernel::Tensors, regime, ..RobustMlp::default() }, data)
}

#[test]
fn half_precision_is_near_on_the_cpu() {
    let data = panel(6);
    for model in [perceptron(&data, regime("cpu")), features(1, &data, regime("cpu"))] {
        expect_half(&model, &data, "cpu");
    }
}

#[test]
fn half_precision_is_near_or_refused_on_a_gpu() {
    use fattail_neural::burn::tensor::FloatDType;
    let Some(name) = other() else {
        return;
    };
    let data = panel(6);
    if device::require(&name).unwrap().supports_dtype(FloatDType::BF16) {
        return expect_half(&perceptron(&data, regime("cpu")), &data, &name);
    }
    let regime = Regime { precision: Precision::Mixed, ..regime(&name) };
    let learner = RobustMlp { kernel: Kernel::Tensors, regime, ..RobustMlp::default() };
    let told = learner.fit_with(&data, Desk::default()).unwrap_err().to_string();
    assert!(told.contains("precision") && told.contains("bf16"), "{told}");
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
