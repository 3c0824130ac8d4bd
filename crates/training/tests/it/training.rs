//! Runs in which nothing goes wrong.

use std::sync::atomic::{AtomicU64, Ordering};

use fattail_core::Panel;
use fattail_descent::{Constant, Reason, Squared, Stop};
use fattail_training::{
    Average, Desk, Engine, Holdout, Order, Portion, Reading, Samples, Stopped, Training, predict,
};

use crate::toy::{Linear, panel, samples};

pub(crate) fn settings() -> Training {
    Training {
        epochs: 60,
        batch_size: 16,
        rate: Constant { rate: 0.02 }.into(),
        clip_norm: None,
        ..Training::default()
    }
}

fn bits(weights: &[f32]) -> Vec<u32> {
    weights.iter().map(|weight| weight.to_bits()).collect()
}

#[test]
fn the_linear_relation_is_found() {
    let mut engine = Linear::new(2, true);
    let told = AtomicU64::new(0);
    let observer = |progress: fattail_core::Progress<'_>| {
        assert_eq!((progress.stage, progress.total), ("training", 60 * 13));
        told.fetch_max(progress.done, Ordering::Relaxed);
    };
    let desk = Desk { observer: &observer, ..Desk::default() };
    let run = settings().run(&mut engine, &samples(), &Squared, desk).unwrap();
    assert_eq!((run.stopped, run.steps, run.history.len()), (Stopped::Finished, 60 * 13, 60));
    assert_eq!(told.into_inner(), 60 * 13);
    assert!(run.events.is_empty(), "{:?}", run.events);
    let found = engine.weights();
    for (found, expected) in found.iter().zip([0.5, -0.25, 0.1]) {
        assert!((found - expected).abs() < 2e-3, "{found} {expected}");
    }
    let out = predict(&mut engine, &samples(), false, 7).unwrap();
    let target = panel().target().unwrap().to_f32();
    assert!(out.iter().zip(&target).all(|(out, target)| (out - target).abs() < 5e-3));
}

#[test]
fn same_settings_give_the_same_bits_and_other_seeds_others() {
    let trained = |seed, memory| {
        let mut engine = Linear::with_noise(2);
        let reading = Reading { memory, ..Reading::default() };
        let samples = Samples::known(&panel(), &reading).unwrap();
        let training = Training { seed, epochs: 2, ..settings() };
        training.run(&mut engine, &samples, &Squared, Desk::default()).unwrap();
        bits(engine.weights())
    };
    assert_eq!(trained(1, 1 << 20), trained(1, 0));
    assert_ne!(trained(1, 0), trained(2, 0));
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let trained = |batch_size, accumulate, order| {
        let mut engine = Linear::new(2, false);
        let training = Training { batch_size, accumulate, order, epochs: 3, ..settings() };
        let run = training.run(&mut engine, &samples(), &Squared, Desk::default()).unwrap();
        (engine.weights().to_vec(), run.history)
    };
    for order in [Order::Shuffled, Order::InOrder, Order::Eras] {
        let (whole, history) = trained(40, 1, order);
        let (parts, others) = trained(10, 4, order);
        assert!(whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-6), "{order:?}");
        let close = |(a, b): (&fattail_training::Epoch, &fattail_training::Epoch)| {
            (a.train_loss - b.train_loss).abs() < 1e-7 && a.steps == b.steps
        };
        assert!(history.iter().zip(&others).all(close));
    }
}

/// Six eras of unequal size, two of them with one target for all.
fn uneven() -> Samples {
    let sizes = [2usize, 9, 4, 30, 5, 1];
    let eras: Vec<String> =
        (0..6).flat_map(|era| std::iter::repeat_n(era.to_string(), sizes[era])).collect();
    let x: Vec<f32> = (0..51).map(|row| (row * 37 % 51) as f32 / 51.0).collect();
    let known =
        |(row, era): (usize, &String)| if era == "4" { 0.3 } else { (row % 7) as f32 / 7.0 };
    let y: Vec<f32> = eras.iter().enumerate().map(known).collect();
    let panel = Panel::builder().eras(&eras).unwrap().feature("x", x).target("y", y);
    Samples::known(&panel.build().unwrap(), &Reading::default()).unwrap()
}

#[test]
fn a_mean_over_eras_counts_eras_when_it_is_accumulated() {
    let trained = |batch_size, accumulate| {
        let mut engine = Linear::by_era(1);
        let training = Training {
            batch_size,
            accumulate,
            order: Order::Eras,
            epochs: 5,
            rate: Constant { rate: 0.5 }.into(),
            ..settings()
        };
        let run = training.run(&mut engine, &uneven(), &Squared, Desk::default()).unwrap();
        assert!(run.events.is_empty(), "{:?}", run.events);
        (engine.weights().to_vec(), run.history)
    };
    let (whole, history) = trained(60, 1);
    let (parts, others) = trained(6, 10);
    assert!(whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-6), "{whole:?} {parts:?}");
    let close = |(a, b): (&fattail_training::Epoch, &fattail_training::Epoch)| {
        (a.train_loss - b.train_loss).abs() < 1e-9
    };
    assert!(history.iter().zip(&others).all(close));
    // An era a step: those that teach nothing are left out, and nobody is alarmed.
    let (_, history) = trained(1, 1);
    assert_eq!((history[0].steps, history[0].skipped), (4, 2));
}

#[test]
fn weights_count_as_repeated_rows_do() {
    let base = Panel::builder().feature("x", vec![0.5f32, -0.5, 1.0]);
    let weighted = base.target("y", vec![1.0f32, 2.0, 0.5]).weights(vec![2.0f32, 1.0, 0.0]);
    let repeated = Panel::builder().feature("x", vec![0.5f32, 0.5, -0.5]);
    let repeated = repeated.target("y", vec![1.0f32, 1.0, 2.0]);
    let trained = |panel: Panel, batch_size| {
        let samples = Samples::known(&panel, &Reading::default()).unwrap();
        let mut engine = Linear::new(1, false);
        let training = Training {
            batch_size,
            accumulate: 3 / batch_size,
            order: Order::InOrder,
            ..settings()
        };
        training.run(&mut engine, &samples, &Squared, Desk::default()).unwrap();
        engine.weights().to_vec()
    };
    let expected = trained(repeated.build().unwrap(), 3);
    let weighted = weighted.build().unwrap();
    for batch_size in [1, 3] {
        let found = trained(weighted.clone(), batch_size);
        let close = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close, "{found:?} {expected:?}");
    }
}

#[test]
fn the_holdout_keeps_the_best_epoch_and_ends_the_run() {
    // A rate that is too large after a while: the best epoch is not the last.
    let rate = fattail_descent::Staircase { start: 0.05, gamma: 40.0, every: 60 };
    let training = Training {
        rate: rate.into(),
        holdout: Some(Holdout { portion: Portion::Eras(4), gap: 2 }),
        stop: vec![Stop::Patience { rounds: 3, min_delta: 0.0 }],
        ..settings()
    };
    let mut engine = Linear::new(2, true);
    let desk = Desk { keep_last: true, ..Desk::default() };
    let run = training.run(&mut engine, &samples(), &Squared, desk).unwrap();
    let best = run.best_epoch.unwrap() as usize;
    let losses: Vec<f64> = run.history.iter().map(|epoch| epoch.holdout_loss).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses[best], least);
    assert_eq!(run.history.len(), best + 4);
    let reason = Reason::NoImprovement { rounds: 3, best: least, at: best };
    assert_eq!(run.stopped, Stopped::Rule(reason));
    // 14 eras of 10 rows train: 140 rows in 9 steps.
    assert_eq!(run.history[0].steps, 9);
    // The engine holds the weights of the best epoch, not the last ones.
    let held = samples().part(16..20);
    let out = predict(&mut engine, &held, false, 8).unwrap();
    let errors = out.iter().zip(held.targets()).map(|(o, t)| f64::from(o - t).powi(2) / 2.0);
    assert!((errors.sum::<f64>() / 40.0 - least).abs() < 1e-9);
    assert_ne!(run.last.unwrap(), engine.snapshot().unwrap());
}

#[test]
fn averages_are_what_is_returned_and_judged() {
    let last = |average| {
        let mut engine = Linear::new(2, true);
        let training = Training { average, epochs: 4, ..settings() };
        let desk = Desk { keep_last: true, ..Desk::default() };
        let run = training.run(&mut engine, &samples(), &Squared, desk).unwrap();
        (engine.weights().to_vec(), run.last.unwrap().weights[0].values[0])
    };
    let (plain, end) = last(Average::None);
    assert_eq!(plain[0], end);
    // The mean of the ends of the last two epochs, which runs of three and four epochs tell.
    let mut shorter = Linear::new(2, true);
    let training = Training { epochs: 3, ..settings() };
    training.run(&mut shorter, &samples(), &Squared, Desk::default()).unwrap();
    let (tail, end) = last(Average::Tail { from_epoch: 2 });
    assert_eq!(end, plain[0]);
    assert!((tail[0] - (plain[0] + shorter.weights()[0]) / 2.0).abs() < 1e-7);
    let (ema, _) = last(Average::Ema { decay: 0.9, every: 1 });
    // Weights grow towards 0.5, and the average lags behind.
    assert!(ema[0] < plain[0] && ema[0] > 0.5 * plain[0], "{} {}", ema[0], plain[0]);
}

#[test]
fn bad_settings_and_samples_are_refused_by_name() {
    let refused = |training: Training, samples: &Samples| {
        let mut engine = Linear::new(2, true);
        training.run(&mut engine, samples, &Squared, Desk::default()).unwrap_err().to_string()
    };
    let all = samples();
    assert!(refused(Training { epochs: 0, ..settings() }, &all).contains("'epochs' is 0"));
    let odd = Training { clip_norm: Some(f64::NAN), ..settings() };
    assert!(refused(odd, &all).contains("'clip_norm' is NaN"));
    let holdout = |portion, gap| Training { holdout: Some(Holdout { portion, gap }), ..settings() };
    assert!(refused(holdout(Portion::Share(1.5), 0), &all).contains("holdout share"));
    let error = refused(holdout(Portion::Eras(10), 10), &all);
    assert_eq!(error, "the training part of 20 eras with a gap of 10 and 10 held out is empty");
    let panel = panel().with_target_values(vec![f32::NAN; 200]).unwrap();
    assert!(Samples::known(&panel, &Reading::default()).is_err());
}
