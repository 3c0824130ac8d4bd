//! Every learner learns a planted signal, twice the same.

use fattail_core::{Fit, Panel, Predict};
use fattail_descent::Pearson;
use fattail_neural::{
    AdamW, Adapter, FeatureTransformer, GraphNet, Kernel, Learner, NeuralModel, Precision,
    Recurrent, Regime, RobustMlp, SequenceTransformer, Vae,
};
use fattail_training::{Desk, Holdout, Order, Portion, Training};

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

fn refused<T: std::fmt::Debug>(found: fattail_neural::Result<T>, words: &[&str]) {
    let told = found.expect_err("it is refused").to_string();
    assert!(words.iter().all(|words| told.contains(words)), "'{told}' does not say {words:?}");
}

#[test]
fn eras_are_not_cut_across_steps() {
    let in_order = Training { order: Order::InOrder, ..regime(1).training };
    let regime = Regime { training: in_order, objective: Pearson.into(), ..regime(1) };
    let learner = RobustMlp { regime: regime.clone(), ..RobustMlp::default() };
    refused(learner.fit_with(&panel(4), Desk::default()), &["'order'", "in_order", "whole eras"]);
    // Rows by themselves may stand in order.
    let rows = Regime { objective: fattail_descent::Squared.into(), ..regime.clone() };
    RobustMlp { regime: rows, ..RobustMlp::default() }.fit(&panel(4)).unwrap();
    // An autoencoder has a loss of its own.
    Vae { latent: 1, hidden: 4, regime, ..Vae::default() }.fit(&panel(4)).unwrap();
}

#[test]
fn a_loss_by_eras_learns_and_passes_over_eras_of_one_target() {
    let data = panel(12);
    let mut target = data.target().unwrap().to_f32();
    target[50..100].fill(0.5);
    let data = data.with_target_values(target).unwrap();
    let training = Training { batch_size: 1, epochs: 6, ..regime(6).training };
    let regime = Regime { training, objective: Pearson.into(), ..regime(6) };
    let learner = RobustMlp {
        head: fattail_mlp::Head::Identity,
        input_norm: false,
        dropout: 0.0,
        regime,
        ..RobustMlp::default()
    };
    let model = learner.fit(&data).unwrap();
    let run = model.run.as_ref().unwrap();
    assert!(run.events.is_empty(), "{:?}", run.events);
    assert!(run.history.iter().all(|epoch| epoch.train_loss.is_finite() && epoch.skipped == 1));
    assert!(correlation(&model, &data) > 0.3);
}

#[test]
fn kernels_that_cannot_do_it_are_refused() {
    let with = |regime| RobustMlp { kernel: Kernel::Fused, regime, ..RobustMlp::default() };
    let data = panel(4);
    let fit = |regime| with(regime).fit_with(&data, Desk::default());
    refused(fit(Regime { precision: Precision::Mixed, ..regime(1) }), &["'kernel'", "mixed"]);
    refused(fit(Regime { device: "cuda".into(), ..regime(1) }), &["'kernel'", "not the CPU"]);
    refused(fit(Regime { objective: Pearson.into(), ..regime(1) }), &["'kernel'", "eras"]);
    let recurrent = Recurrent { window: 2, ..Recurrent::default() }.architecture(&data).unwrap();
    let weights = recurrent.start(1).unwrap();
    let refusal = regime(1).engine(&recurrent, Kernel::Fused, &weights).map(drop);
    refused(refusal, &["'kernel'", "no perceptron"]);
    // What can be done otherwise is done by tensors.
    let auto = Regime { precision: Precision::Mixed, objective: Pearson.into(), ..regime(1) };
    RobustMlp { regime: auto, ..RobustMlp::default() }.fit(&data).unwrap();
}

#[test]
fn targets_that_a_sigmoid_cannot_reach_are_named_with_row_and_era() {
    let data = panel(6);
    let mut target = data.target().unwrap().to_f32();
    target[117] = 5.0;
    let wild = data.with_target_values(target).unwrap();
    let learner = RobustMlp { regime: regime(1), ..RobustMlp::default() };
    let words = ["'a target'", "5 in era '2' at row 117", "in 0..1"];
    refused(learner.fit_with(&wild, Desk::default()), &words);
    let model = learner.fit(&data).unwrap();
    refused(Adapter { regime: regime(1), ..Adapter::default() }.fit(&model, &wild), &words);
}

#[test]
fn an_absent_device_is_told_of_by_every_learner_and_refused_where_nobody_is_told() {
    let data = panel(4);
    let absent = || Regime { device: "cuda:99".into(), ..regime(1) };
    let told = |warning: Option<String>| assert!(warning.unwrap().contains("cuda:99"));
    let model = RobustMlp { regime: absent(), ..RobustMlp::default() }.fit(&data).unwrap();
    told(model.warning.clone());
    let adapted = Adapter { regime: absent(), ..Adapter::default() }.fit(&model, &data).unwrap();
    told(adapted.warning.clone());
    let again = Adapter { regime: regime(1), ..Adapter::default() }.fit(&adapted, &data).unwrap();
    assert_eq!(again.warning, None, "of this fit, not of the one before");
    let vae = Vae { latent: 1, hidden: 4, regime: absent(), ..Vae::default() };
    told(vae.fit(&data).unwrap().model.warning);
    let found = absent().engine(&model.architecture, Kernel::Auto, &model.weights).map(drop);
    refused(found, &["cuda:99"]);
    refused(absent().footprint(&model.architecture, Kernel::Auto, 1), &["cuda:99"]);
}

#[test]
fn memory_is_asked_for_before_samples_are_read() {
    let data = panel(6);
    let mut broken = data.feature(1).to_f32();
    broken[10] = f32::NAN;
    let broken = data.replace_features([(1usize, broken)]).unwrap();
    // Reading samples would find the NaN first.
    for memory in [100, 20_000] {
        let tight = Training { memory: Some(memory), ..regime(1).training };
        let learner = Recurrent {
            window: 3,
            regime: Regime { training: tight, ..regime(1) },
            ..Recurrent::default()
        };
        refused(learner.fit_with(&broken, Desk::default()), &["bytes", &memory.to_string()]);
    }
    let model = RobustMlp { regime: regime(1), ..RobustMlp::default() }.fit(&data).unwrap();
    let mut engine = regime(1).engine(&model.architecture, Kernel::Auto, &model.weights).unwrap();
    let needs = regime(1).footprint(&model.architecture, Kernel::Auto, 512).unwrap();
    assert_eq!(needs, engine.footprint(512));
    assert_eq!(engine.snapshot().unwrap().weights, model.weights);
}

#[test]
fn an_autoencoder_has_its_own_loss_counts_weights_and_keeps_its_holdout() {
    let data = panel(10);
    let vae = |regime| Vae { latent: 2, hidden: 8, regime, ..Vae::default() };
    let weights = |data: &Panel, regime| vae(regime).fit(data).unwrap().model.weights;
    let own = weights(&data, regime(2));
    assert_eq!(own, weights(&data, Regime { objective: Pearson.into(), ..regime(2) }));
    let alike = data.with_weights(vec![2.0f32; data.rows()]).unwrap();
    assert_eq!(own, weights(&alike, regime(2)));
    let uneven: Vec<f32> = (0..data.rows()).map(|row| 0.1 + (row % 7) as f32).collect();
    assert_ne!(own, weights(&data.with_weights(uneven).unwrap(), regime(2)));
    // The last two eras are held out, one before them is left out; neither is looked at for scales.
    let holdout = Some(Holdout { portion: Portion::Eras(2), gap: 1 });
    let judged = Regime { training: Training { holdout, ..regime(3).training }, ..regime(3) };
    let mut far = data.feature(0).to_f32();
    far[350..].iter_mut().for_each(|value| *value += 100.0);
    let model = vae(judged).fit(&data.replace_features([(0usize, far)]).unwrap()).unwrap().model;
    let run = model.run.unwrap();
    assert!(run.best_epoch.is_some());
    assert!(run.history.iter().all(|epoch| epoch.holdout_loss > 100.0), "{:?}", run.history);
    let centre = model.weights.iter().find(|tensor| tensor.name == "centre").unwrap();
    assert!(centre.values[0].abs() < 0.2, "{:?}", centre.values);
}
