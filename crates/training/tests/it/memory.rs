//! Memory told before it is taken.

use fattail_core::Panel;
use fattail_descent::Squared;
use fattail_training::{
    Average, Budget, Curvature, Desk, Engine, Error, Extent, Holdout, Order, Portion, Reading,
    Response, Samples, Symptom, Training,
};

use crate::{
    toy::{Faulty, Linear, Plant, memory_for, samples},
    training::settings,
};

// Three weights: 12 bytes, the optimiser 48, and 12 a sample.
#[test]
fn the_largest_batch_is_found_and_refusals_have_numbers() {
    let engine = Linear::new(2, true);
    let of = |bytes| Budget { bytes, ..Budget::default() };
    assert_eq!(engine.footprint(5).total(), 120);
    for (bytes, fits) in [(119, 4), (120, 5), (131, 5), (132, 6), (10_000, 64)] {
        assert_eq!(of(bytes).fit(&engine, 64).unwrap(), fits);
    }
    // What is held and what is held a sample come first.
    let more = Budget { bytes: 240, held: 20, sample: 10, block: 2 };
    assert_eq!((more.needs(&engine, 1), more.fit(&engine, 64).unwrap()), (112, 7));
    // Predictions go together by the thousand where they may: 60 bytes and 12 a sample.
    assert_eq!(of(u64::MAX).peak(&engine, 16).unwrap(), 60 + 1024 * 12);
    assert_eq!(of(120).peak(&engine, 16).unwrap(), 120);
    let error = of(71).fit(&engine, 64).unwrap_err();
    assert!(error.to_string().ends_with("allowed are 71; not even one sample fits"), "{error}");
    let error = of(120).expect(&engine, 64).unwrap_err();
    let Error::Memory { samples, needs, beside, budget, largest } = error else {
        panic!("{error}")
    };
    assert_eq!((samples, needs.total(), beside, budget, largest), (64, 828, 0, 120, 5));
    of(120).expect(&engine, 5).unwrap();
}

#[test]
fn a_batch_that_does_not_fit_is_divided_or_refused() {
    let trained = |memory, divide| {
        let mut engine = Linear::new(2, false);
        let training = Training { memory, divide, ..settings() };
        let run = training.run(&mut engine, &samples(), &Squared, Desk::default());
        run.map(|run| (run, engine.weights().to_vec()))
    };
    let memory = memory_for(&settings(), &samples(), 5);
    let (smooth, expected) = trained(None, true).unwrap();
    let (run, weights) = trained(Some(memory), true).unwrap();
    assert_eq!(run.events.len(), 1);
    let Symptom::OverBudget { samples: 16, needs, budget } = run.events[0].symptom else {
        panic!("{}", run.events[0])
    };
    // 11 samples of 12 bytes more.
    assert_eq!((needs, budget), (memory + 132, memory));
    assert_eq!(run.events[0].response, Response::HalvedBatch { samples: 5 });
    assert_eq!(run.steps, smooth.steps);
    assert!(weights.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    let error = trained(Some(memory), false).unwrap_err();
    assert!(matches!(error, Error::Memory { largest: 5, .. }), "{error}");
    let none = memory_for(&settings(), &samples(), 0);
    assert!(matches!(trained(Some(none), true).unwrap_err(), Error::Memory { largest: 0, .. }));
}

#[test]
fn looks_and_predictions_fit_the_budget_too() {
    let holdout = Some(Holdout { portion: Portion::Share(0.2), gap: 0 });
    let training = Training { holdout, look_every: 3, epochs: 2, ..settings() };
    let looked = |memory| {
        let curvature = Some(Curvature::default());
        let mut engine = Faulty::new(Linear::new(2, true), Plant::Nothing);
        let training = Training { memory, curvature, ..training.clone() };
        training.run(&mut engine, &samples(), &Squared, Desk::default()).unwrap();
        engine.looked
    };
    assert_eq!(looked(None), 160);
    let curved = Training { curvature: Some(Curvature::default()), ..training.clone() };
    assert_eq!(looked(Some(memory_for(&curved, &samples(), 5))), 5);
}

/// What a run takes beside its engine, P being 12 bytes.
fn beside(training: &Training, extent: &Extent) -> u64 {
    training.budget(&Linear::new(2, true), extent).held
}

#[test]
fn the_copies_of_weights_are_those_of_the_table() {
    let held = Extent { train: 0, held: 0, eras: 0, width: 2, window: 1, samples: 0 };
    assert_eq!(beside(&settings(), &held), (3 + 3 + 10) * 12);
    let ema = Training { average: Average::Ema { decay: 0.9, every: 1 }, ..settings() };
    assert_eq!(beside(&ema, &held), (3 + 2 + 3 + 12) * 12);
    let curvature = Some(Curvature { iterations: 10, ..Curvature::default() });
    assert_eq!(beside(&Training { curvature, ..settings() }, &held), (3 + 3 + 36) * 12);
    // 10 samples that train, 2 that judge, 3 eras; then 40 bytes an era where eras stay whole.
    let judged = Extent { train: 10, held: 2, eras: 3, ..held };
    let data = 10 * 36 + 2 * 56 + 3 * 48;
    assert_eq!(beside(&settings(), &judged), data + (4 + 3 + 11) * 12);
    let whole = Training { order: Order::Eras, ..settings() };
    assert_eq!(beside(&whole, &judged), data + 120 + (4 + 3 + 11) * 12);
}

#[test]
fn a_panel_tells_what_its_samples_will_take() {
    let panel = Panel::builder()
        .eras(&["1", "1", "2", "3", "3"])
        .unwrap()
        .feature("x", vec![0.5f32; 5])
        .feature("z", vec![0.5f32; 5])
        .target("y", vec![0.1f32; 5])
        .build()
        .unwrap();
    let holdout = Holdout { portion: Portion::Eras(1), gap: 1 };
    let extent = Extent::of_panel(&panel, &Reading::default(), Some(&holdout)).unwrap();
    assert_eq!((extent.train, extent.held, extent.eras, extent.width), (2, 2, 3, 2));
    assert_eq!(extent.samples, 5 * 40 + 5 * 2 * 4);
    let unpacked = Reading { memory: 39, window: 3 };
    let extent = Extent::of_panel(&panel, &unpacked, None).unwrap();
    assert_eq!((extent.train, extent.held, extent.width), (5, 0, 6));
    assert_eq!(extent.samples, 5 * 44);
    // The run itself asks for no more than the panel told.
    let samples = Samples::known(&panel, &Reading::default()).unwrap();
    let told = Extent::of_panel(&panel, &Reading::default(), None).unwrap();
    let budget = settings().budget(&Linear::new(2, true), &told);
    let found = memory_for(&settings(), &samples, 4);
    assert!(found <= budget.needs(&Linear::new(2, true), 4), "{found} {budget:?}");
}
