//! Takes out of values what features explain, era by era.
//!
//! With the chosen features and a column of ones as `Z`: `y - proportion · Z Z⁺ y`. At proportion 1
//! what remains has mean 0 and is orthogonal to the features.
//!
//! NaN in `y` stays NaN and its row does not count; NaN or infinity in a chosen feature is refused
//! with its place. Singular values below 1e-6 of the largest count as zero, so features may repeat or
//! be constant. An era whose values are all NaN stays as it is.
//!
//! Cost: least squares of `k` features an era, eras in parallel.
//!
//! Reference: Numerai, feature neutralization (numerai-tools 0.7, `neutralize`).

use std::sync::Arc;

use fattail_core::{Era, Error, Fit, Panel, Predict, Result, Transform};
use fattail_stats::Projector;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    check::{same_length, share},
    target::map_target,
};

/// Singular values below this share of the largest count as zero.
const RCOND: f64 = 1e-6;

/// Predictions with what all features explain taken out.
///
/// ```
/// use fattail_core::Panel;
///
/// let panel = Panel::builder().feature("x", vec![0u8, 1, 2, 3]).build()?;
/// let rest = fattail_prepare::neutralise(&panel, &[5.0, 7.0, 9.0, 11.0], 1.0)?;
/// assert!(rest.iter().all(|v| v.abs() < 1e-6));
/// # Ok::<(), fattail_core::Error>(())
/// ```
///
/// # Errors
/// When the proportion lies outside 0 to 1, a length differs or a feature is not finite.
pub fn neutralise(panel: &Panel, predictions: &[f32], proportion: f64) -> Result<Vec<f32>> {
    let all: Vec<usize> = (0..panel.width()).collect();
    apart(panel, predictions, &all, proportion)
}

/// What is neutralised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The target that learners fit.
    #[default]
    Target,
    /// The features that are not chosen.
    Features,
}

/// Neutralises the target, or the other features, against features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Neutralise {
    /// The features to be neutral to; none is all.
    pub features: Vec<String>,
    /// How much of what they explain goes, 0 to 1.
    pub proportion: f64,
    /// What is neutralised.
    pub subject: Subject,
}

impl Default for Neutralise {
    fn default() -> Self {
        Self { features: Vec::new(), proportion: 1.0, subject: Subject::Target }
    }
}

/// A fitted [`Neutralise`]: it knows names, no values.
#[derive(Debug, Clone)]
pub struct FittedNeutralise {
    against: Vec<Arc<str>>,
    proportion: f64,
    subject: Subject,
}

impl Fit for Neutralise {
    type Fitted = FittedNeutralise;

    fn fit(&self, train: &Panel) -> Result<FittedNeutralise> {
        share("proportion", self.proportion)?;
        let against = chosen(train, &self.features)?;
        Ok(FittedNeutralise { against, proportion: self.proportion, subject: self.subject })
    }
}

impl Transform for FittedNeutralise {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        let against = positions(&panel, &self.against)?;
        if self.subject == Subject::Features {
            let one = |at: usize| {
                let values = panel.feature(at).to_f32();
                let keep = against.contains(&at);
                if keep { Ok(values) } else { apart(&panel, &values, &against, self.proportion) }
            };
            let columns: Vec<_> = (0..panel.width()).map(one).collect::<Result<_>>()?;
            let names = panel.schema().features().iter().map(Arc::clone);
            return panel.with_features(names.zip(columns));
        }
        let seen = panel.clone();
        map_target(panel, |target| apart(&seen, &target.to_f32(), &against, self.proportion))
    }
}

/// A learner whose predictions are neutralised against features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neutralised<L> {
    /// The learner.
    pub learner: L,
    /// The features to be neutral to; none is all.
    pub features: Vec<String>,
    /// How much of what they explain goes, 0 to 1.
    pub proportion: f64,
}

/// A model whose predictions are neutralised.
#[derive(Debug, Clone)]
pub struct NeutralisedModel<M> {
    model: M,
    against: Vec<Arc<str>>,
    proportion: f64,
}

impl<L: Fit> Fit for Neutralised<L> {
    type Fitted = NeutralisedModel<L::Fitted>;

    fn fit(&self, train: &Panel) -> Result<Self::Fitted> {
        share("proportion", self.proportion)?;
        let against = chosen(train, &self.features)?;
        let model = self.learner.fit(train)?;
        Ok(NeutralisedModel { model, against, proportion: self.proportion })
    }
}

impl<M: Predict> Predict for NeutralisedModel<M> {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let against = positions(panel, &self.against)?;
        apart(panel, &self.model.predict(panel)?, &against, self.proportion)
    }
}

fn chosen(panel: &Panel, features: &[String]) -> Result<Vec<Arc<str>>> {
    if features.is_empty() {
        return Ok(panel.schema().features().to_vec());
    }
    Ok(panel.select(features)?.schema().features().to_vec())
}

fn positions(panel: &Panel, names: &[Arc<str>]) -> Result<Vec<usize>> {
    names.iter().map(|name| panel.schema().feature_position(name)).collect()
}

/// `values`, in panel order, without what the features at `against` explain in each era.
fn apart(panel: &Panel, values: &[f32], against: &[usize], proportion: f64) -> Result<Vec<f32>> {
    share("proportion", proportion)?;
    same_length("values", values.len(), panel.rows())?;
    let eras: Vec<usize> = (0..panel.eras().len()).collect();
    let one = |&index: &usize| {
        let rows = panel.eras().range(index);
        era_apart(panel.era(index), &values[rows], against, proportion)
    };
    let parts: Vec<Vec<f32>> = eras.par_iter().map(one).collect::<Result<_>>()?;
    Ok(parts.concat())
}

fn era_apart(era: Era<'_>, values: &[f32], against: &[usize], proportion: f64) -> Result<Vec<f32>> {
    let known: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
    let y: Vec<f64> = known.iter().map(|&row| f64::from(values[row])).collect();
    if y.is_empty() || against.is_empty() {
        return Ok(values.to_vec());
    }
    let columns: Vec<Vec<f64>> =
        against.iter().map(|&at| column(era, at, &known)).collect::<Result<_>>()?;
    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let projector = Projector::from_columns(&views, true, RCOND).map_err(Error::other)?;
    let mut rest = vec![0.0; y.len()];
    projector.residual(&y, proportion, &mut rest).map_err(Error::other)?;
    let mut out = values.to_vec();
    known.iter().zip(rest).for_each(|(&row, v)| out[row] = v as f32);
    Ok(out)
}

/// The known rows of a feature, all finite.
fn column(era: Era<'_>, at: usize, known: &[usize]) -> Result<Vec<f64>> {
    let values = era.feature(at);
    let panel = era.panel();
    let finite = |&row: &usize| {
        let value = f64::from(values.get(row));
        if value.is_finite() {
            return Ok(value);
        }
        Err(Error::NonFinite {
            column: panel.schema().features()[at].to_string(),
            value,
            era: era.label().to_owned(),
            row: panel.eras().range(era.index()).start + row,
        })
    };
    known.iter().map(finite).collect()
}
