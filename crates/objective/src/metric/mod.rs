//! Metrics of raw scores, for early stopping and for reports.
//!
//! Every metric is LightGBM's where it has one of the name. Rows of unknown (NaN) label count
//! nowhere. Where there are several outputs or targets, the metrics of one row and one output are
//! averaged over the outputs. Sums run in fixed chunks, so a value does not depend on threads.

mod binary;
mod entropy;
mod era;
mod mean;
mod multiclass;
mod ranking;
mod survival;

pub use era::EraScore;

use fattail_trees::Link;
use serde::{Deserialize, Serialize};

use crate::{
    Aft, Error, Labels, OwnLoss, known::Range, labels::length, names, objective, objectives,
};

/// A metric with its settings.
///
/// ```
/// use fattail_objective::{Evaluation, Labels};
/// use fattail_trees::Link;
/// let labels = Labels { targets: &[&[0.0, 1.0, 2.0]], ..Labels::default() };
/// let metric = Evaluation::from_name("rmse")?;
/// assert_eq!(metric.value(&labels, &[0.0, 1.0, 5.0], Link::Identity)?, 3.0f64.sqrt());
/// assert!(!metric.larger_is_better());
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "metric", rename_all = "snake_case")]
pub enum Evaluation {
    /// Mean absolute error.
    L1,
    /// Mean squared error.
    L2,
    /// Its root.
    Rmse,
    /// One minus the squared error against that of the mean.
    R2,
    /// The root of the mean squared error of `ln(1 + x)`.
    Rmsle,
    /// Mean pinball loss, output k with quantile k.
    Quantile {
        /// Which quantiles.
        alphas: Vec<f64>,
    },
    /// Mean asymmetric squared loss, output k with expectile k.
    Expectile {
        /// Which expectiles.
        alphas: Vec<f64>,
    },
    /// Mean absolute error as a share of the label, of at least 1.
    Mape,
    /// Mean Huber loss.
    Huber {
        /// The residual where it turns straight.
        alpha: f64,
    },
    /// Mean fair loss.
    Fair {
        /// The residual at which the slope is half its limit.
        c: f64,
    },
    /// Mean pseudo-Huber loss.
    PseudoHuber {
        /// The residual around which it turns.
        delta: f64,
    },
    /// Mean logarithm of the hyperbolic cosine of the residual.
    LogCosh,
    /// Mean negative log-likelihood of counts, up to a constant.
    Poisson,
    /// Mean negative log-likelihood of gamma amounts of shape 1.
    Gamma,
    /// Deviance of gamma amounts: a sum, as in LightGBM.
    GammaDeviance,
    /// Mean negative log-likelihood of Tweedie amounts, up to a constant.
    Tweedie {
        /// The power of the variance.
        variance_power: f64,
    },
    /// Mean logistic loss of labels above 0 against the others.
    BinaryLogloss,
    /// The share of wrong classes at a probability of 1/2.
    BinaryError,
    /// The area under the receiver operating characteristic.
    Auc,
    /// The area under precision against recall, in steps.
    AveragePrecision,
    /// Mean negative logarithm of the probability of the class.
    MultiLogloss,
    /// The share of rows whose class is not among the first.
    MultiError {
        /// How many come first.
        top: usize,
    },
    /// The area under the characteristics of all pairs of classes.
    AucMu {
        /// The loss of taking class i for class j at `i * classes + j`; empty for all alike.
        weights: Vec<f64>,
    },
    /// Mean cross entropy of labels that are probabilities.
    CrossEntropy,
    /// The same with weights that are exponents; the mean is over rows.
    CrossEntropyLambda,
    /// Cross entropy less the entropy of the labels.
    KullbackLeibler,
    /// Mean normalised discounted cumulative gain of the eras.
    Ndcg {
        /// How many positions count.
        at: usize,
        /// The gain of each label; empty for `2^label - 1`.
        label_gain: Vec<f64>,
    },
    /// Mean average precision of the eras, with labels above 1/2 relevant.
    Map {
        /// How many positions count.
        at: usize,
    },
    /// Mean negative partial log-likelihood of an event.
    Cox,
    /// Mean negative log-likelihood of survival times.
    Aft(Aft),
    /// The mean of a correlation over eras.
    EraMean(EraScore),
    /// The mean of a correlation over eras by its standard deviation.
    EraSharpe(EraScore),
    /// The value of a loss of one's own.
    #[serde(skip)]
    Own(OwnLoss),
}

impl Evaluation {
    /// The metric of a name or alias of LightGBM, or one of `rmsle`, `expectile`, `pseudo_huber`,
    /// `log_cosh`, `aucpr`, `cox`, `aft`, `era_pearson`, `era_spearman`, `numerai_corr`, the last three
    /// also with `_sharpe` behind; with default settings.
    ///
    /// A number may follow: `ndcg@5`, `map@10`, `multi_error@2` (5, 5 and 1 by default), `quantile@0.1`,
    /// `expectile@0.1`, `huber@1.5`, `fair@2`, `pseudo_huber@2`, `tweedie@1.2`.
    ///
    /// # Errors
    /// When there is none of this name; tells the nearest name that exists.
    pub fn from_name(name: &str) -> fattail_core::Result<Self> {
        Ok(names::metric(name)?)
    }

    /// The name, LightGBM's where it has the metric, with the number of positions.
    #[must_use]
    pub fn name(&self) -> String {
        let name = names::of_metric(self);
        match self {
            Self::Ndcg { at, .. } | Self::Map { at } => format!("{name}@{at}"),
            Self::MultiError { top } if *top != 1 => format!("{name}@{top}"),
            _ => name.to_owned(),
        }
    }

    /// Whether larger values are better.
    #[must_use]
    pub fn larger_is_better(&self) -> bool {
        matches!(
            self,
            Self::R2
                | Self::Auc
                | Self::AveragePrecision
                | Self::AucMu { .. }
                | Self::Ndcg { .. }
                | Self::Map { .. }
                | Self::EraMean(_)
                | Self::EraSharpe(_)
        )
    }

    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> fattail_core::Result<()> {
        let one = |name, value: usize| match value {
            0 => Err(fattail_core::Error::setting(name, 0, "at least 1")),
            _ => Ok(()),
        };
        match self {
            Self::Quantile { alphas } | Self::Expectile { alphas } => {
                objective::check_alphas(alphas)
            }
            Self::Huber { alpha } => objective::positive("alpha", *alpha),
            Self::Fair { c } => objective::positive("fair_c", *c),
            Self::PseudoHuber { delta } => objective::positive("delta", *delta),
            Self::Tweedie { variance_power } => objective::check_power(*variance_power),
            Self::MultiError { top } => one("multi_error_top_k", *top),
            Self::Ndcg { at, label_gain } => {
                one("eval_at", *at)?;
                objectives::check_gain(label_gain)
            }
            Self::Map { at } => one("eval_at", *at),
            Self::Aft(settings) => settings.check(),
            Self::Own(OwnLoss(loss)) => loss.check(),
            _ => Ok(()),
        }
    }

    /// The metric of raw scores, output-major; `link` turns them into predictions where the metric
    /// wants those.
    ///
    /// # Errors
    /// When a setting, label, weight or length does not fit, with value and row, and when the metric
    /// is not defined: no known label, no era that counts.
    pub fn value(
        &self,
        labels: &Labels<'_>,
        scores: &[f64],
        link: Link,
    ) -> fattail_core::Result<f64> {
        self.check()?;
        labels.check()?;
        if let Self::Own(OwnLoss(loss)) = self {
            return objectives::own_value(labels, scores, &**loss);
        }
        let view = View::new(self, labels, scores, link)?;
        let value = self.measure(&view)?;
        if value.is_nan() {
            return Err(self.undefined("the value is not a number").into());
        }
        Ok(value)
    }

    fn measure(&self, view: &View<'_>) -> Result<f64, Error> {
        match self {
            Self::BinaryLogloss | Self::BinaryError | Self::Auc | Self::AveragePrecision => {
                binary::value(self, view)
            }
            Self::MultiLogloss | Self::MultiError { .. } | Self::AucMu { .. } => {
                multiclass::value(self, view)
            }
            Self::CrossEntropy | Self::CrossEntropyLambda | Self::KullbackLeibler => {
                entropy::value(self, view)
            }
            Self::Ndcg { .. } | Self::Map { .. } => ranking::value(self, view),
            Self::Cox | Self::Aft(_) => survival::value(self, view),
            Self::EraMean(_) | Self::EraSharpe(_) => era::value(self, view),
            _ => mean::value(self, view),
        }
    }

    fn undefined(&self, reason: &'static str) -> Error {
        Error::Undefined { metric: self.name(), reason }
    }
}

/// What a metric looks at.
struct View<'a> {
    labels: &'a Labels<'a>,
    scores: &'a [f64],
    link: Link,
    outputs: usize,
    by: &'static str,
}

impl<'a> View<'a> {
    fn new(
        metric: &Evaluation,
        labels: &'a Labels<'a>,
        scores: &'a [f64],
        link: Link,
    ) -> Result<Self, Error> {
        let outputs = scores.len() / labels.rows();
        length("the scores", scores.len(), outputs.max(1) * labels.rows())?;
        Ok(Self { labels, scores, link, outputs, by: names::of_metric(metric) })
    }

    fn rows(&self) -> usize {
        self.labels.rows()
    }

    /// The only output of the only target.
    fn single(&self) -> Result<&'a [f64], Error> {
        if self.labels.targets.len() != 1 {
            let (by, given) = (self.by, self.labels.targets.len());
            return Err(Error::Targets { by, given, allowed: "1" });
        }
        self.one_output()
    }

    fn one_output(&self) -> Result<&'a [f64], Error> {
        length("the scores", self.scores.len(), self.rows())?;
        Ok(self.scores)
    }

    /// The weight of a row, 0 where the label is unknown.
    fn weight(&self, target: &[f32], row: usize) -> f64 {
        if target[row].is_nan() {
            return 0.0;
        }
        self.labels.weights.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The prediction of a raw score.
    fn predict(&self, score: f64) -> f64 {
        let mut row = [score];
        self.link.apply(&mut row);
        row[0]
    }

    /// The weighted sum of `value(row)` over the known rows of a target, and the sum of weights.
    fn sums(
        &self,
        target: &[f32],
        value: impl Fn(usize) -> f64 + Sync,
    ) -> Result<(f64, f64), Error> {
        let total = crate::chunks::sum(self.rows(), |row| self.weight(target, row));
        if total <= 0.0 {
            return Err(Error::NothingKnown { rows: self.rows() });
        }
        let sum = crate::chunks::sum(self.rows(), |row| match self.weight(target, row) {
            0.0 => 0.0,
            weight => weight * value(row),
        });
        Ok((sum, total))
    }

    fn check(&self, range: &Range) -> Result<(), Error> {
        self.labels.targets.iter().try_for_each(|target| range.check(target))
    }
}
