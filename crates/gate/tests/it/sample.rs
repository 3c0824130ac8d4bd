//! Scores by a formula, a learner, and a market with its certificate.

use std::sync::LazyLock;

use fattail_certificate::{Certificate, Certifier, Claim, Procedure, Refit, Sealed};
use fattail_core::{Fit, Panel, Predict, Result, silent};
use fattail_evaluate::{EraScore, Expanding, Fold, Horizon, Scores, Split};
use fattail_gate::{Decision, Evidence, Rule};
use fattail_testing::Market;

/// A market of 156 eras.
pub(crate) fn market(seed: u64) -> Panel {
    Market { eras: 156, rows: 20, seed, ..Market::default() }.panel().unwrap()
}

/// Two folds of 52 test eras each.
pub(crate) fn folds(panel: &Panel) -> Vec<Fold> {
    Expanding { folds: 2, ..Expanding::default() }.folds(panel.eras()).unwrap()
}

/// A market and its folds.
pub(crate) static DATA: LazyLock<(Panel, Vec<Fold>)> = LazyLock::new(|| {
    let panel = market(1);
    let folds = folds(&panel);
    (panel, folds)
});

/// The certificate of the slope on them.
pub(crate) static CERTIFICATE: LazyLock<Certificate> =
    LazyLock::new(|| certify(&Sealed(Refit(Mean)), &DATA.0, &DATA.1));

pub(crate) fn certify(procedure: &dyn Procedure, panel: &Panel, folds: &[Fold]) -> Certificate {
    Certifier::default().certify(procedure, panel, folds, &silent).unwrap()
}

/// Scores of the 104 test eras around a mean, with a deviation of 0.02.
pub(crate) fn scores(metric: &str, mean: f64) -> Scores {
    let value = |at: usize| mean + 0.02 * std::f64::consts::SQRT_2 * (at as f64 * 2.4).sin();
    let tested = DATA.1.iter().flat_map(|fold| &fold.test).enumerate();
    let era = |(at, &era): (usize, &usize)| EraScore {
        era: DATA.0.eras().label(era).to_owned(),
        value: value(at),
        reason: None,
    };
    Scores { metric: metric.into(), eras: tested.map(era).collect() }
}

/// The same value in every era.
pub(crate) fn level(metric: &str, level: f64) -> Scores {
    let mut scores = scores(metric, 0.0);
    scores.eras.iter_mut().for_each(|era| era.value = level);
    scores
}

/// Scores that are `value` in their last so many eras.
pub(crate) fn ending(mut scores: Scores, eras: usize, value: f64) -> Scores {
    scores.eras.iter_mut().rev().take(eras).for_each(|era| era.value = value);
    scores
}

/// The usual claim.
static CLAIM: LazyLock<Claim> = LazyLock::new(Claim::default);

/// Scores with all that the certificate is compared with.
pub(crate) fn certified<'a>(
    scores: &'a Scores,
    certificate: &'a Certificate,
    procedure: &'a dyn std::fmt::Debug,
) -> Evidence<'a> {
    Evidence {
        certificate: Some(certificate),
        procedure: Some(procedure),
        panel: Some(&DATA.0),
        folds: Some(&DATA.1),
        claim: Some(&CLAIM),
        ..Evidence::of(scores, Horizon::NUMERAI_20)
    }
}

pub(crate) fn blocking(decision: &Decision) -> Vec<Rule> {
    decision.blocking().map(|judged| judged.rule).collect()
}

#[derive(Debug)]
pub(crate) struct Mean;
pub(crate) struct Slope(f32);

impl Fit for Mean {
    type Fitted = Slope;
    fn fit(&self, train: &Panel) -> Result<Slope> {
        let (x, y) = (train.feature(0).to_f32(), train.target()?.to_f32());
        Ok(Slope(x.iter().zip(y).map(|(x, y)| (x - 2.0) * (y - 0.5)).sum()))
    }
}

impl Predict for Slope {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        Ok(panel.feature(0).to_f32().iter().map(|x| x * self.0).collect())
    }
}
