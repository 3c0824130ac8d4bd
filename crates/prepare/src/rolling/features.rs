//! Rolling, decaying and lagged features of a panel, one series an id.
//!
//! The rows that share an id, era after era, are a series; a panel without ids must have one row an
//! era and is one series. Windows count the eras in which the id has a row, and end at the present
//! row: nothing later is seen. A panel that begins after the train panel goes on from its series.
//!
//! NaN: see [`Rolling`], [`Ewm`] and [`Lag`]; rows before a window is full are NaN, so an imputation
//! comes after this step where a learner follows.
//!
//! Cost: one pass over history and panel a feature and recipe, features in parallel.

use std::sync::Arc;

use fattail_core::{Era, Error, Fit, Panel, Result, Transform};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Ewm, Groups, Lag, Rolling, Stat};
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
}

impl Recipe {
    /// Names and values of what is made of the series `x` called `name`.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn make(&self, name: &str, x: &[f64]) -> Result<Vec<(String, Vec<f64>)>> {
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
        })
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
    names: Vec<Arc<str>>,
    recipes: Vec<Recipe>,
    history: History,
}

impl Fit for RollingFeatures {
    type Fitted = FittedRollingFeatures;

    fn fit(&self, train: &Panel) -> Result<FittedRollingFeatures> {
        for recipe in &self.recipes {
            recipe.make("", &[])?;
        }
        let mut seen = train.without_targets();
        if !self.features.is_empty() {
            seen = seen.select(&self.features)?;
        }
        let names = seen.schema().features().to_vec();
        let (recipes, history) = (self.recipes.clone(), History::new(seen));
        Ok(FittedRollingFeatures { names, recipes, history })
    }
}

impl Transform for FittedRollingFeatures {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        let seen = panel.select(&self.names)?;
        let before = self.history.before(&panel)?;
        let past = before.as_ref().map_or(0, Panel::rows);
        let groups = series(before.as_ref(), &seen)?;
        let make = |at: usize| {
            let mut x = before.as_ref().map_or_else(Vec::new, |panel| panel.feature(at).to_f64());
            x.extend(seen.feature(at).to_f64());
            self.columns(&self.names[at], &x, &groups, past)
        };
        let made: Vec<_> =
            (0..self.names.len()).into_par_iter().map(make).collect::<Result<_>>()?;
        panel.append_features(made.into_iter().flatten())
    }
}

impl FittedRollingFeatures {
    /// All recipes on one feature, the first `past` rows left out.
    fn columns(
        &self,
        name: &str,
        x: &[f64],
        groups: &Groups,
        past: usize,
    ) -> Result<Vec<(String, Vec<f32>)>> {
        let mut all: Vec<(String, Vec<f32>)> = Vec::new();
        for recipe in &self.recipes {
            let titles = recipe.make(name, &[])?;
            let begin = all.len();
            all.extend(titles.into_iter().map(|(title, _)| (title, vec![0.0; x.len() - past])));
            for rows in groups.iter() {
                let series: Vec<f64> = rows.iter().map(|&row| x[row as usize]).collect();
                let made = recipe.make(name, &series)?;
                for ((_, out), (_, values)) in all[begin..].iter_mut().zip(made) {
                    let present = rows.iter().zip(values).filter(|(row, _)| **row as usize >= past);
                    present.for_each(|(&row, v)| out[row as usize - past] = v as f32);
                }
            }
        }
        Ok(all)
    }
}

/// The series of the rows of `before` and, after them, of `panel`.
fn series<'a>(before: Option<&'a Panel>, panel: &'a Panel) -> Result<Groups> {
    let panels = || before.into_iter().chain([panel]);
    if panels().all(Panel::has_ids) {
        let ids = |panel: &'a Panel| panel.iter().filter_map(Era::ids).flatten();
        return Ok(Groups::from_keys(panels().flat_map(ids)));
    }
    if panels().any(|panel| panel.rows() > panel.eras().len()) {
        let what = "ids, or one row an era".to_owned();
        return Err(Error::Missing { operation: "rolling features".into(), what });
    }
    Ok(Groups::from_keys(panels().flat_map(|panel| vec![0; panel.rows()])))
}
