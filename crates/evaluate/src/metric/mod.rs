//! The scores as metrics: what a backtest asks of each era.
//!
//! A score that is not defined, an era with too few rows or of which too little is known, and a NaN where
//! a score cannot pass it over answer [`fattail_core::Error::Undefined`] with the reason. A wrong column,
//! length or setting is an error.
//!
//! Each thread keeps one scorer, so that metrics of the same predictions rank them once.

mod against;
mod correlation;
mod error;
mod exposure;
mod neutral;

use std::cell::RefCell;

use fattail_core::{Era, Error as CoreError, Metric, Result, Values};

pub use against::{ContributionTo, CorrelationWith};
pub use correlation::{PearsonCorr, SpearmanCorr, TieBrokenRankCorr};
pub use error::{AbsoluteError, HuberError, SquaredError};
pub use exposure::{MaxExposure, MeanExposure};
pub use neutral::{
    Alpha, FeatureNeutralCorr, FeatureNeutralSpearman, NeutralContribution, NeutralCorrelation,
    PortfolioContribution,
};

use crate::score::is_constant;
use crate::{EraScorer, Error};

/// A metric under another name, such as `corr_tb200` beside `corr`.
#[derive(Debug, Clone)]
pub struct Named<M> {
    /// The name.
    pub name: String,
    /// What is scored.
    pub metric: M,
}

impl<M: Metric> Metric for Named<M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64> {
        self.metric.score(era, prediction)
    }
}

/// What a thread keeps from score to score.
#[derive(Default)]
struct Scratch {
    scorer: EraScorer,
    prediction: Vec<f64>,
    target: Vec<f64>,
    other: Vec<f64>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The slices that a score looks at; `other` is empty without a column.
struct Inputs<'a> {
    prediction: &'a [f64],
    target: &'a [f64],
    other: &'a [f64],
}

/// Hands `kernel` the era in `f64`, and explains why a score is not defined.
fn score(
    metric: &str,
    era: &Era<'_>,
    prediction: &[f32],
    column: Option<&str>,
    kernel: impl FnOnce(&mut EraScorer, Inputs<'_>) -> Result<f64, Error>,
) -> Result<f64> {
    if prediction.len() != era.rows() {
        let (name, given) = ("prediction".into(), prediction.len());
        return Err(CoreError::Length { name, given, expected: era.rows() });
    }
    let target = era.target()?;
    let other = column.map_or(Ok(&[][..]), |name| era.extra(name))?;
    SCRATCH.with_borrow_mut(|scratch| {
        widen(prediction, &mut scratch.prediction);
        widen(target, &mut scratch.target);
        widen(other, &mut scratch.other);
        let Scratch { scorer, prediction, target, other } = scratch;
        let inputs = Inputs { prediction, target, other };
        match kernel(scorer, inputs) {
            Ok(value) if value.is_nan() => {
                let sides = [("predictions", &*prediction), ("targets", target)];
                let other = column.map(|name| (name, &*other));
                Err(era.undefined(metric, reason(sides.into_iter().chain(other))))
            }
            Ok(value) => Ok(value),
            Err(error) if error.is_of_era() => Err(era.undefined(metric, error.to_string())),
            Err(error) => Err(error.into()),
        }
    })
}

fn reason<'a>(sides: impl Iterator<Item = (&'a str, &'a Vec<f64>)>) -> String {
    for (name, values) in sides {
        let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        if is_constant(&known) {
            return format!("{name} are constant");
        }
    }
    "the score is not a number".to_owned()
}

fn widen(values: &[f32], out: &mut Vec<f64>) {
    out.clear();
    out.extend(values.iter().map(|&value| f64::from(value)));
}

/// The chosen features of an era; all without a choice.
fn chosen<'a>(era: &Era<'a>, names: Option<&[String]>) -> Result<Vec<Values<'a>>> {
    match names {
        None => Ok(era.features().collect()),
        Some(names) => {
            let schema = era.panel().schema();
            let values = |name: &String| Ok(era.feature(schema.feature_position(name)?));
            names.iter().map(values).collect()
        }
    }
}
