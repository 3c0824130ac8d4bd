//! Takes out of values what features explain, era by era.
//!
//! With the chosen features and a column of ones as `Z`: `y - proportion · Z Z⁺ y`. At proportion 1
//! what remains has mean 0 and is orthogonal to the features.
//!
//! NaN in `y` stays NaN and its row does not count; NaN or infinity in a chosen feature is refused
//! with its place. Singular values below 1e-6 of the largest count as zero, so features may repeat or
//! be constant. An era whose values are all NaN stays as it is.
//!
//! What remains of values that the features explain wholly is rounding, and a correlation with it
//! would be noise. So it counts as exactly zero, and `(1 - proportion) · y` is left, when `y` is
//! constant, or when the rest is no longer than `1e-9 ‖y - mean(y)‖`, or than `2⁻²⁴ ‖y‖`, which is
//! what rounding to `f32` may have put there. At proportion 1 such an era is all zeros.
//!
//! Cost: least squares of `k` features an era, once for all values whose known rows are the same,
//! eras in parallel.
//!
//! Reference: Numerai, feature neutralization (numerai-tools 0.7, `neutralize`).

use std::{collections::BTreeMap, sync::Arc};

use fattail_core::{Era, Error, Fit, Panel, Predict, Result, Transform};
use fattail_stats::{Projector, mean};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    check::{same_length, share},
    target::map_target,
};

/// Singular values below this share of the largest count as zero.
const RCOND: f64 = 1e-6;
/// A rest of at most this share of the values' distance from their mean is rounding.
const EXPLAINED: f64 = 1e-9;
/// The largest relative error of a number stored as `f32`.
const F32_ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

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
    /// The features that are not chosen; some must be chosen and some left.
    Features,
}

/// Neutralises the target, or the other features, against features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Neutralise {
    /// The features to be neutral to; none is all, which leaves no subject among the features.
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
        if self.subject == Subject::Features && against.len() == train.width() {
            let allowed = "some features, not all, when the other features are neutralised";
            let given = if self.features.is_empty() { "none, so all" } else { "all" };
            return Err(Error::setting("features", given, allowed));
        }
        Ok(FittedNeutralise { against, proportion: self.proportion, subject: self.subject })
    }
}

impl Transform for FittedNeutralise {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        let against = positions(&panel, &self.against)?;
        if self.subject == Subject::Features {
            let subjects: Vec<usize> =
                (0..panel.width()).filter(|at| !against.contains(at)).collect();
            let of_era = |era: Era<'_>| {
                subjects.iter().map(|&at| era.feature(at).iter().collect()).collect()
            };
            let columns = all_apart(&panel, of_era, &against, self.proportion)?;
            return panel.replace_features(subjects.into_iter().zip(columns));
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
    let of_era = |era: Era<'_>| vec![values[panel.eras().range(era.index())].to_vec()];
    let columns = all_apart(panel, of_era, against, proportion)?;
    Ok(columns.into_iter().next().unwrap_or_default())
}

/// The same for several columns, which `of_era` gives era by era.
fn all_apart(
    panel: &Panel,
    of_era: impl Fn(Era<'_>) -> Vec<Vec<f32>> + Sync,
    against: &[usize],
    proportion: f64,
) -> Result<Vec<Vec<f32>>> {
    let one = |index: usize| {
        let era = panel.era(index);
        let mut subjects = of_era(era);
        era_apart(era, &mut subjects, against, proportion).map(|()| subjects)
    };
    let eras: Vec<Vec<Vec<f32>>> =
        (0..panel.eras().len()).into_par_iter().map(one).collect::<Result<_>>()?;
    let mut columns = vec![Vec::new(); eras.first().map_or(0, Vec::len)];
    for era in eras {
        columns.iter_mut().zip(era).for_each(|(column, part)| column.extend(part));
    }
    Ok(columns)
}

/// Takes what the features explain out of each subject; one factorisation for all that miss the same
/// rows.
fn era_apart(
    era: Era<'_>,
    subjects: &mut [Vec<f32>],
    against: &[usize],
    proportion: f64,
) -> Result<()> {
    if against.is_empty() {
        return Ok(());
    }
    let mut alike: BTreeMap<Vec<usize>, Vec<&mut Vec<f32>>> = BTreeMap::new();
    for subject in subjects {
        let missing = (0..subject.len()).filter(|&row| subject[row].is_nan()).collect();
        alike.entry(missing).or_default().push(subject);
    }
    for (missing, subjects) in alike {
        let is_known = |row: &usize| missing.binary_search(row).is_err();
        let known: Vec<usize> = (0..era.rows()).filter(is_known).collect();
        if known.is_empty() {
            continue;
        }
        let columns: Vec<Vec<f64>> =
            against.iter().map(|&at| column(era, at, &known)).collect::<Result<_>>()?;
        let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let projector = Projector::from_columns(&views, true, RCOND).map_err(Error::other)?;
        for subject in subjects {
            let y: Vec<f64> = known.iter().map(|&row| f64::from(subject[row])).collect();
            let rest = rest(&projector, &y)?;
            for ((&row, y), rest) in known.iter().zip(y).zip(rest) {
                subject[row] = ((1.0 - proportion) * y + proportion * rest) as f32;
            }
        }
    }
    Ok(())
}

/// What the features do not explain of `y`; zeros where that is rounding alone.
fn rest(projector: &Projector, y: &[f64]) -> Result<Vec<f64>> {
    let mut rest = vec![0.0; y.len()];
    projector.residual(y, 1.0, &mut rest).map_err(Error::other)?;
    let centre = mean(y);
    let spread = length(y.iter().map(|v| v - centre));
    let rounding = (EXPLAINED * spread).max(F32_ROUNDING * length(y.iter().copied()));
    let constant = y.iter().all(|v| *v == y[0]);
    if constant || length(rest.iter().copied()) <= rounding {
        rest.fill(0.0);
    }
    Ok(rest)
}

fn length(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
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
