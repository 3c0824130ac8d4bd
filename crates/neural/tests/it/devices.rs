//! The CPU against a GPU, or Mesa's software device: every model within 1e-3.
//!
//! Runs in a build with the feature `vulkan` or `wgpu`, on the first device that passes its probe; where
//! there is none it says so. `.ci/vulkan` installs one and asks for it with `--features vulkan`.

use fattail_core::Panel;
use fattail_neural::{
    Adjacency, FeatureTransformer, GraphNet, Kernel, Learner, Recurrent, Regime, RobustMlp,
    SequenceTransformer, Vae, device, layers::Cell, nets::GraphKind,
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
