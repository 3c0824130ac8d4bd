//! The thresholds.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The thresholds of a submission gate; a rule without one is not asked.
///
/// ```
/// use fattail_evaluate::{EraScore, Horizon, Scores};
/// use fattail_gate::{Evidence, Gate, Rule};
///
/// let era = |at: i32| EraScore {
///     era: format!("{at:04}"),
///     value: 0.02 + 0.01 * f64::from(at * 7 % 5 - 2),
///     reason: None,
/// };
/// let scores = Scores { metric: "corr".into(), eras: (1..=60).map(era).collect() };
///
/// let gate = Gate { mean: Some(0.01), drawdown: Some(0.1), ..Gate::open() };
/// let decision = gate.judge(&Evidence::of(&scores, Horizon::NUMERAI_20))?;
/// assert!(decision.is_admitted());
///
/// // What is asked for and not known blocks.
/// let strict = Gate { certificate: true, ..gate };
/// let decision = strict.judge(&Evidence::of(&scores, Horizon::NUMERAI_20))?;
/// assert_eq!(decision.blocking().map(|judged| judged.rule).collect::<Vec<_>>(), [Rule::Certificate]);
///
/// // One rule, by name, by somebody, for a reason; and it stays in the record.
/// let decision = decision.overridden(Rule::Certificate, "A. Trader", "made by hand", 1_790_000_000)?;
/// assert!(decision.is_admitted() && decision.overrides.len() == 1);
/// # Ok::<(), fattail_gate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// The fewest eras with a score.
    pub eras: usize,
    /// The mean score must be above this.
    pub mean: Option<f64>,
    /// The lower end of the mean's 95 % interval, which knows that labels overlap, must be above this.
    pub sure_mean: Option<f64>,
    /// The Sharpe ratio, an era, must be above this.
    pub sharpe: Option<f64>,
    /// The drawdown of the running sum must not be above this.
    pub drawdown: Option<f64>,
    /// The mean over eras of the largest feature exposure must not be above this.
    pub exposure: Option<f64>,
    /// The mean correlation with the benchmark's predictions must not be above this.
    pub benchmark: Option<f64>,
    /// The probability that the Sharpe ratio is above what the best of the trials has by luck must not be below
    /// this.
    pub deflated_sharpe: Option<f64>,
    /// Whether a leak certificate of the procedure that passed is needed.
    pub certificate: bool,
    /// How far two correlations may disagree.
    pub agreement: Option<Agreement>,
}

/// How far two correlations of the same predictions may disagree. Their means must have the same sign.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agreement {
    /// The largest share of eras in which their signs differ.
    pub signs: f64,
    /// The smallest rank correlation of the two series of era scores.
    pub order: f64,
}

impl Default for Agreement {
    fn default() -> Self {
        Self { signs: 0.25, order: 0.5 }
    }
}

impl Default for Gate {
    /// Every rule: a mean that is surely above zero, a deflated Sharpe ratio of 95 %, a certificate, exposures up to
    /// 0.4, a correlation with the benchmark up to 0.95, two correlations that agree, 52 eras.
    fn default() -> Self {
        Self {
            eras: 52,
            mean: Some(0.0),
            sure_mean: Some(0.0),
            sharpe: Some(0.0),
            drawdown: Some(0.5),
            exposure: Some(0.4),
            benchmark: Some(0.95),
            deflated_sharpe: Some(0.95),
            certificate: true,
            agreement: Some(Agreement::default()),
        }
    }
}

impl Gate {
    /// A gate that asks for nothing but one era with a score.
    #[must_use]
    pub fn open() -> Self {
        Self {
            eras: 1,
            mean: None,
            sure_mean: None,
            sharpe: None,
            drawdown: None,
            exposure: None,
            benchmark: None,
            deflated_sharpe: None,
            certificate: false,
            agreement: None,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let inside = |name, given: Option<f64>, low: f64, high: f64, allowed| match given {
            Some(given) if !(given >= low && given <= high) => {
                Err(Error::Threshold { name, given, allowed })
            }
            _ => Ok(()),
        };
        let (least, most) = (f64::MIN, f64::MAX);
        for (name, given) in
            [("mean", self.mean), ("sure_mean", self.sure_mean), ("sharpe", self.sharpe)]
        {
            inside(name, given, least, most, "a finite number")?;
        }
        inside("drawdown", self.drawdown, 0.0, most, "0 or more")?;
        inside("exposure", self.exposure, 0.0, 1.0, "0 to 1")?;
        inside("benchmark", self.benchmark, -1.0, 1.0, "-1 to 1")?;
        inside("deflated_sharpe", self.deflated_sharpe, 0.0, 1.0, "0 to 1")?;
        inside("agreement.signs", self.agreement.map(|a| a.signs), 0.0, 1.0, "0 to 1")?;
        inside("agreement.order", self.agreement.map(|a| a.order), -1.0, 1.0, "-1 to 1")
    }
}
