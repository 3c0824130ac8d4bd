//! Losses of the house, and one violator a law.

use fattail_core::{Error, Result};
use fattail_descent::{Absolute, Huber, LogCosh, Loss, Pearson, Quantile, Squared, Truth, Tukey};
use fattail_testing::{Law, check_loss};

use crate::fault::{caught, unseeded};

/// The squared loss; `fault` breaks one law.
#[derive(Debug)]
struct Faulty {
    fault: Law,
}

impl Loss for Faulty {
    fn check(&self) -> Result<()> {
        if self.fault == Law::Works { Err(Error::empty("the loss")) } else { Ok(()) }
    }

    fn start(&self, truth: &Truth<'_>) -> f64 {
        let start = Squared.start(truth);
        if self.fault == Law::Start { start + 0.01 } else { start }
    }

    fn value(&self, truth: &Truth<'_>, prediction: &[f64]) -> f64 {
        let value = Squared.value(truth, prediction);
        match self.fault {
            Law::Deterministic => value + unseeded(),
            Law::Perfect => value + 1.0,
            _ => value,
        }
    }

    fn slopes(&self, truth: &Truth<'_>, prediction: &[f64], g: &mut [f64], h: &mut [f64]) {
        Squared.slopes(truth, prediction, g, h);
        match self.fault {
            Law::Slopes => g[7] *= 1.01,
            Law::UnknownTarget => h[5] = 1.0,
            _ => {}
        }
    }
}

#[test]
fn losses_of_the_house_pass() {
    let tukey = Tukey { c: 2.0 };
    let losses: [&dyn Loss; 7] = [
        &Squared,
        &Absolute,
        &Huber { delta: 0.2 },
        &Quantile { tau: 0.8 },
        &LogCosh,
        &tukey,
        &Pearson,
    ];
    for loss in losses {
        check_loss(loss).unwrap();
    }
}

#[test]
fn every_violator_is_caught() {
    for fault in
        [Law::Works, Law::Deterministic, Law::Slopes, Law::UnknownTarget, Law::Start, Law::Perfect]
    {
        caught(check_loss(&Faulty { fault }), fault);
    }
}
