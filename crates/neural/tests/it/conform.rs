//! The laws of the house: every learner and the one transform.
//!
//! Steps are of all samples and without dropout, so that the order of rows plays no part, and windows of
//! one row, since a window reaches over the end of an era.

use fattail_descent::{Constant, Huber};
use fattail_mlp::Head;
use fattail_neural::{
    AdamW, Adjacency, FeatureTransformer, GraphNet, Kernel, Recurrent, Regime, RobustMlp,
    SequenceTransformer, Vae, layers::Cell, nets::GraphKind,
};
use fattail_testing::{check_learner, check_transform};
use fattail_training::{Order, Training};

fn regime(epochs: u64) -> Regime {
    let training = Training {
        epochs,
        batch_size: 10_000,
        order: Order::InOrder,
        rate: Constant { rate: 0.03 }.into(),
        ..Training::default()
    };
    // Gradients of almost nothing, which are rounding, move almost nothing.
    let optimiser = AdamW { epsilon: 0.01, ..AdamW::default() };
    Regime { training, optimiser, objective: Huber { delta: 0.5 }.into(), ..Regime::default() }
}

#[test]
fn perceptrons_obey_the_laws() {
    for kernel in [Kernel::Fused, Kernel::Tensors] {
        let learner = RobustMlp {
            hidden: vec![8],
            input_norm: false,
            norm: false,
            dropout: 0.0,
            head: Head::Identity,
            kernel,
            regime: regime(30),
            ..RobustMlp::default()
        };
        check_learner(&learner).unwrap_or_else(|broken| panic!("{kernel:?}: {broken}"));
    }
}

#[test]
fn transformers_obey_the_laws() {
    let features = FeatureTransformer {
        width: 4,
        heads: 1,
        layers: 1,
        hidden: 4,
        dropout: 0.0,
        regime: regime(15),
        ..FeatureTransformer::default()
    };
    check_learner(&features).unwrap();
    let sequence = SequenceTransformer {
        window: 1,
        width: 4,
        heads: 1,
        layers: 1,
        hidden: 4,
        dropout: 0.0,
        regime: regime(15),
        ..SequenceTransformer::default()
    };
    check_learner(&sequence).unwrap();
}

#[test]
fn recurrent_networks_obey_the_laws() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let learner = Recurrent {
            cell,
            window: 1,
            hidden: 6,
            dropout: 0.0,
            regime: regime(20),
            ..Recurrent::default()
        };
        check_learner(&learner).unwrap_or_else(|broken| panic!("{cell:?}: {broken}"));
    }
}

#[test]
fn graph_networks_obey_the_laws() {
    for kind in [GraphKind::Gatv2, GraphKind::Gin] {
        let learner = GraphNet {
            kind,
            adjacency: Adjacency::Nearest { neighbours: 2 },
            layers: 1,
            heads: 1,
            width: 4,
            dropout: 0.0,
            regime: regime(20),
            ..GraphNet::default()
        };
        check_learner(&learner).unwrap_or_else(|broken| panic!("{kind:?}: {broken}"));
    }
}

#[test]
fn the_autoencoder_obeys_the_laws() {
    for keep in [false, true] {
        let vae = Vae { latent: 2, hidden: 6, keep, regime: regime(4), ..Vae::default() };
        check_transform(&vae).unwrap();
    }
}
