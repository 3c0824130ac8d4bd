//! The target's place among the targets of the eras so far.
//!
//! In era `e` the place is `(#{t < y} + #{t <= y}) / 2n` over the `n` known targets `t` of the eras
//! before `e` and, if closed on both sides, of `e` itself. A panel that begins after the train panel
//! goes on from the eras of train; later eras never count.
//!
//! A NaN target stays NaN and is not counted. Closed on the left, the first era has nothing before it
//! and is ranked within itself. A panel without a target stays as it is.
//!
//! Cost: a sort of each era, a merge into the targets so far, a search a row.

use fattail_core::{Fit, Panel, Result, Transform};
use serde::{Deserialize, Serialize};

use super::{map_target, place};
use crate::{
    closed::Closed,
    features::by_era,
    history::History,
    scale::{merged, sort},
};

/// Ranks the target that learners fit against the past.
///
/// ```
/// use fattail_core::{Fit, Panel, Transform};
/// use fattail_prepare::{Closed, ExpandingRank};
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2"])?
///     .target("return", vec![1.0f32, 3.0, 2.0])
///     .build()?;
/// let ranked = ExpandingRank { closed: Closed::Left }.fit(&panel)?.transform(panel)?;
/// assert_eq!(ranked.target()?.to_f32(), [0.25, 0.75, 0.5]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpandingRank {
    /// Whether an era is ranked against itself too.
    pub closed: Closed,
}

/// A fitted [`ExpandingRank`].
#[derive(Debug, Clone)]
pub struct FittedExpandingRank {
    closed: Closed,
    history: History,
}

impl Fit for ExpandingRank {
    type Fitted = FittedExpandingRank;

    fn fit(&self, train: &Panel) -> Result<FittedExpandingRank> {
        train.target()?;
        let none: [(&str, Vec<f32>); 0] = [];
        let history = History::new(train.with_features(none)?);
        Ok(FittedExpandingRank { closed: self.closed, history })
    }
}

impl Transform for FittedExpandingRank {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        let before = self.history.before(&panel)?;
        let mut past = Vec::new();
        if let Some(before) = &before {
            past = known(before.target()?.to_f64().into_iter());
        }
        map_target(panel, |target| {
            Ok(by_era(target, |_, values| {
                let era = known(values.iter().map(|&v| f64::from(v)));
                let together = merged(&past, &era, &[]);
                let alone = self.closed == Closed::Left && !past.is_empty();
                let against = if alone { &past } else { &together };
                values.iter_mut().for_each(|v| *v = place(against, f64::from(*v)) as f32);
                past = together;
            }))
        })
    }
}

fn known(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut known: Vec<f64> = values.filter(|v| !v.is_nan()).collect();
    sort(&mut known);
    known
}
