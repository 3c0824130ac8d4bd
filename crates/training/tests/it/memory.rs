//! Memory told before it is taken.

use fattail_descent::Squared;
use fattail_training::{Budget, Desk, Engine, Error, Response, Symptom, Training};

use crate::{
    toy::{Linear, samples},
    training::settings,
};

// Three weights: 12 bytes, the optimiser 48, and 12 a sample.
#[test]
fn the_largest_batch_is_found_and_refusals_have_numbers() {
    let engine = Linear::new(2, true);
    assert_eq!(engine.footprint(5).total(), 120);
    for (bytes, fits) in [(119, 4), (120, 5), (131, 5), (132, 6), (10_000, 64)] {
        assert_eq!(Budget { bytes }.fit(&engine, 64).unwrap(), fits);
    }
    let error = Budget { bytes: 71 }.fit(&engine, 64).unwrap_err();
    assert!(error.to_string().ends_with("allowed are 71; not even one sample fits"), "{error}");
    let error = Budget { bytes: 120 }.expect(&engine, 64).unwrap_err();
    let Error::Memory { samples, needs, budget, largest } = error else { panic!("{error}") };
    assert_eq!((samples, needs.total(), budget, largest), (64, 828, 120, 5));
    Budget { bytes: 120 }.expect(&engine, 5).unwrap();
}

#[test]
fn a_batch_that_does_not_fit_is_divided_or_refused() {
    let trained = |memory, divide| {
        let mut engine = Linear::new(2, false);
        let training = Training { memory, divide, ..settings() };
        let run = training.run(&mut engine, &samples(), &Squared, Desk::default());
        run.map(|run| (run, engine.weights().to_vec()))
    };
    let (smooth, expected) = trained(None, true).unwrap();
    let (run, weights) = trained(Some(120), true).unwrap();
    assert_eq!(run.events.len(), 1);
    let Symptom::OverBudget { samples: 16, needs: 252, budget: 120 } = run.events[0].symptom else {
        panic!("{}", run.events[0])
    };
    assert_eq!(run.events[0].response, Response::HalvedBatch { samples: 5 });
    assert_eq!(run.steps, smooth.steps);
    assert!(weights.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    let error = trained(Some(120), false).unwrap_err();
    assert!(matches!(error, Error::Memory { largest: 5, .. }), "{error}");
    assert!(matches!(trained(Some(60), true).unwrap_err(), Error::Memory { largest: 0, .. }));
}
