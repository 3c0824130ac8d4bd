//! The target's rank over the whole panel, which LEAKS: `(rank - 1) / (n - 1)`.
//!
//! The value of every past target depends on every later one, so a score measured on such a target
//! says little about what can be known in time. It exists to repeat results that were made this way,
//! and as the positive control of the leak tests. [`PerEraRank`](crate::PerEraRank),
//! [`EmpiricalTarget`](crate::EmpiricalTarget) and [`ExpandingRank`](crate::ExpandingRank) do not
//! leak.
//!
//! NaN stays NaN and is not counted; ties are averaged; a single known target gives 1/2. A panel
//! without a target stays as it is.
//!
//! Cost: a sort.

use fattail_core::{Error, Fit, Panel, Result, Transform};
use fattail_stats::{Ties, rank};
use serde::{Deserialize, Serialize};

use super::map_target;

/// Ranks the target over all eras at once. Leaks the future into the past.
///
/// ```
/// use fattail_core::{Panel, Transform};
/// use fattail_prepare::LeakyGlobalRank;
///
/// let panel = Panel::builder().target("return", vec![0.3f32, -9.0, 0.1]).build()?;
/// let ranked = LeakyGlobalRank {}.transform(panel)?;
/// assert_eq!(ranked.target()?.to_f32(), [1.0, 0.0, 0.5]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeakyGlobalRank {}

impl Fit for LeakyGlobalRank {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(*self)
    }
}

impl Transform for LeakyGlobalRank {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        map_target(panel, |target| {
            let ranks = rank(&target.to_f64(), Ties::Average).map_err(Error::other)?;
            let last = ranks.iter().filter(|r| !r.is_nan()).count() as f64 - 1.0;
            let form = |r: f64| if last > 0.0 || r.is_nan() { (r - 1.0) / last } else { 0.5 };
            Ok(ranks.into_iter().map(|r| form(r) as f32).collect())
        })
    }
}
