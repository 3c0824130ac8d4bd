//! Whole runs: resumed, in half precision, adapted, squeezed, and refused.

use fattail_core::{Fit, Panel, Predict, Transform};
use fattail_neural::{
    Adapter, Adjacency, Architecture, Error, FeatureTransformer, GraphNet, GraphOf, Learner,
    NeuralModel, Precision, Regime, RobustMlp, Vae, weights::from_safetensors,
};
use fattail_training::{Desk, Holdout, Portion, Training};
use proptest::prelude::*;

use crate::learners::{correlation, panel, regime};

fn small(regime: Regime) -> FeatureTransformer {
    FeatureTransformer {
        width: 8,
        heads: 2,
        hidden: 12,
        layers: 1,
        regime,
        ..FeatureTransformer::default()
    }
}

/// Two epochs with checkpoints every few steps.
fn watched() -> Regime {
    let training = Training { checkpoint_every: 3, epochs: 2, ..regime(2).training };
    Regime { training, ..regime(2) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn a_killed_run_ends_with_the_same_bytes(kill in 1u64..18) {
        let data = panel(12);
        for learner in [true, false] {
            let fit = |desk: Desk<'_>| if learner {
                small(watched()).fit_with(&data, desk)
            } else {
                RobustMlp { regime: watched(), ..RobustMlp::default() }.fit_with(&data, desk)
            };
            let whole = fit(Desk::default()).unwrap();
            // Killed: the process ends at a step, and only the last checkpoint is left.
            let mut kept: Vec<u8> = Vec::new();
            let left = std::cell::Cell::new(kill);
            let killed = || { left.set(left.get() - 1); left.get() == 0 };
            let mut last: Option<Vec<u8>> = None;
            {
                let mut sink = |bytes: &[u8]| { if left.get() > 0 { last = Some(bytes.to_vec()); } Ok(()) };
                let desk = Desk { sink: Some(&mut sink), interrupt: Some(&killed), ..Desk::default() };
                fit(desk).unwrap();
            }
            if let Some(bytes) = last { kept = bytes; }
            let resume = (!kept.is_empty()).then_some(kept.as_slice());
            let resumed = fit(Desk { resume, ..Desk::default() }).unwrap();
            prop_assert_eq!(whole.to_bytes().unwrap(), resumed.to_bytes().unwrap());
        }
    }
}

#[test]
fn half_precision_learns_as_well() {
    let data = panel(40);
    let full = small(regime(15)).fit(&data).unwrap();
    let mixed = Regime { precision: Precision::Mixed, ..regime(15) };
    let mixed = small(mixed).fit(&data).unwrap();
    let (full, half) = (correlation(&full, &data), correlation(&mixed, &data));
    assert!(half > 0.95 * full && half > 0.6, "{full} in full, {half} in half precision");
    let run = mixed.run.unwrap();
    assert!(run.history.iter().all(|epoch| epoch.train_loss.is_finite()));
}

#[test]
fn recomputed_activations_change_nothing() {
    let data = panel(8);
    let kept = small(regime(2)).fit(&data).unwrap();
    let recomputed = small(Regime { checkpointing: true, ..regime(2) }).fit(&data).unwrap();
    let [a, b] = [kept, recomputed].map(|model| model.predict(&data).unwrap());
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn adapters_follow_recent_eras() {
    let old = panel(40);
    let model = small(regime(15)).fit(&old).unwrap();
    // The sign of everything turns.
    let turned: Vec<f32> = old.target().unwrap().to_f32().iter().map(|y| 1.0 - y).collect();
    let recent = old.with_target_values(turned).unwrap();
    let before = correlation(&model, &recent);
    let adapter = Adapter { rank: 4, alpha: 8.0, regime: regime(20) };
    let adapted = adapter.fit(&model, &recent).unwrap();
    let after = correlation(&adapted, &recent);
    assert!(before < 0.0 && after > 0.3, "{before} before, {after} after");
    assert_eq!(adapted.parameters(), model.parameters());
    let again = adapter.fit(&model, &recent).unwrap();
    assert_eq!(adapted.to_bytes().unwrap(), again.to_bytes().unwrap());
    assert!(Adapter { rank: 0, ..adapter }.fit(&model, &recent).is_err());
}

#[test]
fn whole_numbers_of_eight_bits_predict_nearly_the_same() {
    let data = panel(20);
    let model = small(regime(10)).fit(&data).unwrap();
    let eight = model.quantised().unwrap();
    let (full, half) = (model.predict(&data).unwrap(), eight.predict(&data).unwrap());
    let spread = full.iter().fold(0.0f32, |most, value| most.max((value - 0.5).abs()));
    for (a, b) in full.iter().zip(&half) {
        assert!((a - b).abs() < 0.05 * spread, "{a} {b}");
    }
    assert!(eight.bytes() * 2 < 4 * model.parameters(), "{} bytes", eight.bytes());
    let read = fattail_neural::QuantisedModel::from_bytes(&eight.to_bytes().unwrap()).unwrap();
    assert_eq!(half, read.predict(&data).unwrap());
}

#[test]
fn an_autoencoder_squeezes_and_tells_drift() {
    // Three features that are one.
    let base = panel(20);
    let a = base.feature(0).to_f32();
    let columns = [("u", 1.0), ("v", -2.0), ("w", 0.5)];
    let features =
        columns.map(|(name, factor)| (name, a.iter().map(|v| factor * v).collect::<Vec<f32>>()));
    let data = base.with_features(features).unwrap();
    let vae =
        Vae { latent: 1, hidden: 16, beta: 0.01, keep: true, regime: regime(30), ..Vae::default() };
    let model = vae.fit(&data).unwrap();
    let out = model.transform(data.clone()).unwrap();
    let names: Vec<&str> = out.schema().features().iter().map(AsRef::as_ref).collect();
    assert_eq!(names, ["u", "v", "w", "vae_0"]);
    let mean = |values: Vec<f32>| values.iter().sum::<f32>() / values.len() as f32;
    let usual = mean(model.drift(&data).unwrap());
    // The same values, but no longer one.
    let broken: Vec<f32> = a.iter().rev().copied().collect();
    let features = [("u", a), ("v", broken.clone()), ("w", broken)];
    let moved = mean(model.drift(&base.with_features(features).unwrap()).unwrap());
    assert!(moved > 5.0 * usual, "{usual} usually, {moved} when it is broken");
}

#[test]
fn assets_are_joined_by_what_they_did() {
    // Six assets in two groups; an asset's target is its group's feature mean, which its own feature
    // hardly shows.
    let (mut eras, mut ids, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut state = 7u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    for era in 0..120 {
        let groups = [draw(), draw()];
        for asset in 0..6 {
            eras.push(format!("{era}"));
            ids.push(format!("asset{asset}"));
            let group = groups[asset % 2];
            x.push(group + draw());
            y.push(group);
        }
    }
    let data = Panel::builder()
        .eras(&eras)
        .unwrap()
        .ids(ids.iter().map(String::as_str).collect::<fattail_core::Ids>())
        .feature("x", x)
        .target("y", y);
    let data = data.build().unwrap();
    let adjacency = Adjacency::Nearest { neighbours: 2 };
    let learner =
        |of| GraphNet { of, adjacency, dropout: 0.0, regime: regime(40), ..GraphNet::default() };
    let joined = learner(GraphOf::Assets).fit(&data).unwrap();
    let alone = RobustMlp {
        head: fattail_mlp::Head::Identity,
        input_norm: false,
        dropout: 0.0,
        regime: regime(40),
        ..RobustMlp::default()
    };
    let alone = alone.fit(&data).unwrap();
    let (joined_score, alone_score) = (correlation(&joined, &data), correlation(&alone, &data));
    assert!(joined_score > alone_score + 0.05, "{joined_score} joined, {alone_score} alone");
    let read = NeuralModel::from_bytes(&joined.to_bytes().unwrap()).unwrap();
    assert_eq!(read.predict(&data).unwrap(), joined.predict(&data).unwrap());
}

fn refused<T: std::fmt::Debug, E: std::fmt::Display>(found: Result<T, E>, words: &str) {
    let told = found.expect_err("it is refused").to_string();
    assert!(told.contains(words), "'{told}' does not say '{words}'");
    assert!(!told.contains('\n'), "'{told}' is more than one line");
}

#[test]
fn bad_panels_and_settings_are_refused_by_name() {
    let data = panel(6);
    let mut broken = data.feature(2).to_f32();
    broken[10] = f32::NAN;
    let nan = data.replace_features([(2usize, broken)]).unwrap();
    refused(small(regime(1)).fit(&nan), "column 'c' holds NaN");
    refused(FeatureTransformer { heads: 3, ..small(regime(1)) }.fit(&data), "heads");
    refused(
        RobustMlp { dropout: 1.0, regime: regime(1), ..RobustMlp::default() }.fit(&data),
        "dropout",
    );
    let sure = RobustMlp { regime: regime(1), ..RobustMlp::default() };
    let wild: Vec<f32> = (0..data.rows()).map(|row| row as f32).collect();
    refused(sure.fit(&data.with_target_values(wild).unwrap()), "a target");
    let unknown = data.with_target_values(vec![f32::NAN; data.rows()]).unwrap();
    refused(sure.fit(&unknown), "empty");
    let holdout = Some(Holdout { portion: Portion::Eras(6), gap: 1 });
    let greedy = Training { holdout, ..Training::default() };
    refused(
        RobustMlp { regime: Regime { training: greedy, ..regime(1) }, ..sure.clone() }.fit(&data),
        "training part",
    );
    refused(
        RobustMlp { regime: Regime { device: "abacus".into(), ..regime(1) }, ..sure.clone() }
            .fit(&data),
        "abacus",
    );
    let model = sure.fit(&data).unwrap();
    refused(model.predict(&data.select(&["a", "b"]).unwrap()), "c");
    let tight = Training { memory: Some(1000), ..Training::default() };
    refused(
        RobustMlp { regime: Regime { training: tight, ..regime(1) }, ..sure }.fit(&data),
        "bytes",
    );
}

#[test]
fn a_device_that_is_not_there_is_told_of() {
    let absent = Regime { device: "cuda:99".into(), ..regime(1) };
    let model = small(absent).fit(&panel(6)).unwrap();
    assert!(model.warning.unwrap().contains("cuda:99"));
    assert_eq!(small(regime(1)).fit(&panel(6)).unwrap().warning, None);
}

#[test]
fn hostile_files_are_refused() {
    let data = panel(6);
    let model = small(regime(1)).fit(&data).unwrap();
    let bytes = model.to_bytes().unwrap();
    for cut in [0, 1, 7, 8, 9, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(NeuralModel::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        assert!(from_safetensors(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut long = bytes.clone();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(NeuralModel::from_bytes(&long).is_err());
    // Weights of another network.
    let other = FeatureTransformer { width: 16, ..small(regime(1)) }.fit(&data).unwrap();
    let Architecture::Features(_) = other.architecture else { panic!("a transformer") };
    let mixed = NeuralModel::with_weights(
        model.architecture.clone(),
        model.features.clone(),
        other.weights.clone(),
    );
    assert!(matches!(mixed, Err(Error::Shape { .. })), "{mixed:?}");
    let mut lost = model.weights.clone();
    lost.pop();
    let lost = NeuralModel::with_weights(model.architecture.clone(), model.features.clone(), lost);
    assert!(matches!(lost, Err(Error::MissingTensor { .. })), "{lost:?}");
    let mut broken = model.weights.clone();
    broken[0].values[0] = f32::INFINITY;
    let broken =
        NeuralModel::with_weights(model.architecture.clone(), model.features.clone(), broken);
    assert!(matches!(broken, Err(Error::NotFinite { .. })), "{broken:?}");
    // A checkpoint of another run.
    let mut kept: Vec<u8> = Vec::new();
    let mut sink = |bytes: &[u8]| {
        kept = bytes.to_vec();
        Ok(())
    };
    small(regime(1)).fit_with(&data, Desk { sink: Some(&mut sink), ..Desk::default() }).unwrap();
    let wider = FeatureTransformer { width: 16, ..small(regime(1)) };
    refused(
        wider.fit_with(&data, Desk { resume: Some(&kept), ..Desk::default() }),
        "of another run",
    );
}

#[test]
fn adapters_go_on_with_the_model_that_they_were_fitted_to() {
    let data = panel(6);
    let models = [1, 2].map(|seed| {
        let training = Training { seed, ..regime(1).training };
        small(Regime { training, ..regime(1) }).fit(&data).unwrap()
    });
    let adapter = Adapter { rank: 2, alpha: 4.0, regime: watched() };
    let mut kept: Vec<u8> = Vec::new();
    let mut sink = |bytes: &[u8]| {
        kept = bytes.to_vec();
        Ok(())
    };
    let desk = Desk { sink: Some(&mut sink), ..Desk::default() };
    adapter.fit_with(&models[0], &data, desk).unwrap();
    let resumed =
        |model| adapter.fit_with(model, &data, Desk { resume: Some(&kept), ..Desk::default() });
    assert!(resumed(&models[0]).is_ok());
    refused(resumed(&models[1]), "of another run");
}

#[test]
fn where_a_network_starts_does_not_know_what_is_held_out() {
    let holdout = Some(Holdout { portion: Portion::Eras(4), gap: 2 });
    let training = Training { holdout, ..regime(1).training };
    let learner = small(Regime { training, ..regime(1) });
    let data = panel(20);
    let mut target = data.target().unwrap().to_f32();
    let constant = |panel: &Panel| learner.fit(panel).unwrap().constant;
    let before = constant(&data);
    // The eras of the gap and the holdout.
    target[14 * 50..].fill(9.0);
    let after = constant(&data.with_target_values(target).unwrap());
    let mut open = learner.clone();
    open.regime.training.holdout = None;
    let known = data.cut(&(0..14).collect::<Vec<_>>()).unwrap();
    let expected = open.fit(&known).unwrap().constant;
    assert!(before == after && before == expected, "{before}, {after} and {expected}");
}

#[test]
fn adapters_that_do_not_fit_are_refused_before_samples_are_read() {
    let data = panel(6);
    let model = RobustMlp { regime: regime(1), ..RobustMlp::default() }.fit(&data).unwrap();
    // Targets that its sigmoid does not reach: told of once samples are read.
    let recent = data.with_target_values(vec![9.0f32; data.rows()]).unwrap();
    for (memory, words) in [
        (Some(1000), "samples together takes"),
        (Some(200_000), "samples together takes"),
        (None, "sigmoid"),
    ] {
        let training = Training { memory, divide: false, ..regime(1).training };
        let adapter = Adapter { regime: Regime { training, ..regime(1) }, ..Adapter::default() };
        refused(adapter.fit(&model, &recent), words);
    }
}
