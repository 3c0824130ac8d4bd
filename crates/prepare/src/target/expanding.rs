//! The target's place among the targets of the eras so far.
//!
//! In era `e` the place is `(#{t < y} + #{t <= y}) / 2n` over the `n` known targets `t` of the eras
//! before `e` and, if closed on both sides, of `e` itself. A panel that begins after the train panel
//! goes on from the eras of train; later eras never count.
//!
//! A NaN target stays NaN and is not counted. Closed on the left, the first era has nothing before it
//! and is ranked within itself. A panel without a target stays as it is.
//!
//! The targets so far are kept in sorted runs, each more than twice as long as the next one.
//!
//! Cost for `n` targets: a sort of each era, `O(n log n)` for all merges, `O(log² n)` a search.
//!
//! Reference: Bentley and Saxe (1980), Decomposable searching problems I, Journal of Algorithms 1(4).

use fattail_core::{Fit, Panel, Result, Transform};
use serde::{Deserialize, Serialize};

use super::{map_target, place_in};
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
        let mut past = Runs::default();
        if let Some(before) = &before {
            past.admit(before.target()?.to_f64());
        }
        map_target(panel, |target| {
            Ok(by_era(target, |_, values| {
                let era = values.iter().map(|&v| f64::from(v)).collect();
                let rank = |v: &mut f32, past: &Runs| *v = place_in(&past.0, f64::from(*v)) as f32;
                if self.closed == Closed::Left && !past.0.is_empty() {
                    values.iter_mut().for_each(|v| rank(v, &past));
                    past.admit(era);
                } else {
                    past.admit(era);
                    values.iter_mut().for_each(|v| rank(v, &past));
                }
            }))
        })
    }
}

/// Sorted runs of targets, none empty.
#[derive(Debug, Default)]
struct Runs(Vec<Vec<f64>>);

impl Runs {
    /// Takes the known values in.
    fn admit(&mut self, mut values: Vec<f64>) {
        values.retain(|v| !v.is_nan());
        if values.is_empty() {
            return;
        }
        sort(&mut values);
        while let Some(last) = self.0.pop_if(|last| last.len() <= 2 * values.len()) {
            values = merged(&last, &values, &[]);
        }
        self.0.push(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_one_sorted_slice() {
        let (mut runs, mut all) = (Runs::default(), Vec::new());
        for era in 0..60u32 {
            let values: Vec<f64> =
                (0..1 + era % 7).map(|row| f64::from((era * 31 + row * 17) % 23)).collect();
            all.extend(&values);
            runs.admit([values, vec![f64::NAN]].concat());
            let mut sorted = all.clone();
            sorted.sort_by(f64::total_cmp);
            for x in 0..24 {
                assert_eq!(place_in(&runs.0, x.into()), place_in(&[&sorted], x.into()));
            }
            assert!(runs.0.len() < 9);
        }
    }
}
