//! The CPU against a GPU, or Mesa's software device: every model within 1e-3.
//!
//! Runs in a build with the feature `vulkan` or `wgpu`, on the first device that passes its probe; where
//! there is none it says so. `.ci/vulkan` installs one and asks for it with `--features vulkan`.

use fattail_core::Panel;
use fattail_neural::{
    Adapter, Adjacency, FeatureTransformer, GraphNet, Kernel, Learner, Precision, Recurrent,
    Regime, RobustMlp, SequenceTransformer, Vae, device, layers::Cell, nets::GraphKind,
};
use fattail_training::{Desk, Training};

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

/// A few steps, so that the gradients of every parameter count.
fn regime(device: &str) -> Regime {
    let training = Training { epochs: 1, batch_size: 50, ..Training::default() };
    Regime { training, device: device.to_owned(), ..Regime::default() }
}

/// Trained on both and then predicted on both.
fn check<L: Learner>(what: &str, data: &Panel, learner: impl Fn(Regime) -> L) {
    let Some(name) = other() else {
        return;
    };
    let gpu = device::require(&name).unwrap();
    let cpu = learner(regime("cpu")).fit_with(data, Desk::default()).unwrap();
    let host = device::cpu().unwrap();
    let expected = cpu.predict_on(data, &host).unwrap();
    near(&format!("{what} forward"), &expected, &cpu.predict_on(data, &gpu).unwrap());
    let trained = learner(regime(&name)).fit_with(data, Desk::default()).unwrap();
    let run = trained.run.as_ref().unwrap();
    assert!(run.events.is_empty(), "{what}: {:?}", run.events);
    near(&format!("{what} trained"), &expected, &trained.predict_on(data, &host).unwrap());
}

#[test]
fn every_model_is_the_same_on_a_gpu() {
    let data = panel(6);
    check("mlp", &data, |regime| RobustMlp {
        kernel: Kernel::Tensors,
        regime,
        ..RobustMlp::default()
    });
    check("features", &data, |regime| FeatureTransformer {
        width: 8,
        heads: 2,
        hidden: 12,
        regime,
        ..FeatureTransformer::default()
    });
    check("patches", &data, |regime| FeatureTransformer {
        patch: 3,
        width: 8,
        heads: 2,
        hidden: 12,
        regime,
        ..FeatureTransformer::default()
    });
    check("sequence", &data, |regime| SequenceTransformer {
        window: 4,
        width: 8,
        heads: 2,
        hidden: 12,
        regime,
        ..SequenceTransformer::default()
    });
    for cell in [Cell::Lstm, Cell::Gru] {
        check("recurrent", &data, |regime| Recurrent {
            cell,
            window: 4,
            hidden: 8,
            layers: 2,
            regime,
            ..Recurrent::default()
        });
    }
    for kind in [GraphKind::Gatv2, GraphKind::Gin] {
        let adjacency = Adjacency::Nearest { neighbours: 2 };
        check("graph", &data, |regime| GraphNet {
            kind,
            adjacency,
            width: 8,
            regime,
            ..GraphNet::default()
        });
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

#[test]
fn bins_are_the_same_on_a_gpu() {
    check("bins", &binned(&panel(6)), |regime| FeatureTransformer {
        width: 8,
        heads: 2,
        hidden: 12,
        regime,
        ..FeatureTransformer::default()
    });
}

/// More positions than a block of queries, hidden ones and dropped ones: the way of tiles.
#[test]
fn long_windows_are_the_same_on_a_gpu() {
    check("long window", &panel(12), |regime| SequenceTransformer {
        window: 300,
        width: 8,
        heads: 2,
        hidden: 12,
        layers: 1,
        dropout: 0.2,
        regime,
        ..SequenceTransformer::default()
    });
}

/// A model that was trained on the CPU, fitted to recent eras on both.
#[test]
fn adapters_are_the_same_on_a_gpu() {
    let Some(name) = other() else {
        return;
    };
    let data = panel(6);
    let learner =
        RobustMlp { kernel: Kernel::Tensors, regime: regime("cpu"), ..RobustMlp::default() };
    let model = learner.fit_with(&data, Desk::default()).unwrap();
    let host = device::cpu().unwrap();
    let adapted = |device: &str| {
        let adapter = Adapter { rank: 2, regime: regime(device), ..Adapter::default() };
        adapter.fit(&model, &data).unwrap().predict_on(&data, &host).unwrap()
    };
    near("adapter", &adapted("cpu"), &adapted(&name));
}

/// bf16 has three digits: a device is near the CPU as far as that goes.
#[test]
fn half_precision_is_near_on_a_gpu() {
    let Some(name) = other() else {
        return;
    };
    let data = panel(6);
    let host = device::cpu().unwrap();
    let trained = |device: &str, precision| {
        let regime = Regime { precision, ..regime(device) };
        let learner = RobustMlp { kernel: Kernel::Tensors, regime, ..RobustMlp::default() };
        learner.fit_with(&data, Desk::default()).unwrap().predict_on(&data, &host).unwrap()
    };
    let full = trained("cpu", Precision::Full);
    for (full, mixed) in full.iter().zip(trained(&name, Precision::Mixed)) {
        assert!((full - mixed).abs() <= 2e-2, "{full} in full, {mixed} in mixed precision");
    }
}

#[test]
fn the_autoencoder_is_the_same_on_a_gpu() {
    let Some(name) = other() else {
        return;
    };
    let data = panel(6);
    let fit = |device: &str| {
        let vae = Vae { latent: 2, hidden: 8, regime: regime(device), ..Vae::default() };
        vae.fit_with(&data, Desk::default()).unwrap()
    };
    near("vae", &fit("cpu").drift(&data).unwrap(), &fit(&name).drift(&data).unwrap());
}
