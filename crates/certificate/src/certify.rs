//! Makes a certificate: every check, its plant, the verdict, the seal.

use fattail_core::{Observer, Panel};
use fattail_evaluate::Fold;
use fattail_stats::std;
use serde::{Deserialize, Serialize};

use crate::{
    Certificate, Claim, Error, Procedure, Result, Run,
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
pub struct Certifier {
    /// What the procedure claims not to have seen.
    pub claim: Claim,
    /// In how many places the panel is cut into what may be seen and what may not.
    pub cuts: usize,
    /// Differences that count as none, in spreads of the predictions: sums in another order differ by so much.
    pub tolerance: f64,
    /// The probability at which a procedure without a leak fails the check with shuffled targets.
    pub alarm: f64,
    /// The mean rank correlation with the target above which a feature knows it.
    pub oracle: f64,
    /// How many threads run folds at once.
    pub threads: usize,
    /// The seed of all disturbances.
    pub seed: u64,
}

impl Default for Certifier {
    fn default() -> Self {
        Self {
            claim: Claim::default(),
            cuts: 2,
            tolerance: 1e-6,
            alarm: 1e-3,
            oracle: 0.5,
            threads: 4,
            seed: 0,
        }
    }
}

impl Certifier {
    /// Runs every check on a procedure, its panel and its folds.
    ///
    /// The procedure is run about `10 · cuts` times on the folds up to each cut. A leak is a finding in the
    /// certificate and no error. The panel is copied once a disturbance.
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
        let base = check::run(procedure, panel, folds)?;
        let spread = spread(&base);
        let bench = Bench { settings: self, procedure, panel, folds, base, spread };
        let mut findings: Vec<Finding> = Vec::with_capacity(Check::ALL.len());
        for (number, check) in Check::ALL.into_iter().enumerate() {
            findings.push(bench.check(check)?);
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
            cuts: cuts.collect(),
            checks: findings,
            ..Certificate::empty()
        })
    }

    fn check(&self, panel: &Panel, folds: &[Fold]) -> Result<()> {
        let count = |name, given: usize, least: usize, allowed| {
            let given = (given, given as f64);
            if given.0 < least {
                Err(Error::Setting { name, given: given.1, allowed })
            } else {
                Ok(())
            }
        };
        count("cuts", self.cuts, 1, "at least 1")?;
        count("threads", self.threads, 2, "at least 2")?;
        count("folds", folds.len(), 1, "at least 1")?;
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
        panel.target()?;
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
}

/// The standard deviation of all predictions; 1 where it is not above zero.
fn spread(run: &Run) -> f64 {
    let all: Vec<f64> = run.predictions.iter().flatten().map(|&value| f64::from(value)).collect();
    let finite: Vec<f64> = all.into_iter().filter(|value| value.is_finite()).collect();
    let spread = std(&finite, 0);
    if spread > 0.0 { spread } else { 1.0 }
}
