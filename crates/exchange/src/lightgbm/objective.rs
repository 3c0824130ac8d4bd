//! Objectives as LightGBM writes them, and their links.
//!
//! The text is a name or alias, then arguments between spaces: `sqrt`, `sigmoid:x`, `num_class:K`.

use fattail_trees::{Forest, Link};

use super::number::push_short;
use crate::{Error, Result};

/// An objective in LightGBM's own spelling, with its link.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    pub(super) text: String,
    pub(super) link: Link,
}

impl Objective {
    /// Understands the text of an objective for `outputs`; the answer spells aliases out.
    pub(super) fn parse(text: &str, outputs: usize) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let given = words.next().unwrap_or_default();
        let name = canonical(given).ok_or_else(|| format!("unknown objective '{given}'"))?;
        let (mut sqrt, mut scale) = (false, 1.0);
        for word in words {
            match word.split_once(':') {
                None if word == "sqrt" => sqrt = true,
                Some(("sigmoid", value)) => scale = positive(value)?,
                Some(("num_class", value)) if value.parse() != Ok(outputs) => {
                    return Err(format!("num_class is {value}, of the model {outputs}"));
                }
                _ => {}
            }
        }
        let link = link(name, sqrt, scale);
        Ok(Self { text: spell(name, link, outputs), link })
    }

    /// The objective to write for a forest: its own when LightGBM knows it and its link is the forest's,
    /// else one that has the link. None where raw scores are the predictions and nothing need be said.
    pub(super) fn of(forest: &Forest) -> Result<Option<String>> {
        if let Ok(own) = Self::parse(&forest.objective, forest.outputs)
            && own.link == forest.link
        {
            return Ok(Some(own.text));
        }
        let one = forest.outputs == 1;
        let name = match forest.link {
            Link::Identity => return Ok(None),
            Link::SignedSquare if one => "regression",
            Link::Exp if one => "poisson",
            Link::Softplus if one => "cross_entropy_lambda",
            Link::Sigmoid { scale } if one && scale > 0.0 => "binary",
            Link::Sigmoid { scale } if scale > 0.0 => "multiclassova",
            Link::Softmax => "multiclass",
            link => {
                let what = format!("the link {link:?} of {} outputs", forest.outputs);
                return Err(Error::Unrepresentable { format: "lightgbm", what });
            }
        };
        Ok(Some(spell(name, forest.link, forest.outputs)))
    }
}

fn positive(value: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(scale) if scale > 0.0 && scale.is_finite() => Ok(scale),
        _ => Err(format!("sigmoid is '{value}', allowed is a positive number")),
    }
}

fn link(name: &str, sqrt: bool, scale: f64) -> Link {
    match name {
        "regression" if sqrt => Link::SignedSquare,
        "poisson" | "gamma" | "tweedie" => Link::Exp,
        "binary" | "multiclassova" => Link::Sigmoid { scale },
        "cross_entropy" => Link::Sigmoid { scale: 1.0 },
        "cross_entropy_lambda" => Link::Softplus,
        "multiclass" => Link::Softmax,
        _ => Link::Identity,
    }
}

fn spell(name: &str, link: Link, outputs: usize) -> String {
    let mut text = name.to_owned();
    if link == Link::SignedSquare {
        text.push_str(" sqrt");
    }
    if matches!(name, "multiclass" | "multiclassova") {
        text.push_str(&format!(" num_class:{outputs}"));
    }
    if let Link::Sigmoid { scale } = link
        && name != "cross_entropy"
    {
        text.push_str(" sigmoid:");
        push_short(&mut text, scale);
    }
    text
}

/// The name behind an alias.
fn canonical(name: &str) -> Option<&'static str> {
    Some(match name {
        "regression"
        | "regression_l2"
        | "mean_squared_error"
        | "mse"
        | "l2"
        | "l2_root"
        | "root_mean_squared_error"
        | "rmse" => "regression",
        "regression_l1" | "mean_absolute_error" | "l1" | "mae" => "regression_l1",
        "huber" => "huber",
        "fair" => "fair",
        "poisson" => "poisson",
        "quantile" => "quantile",
        "mape" | "mean_absolute_percentage_error" => "mape",
        "gamma" => "gamma",
        "tweedie" => "tweedie",
        "binary" => "binary",
        "multiclass" | "softmax" => "multiclass",
        "multiclassova" | "multiclass_ova" | "ova" | "ovr" => "multiclassova",
        "cross_entropy" | "xentropy" => "cross_entropy",
        "cross_entropy_lambda" | "xentlambda" => "cross_entropy_lambda",
        "lambdarank" => "lambdarank",
        "rank_xendcg" | "xendcg" | "xe_ndcg" | "xe_ndcg_mart" | "xendcg_mart" => "rank_xendcg",
        "custom" | "none" | "null" | "na" => "custom",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_spelled_out() {
        let spelled = |text, outputs| Objective::parse(text, outputs).unwrap().text;
        assert_eq!(spelled("mse sqrt", 1), "regression sqrt");
        assert_eq!(spelled("binary", 1), "binary sigmoid:1");
        assert_eq!(
            spelled("ova sigmoid:0.5 num_class:3", 3),
            "multiclassova num_class:3 sigmoid:0.5"
        );
        assert_eq!(spelled("softmax num_class:3", 3), "multiclass num_class:3");
        assert_eq!(spelled("xentropy", 1), "cross_entropy");
    }

    #[test]
    fn links_of_names() {
        let link = |text| Objective::parse(text, 1).unwrap().link;
        assert_eq!(link("tweedie"), Link::Exp);
        assert_eq!(link("xentlambda"), Link::Softplus);
        assert_eq!(link("binary sigmoid:0.7"), Link::Sigmoid { scale: 0.7 });
        assert_eq!(link("huber sqrt"), Link::Identity);
        assert_eq!(link("rank_xendcg"), Link::Identity);
    }

    #[test]
    fn refused_with_the_reason() {
        let reason = |text| Objective::parse(text, 3).unwrap_err();
        assert_eq!(reason("magic"), "unknown objective 'magic'");
        assert_eq!(reason("multiclass num_class:4"), "num_class is 4, of the model 3");
        assert_eq!(reason("binary sigmoid:-1"), "sigmoid is '-1', allowed is a positive number");
    }

    #[test]
    fn an_own_objective_keeps_its_link() {
        let forest = |link, outputs| Forest {
            objective: "expectile".into(),
            link,
            outputs,
            ..Forest::default()
        };
        assert_eq!(Objective::of(&forest(Link::Identity, 1)), Ok(None));
        assert_eq!(Objective::of(&forest(Link::Exp, 1)), Ok(Some("poisson".into())));
        let scale = 0.1 + 0.2;
        let text = Objective::of(&forest(Link::Sigmoid { scale }, 2)).unwrap().unwrap();
        assert_eq!(text, "multiclassova num_class:2 sigmoid:0.30000000000000004");
        let error = Objective::of(&forest(Link::Exp, 2)).unwrap_err();
        assert_eq!(error.to_string(), "lightgbm: the link Exp of 2 outputs cannot be represented");
    }
}
