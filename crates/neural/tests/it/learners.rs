//! Every learner learns a planted signal, twice the same.

use fattail_core::{Fit, Panel, Predict};
use fattail_neural::{
    AdamW, FeatureTransformer, GraphNet, Kernel, Learner, NeuralModel, Recurrent, Regime,
    RobustMlp, SequenceTransformer,
};
use fattail_training::Training;

/// `y = 0.5 + 0.2 a - 0.15 b c`, in eras of 50 rows.
pub(crate) fn panel(eras: usize) -> Panel {
    let rows = eras * 50;
    let mut state = 12_345u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let columns: Vec<Vec<f32>> = (0..4).map(|_| (0..rows).map(|_| draw()).collect()).collect();
    let y = |row: usize| 0.5 + 0.2 * columns[0][row] - 0.15 * columns[1][row] * columns[2][row];
    let y: Vec<f32> = (0..rows).map(y).collect();
    let labels: Vec<String> = (0..rows).map(|row| format!("{}", row / 50)).collect();
    let start = Panel::builder().eras(&labels).unwrap().target("y", y);
    let names = ["a", "b", "c", "d"];
    let all =
        names.iter().zip(columns).fold(start, |panel, (name, values)| panel.feature(*name, values));
    all.build().unwrap()
}

pub(crate) fn regime(epochs: u64) -> Regime {
    let training = Training { epochs, batch_size: 64, ..Training::default() };
    Regime {
        training,
        optimiser: AdamW { weight_decay: 0.0, ..AdamW::default() },
        ..Regime::default()
    }
}

/// The correlation of predictions and targets.
pub(crate) fn correlation(model: &NeuralModel, panel: &Panel) -> f64 {
    let predictions = model.predict(panel).unwrap();
    let target = panel.target().unwrap().to_f32();
    let mean =
        |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
    let (p, t) = (mean(&predictions), mean(&target));
    let (mut pp, mut tt, mut pt) = (0.0, 0.0, 0.0);
    for (a, b) in predictions.iter().zip(&target) {
        let (a, b) = (f64::from(*a) - p, f64::from(*b) - t);
        (pp, tt, pt) = (pp + a * a, tt + b * b, pt + a * b);
    }
    pt / (pp * tt).sqrt()
}

fn learns(learner: &(impl Learner + Fit<Fitted = NeuralModel>), at_least: f64) {
    let all = panel(60);
    let eras: Vec<usize> = (0..60).collect();
    let (train, test) = (all.cut(&eras[..40]).unwrap(), all.cut(&eras[40..]).unwrap());
    let model = learner.fit(&train).unwrap();
    let found = correlation(&model, &test);
    assert!(found > at_least, "correlation {found}");
    let again = learner.fit(&train).unwrap();
    assert_eq!(model.predict(&test).unwrap(), again.predict(&test).unwrap(), "the same twice");
    let read = NeuralModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(model.predict(&test).unwrap(), read.predict(&test).unwrap(), "read from its file");
}

#[test]
fn perceptrons_learn() {
    for kernel in [Kernel::Fused, Kernel::Tensors] {
        let learner = RobustMlp {
            kernel,
            dropout: 0.05,
            input_norm: false,
            regime: regime(30),
            ..RobustMlp::default()
        };
        learns(&learner, 0.8);
    }
}

#[test]
fn transformers_over_features_learn() {
    learns(
        &FeatureTransformer {
            width: 16,
            hidden: 32,
            layers: 1,
            regime: regime(20),
            ..FeatureTransformer::default()
        },
        0.8,
    );
    let patched = FeatureTransformer {
        patch: 3,
        width: 16,
        hidden: 32,
        layers: 1,
        regime: regime(20),
        ..FeatureTransformer::default()
    };
    learns(&patched, 0.7);
}

#[test]
fn networks_over_windows_learn() {
    let sequence = SequenceTransformer {
        window: 4,
        width: 16,
        hidden: 32,
        layers: 1,
        regime: regime(20),
        ..SequenceTransformer::default()
    };
    learns(&sequence, 0.7);
    for cell in [fattail_neural::layers::Cell::Lstm, fattail_neural::layers::Cell::Gru] {
        let recurrent =
            Recurrent { cell, window: 3, hidden: 16, regime: regime(20), ..Recurrent::default() };
        learns(&recurrent, 0.7);
    }
}

#[test]
fn graph_networks_learn() {
    for kind in [fattail_neural::nets::GraphKind::Gatv2, fattail_neural::nets::GraphKind::Gin] {
        let adjacency = fattail_neural::Adjacency::Nearest { neighbours: 3 };
        learns(
            &GraphNet { kind, adjacency, dropout: 0.0, regime: regime(30), ..GraphNet::default() },
            0.7,
        );
    }
}
