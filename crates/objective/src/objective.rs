//! The list of objectives.

use std::sync::Arc;

use fattail_descent::{LogCosh, Loss, Pearson};
use fattail_trees::Link;
use serde::{Deserialize, Serialize};

use crate::{
    Aft, Binary, Bound, EraScore, Error, Evaluation, Labels, Lambdarank,
    known::{Known, Range},
    names,
    objectives::{self, Bind, Cox, Expectile, Own, PseudoHuber, Softmax, Stack, Xendcg},
};

/// A loss of one's own.
#[derive(Debug, Clone)]
pub struct OwnLoss(pub Arc<dyn Loss>);

impl PartialEq for OwnLoss {
    /// Whether both are the same object.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What boosting minimises.
///
/// The regressions (down to [`Objective::Tweedie`] and including both cross entropies) take several
/// targets and then have as many outputs; a target that is NaN teaches its own output nothing.
///
/// ```
/// use fattail_objective::{Labels, Objective};
/// let (targets, gradient, hessian) = ([0.0, 1.0, 5.0], &mut [0.0; 3], &mut [0.0; 3]);
/// let labels = Labels { targets: &[&targets], ..Labels::default() };
/// let bound = Objective::from_name("l2")?.bind(labels)?;
/// assert_eq!(bound.start(), [2.0]);
/// bound.slopes(0, &[2.0; 3], gradient, hessian);
/// assert_eq!(gradient, &[2.0, 1.0, -3.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "objective", rename_all = "snake_case")]
pub enum Objective {
    /// Squared error.
    #[default]
    Regression,
    /// Squared error of square roots: the label is `sign(y) sqrt(abs y)` (LightGBM's `reg_sqrt`).
    RegressionSqrt,
    /// Absolute error.
    RegressionL1,
    /// Squared error up to a residual, absolute beyond.
    Huber {
        /// The residual where it turns straight, above 0.
        alpha: f64,
    },
    /// Squared error that grows ever slower.
    Fair {
        /// The residual at which the slope is half its limit, above 0.
        c: f64,
    },
    /// Squared error near the label, absolute far away, smooth in between.
    PseudoHuber {
        /// The residual around which it turns, above 0.
        delta: f64,
    },
    /// The logarithm of the hyperbolic cosine of the residual.
    LogCosh,
    /// Absolute percentage error.
    Mape,
    /// Quantiles, one output each.
    Quantile {
        /// Which, between 0 and 1.
        alphas: Vec<f64>,
    },
    /// Expectiles, one output each.
    Expectile {
        /// Which, between 0 and 1.
        alphas: Vec<f64>,
    },
    /// Counts.
    Poisson {
        /// Added to the logarithm of the hessian, above 0.
        max_delta_step: f64,
    },
    /// Positive amounts.
    Gamma,
    /// Amounts, many of them zero.
    Tweedie {
        /// The power of the mean that the variance goes with, from 1 to below 2.
        variance_power: f64,
    },
    /// Two classes.
    Binary(Binary),
    /// Classes that share one probability.
    Multiclass {
        /// The number of classes, at least 2.
        classes: usize,
    },
    /// Classes, each against all others.
    #[serde(rename = "multiclassova")]
    MulticlassOva {
        /// The number of classes, at least 1.
        classes: usize,
        /// The loss of each.
        binary: Binary,
    },
    /// Labels that are probabilities.
    CrossEntropy,
    /// Labels that are probabilities, weights that are exponents.
    CrossEntropyLambda,
    /// The order of eras by NDCG.
    Lambdarank(Lambdarank),
    /// The order of eras by cross entropy.
    RankXendcg {
        /// The seed of the random ties (LightGBM's `objective_seed`).
        seed: u32,
        /// The gain of each label in the metric, which the loss has no use for; empty for `2^label - 1`.
        #[serde(default)]
        label_gain: Vec<f64>,
    },
    /// Survival: proportional hazards.
    Cox,
    /// Survival: accelerated failure time.
    Aft(Aft),
    /// One minus the mean Pearson correlation of eras.
    EraCorrelation,
    /// A loss of one's own; settings with it cannot be written down.
    #[serde(skip)]
    Custom(OwnLoss),
}

impl Objective {
    /// The objective of a name or alias of LightGBM, or one of `pseudo_huber`, `log_cosh`,
    /// `expectile`, `cox`, `aft`, `era_correlation`, with default settings; two classes for
    /// `multiclass` and `multiclassova`, to be set.
    ///
    /// ```
    /// use fattail_objective::Objective;
    /// assert_eq!(Objective::from_name("mae")?, Objective::RegressionL1);
    /// let error = Objective::from_name("poison").unwrap_err();
    /// assert_eq!(error.to_string(), "unknown objective 'poison', did you mean 'poisson'?");
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is none of this name; tells the nearest name that exists.
    pub fn from_name(name: &str) -> fattail_core::Result<Self> {
        Ok(names::objective(name)?)
    }

    /// An objective of a loss of one's own.
    #[must_use]
    pub fn custom(loss: impl Loss + 'static) -> Self {
        Self::Custom(OwnLoss(Arc::new(loss)))
    }

    /// The name, LightGBM's where it has the objective.
    #[must_use]
    pub fn name(&self) -> &'static str {
        names::of_objective(self)
    }

    /// Answers whether the settings are in range, which are LightGBM's.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> fattail_core::Result<()> {
        match self {
            Self::Huber { alpha } => positive("alpha", *alpha),
            Self::Fair { c } => positive("fair_c", *c),
            Self::PseudoHuber { delta } => positive("delta", *delta),
            Self::Poisson { max_delta_step } => positive("poisson_max_delta_step", *max_delta_step),
            Self::Quantile { alphas } | Self::Expectile { alphas } => check_alphas(alphas),
            Self::Tweedie { variance_power } => check_power(*variance_power),
            Self::Binary(binary) => binary.check(),
            Self::Multiclass { classes } => at_least(*classes, 2, "at least 2"),
            Self::MulticlassOva { classes, binary } => {
                at_least(*classes, 1, "at least 1")?;
                binary.check()
            }
            Self::Lambdarank(settings) => settings.check(),
            Self::RankXendcg { label_gain, .. } => objectives::check_gain(label_gain),
            Self::Aft(settings) => settings.check(),
            Self::Custom(OwnLoss(loss)) => loss.check(),
            _ => Ok(()),
        }
    }

    /// Checks settings and labels, and binds the objective to them.
    ///
    /// # Errors
    /// When a setting is out of range, or a label, weight or era bound; with value and row. When
    /// nothing can be learnt: no rows, no known label, a constant target.
    pub fn bind<'a>(&self, labels: Labels<'a>) -> fattail_core::Result<Box<dyn Bound + 'a>> {
        self.check()?;
        labels.check()?;
        match self {
            Self::EraCorrelation => Ok(Box::new(Own::new(&labels, Arc::new(Pearson))?)),
            Self::Custom(OwnLoss(loss)) => Ok(Box::new(Own::new(&labels, loss.clone())?)),
            _ => Ok(self.bind_known(&labels)?),
        }
    }

    /// Binds an objective on labels whose lengths, weights and eras are checked.
    fn bind_known<'a>(&self, labels: &Labels<'a>) -> Bind<'a> {
        if let Some(range) = self.range() {
            return self.bind_rows(labels, &range);
        }
        let several = labels.targets.len() > 1;
        if several && !matches!(self, Self::Cox | Self::Aft(_)) {
            let (by, given) = (self.name(), labels.targets.len());
            return Err(Error::Targets { by, given, allowed: "1" });
        }
        match self {
            Self::Binary(settings) => objectives::binary(labels, settings),
            Self::Multiclass { classes } => Softmax::bind(labels, *classes),
            Self::MulticlassOva { classes, binary } => {
                objectives::one_against_all(labels, binary, *classes)
            }
            Self::Lambdarank(settings) => objectives::lambdarank(labels, settings),
            Self::RankXendcg { seed, .. } => Xendcg::bind(labels, *seed),
            Self::Aft(settings) => settings.bind(labels),
            _ => Cox::bind(labels),
        }
    }

    /// The labels of the objectives that are sums over rows and take several targets.
    fn range(&self) -> Option<Range> {
        let by = self.name();
        match self {
            Self::Regression
            | Self::RegressionSqrt
            | Self::RegressionL1
            | Self::LogCosh
            | Self::Mape => Some(Range::finite(by)),
            Self::Huber { .. } | Self::Fair { .. } | Self::PseudoHuber { .. } => {
                Some(Range::finite(by))
            }
            Self::Quantile { .. } | Self::Expectile { .. } => Some(Range::finite(by)),
            Self::Poisson { .. } | Self::Tweedie { .. } => Some(Range::not_negative(by)),
            Self::Gamma => Some(Range::positive(by)),
            Self::CrossEntropy | Self::CrossEntropyLambda => Some(Range::unit(by)),
            _ => None,
        }
    }

    /// One part for every target and quantile.
    fn bind_rows<'a>(&self, labels: &Labels<'a>, range: &Range) -> Bind<'a> {
        let mut parts = Vec::new();
        for target in 0..labels.targets.len() {
            let known = || Known::new(labels, target, range)?.vary();
            match self {
                Self::Quantile { alphas } => {
                    for &alpha in alphas {
                        parts.push(objectives::quantile(known()?, alpha)?);
                    }
                }
                Self::Expectile { alphas } => {
                    for &alpha in alphas {
                        parts.push(objectives::residual(known()?, Expectile { alpha })?);
                    }
                }
                _ => parts.push(self.bind_target(labels, known()?)?),
            }
        }
        match parts.len() {
            1 => parts.pop().ok_or(Error::NoRows),
            count => Ok(Box::new(Stack { text: self.stacked_text(count), parts })),
        }
    }

    /// LightGBM has these objectives for one output only; as `custom` it hands out raw scores.
    fn stacked_text(&self, outputs: usize) -> String {
        match self.link() {
            Link::Sigmoid { scale } => format!("multiclassova num_class:{outputs} sigmoid:{scale}"),
            _ => "custom".into(),
        }
    }

    fn bind_target<'a>(&self, labels: &Labels<'a>, known: Known<'a>) -> Bind<'a> {
        match self {
            Self::RegressionSqrt => objectives::squared_root(known),
            Self::RegressionL1 => objectives::absolute(known),
            Self::Huber { alpha } => objectives::huber(known, *alpha),
            Self::Fair { c } => objectives::fair(known, *c),
            Self::PseudoHuber { delta } => {
                objectives::residual(known, PseudoHuber { delta: *delta })
            }
            Self::LogCosh => objectives::residual(known, LogCosh),
            Self::Mape => objectives::mape(known),
            Self::Poisson { max_delta_step } => objectives::poisson(known, *max_delta_step),
            Self::Gamma => objectives::gamma(known),
            Self::Tweedie { variance_power } => objectives::tweedie(known, *variance_power),
            Self::CrossEntropy => objectives::cross_entropy(known),
            Self::CrossEntropyLambda => objectives::cross_entropy_lambda(labels, known),
            _ => objectives::squared(known),
        }
    }

    /// From raw scores to predictions.
    #[must_use]
    pub fn link(&self) -> Link {
        match self {
            Self::RegressionSqrt => Link::SignedSquare,
            Self::Poisson { .. }
            | Self::Gamma
            | Self::Tweedie { .. }
            | Self::Cox
            | Self::Aft(_) => Link::Exp,
            Self::Binary(binary) | Self::MulticlassOva { binary, .. } => {
                Link::Sigmoid { scale: binary.sigmoid }
            }
            Self::Multiclass { .. } => Link::Softmax,
            Self::CrossEntropy => Link::Sigmoid { scale: 1.0 },
            Self::CrossEntropyLambda => Link::Softplus,
            _ => Link::Identity,
        }
    }

    /// The metric that goes with the objective, as LightGBM has it; NDCG at 5 for the rankings.
    #[must_use]
    pub fn evaluation(&self) -> Evaluation {
        match self {
            Self::Regression | Self::RegressionSqrt => Evaluation::L2,
            Self::RegressionL1 => Evaluation::L1,
            Self::Huber { alpha } => Evaluation::Huber { alpha: *alpha },
            Self::Fair { c } => Evaluation::Fair { c: *c },
            Self::PseudoHuber { delta } => Evaluation::PseudoHuber { delta: *delta },
            Self::LogCosh => Evaluation::LogCosh,
            Self::Mape => Evaluation::Mape,
            Self::Quantile { alphas } => Evaluation::Quantile { alphas: alphas.clone() },
            Self::Expectile { alphas } => Evaluation::Expectile { alphas: alphas.clone() },
            Self::Poisson { .. } => Evaluation::Poisson,
            Self::Gamma => Evaluation::Gamma,
            Self::Tweedie { variance_power } => {
                Evaluation::Tweedie { variance_power: *variance_power }
            }
            Self::Binary(_) => Evaluation::BinaryLogloss,
            Self::Multiclass { .. } | Self::MulticlassOva { .. } => Evaluation::MultiLogloss,
            Self::CrossEntropy => Evaluation::CrossEntropy,
            Self::CrossEntropyLambda => Evaluation::CrossEntropyLambda,
            Self::Lambdarank(settings) => {
                Evaluation::Ndcg { at: 5, label_gain: settings.label_gain.clone() }
            }
            Self::RankXendcg { label_gain, .. } => {
                Evaluation::Ndcg { at: 5, label_gain: label_gain.clone() }
            }
            Self::Cox => Evaluation::Cox,
            Self::Aft(settings) => Evaluation::Aft(*settings),
            Self::EraCorrelation => Evaluation::EraMean(EraScore::Pearson),
            Self::Custom(loss) => Evaluation::Own(loss.clone()),
        }
    }

    /// The metric of a name (see [`Evaluation::from_name`]). What the name does not say is the
    /// objective's, where its own metric is of the same kind: quantiles, powers, gains of labels.
    ///
    /// ```
    /// use fattail_objective::{Evaluation, Objective};
    /// let fair = Objective::Fair { c: 2.0 };
    /// assert_eq!(fair.evaluation_named("fair")?, Evaluation::Fair { c: 2.0 });
    /// assert_eq!(fair.evaluation_named("fair@3")?, Evaluation::Fair { c: 3.0 });
    /// assert_eq!(fair.evaluation_named("huber")?, Evaluation::Huber { alpha: 0.9 });
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no metric of this name; tells the nearest name that exists.
    pub fn evaluation_named(&self, name: &str) -> fattail_core::Result<Evaluation> {
        let (named, own) = (Evaluation::from_name(name)?, self.evaluation());
        let is_own = names::of_metric(&named) == names::of_metric(&own);
        Ok(match (named, own) {
            (Evaluation::Ndcg { at, .. }, Evaluation::Ndcg { label_gain, .. }) => {
                Evaluation::Ndcg { at, label_gain }
            }
            (_, own) if is_own && !name.contains('@') => own,
            (named, _) => named,
        })
    }
}

pub(crate) fn positive(name: &'static str, value: f64) -> fattail_core::Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(fattail_core::Error::setting(name, value, "above 0 and finite"))
}

pub(crate) fn check_alphas(alphas: &[f64]) -> fattail_core::Result<()> {
    let allowed = "one or several numbers between 0 and 1, both excluded";
    if alphas.is_empty() {
        return Err(fattail_core::Error::setting("alpha", "empty", allowed));
    }
    match alphas.iter().find(|&&alpha| !(alpha > 0.0 && alpha < 1.0)) {
        Some(alpha) => Err(fattail_core::Error::setting("alpha", alpha, allowed)),
        None => Ok(()),
    }
}

pub(crate) fn check_power(power: f64) -> fattail_core::Result<()> {
    if (1.0..2.0).contains(&power) {
        return Ok(());
    }
    let allowed = "from 1 to below 2";
    Err(fattail_core::Error::setting("tweedie_variance_power", power, allowed))
}

fn at_least(classes: usize, least: usize, allowed: &'static str) -> fattail_core::Result<()> {
    if classes >= least {
        Ok(())
    } else {
        Err(fattail_core::Error::setting("num_class", classes, allowed))
    }
}
