//! XGBoost's objectives: their links, and how they store the base score.
//!
//! The base score is kept in the space of predictions. For logistic objectives the margin is
//! `-ln(1 / b - 1)` (not for `binary:logitraw`), for logarithmic ones `ln(b)`, in single precision as
//! XGBoost computes it.

use fattail_trees::Link;

/// How a base score becomes a margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// It is one.
    Margin,
    /// By the logit.
    Probability,
    /// By the logarithm.
    Positive,
}

/// An objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Objective {
    pub(super) name: &'static str,
    pub(super) link: Link,
    pub(super) space: Space,
    /// What LightGBM calls it; empty where it has none that predicts alike.
    pub(super) lightgbm: &'static str,
    /// Its parameters in the file: their group, names and usual values.
    pub(super) group: &'static str,
    pub(super) parameters: &'static [(&'static str, &'static str)],
}

const REGRESSION: (&str, &[(&str, &str)]) = ("reg_loss_param", &[("scale_pos_weight", "1")]);
const RANK: (&str, &[(&str, &str)]) = ("lambdarank_param", &[]);
const NONE: (&str, &[(&str, &str)]) = ("", &[]);
const SIGMOID: Link = Link::Sigmoid { scale: 1.0 };
/// The parameter that a writer fills with the number of outputs.
const CLASSES: (&str, &[(&str, &str)]) = ("softmax_multiclass_param", &[("num_class", "0")]);

/// The objectives; the first of each link is the one written where nothing else is known.
static ALL: [Objective; 20] = [
    new("reg:squarederror", Link::Identity, Space::Margin, "regression", REGRESSION),
    new("reg:squaredlogerror", Link::Identity, Space::Margin, "", NONE),
    new("reg:absoluteerror", Link::Identity, Space::Margin, "regression_l1", NONE),
    new("reg:pseudohubererror", Link::Identity, Space::Margin, "", HUBER),
    new("reg:quantileerror", Link::Identity, Space::Margin, "quantile", QUANTILE),
    new("reg:expectileerror", Link::Identity, Space::Margin, "", EXPECTILE),
    new("binary:logistic", SIGMOID, Space::Probability, "binary", REGRESSION),
    new("reg:logistic", SIGMOID, Space::Probability, "cross_entropy", REGRESSION),
    new("binary:logitraw", Link::Identity, Space::Margin, "", REGRESSION),
    new("binary:hinge", Link::Identity, Space::Margin, "", NONE),
    new("count:poisson", Link::Exp, Space::Positive, "poisson", POISSON),
    new("reg:gamma", Link::Exp, Space::Positive, "gamma", REGRESSION),
    new("reg:tweedie", Link::Exp, Space::Positive, "tweedie", TWEEDIE),
    new("survival:cox", Link::Exp, Space::Positive, "", NONE),
    new("survival:aft", Link::Exp, Space::Positive, "", AFT),
    new("multi:softprob", Link::Softmax, Space::Margin, "multiclass", CLASSES),
    new("multi:softmax", Link::Softmax, Space::Margin, "multiclass", CLASSES),
    new("rank:ndcg", Link::Identity, Space::Margin, "lambdarank", RANK),
    new("rank:pairwise", Link::Identity, Space::Margin, "lambdarank", RANK),
    new("rank:map", Link::Identity, Space::Margin, "lambdarank", RANK),
];

const HUBER: (&str, &[(&str, &str)]) = ("pseudo_huber_param", &[("huber_slope", "1")]);
const QUANTILE: (&str, &[(&str, &str)]) = ("quantile_loss_param", &[("quantile_alpha", "[5E-1]")]);
const EXPECTILE: (&str, &[(&str, &str)]) =
    ("expectile_loss_param", &[("expectile_alpha", "[5E-1]")]);
const POISSON: (&str, &[(&str, &str)]) =
    ("poisson_regression_param", &[("max_delta_step", "0.699999988")]);
const TWEEDIE: (&str, &[(&str, &str)]) =
    ("tweedie_regression_param", &[("tweedie_variance_power", "1.5")]);
const AFT: (&str, &[(&str, &str)]) = (
    "aft_loss_param",
    &[("aft_loss_distribution", "normal"), ("aft_loss_distribution_scale", "1")],
);

const fn new(
    name: &'static str,
    link: Link,
    space: Space,
    lightgbm: &'static str,
    (group, parameters): (&'static str, &'static [(&'static str, &'static str)]),
) -> Objective {
    Objective { name, link, space, lightgbm, group, parameters }
}

impl Objective {
    /// The objective of a name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        let name = if name == "reg:linear" { "reg:squarederror" } else { name };
        ALL.iter().find(|objective| objective.name == name)
    }

    /// The usual objective of a link; every scale of a sigmoid has it.
    pub(super) fn of(link: Link) -> Option<&'static Self> {
        let link = if matches!(link, Link::Sigmoid { .. }) { SIGMOID } else { link };
        ALL.iter().find(|objective| objective.link == link)
    }

    /// The objective in LightGBM's words.
    pub(super) fn in_lightgbm(&self, outputs: usize) -> String {
        match self.lightgbm {
            "multiclass" => format!("multiclass num_class:{outputs}"),
            "binary" if outputs > 1 => format!("multiclassova num_class:{outputs} sigmoid:1"),
            "binary" => "binary sigmoid:1".into(),
            _ if outputs > 1 => String::new(),
            name => name.into(),
        }
    }
}

impl Space {
    /// What a base score may be.
    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Margin => "a finite number",
            Self::Probability => "more than 0 and less than 1",
            Self::Positive => "more than 0",
        }
    }

    /// The margin of a base score.
    pub(super) fn margin(self, base: f32) -> Option<f32> {
        let margin = match self {
            Self::Margin => base,
            Self::Probability => -(1.0 / base - 1.0).ln(),
            Self::Positive => base.ln(),
        };
        margin.is_finite().then_some(margin)
    }

    /// The base score whose margin is `margin`, as near as single precision allows.
    fn base(self, margin: f64) -> f32 {
        match self {
            Self::Margin => margin as f32,
            Self::Probability => (1.0 / (1.0 + (-margin).exp())) as f32,
            Self::Positive => margin.exp() as f32,
        }
    }

    /// The base score of a margin, where it keeps all that single precision holds of the margin.
    pub(super) fn faithful(self, margin: f64) -> Option<f32> {
        let base = self.base(margin);
        let back = self.margin(base)?;
        ((f64::from(back) - margin).abs() <= 1e-7 * margin.abs().max(1.0)).then_some(base)
    }

    /// The base score of margin 0.
    pub(super) fn neutral(self) -> f32 {
        self.base(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_scores_become_margins() {
        assert_eq!(Space::Probability.margin(0.5), Some(0.0));
        assert_eq!(Space::Positive.margin(1.0), Some(0.0));
        assert_eq!(Space::Margin.margin(0.3), Some(0.3));
        for refused in [0.0, 1.0, -0.5, 2.0] {
            assert_eq!(Space::Probability.margin(refused), None);
        }
        assert_eq!(Space::Positive.margin(-1.0), None);
        assert_eq!(
            [Space::Margin, Space::Probability, Space::Positive].map(Space::neutral),
            [0.0, 0.5, 1.0]
        );
    }

    #[test]
    fn a_margin_that_a_base_score_cannot_hold_is_told() {
        assert_eq!(Space::Probability.faithful(0.0), Some(0.5));
        assert_eq!(Space::Probability.faithful(40.0), None);
        assert_eq!(Space::Positive.faithful(200.0), None);
    }

    #[test]
    fn names_and_links_find_objectives() {
        assert_eq!(Objective::named("reg:linear").unwrap().name, "reg:squarederror");
        assert_eq!(Objective::of(Link::Sigmoid { scale: 2.0 }).unwrap().name, "binary:logistic");
        assert_eq!(Objective::of(Link::Softplus), None);
        assert_eq!(
            Objective::named("multi:softmax").unwrap().in_lightgbm(3),
            "multiclass num_class:3"
        );
    }
}
