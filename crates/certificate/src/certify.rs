//! Makes a certificate: every check, its plant, the verdict, the seal.

use std::ops::RangeInclusive;

use fattail_core::{Observer, Panel};
use fattail_evaluate::Fold;
use serde::{Deserialize, Serialize};

use crate::{
    Certificate, Claim, Error, Procedure, Result,
    certificate::{CutFacts, DataFacts, ProcedureFacts},
    check::{self, Bench, Check, Finding, State},
    hash,
};

/// Settings of a certificate.
///
/// ```
/// use fattail_certificate::{Certifier, Refit, Sealed, Verdict};
/// use fattail_core::{Fit, Panel, Predict, Result, silent};
/// use fattail_evaluate::{Expanding, Split};
/// use fattail_testing::Market;
///
/// /// Weighs each feature by its covariance with the target.
/// #[derive(Debug)]
/// struct Covariance;
/// struct Weights(Vec<f32>);
///
/// impl Fit for Covariance {
///     type Fitted = Weights;
///     fn fit(&self, train: &Panel) -> Result<Weights> {
///         let y = train.target()?.to_f32();
///         let weigh = |x: Vec<f32>| x.iter().zip(&y).map(|(x, y)| (x - 2.0) * (y - 0.5)).sum();
///         Ok(Weights((0..train.width()).map(|at| weigh(train.feature(at).to_f32())).collect()))
///     }
/// }
///
/// impl Predict for Weights {
///     fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
///         let mut sums = vec![0.0; panel.rows()];
///         for (at, weight) in self.0.iter().enumerate() {
///             let x = panel.feature(at).to_f32();
///             sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
///         }
///         Ok(sums)
///     }
/// }
///
/// let panel = Market { eras: 40, rows: 30, ..Market::default() }.panel()?;
/// let folds = Expanding { folds: 3, ..Expanding::default() }.folds(panel.eras())?;
/// let procedure = Sealed(Refit(Covariance));
/// let certificate = Certifier::default().certify(&procedure, &panel, &folds, &silent)?;
/// assert_eq!(certificate.verdict, Verdict::Passed, "{certificate}");
/// # Ok::<(), fattail_certificate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certifier {
    /// What the procedure claims not to have seen.
    pub claim: Claim,
    /// In how many places the panel is cut into what may be seen and what may not. The certificate lists those
    /// that were made, which are fewer where folds have fewer test eras.
    pub cuts: usize,
    /// How often values and labels are changed at each cut, each time the other way: a decision such as which
    /// model to take may stay the same under one change.
    pub draws: usize,
    /// Differences that count as none, in spreads of the fold's predictions and beyond the rounding of `f32`: sums
    /// in another order differ by so much.
    pub tolerance: f64,
    /// The probability at which a procedure without a leak fails the check with shuffled targets.
    pub alarm: f64,
    /// The mean rank correlation with the target above which a feature, or the order of rows, knows it.
    pub oracle: f64,
    /// The `z` above which the order of rows tells the target of a procedure whose predictions depend on it.
    pub order: f64,
    /// How many threads run folds at once.
    pub threads: usize,
    /// How often they are started: each time once at will, and once taking turns.
    pub rounds: usize,
    /// The seed of all disturbances.
    pub seed: u64,
}

impl Default for Certifier {
    fn default() -> Self {
        Self {
            claim: Claim::default(),
            cuts: 2,
            draws: 2,
            tolerance: 1e-6,
            alarm: 1e-3,
            oracle: 0.5,
            order: 5.0,
            threads: 4,
            rounds: 1,
            seed: 0,
        }
    }
}

impl Certifier {
    /// Runs every check on a procedure, its panel and its folds.
    ///
    /// A leak is a finding in the certificate and no error. [`Certificate::cost`] tells how often the procedure was
    /// run; the crate's head tells how often that will be. One copy of the panel exists at a time.
    ///
    /// # Errors
    /// When a setting is out of range, a fold does not fit the panel, or the procedure cannot be run on the
    /// panel as it is.
    pub fn certify(
        &self,
        procedure: &dyn Procedure,
        panel: &Panel,
        folds: &[Fold],
        observer: Observer<'_>,
    ) -> Result<Certificate> {
        self.check(panel, folds)?;
        observer(check::told(0));
        let bench = Bench::new(self, procedure, panel, folds)?;
        let mut findings: Vec<Finding> = Vec::with_capacity(Check::ALL.len());
        for (number, check) in Check::ALL.into_iter().enumerate() {
            findings.push(bench.check(check, &findings)?);
            observer(check::told(number + 1));
            if findings[0].state == State::Failed {
                // Runs that differ by themselves cannot be compared.
                break;
            }
        }
        let cuts = bench
            .cuts()
            .into_iter()
            .map(|cut| CutFacts { fold: cut.fold, era: panel.eras().label(cut.era).to_owned() });
        let settings = format!("{procedure:?}");
        Certificate::sealed(Certificate {
            procedure: ProcedureFacts { sha256: hash::text(&settings), settings },
            data: DataFacts::of(panel),
            certifier: self.clone(),
            folds: folds.len(),
            folds_sha256: hash::folds(folds),
            cuts: cuts.collect(),
            cost: bench.cost(),
            checks: findings,
            ..Certificate::empty()
        })
    }

    fn check(&self, panel: &Panel, folds: &[Fold]) -> Result<()> {
        let count = |name, given: usize, allowed: RangeInclusive<usize>, told| {
            if allowed.contains(&given) {
                Ok(())
            } else {
                Err(Error::Setting { name, given: given as f64, allowed: told })
            }
        };
        count("cuts", self.cuts, 1..=usize::MAX, "at least 1")?;
        count("draws", self.draws, 1..=usize::MAX, "at least 1")?;
        count("threads", self.threads, 2..=64, "2 to 64")?;
        count("rounds", self.rounds, 1..=usize::MAX, "at least 1")?;
        count("folds", folds.len(), 1..=usize::MAX, "at least 1")?;
        let inside = |name, given: f64, most: f64, allowed| {
            if given >= 0.0 && given < most {
                Ok(())
            } else {
                Err(Error::Setting { name, given, allowed })
            }
        };
        inside("tolerance", self.tolerance, 1e-2, "0 to below 0.01, the size of planted leaks")?;
        inside("alarm", self.alarm, 1.0, "0 to below 1")?;
        inside("oracle", self.oracle, 1.0, "0 to below 1")?;
        inside("order", self.order, f64::INFINITY, "0 or above")?;
        panel.target()?;
        self.claim.known.iter().try_for_each(|name| panel.extra(name).map(|_| ()))?;
        check_folds(panel, folds)
    }
}

/// Folds that have training and test eras, increasing and of the panel.
fn check_folds(panel: &Panel, folds: &[Fold]) -> Result<()> {
    for (fold, Fold { train, test }) in folds.iter().enumerate() {
        let fault = |fault| Err(Error::Fold { fold, fault });
        if train.is_empty() || test.is_empty() {
            return fault("has no training or no test eras");
        }
        for eras in [train, test] {
            if eras.windows(2).any(|pair| pair[0] >= pair[1]) {
                return fault("has eras that do not increase");
            }
            if eras.last().is_some_and(|&era| era >= panel.eras().len()) {
                return fault("has an era that the panel does not have");
            }
        }
    }
    Ok(())
}
