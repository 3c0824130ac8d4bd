//! Runs that are killed and go on from their last checkpoint.

use std::cell::Cell;

use fattail_descent::{Squared, Stop};
use fattail_training::{
    Average, Curvature, Desk, Engine, Entry, Holdout, Order, Policies, Portion, Run, Samples,
    Snapshot, Stopped, Training,
};
use proptest::prelude::*;

use crate::{
    toy::{Faulty, Linear, Plant, memory_for, samples},
    training::settings,
};

fn training(average: Average, order: Order, judged: bool) -> Training {
    let training = Training {
        epochs: 5,
        accumulate: 2,
        batch_size: 8,
        average,
        order,
        holdout: judged.then_some(Holdout { portion: Portion::Share(0.25), gap: 1 }),
        stop: vec![Stop::Patience { rounds: 3, min_delta: 0.0 }],
        policies: Policies { snapshot_every: 6, ..Policies::default() },
        checkpoint_every: 4,
        look_every: 9,
        ..settings()
    };
    // 5 samples go together, so that a batch is divided.
    Training { memory: Some(memory_for(&training, &samples(), 5)), ..training }
}

/// The end of a run: its log and all that the engine holds.
fn end(run: Run, engine: &mut Faulty) -> (Run, Snapshot) {
    (run, engine.snapshot().unwrap())
}

fn engine(plant: Plant) -> Faulty {
    Faulty::new(Linear::with_noise(2), plant)
}

/// Runs until `kill` steps were begun, then from the last checkpoint, if it came so far.
fn interrupted(
    training: &Training,
    samples: &Samples,
    kill: u64,
    graceful: bool,
) -> (Run, Snapshot) {
    let steps = Cell::new(0);
    let interrupt = || {
        steps.set(steps.get() + 1);
        steps.get() > kill
    };
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut sink = |bytes: &[u8]| {
        kept.push(bytes.to_vec());
        Ok(())
    };
    let mut first = engine(Plant::Nothing);
    let desk = Desk { sink: Some(&mut sink), interrupt: Some(&interrupt), ..Desk::default() };
    let run = training.run(&mut first, samples, &Squared, desk).unwrap();
    if run.stopped != Stopped::Interrupted {
        return end(run, &mut first);
    }
    // A kill writes no checkpoint; an interruption does.
    if !graceful {
        kept.pop();
    }
    let mut second = engine(Plant::Nothing);
    let desk = Desk { resume: kept.last().map(Vec::as_slice), ..Desk::default() };
    let run = training.run(&mut second, samples, &Squared, desk).unwrap();
    end(run, &mut second)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_killed_run_ends_as_one_that_was_not(
        kill in 0u64..70, graceful: bool, judged: bool, order in 0usize..3, average in 0usize..3
    ) {
        let average = [
            Average::None,
            Average::Ema { decay: 0.9, every: 3 },
            Average::Tail { from_epoch: 2 },
        ][average];
        let order = [Order::Shuffled, Order::Eras, Order::InOrder][order];
        let (training, samples) = (training(average, order, judged), samples());
        let mut smooth = engine(Plant::Nothing);
        let run = training.run(&mut smooth, &samples, &Squared, Desk::default()).unwrap();
        let expected = end(run, &mut smooth);
        let found = interrupted(&training, &samples, kill, graceful);
        // As text, since NaN is not equal to itself.
        prop_assert_eq!(format!("{:?}", found), format!("{:?}", expected));
    }
}

#[test]
fn checkpoints_are_the_same_bytes_and_are_taken_where_they_were_asked_for() {
    let training = training(Average::None, Order::Shuffled, true);
    let kept = |training: &Training| {
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut sink = |bytes: &[u8]| {
            kept.push(bytes.to_vec());
            Ok(())
        };
        let desk = Desk { sink: Some(&mut sink), ..Desk::default() };
        training.run(&mut engine(Plant::NanGradient(3, 2)), &samples(), &Squared, desk).unwrap();
        kept
    };
    let all = kept(&training);
    assert_eq!(all, kept(&training));
    // 140 samples in 9 steps an epoch: after 4 and 8, at the end of the first epoch, after 12, ...
    assert_eq!(all.len(), 45 / 4 + 5);
    assert_eq!(kept(&Training { checkpoint_every: 0, ..training }).len(), 5);
}

#[test]
fn a_run_that_is_over_is_over() {
    let training = training(Average::None, Order::Shuffled, true);
    let mut last = Vec::new();
    let mut sink = |bytes: &[u8]| {
        last = bytes.to_vec();
        Ok(())
    };
    let mut engine = engine(Plant::Nothing);
    let desk = Desk { sink: Some(&mut sink), ..Desk::default() };
    let run = training.run(&mut engine, &samples(), &Squared, desk).unwrap();
    let mut other = Faulty::new(Linear::with_noise(2), Plant::Nothing);
    let desk = Desk { resume: Some(&last), ..Desk::default() };
    let again = training.run(&mut other, &samples(), &Squared, desk).unwrap();
    assert_eq!(format!("{run:?}"), format!("{again:?}"));
    assert_eq!(engine.snapshot().unwrap(), other.snapshot().unwrap());
}

#[test]
fn numbers_that_are_none_survive_a_checkpoint() {
    let curvature = Some(Curvature { iterations: 2, ..Curvature::default() });
    let training = Training { curvature, epochs: 2, ..settings() };
    let mut last = Vec::new();
    let mut sink = |bytes: &[u8]| {
        last = bytes.to_vec();
        Ok(())
    };
    let desk = Desk { sink: Some(&mut sink), ..Desk::default() };
    let run = training.run(&mut engine(Plant::NanSlope), &samples(), &Squared, desk).unwrap();
    assert!(run.events[0].to_string().contains("the largest is NaN"), "{:?}", run.events);
    let desk = Desk { resume: Some(&last), ..Desk::default() };
    let again = training.run(&mut engine(Plant::NanSlope), &samples(), &Squared, desk).unwrap();
    assert_eq!(format!("{run:?}"), format!("{again:?}"));
}

#[test]
fn the_log_is_told_as_things_happen() {
    let training = Training { epochs: 2, ..settings() };
    let mut told = Vec::new();
    let mut log = |entry: Entry<'_>| {
        told.push(match entry {
            Entry::Event(event) => event.to_string(),
            Entry::Epoch { number, epoch } => format!("epoch {number}: {} steps", epoch.steps),
            _ => "something else".to_owned(),
        });
    };
    let mut sink = |_: &[u8]| Err(fattail_core::Error::empty("the disk"));
    let desk = Desk { log: Some(&mut log), sink: Some(&mut sink), ..Desk::default() };
    // The run fails at the end of the first epoch; what was told before stays.
    training.run(&mut engine(Plant::NanLoss(3)), &samples(), &Squared, desk).unwrap_err();
    let left_out = "epoch 0, step 3: the loss is NaN; the step is left out";
    assert_eq!(told, [left_out, "epoch 0: 12 steps"]);

    let memory = Some(memory_for(&training, &samples(), 5));
    let mut told = Vec::new();
    let mut log = |entry: Entry<'_>| told.push(format!("{entry:?}"));
    let desk = Desk { log: Some(&mut log), ..Desk::default() };
    let training = Training { memory, ..training };
    training.run(&mut engine(Plant::Nothing), &samples(), &Squared, desk).unwrap();
    assert!(told.len() == 3 && told[0].contains("OverBudget"), "{told:?}");
}

#[test]
fn a_sink_that_fails_ends_the_run_with_its_error() {
    let mut sink = |_: &[u8]| Err(fattail_core::Error::empty("the disk"));
    let desk = Desk { sink: Some(&mut sink), ..Desk::default() };
    let run = settings().run(&mut engine(Plant::Nothing), &samples(), &Squared, desk);
    assert_eq!(run.unwrap_err().to_string(), "the disk is empty");
}
