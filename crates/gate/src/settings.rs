//! The thresholds.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Rule, evidence::Series};

/// The thresholds of a submission gate; a rule without one is not asked.
///
/// What is left out of JSON has its default, and by default every rule is asked: `{"mean": 0.01}` asks for a mean
/// above 0.01 and for everything else that [`Gate::default`] asks. Whoever wants fewer rules writes `null`, `false`
/// or, for `eras`, `0`. [`Gate::asked`] and [`Gate::not_asked`] tell what came of it.
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
/// assert_eq!(gate.asked(), [Rule::Defined, Rule::Mean, Rule::Drawdown]);
/// assert!(decision.is_admitted());
///
/// // What is asked for and not known blocks.
/// let strict = Gate { certificate: true, ..gate };
/// let decision = strict.judge(&Evidence::of(&scores, Horizon::NUMERAI_20))?;
/// assert_eq!(decision.blocking().map(|judged| judged.rule).collect::<Vec<_>>(), [Rule::Certificate]);
///
/// // One rule, by name, by somebody, for a reason; and it stays in the record.
/// let decision = decision.overridden(Rule::Certificate, "A. Trader", "made by hand", 1_790_000_000)?;
/// assert!(decision.is_admitted() && decision.overrides().len() == 1);
/// # Ok::<(), fattail_gate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// The fewest eras with a score; 0 asks for none.
    pub eras: usize,
    /// The largest shares of eras without a value, in each series that another rule reads.
    pub undefined: Undefined,
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

/// The largest shares of eras in which a series may be not defined (NaN). Judged of a series wherever a rule that is
/// asked reads it, as figures are of the other eras alone. A value without end is never let through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Undefined {
    /// Of the scores, and of the second correlation.
    pub scores: f64,
    /// Of the exposure.
    pub exposure: f64,
    /// Of the correlation with the benchmark.
    pub benchmark: f64,
}

impl Default for Undefined {
    /// One era of 20 of the scores; none of exposure and benchmark.
    fn default() -> Self {
        Self { scores: 0.05, exposure: 0.0, benchmark: 0.0 }
    }
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
    /// 0.4, a correlation with the benchmark up to 0.95, two correlations that agree, 52 eras, and few of them
    /// without a value.
    fn default() -> Self {
        Self {
            eras: 52,
            undefined: Undefined::default(),
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
    /// A gate that asks for nothing, for whoever sets single rules. As it is, its decision admits nothing until
    /// somebody waives every rule: [`Decision::waived`](crate::Decision::waived).
    #[must_use]
    pub fn open() -> Self {
        Self {
            eras: 0,
            undefined: Undefined::default(),
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

    /// Whether a rule is asked. [`Rule::Defined`] is wherever a rule reads a series beyond counting its eras.
    #[must_use]
    pub fn asks(&self, rule: Rule) -> bool {
        match rule {
            Rule::Eras => self.eras > 0,
            Rule::Defined => Series::ALL.into_iter().any(|series| self.reads(series)),
            Rule::Mean => self.mean.is_some(),
            Rule::SureMean => self.sure_mean.is_some(),
            Rule::Sharpe => self.sharpe.is_some(),
            Rule::Drawdown => self.drawdown.is_some(),
            Rule::Exposure => self.exposure.is_some(),
            Rule::Benchmark => self.benchmark.is_some(),
            Rule::DeflatedSharpe => self.deflated_sharpe.is_some(),
            Rule::Certificate => self.certificate,
            Rule::Agreement => self.agreement.is_some(),
        }
    }

    /// The rules that are asked, in the order in which they are judged.
    #[must_use]
    pub fn asked(&self) -> Vec<Rule> {
        Rule::ALL.into_iter().filter(|&rule| self.asks(rule)).collect()
    }

    /// The rules that are not asked: of them a decision says nothing.
    #[must_use]
    pub fn not_asked(&self) -> Vec<Rule> {
        Rule::ALL.into_iter().filter(|&rule| !self.asks(rule)).collect()
    }

    /// Whether a rule that is asked reads values of a series.
    pub(crate) fn reads(&self, series: Series) -> bool {
        match series {
            Series::Scores => {
                let figures = [self.mean, self.sure_mean, self.sharpe, self.drawdown];
                let figures = figures.iter().chain([&self.deflated_sharpe]);
                figures.flatten().next().is_some() || self.agreement.is_some()
            }
            Series::Second => self.agreement.is_some(),
            Series::Exposure => self.exposure.is_some(),
            Series::Benchmark => self.benchmark.is_some(),
        }
    }

    /// Checks every threshold, so that a wrong one is known before hours of work; [`Gate::judge`] does it too.
    ///
    /// # Errors
    /// [`Error::Threshold`] when one is out of its range.
    pub fn check(&self) -> Result<()> {
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
        let shares = [
            ("undefined.scores", Some(self.undefined.scores)),
            ("undefined.exposure", Some(self.undefined.exposure)),
            ("undefined.benchmark", Some(self.undefined.benchmark)),
            ("exposure", self.exposure),
            ("deflated_sharpe", self.deflated_sharpe),
            ("agreement.signs", self.agreement.map(|a| a.signs)),
        ];
        for (name, given) in shares {
            inside(name, given, 0.0, 1.0, "0 to 1")?;
        }
        inside("benchmark", self.benchmark, -1.0, 1.0, "-1 to 1")?;
        inside("agreement.order", self.agreement.map(|a| a.order), -1.0, 1.0, "-1 to 1")
    }
}
