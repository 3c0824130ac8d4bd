//! A small market, a learner, and procedures with one fault each.

use fattail_certificate::{Certificate, Certifier, Check, Finding, Procedure, Run, SealedFold};
use fattail_core::{Fit, Panel, Predict, Result, silent};
use fattail_evaluate::{Expanding, Fold, Read, Split};
use fattail_testing::Market;

/// 40 eras of 25 rows, and 3 expanding folds.
pub(crate) fn market() -> (Panel, Vec<Fold>) {
    let market = Market { eras: 40, rows: 25, late_features: 0, features: 16, ..Market::default() };
    let panel = market.panel().unwrap();
    let folds = Expanding { folds: 3, ..Expanding::default() }.folds(panel.eras()).unwrap();
    (panel, folds)
}

/// Weighs each feature by its covariance with the target.
#[derive(Debug, Clone)]
pub(crate) struct Covariance;

pub(crate) struct Weights(pub(crate) Vec<f32>);

impl Fit for Covariance {
    type Fitted = Weights;

    fn fit(&self, train: &Panel) -> Result<Weights> {
        let y = train.target()?.to_f32();
        let weigh = |at: usize| {
            let x = train.feature(at).to_f32();
            let known = x.iter().zip(&y).filter(|(_, y)| !y.is_nan());
            known.map(|(x, y)| (x - 2.0) * (y - 0.5)).sum()
        };
        Ok(Weights((0..train.width()).map(weigh).collect()))
    }
}

impl Predict for Weights {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let mut sums = vec![0.0; panel.rows()];
        for (at, weight) in self.0.iter().enumerate() {
            let x = panel.feature(at).to_f32();
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
        }
        Ok(sums)
    }
}

/// What a procedure does to its predictions, given the panel, the fold and the honest predictions.
pub(crate) type Fault = fn(&Panel, &Fold, Vec<f32>) -> Result<Vec<f32>>;

/// The covariance learner with a fault, and the scores it says that it has read.
pub(crate) struct Faulty {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) reads: Vec<Read>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Procedure for Faulty {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let mut run = Run { reads: self.reads.clone(), ..Run::default() };
        for (number, fold) in folds.iter().enumerate() {
            let sealed = SealedFold::new(panel, number, fold)?;
            let honest = sealed.predict(&Covariance.fit(sealed.train())?)?;
            run.predictions.push((self.fault)(panel, fold, honest)?);
        }
        Ok(run)
    }
}

/// Certifies a procedure with a fault on the small market, with the usual settings.
pub(crate) fn certified(fault: Fault) -> Certificate {
    let (panel, folds) = market();
    let procedure = Faulty { name: "faulty", fault, reads: Vec::new() };
    Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap()
}

/// The checks that found a leak.
pub(crate) fn found(certificate: &Certificate) -> Vec<Check> {
    certificate.leaks().map(|finding| finding.check).collect()
}

/// What a check found.
pub(crate) fn of(certificate: &Certificate, check: Check) -> &Finding {
    certificate.checks.iter().find(|finding| finding.check == check).unwrap()
}

/// Adds a number to all predictions of a fold.
pub(crate) fn plus(values: Vec<f32>, number: f32) -> Vec<f32> {
    values.into_iter().map(|value| value + number).collect()
}
