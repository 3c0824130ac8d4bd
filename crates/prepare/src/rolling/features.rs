//! Rolling, decaying and lagged features of a panel, one series an id.
//!
//! The rows that share an id, era after era, are a series; a panel without ids must have one row an
//! era and is one series. Windows count the eras in which the id has a row, and end at the present
//! row: nothing later is seen. A panel that begins after the train panel goes on from its series.
//!
//! NaN: see [`Rolling`], [`Ewm`] and [`Lag`]; rows before a window is full are NaN, so an imputation
//! comes after this step where a learner follows.
//!
//! A feature is missing where its volume is: see [`vwap`].
//!
//! Cost: a feature and recipe, one pass over the history and the rows of the ids that the panel has,
//! features in parallel, each with a copy of its values from train and panel as `f32`. The whole
//! history is followed, because windows count an id's rows, not eras, and because a window's last bits
//! depend on where its series began.

use std::sync::Arc;

use fattail_core::{Era, Error, Fit, Panel, Result, Transform};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Ewm, Groups, Lag, Rolling, Stat, vwap};
use crate::history::History;

/// What is made of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// Statistics of a window.
    Window(Rolling, Vec<Stat>),
    /// Exponentially weighted mean and standard deviation.
    Ewm(Ewm),
    /// A comparison with the past.
    Lag(Lag),
    /// The average of the series, weighted by another feature; not made of that feature itself.
    Vwap {
        /// The feature that weighs, such as the volume.
        volume: String,
        /// The window.
        rolling: Rolling,
    },
}

impl Recipe {
    /// Names and values of what is made of the series `x` called `name`; `volume` is needed by
    /// [`Recipe::Vwap`] alone.
    ///
    /// # Errors
    /// When a setting is out of range, or the volume is needed and has another length.
    pub fn make(&self, name: &str, x: &[f64], volume: &[f64]) -> Result<Vec<(String, Vec<f64>)>> {
        let fresh = || vec![0.0; x.len()];
        Ok(match self {
            Self::Window(rolling, stats) => {
                let mut columns = vec![fresh(); stats.len()];
                let mut out: Vec<_> = columns.iter_mut().map(Vec::as_mut_slice).collect();
                rolling.apply(x, stats, &mut out)?;
                let title = |stat: &Stat| format!("{name}_{}_{}", stat.name(), rolling.length);
                stats.iter().map(title).zip(columns).collect()
            }
            Self::Ewm(ewm) => {
                let (mut mean, mut std) = (fresh(), fresh());
                ewm.apply(x, &mut mean, &mut std)?;
                vec![(format!("{name}_ewm_mean"), mean), (format!("{name}_ewm_std"), std)]
            }
            Self::Lag(lag) => {
                let mut out = fresh();
                lag.apply(x, &mut out)?;
                vec![(format!("{name}_{}_{}", lag.change.name(), lag.periods), out)]
            }
            Self::Vwap { rolling, .. } => {
                let mut out = fresh();
                vwap(x, volume, rolling, &mut out)?;
                vec![(format!("{name}_vwap_{}", rolling.length), out)]
            }
        })
    }

    /// The feature that weighs.
    fn volume(&self) -> Option<&str> {
        match self {
            Self::Vwap { volume, .. } => Some(volume),
            _ => None,
        }
    }
}

/// Adds features that look back along each id.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::{Change, Lag, Recipe, RollingFeatures};
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2"])?
///     .ids(["a", "b", "b", "a"].into_iter().collect::<fattail_core::Ids>())
///     .feature("x", vec![1.0f32, 2.0, 3.0, 4.0])
///     .build()?;
/// let lag = Recipe::Lag(Lag { periods: 1, change: Change::Value });
/// let step = RollingFeatures { features: vec![], recipes: vec![lag] };
/// let made = step.fit(&panel)?.transform(panel)?;
/// assert_eq!(made.feature_named("x_lag_1")?.to_f32()[2..], [2.0, 1.0]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RollingFeatures {
    /// The features to look at; none is all.
    pub features: Vec<String>,
    /// What is made of each.
    pub recipes: Vec<Recipe>,
}

/// Fitted [`RollingFeatures`]: the recipes and the series of the train panel.
#[derive(Debug, Clone)]
pub struct FittedRollingFeatures {
    /// The features that are looked at, and after them those that only weigh.
    names: Vec<Arc<str>>,
    looked_at: usize,
    recipes: Vec<Recipe>,
    history: History,
}

impl Fit for RollingFeatures {
    type Fitted = FittedRollingFeatures;

    fn fit(&self, train: &Panel) -> Result<FittedRollingFeatures> {
        for recipe in &self.recipes {
            recipe.make("", &[], &[])?;
        }
        let mut names = train.schema().features().to_vec();
        if !self.features.is_empty() {
            names = train.select(&self.features)?.schema().features().to_vec();
        }
        let looked_at = names.len();
        for volume in self.recipes.iter().filter_map(Recipe::volume) {
            if !names.iter().any(|name| **name == *volume) {
                names.push(volume.into());
            }
        }
        let history = History::new(train.without_targets().select(&names)?);
        Ok(FittedRollingFeatures { names, looked_at, recipes: self.recipes.clone(), history })
    }
}

impl Transform for FittedRollingFeatures {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        let seen = panel.select(&self.names)?;
        let before = self.history.before(&panel)?;
        let series = Series {
            past: before.as_ref().map_or(0, Panel::rows),
            groups: series(before.as_ref(), &seen)?,
            panels: before.iter().chain([&seen]).collect(),
        };
        let make = |at: usize| self.columns(at, &series);
        let made: Vec<_> = (0..self.looked_at).into_par_iter().map(make).collect::<Result<_>>()?;
        panel.append_features(made.into_iter().flatten())
    }
}

/// What came before a panel, and the panel.
struct Series<'a> {
    panels: Vec<&'a Panel>,
    /// Rows of the first panel when there are two.
    past: usize,
    groups: Groups,
}

impl Series<'_> {
    fn feature(&self, at: usize) -> Vec<f32> {
        self.panels.iter().flat_map(|panel| panel.feature(at).to_f32()).collect()
    }
}

impl FittedRollingFeatures {
    /// All recipes on one feature, in the rows of the panel.
    fn columns(&self, at: usize, series: &Series<'_>) -> Result<Vec<(String, Vec<f32>)>> {
        let (name, x) = (&*self.names[at], series.feature(at));
        let mut all = Vec::new();
        for recipe in &self.recipes {
            match recipe.volume() {
                Some(volume) if volume == name => {}
                Some(volume) => {
                    let found = self.names.iter().position(|known| **known == *volume);
                    let weights = found.map_or_else(Vec::new, |at| series.feature(at));
                    all.extend(follow(recipe, name, &x, &weights, series)?);
                }
                None => all.extend(follow(recipe, name, &x, &[], series)?),
            }
        }
        Ok(all)
    }
}

/// One recipe along each series that has a row in the panel; `weights` may be empty where none are
/// needed.
fn follow(
    recipe: &Recipe,
    name: &str,
    x: &[f32],
    weights: &[f32],
    series: &Series<'_>,
) -> Result<Vec<(String, Vec<f32>)>> {
    let past = series.past;
    let titles = recipe.make(name, &[], &[])?.into_iter();
    let mut all: Vec<_> = titles.map(|(title, _)| (title, vec![0.0; x.len() - past])).collect();
    for rows in series.groups.iter() {
        if rows.last().is_none_or(|&row| (row as usize) < past) {
            continue;
        }
        let gather = |values: &[f32]| -> Vec<f64> {
            rows.iter().filter_map(|&row| values.get(row as usize)).map(|&v| v.into()).collect()
        };
        let made = recipe.make(name, &gather(x), &gather(weights))?;
        for ((_, out), (_, values)) in all.iter_mut().zip(made) {
            let present = rows.iter().zip(values).filter(|(row, _)| **row as usize >= past);
            present.for_each(|(&row, v)| out[row as usize - past] = v as f32);
        }
    }
    Ok(all)
}

/// The series of the rows of `before` and, after them, of `panel`.
fn series<'a>(before: Option<&'a Panel>, panel: &'a Panel) -> Result<Groups> {
    let panels = || before.into_iter().chain([panel]);
    if panels().all(Panel::has_ids) {
        let ids = |panel: &'a Panel| panel.iter().filter_map(Era::ids).flatten();
        return Groups::from_keys(panels().flat_map(ids));
    }
    if panels().any(|panel| panel.rows() > panel.eras().len()) {
        let what = "ids, or one row an era".to_owned();
        return Err(Error::Missing { operation: "rolling features".into(), what });
    }
    Groups::from_keys(panels().flat_map(|panel| vec![0; panel.rows()]))
}
