//! Steps that keep some of the features.
//!
//! Stable: by how steady the correlation with the target is over the eras. Distinct: from the steadiest
//! feature on, each feature whose correlation with one already kept is above a threshold in size is
//! dropped; that correlation is `sum z_i z_j / √(n_i n_j)` over rows standardised within eras to length
//! 1, `n` being the eras where a feature varies.
//!
//! NaN features count as their era's mean in the redundancy. A step that would keep nothing is an
//! error. Kept features stay in panel order.
//!
//! Cost: stable, a few passes; distinct, `rows · features² / 2` multiplications.
//!
//! Reference: Guyon and Elisseeff (2003), An introduction to variable and feature selection, JMLR 3.

use std::sync::Arc;

use fattail_core::{Error, Fit, Panel, Result, Transform, Values};
use fattail_stats::gram;
use serde::{Deserialize, Serialize};

use super::correlations::{Keep, Stability, best_first, era_correlations};
use crate::check::share;

/// Keeps the features whose correlation with the target is steady.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::{Keep, SelectStable, Stability};
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2"])?
///     .feature("flips", vec![0u8, 1, 1, 0])
///     .feature("stays", vec![0u8, 1, 0, 1])
///     .target("y", vec![0.0f32, 1.0, 0.0, 1.0])
///     .build()?;
/// let step = SelectStable { by: Stability::Sign, keep: Keep::Top(1) };
/// let kept = step.fit(&panel)?.transform(panel)?;
/// assert_eq!(&*kept.schema().features()[0], "stays");
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelectStable {
    /// How features are scored.
    pub by: Stability,
    /// Which of them are kept.
    pub keep: Keep,
}

impl Default for SelectStable {
    fn default() -> Self {
        Self { by: Stability::Ratio, keep: Keep::Above(0.0) }
    }
}

/// Drops features that say what a steadier one says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SelectDistinct {
    /// Correlations of at most this size are allowed, 0 to 1.
    pub threshold: f64,
    /// Which of two features is better.
    pub by: Stability,
}

impl Default for SelectDistinct {
    fn default() -> Self {
        Self { threshold: 0.95, by: Stability::Ratio }
    }
}

/// The features that a selection has kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    names: Vec<Arc<str>>,
}

impl Selected {
    pub(crate) fn new(panel: &Panel, positions: &[usize]) -> Result<Self> {
        if positions.is_empty() {
            return Err(Error::empty("the selection of features"));
        }
        let all = panel.schema().features();
        Ok(Self { names: positions.iter().map(|&at| Arc::clone(&all[at])).collect() })
    }

    /// The names, in panel order.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }
}

impl Transform for Selected {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        panel.select(&self.names)
    }
}

impl Fit for SelectStable {
    type Fitted = Selected;

    fn fit(&self, train: &Panel) -> Result<Selected> {
        self.keep.check()?;
        Selected::new(train, &self.keep.of(&scores(train, self.by)?))
    }
}

impl Fit for SelectDistinct {
    type Fitted = Selected;

    fn fit(&self, train: &Panel) -> Result<Selected> {
        share("threshold", self.threshold)?;
        let alike = likeness(train)?;
        let mut kept: Vec<usize> = Vec::new();
        for at in best_first(&scores(train, self.by)?) {
            let row = &alike[at * train.width()..];
            if kept.iter().all(|&other| row[other].abs() <= self.threshold) {
                kept.push(at);
            }
        }
        kept.sort_unstable();
        Selected::new(train, &kept)
    }
}

fn scores(train: &Panel, by: Stability) -> Result<Vec<f64>> {
    Ok(era_correlations(train)?.iter().map(|eras| by.score(eras)).collect())
}

/// The correlation of every pair of features, row-major.
fn likeness(panel: &Panel) -> Result<Vec<f64>> {
    let width = panel.width();
    let mut sums = vec![0.0; width * width];
    for era in panel.iter() {
        let columns: Vec<Vec<f64>> = era.features().map(unit).collect();
        let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let here = gram(&views).map_err(Error::other)?;
        sums.iter_mut().zip(here).for_each(|(sum, v)| *sum += v);
    }
    let lengths: Vec<f64> = (0..width).map(|at| sums[at * (width + 1)].sqrt()).collect();
    for (i, row) in sums.chunks_exact_mut(width.max(1)).enumerate() {
        for (v, length) in row.iter_mut().zip(&lengths) {
            let size = lengths[i] * length;
            *v = if size > 0.0 { *v / size } else { 0.0 };
        }
    }
    Ok(sums)
}

/// Values about their mean, of length 1; zeros where they are missing or do not vary.
fn unit(values: Values<'_>) -> Vec<f64> {
    let mut values = values.to_f64();
    let known = || values.iter().filter(|v| v.is_finite());
    let centre = known().sum::<f64>() / known().count() as f64;
    values.iter_mut().for_each(|v| *v = if v.is_finite() { *v - centre } else { 0.0 });
    let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let factor = if length > 1e-12 * centre.abs() { 1.0 / length } else { 0.0 };
    values.iter_mut().for_each(|v| *v *= factor);
    values
}
