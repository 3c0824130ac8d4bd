//! Planted faults: what the log says, and how the run ends.

use fattail_descent::Squared;
use fattail_training::{
    Action, Average, Curvature, Desk, Engine, Holdout, Order, Policies, Portion, Response, Run,
    Stopped, Symptom, Thresholds, Training,
};

use crate::{
    toy::{Faulty, Linear, Plant, samples},
    training::settings,
};

fn train(training: &Training, plant: Plant) -> (Run, Vec<f32>) {
    let mut engine = Faulty::new(Linear::new(2, true), plant);
    let run = training.run(&mut engine, &samples(), &Squared, Desk::default()).unwrap();
    (run, engine.inner.weights().to_vec())
}

/// Whether the linear relation was found all the same.
fn assert_found(weights: &[f32]) {
    for (found, expected) in weights.iter().zip([0.5, -0.25, 0.1]) {
        assert!((found - expected).abs() < 2e-3, "{weights:?}");
    }
}

fn held() -> Training {
    let holdout = Some(Holdout { portion: Portion::Share(0.2), gap: 1 });
    Training { holdout, ..settings() }
}

#[test]
fn a_nan_in_a_batch_costs_one_step() {
    let (run, weights) = train(&settings(), Plant::NanLoss(20));
    assert_eq!(run.events.len(), 1);
    let event = &run.events[0];
    assert_eq!((event.epoch, event.step, event.response), (1, 20, Response::Skipped));
    assert!(matches!(event.symptom, Symptom::NonFiniteLoss { loss } if loss.is_nan()));
    assert_eq!((run.history[1].skipped, run.history[1].steps), (1, 12));
    assert_found(&weights);
}

#[test]
fn gradients_that_stay_nan_bring_back_good_weights_and_end_in_time() {
    let policies = Policies { restore_after: 3, snapshot_every: 10, ..Policies::default() };
    let training = Training { policies, ..settings() };
    let (run, weights) = train(&training, Plant::NanGradient(15, 3));
    let responses: Vec<Response> = run.events.iter().map(|event| event.response).collect();
    // Weights were kept at the end of the first epoch, at step 13.
    let restored = Response::Restored { step: 13, factor: 0.5 };
    assert_eq!(responses, [Response::Skipped, Response::Skipped, restored]);
    assert_found(&weights);

    let policies = Policies { give_up_after: 4, ..policies };
    let (run, weights) = train(&Training { policies, ..settings() }, Plant::NanGradient(15, 999));
    assert_eq!(run.events.last().unwrap().response, Response::Stopped);
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::NonFiniteGradient { .. })));
    assert_eq!(run.events.len(), 5);
    assert!(weights.iter().all(|weight| weight.is_finite()));
}

#[test]
fn a_spike_is_refused_noted_or_answered_with_a_lower_rate() {
    let thresholds = Thresholds { exploding: 1e4, ..Thresholds::default() };
    let with = |exploding| {
        let policies = Policies { exploding, ..Policies::default() };
        // With the norm cut to 1 even a spike that is let through does little.
        let training = Training { policies, thresholds, clip_norm: Some(1.0), ..settings() };
        train(&training, Plant::Spike(70, 1e9))
    };
    let (run, weights) = with(Action::Skip);
    let Symptom::ExplodingNorm { norm, typical, limit } = run.events[0].symptom else {
        panic!("{:?}", run.events)
    };
    assert!(norm > limit && limit > typical && run.events[0].step == 70);
    assert_found(&weights);
    let (run, _) = with(Action::LowerRate { factor: 0.25 });
    assert_eq!(run.events[0].response, Response::LoweredRate { factor: 0.25 });
    assert_eq!(run.history.last().unwrap().rate, 0.02 * 0.25);
    let (run, _) = with(Action::Note);
    assert_eq!((run.events[0].response, run.history[5].skipped), (Response::Noted, 0));
    let (run, _) = with(Action::Stop);
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::ExplodingNorm { .. })));
}

#[test]
fn an_exploding_rate_is_lowered_until_training_goes_on() {
    // Plain descent diverges when the rate is above 2 over the largest eigenvalue, which is about
    // 1: here it is five times as much from step 130 on.
    let rate = fattail_descent::Staircase { start: 0.5, gamma: 20.0, every: 130 };
    let parts = vec![rate.into(), fattail_descent::Constant { rate: 10.0 }.into()];
    let rate = fattail_descent::Sequence { parts, milestones: vec![131] };
    let policies = Policies {
        exploding: Action::Restore { factor: 0.25 },
        snapshot_every: 5,
        ..Policies::default()
    };
    // The model fits without noise, so that norms fall for ever; only the settled scale counts.
    let thresholds = Thresholds { exploding: 10.0, ..Thresholds::default() };
    let training = Training { rate: rate.into(), policies, thresholds, ..settings() };
    let mut engine = Faulty::new(Linear::new(2, false), Plant::Nothing);
    let run = training.run(&mut engine, &samples(), &Squared, Desk::default()).unwrap();
    assert_eq!(run.stopped, Stopped::Finished, "{:?}", run.events);
    assert!(!run.events.is_empty());
    for event in &run.events {
        assert!(matches!(event.symptom, Symptom::ExplodingNorm { .. }), "{event}");
        assert!(matches!(event.response, Response::Restored { .. }), "{event}");
    }
    assert_found(engine.inner.weights());
}

#[test]
fn out_of_memory_halves_what_goes_together_and_keeps_the_batch() {
    for order in [Order::Shuffled, Order::Eras] {
        let training = Training { batch_size: 40, order, ..settings() };
        let (smooth, expected) = train(&training, Plant::Nothing);
        let (run, weights) = train(&training, Plant::Memory(12, 10));
        let halved: Vec<Response> = run.events.iter().map(|event| event.response).collect();
        let by = |samples| Response::HalvedBatch { samples };
        assert_eq!(halved, [by(20), by(10)], "{order:?}");
        let Symptom::OutOfMemory { samples, reason } = &run.events[1].symptom else { panic!() };
        assert_eq!((*samples, reason.as_str()), (20, "planted"));
        // The same steps of the same samples, but for rounding.
        assert_eq!(run.steps, smooth.steps);
        assert!(weights.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}

#[test]
fn an_era_that_does_not_fit_cannot_be_halved() {
    let training = Training { batch_size: 40, order: Order::Eras, ..settings() };
    let (run, weights) = train(&training, Plant::Memory(12, 9));
    // 40, 20, then the eras of 10 rows go to the CPU, where memory is no larger: the end.
    let responses: Vec<Response> = run.events.iter().map(|event| event.response).collect();
    let by = |samples| Response::HalvedBatch { samples };
    let fell = Response::FellBack { step: 10 };
    assert_eq!(responses, [by(20), by(10), fell, Response::Stopped]);
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::OutOfMemory { samples: 10, .. })));
    assert!(weights.iter().all(|weight| weight.is_finite()));
}

#[test]
fn memory_that_runs_out_while_weights_move_repeats_from_good_ones() {
    let policies = Policies { snapshot_every: 4, ..Policies::default() };
    let average = Average::Ema { decay: 0.9, every: 2 };
    // The model is deterministic: what is repeated is the same, but for the sums of halves.
    let training = Training { policies, average, ..settings() };
    let (smooth, expected) = train(&training, Plant::Nothing);
    let (run, weights) = train(&training, Plant::TornMemory(18));
    assert_eq!(run.events.len(), 1);
    assert_eq!(run.events[0].response, Response::HalvedBatch { samples: 8 });
    assert_eq!(run.steps, smooth.steps);
    assert!(weights.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn predictions_that_do_not_fit_are_divided() {
    let (smooth, expected) = train(&held(), Plant::Nothing);
    let (run, weights) = train(&held(), Plant::PredictionMemory(10));
    assert_eq!(run.events.len(), 2);
    let by = |samples| Response::HalvedBatch { samples };
    // The holdout has 40 samples.
    assert_eq!([run.events[0].response, run.events[1].response], [by(20), by(10)]);
    assert_eq!((run.history, weights), (smooth.history, expected));
}

#[test]
fn a_lost_device_is_left_and_nothing_is_lost_with_it() {
    let policies = Policies { snapshot_every: 7, ..Policies::default() };
    for average in [Average::None, Average::Ema { decay: 0.9, every: 2 }] {
        let training = Training { policies, average, ..held() };
        let (smooth, expected) = train(&training, Plant::Nothing);
        // At step 31 of epochs of 10 steps; then at the end of the third epoch.
        for (plant, step) in [(Plant::Lost(31), 30), (Plant::LostPredicting(2), 28)] {
            let (run, weights) = train(&training, plant);
            assert_eq!(run.events.len(), 1);
            assert_eq!(run.events[0].response, Response::FellBack { step });
            assert!(matches!(run.events[0].symptom, Symptom::DeviceLost { .. }));
            assert_eq!((run.history, weights), (smooth.history.clone(), expected.clone()));
        }
    }
}

#[test]
fn a_run_that_ends_with_its_device_keeps_good_weights_and_its_log() {
    let policies = Policies { device_lost: Action::Stop, snapshot_every: 7, ..Policies::default() };
    let training = Training { policies, ..settings() };
    // The weights of step 28, the last that were copied before step 31.
    // It is asked before each step and at the ends of two epochs.
    let left = std::cell::Cell::new(31);
    let interrupt = || {
        left.set(left.get() - 1);
        left.get() == 0
    };
    let mut smooth = Linear::new(2, true);
    let desk = Desk { interrupt: Some(&interrupt), ..Desk::default() };
    training.run(&mut smooth, &samples(), &Squared, desk).unwrap();

    let (run, weights) = train(&training, Plant::Lost(31));
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::DeviceLost { .. })));
    assert_eq!((run.events.len(), run.history.len(), run.last), (1, 2, None));
    assert_eq!(weights, smooth.weights());

    // Where nothing else can hold weights they are returned.
    let mut engine = Faulty::new(Linear::new(2, true), Plant::LostForGood(31));
    let run = training.run(&mut engine, &samples(), &Squared, Desk::default()).unwrap();
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::DeviceLost { .. })));
    assert!(engine.snapshot().is_err() && run.events.len() == 1);
    assert_eq!(run.last.unwrap(), smooth.snapshot().unwrap());
    // With a holdout, those of the best epoch.
    let training = Training { policies, ..held() };
    let (run, weights) = train(&training, Plant::Lost(31));
    let mut engine = Faulty::new(Linear::new(2, true), Plant::LostForGood(31));
    let desk = Desk::default();
    let last = training.run(&mut engine, &samples(), &Squared, desk).unwrap().last.unwrap();
    assert_eq!(run.best_epoch, Some(2));
    let flat: Vec<f32> = last.weights.iter().flat_map(|tensor| tensor.values.clone()).collect();
    assert_eq!(flat, weights);
}

#[test]
fn a_look_that_does_not_fit_becomes_smaller_and_steps_stay() {
    let halved =
        |run: &Run| -> Vec<Response> { run.events.iter().map(|event| event.response).collect() };
    // As text, since NaN is not equal to itself.
    let told = |run: &Run| format!("{:?}", run.history);
    let by = |samples| Response::HalvedLook { samples };
    let training = Training { epochs: 1, look_every: 4, ..settings() };
    let (smooth, expected) = train(&training, Plant::Nothing);
    let (run, weights) = train(&training, Plant::LookMemory(60));
    assert_eq!(halved(&run), [by(100), by(50)]);
    assert_eq!((told(&run), weights), (told(&smooth), expected));

    // The curvature as well, which leaves the weights alone.
    let curvature = Some(Curvature { iterations: 2, ..Curvature::default() });
    let curved = Training { curvature, epochs: 4, ..settings() };
    let (smooth, expected) = train(&curved, Plant::Nothing);
    let (run, weights) = train(&curved, Plant::LookMemory(60));
    assert_eq!(halved(&run), [by(100), by(50)]);
    assert_eq!((told(&run), weights), (told(&smooth), expected));

    // A whole era that does not fit ends looks, not training.
    let by_era = Training { order: Order::Eras, look_every: 1, epochs: 1, ..settings() };
    let (run, _) = train(&by_era, Plant::LookMemory(5));
    assert_eq!(halved(&run), [by(100), by(50), by(25), by(10), by(0)]);
    assert_eq!(run.stopped, Stopped::Finished);
    let policies = Policies { out_of_memory: Action::Stop, ..Policies::default() };
    let (run, _) = train(&Training { policies, ..training }, Plant::LookMemory(60));
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::OutOfMemory { .. })));
}

#[test]
fn what_a_look_sees_is_noted_or_ends_the_run() {
    let training = Training { epochs: 1, look_every: 5, ..settings() };
    let (run, _) = train(&training, Plant::Looks(1.0, 0.95));
    let dead = Symptom::DeadUnits { layer: "hidden".into(), share: 1.0 };
    let saturated = Symptom::Saturated { layer: "hidden".into(), share: 0.95 };
    // Looked at after 5 and 10 steps and at the end, noted once.
    let found: Vec<_> = run.events.iter().map(|event| (event.step, &event.symptom)).collect();
    assert_eq!(found, [(5, &dead), (5, &saturated)]);
    assert!(run.events.iter().all(|event| event.response == Response::Noted));
    let policies = Policies { saturated: Action::Stop, ..Policies::default() };
    let (run, _) = train(&Training { policies, ..training }, Plant::Looks(0.0, 0.95));
    assert_eq!((run.stopped, run.steps), (Stopped::GaveUp(saturated), 5));
}

#[test]
fn gradients_that_vanish_and_losses_that_stand_still_are_seen() {
    let training = Training { epochs: 30, ..settings() };
    let (run, _) = train(&training, Plant::Vanish(80));
    let vanished = |event: &&fattail_training::Event| matches!(event.symptom, Symptom::VanishingNorm { typical, peak } if typical < 1e-6 * peak);
    assert!(run.events.iter().any(|event| vanished(&event)), "{:?}", run.events);

    // A rate of nothing: three epochs of the same loss.
    let rate = fattail_descent::Constant { rate: 0.0 }.into();
    let (run, _) = train(&Training { rate, ..settings() }, Plant::Nothing);
    assert_eq!(run.history.len(), 3);
    assert!(matches!(run.stopped, Stopped::GaveUp(Symptom::FlatLoss { epochs: 3, .. })));
    assert_eq!(run.events.len(), 1);
}

#[test]
fn a_holdout_of_nan_brings_back_good_weights() {
    let (run, weights) = train(&held(), Plant::NanPrediction(3, 1));
    assert!(run.history[3].holdout_loss.is_nan());
    assert_eq!(run.events.len(), 1);
    assert!(matches!(run.events[0].symptom, Symptom::NonFiniteLoss { .. }));
    assert_eq!(run.events[0].response, Response::Restored { step: 30, factor: 0.5 });
    assert_found(&weights);
}

#[test]
fn predictions_of_an_era_that_does_not_fit_fall_back() {
    let training = Training { order: Order::Eras, ..held() };
    let (run, _) = train(&training, Plant::PredictionMemory(9));
    let responses: Vec<Response> = run.events.iter().map(|event| event.response).collect();
    let by = |samples| Response::HalvedBatch { samples };
    // Four eras of ten are divided, one is not; the CPU has no more memory.
    let fell = Response::FellBack { step: 0 };
    assert_eq!(responses, [by(20), by(10), fell, Response::Stopped]);
}

#[test]
fn what_no_policy_is_for_is_an_error() {
    let wide = Linear::new(3, true).snapshot().unwrap();
    let error = Linear::new(2, true).restore(&wide).unwrap_err();
    let error = fattail_training::Error::from(error);
    assert_eq!(error.to_string(), "the rest of the weights is empty");
    assert!(matches!(error, fattail_training::Error::Core(_)));
}
