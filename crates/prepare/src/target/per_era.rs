//! The target's rank within its era: `(rank - 1/2) / n`.
//!
//! A NaN target stays NaN and is not counted in `n`; ties are averaged or broken by row; an era with
//! one known target gives 1/2. A panel without a target stays as it is.
//!
//! Cost: a sort an era.
//!
//! Reference: see [`fattail_stats::Ranker`].

use fattail_core::{Error, Fit, Panel, Result, Transform};
use fattail_stats::{Ranker, Ties};
use serde::{Deserialize, Serialize};

use super::map_target;
use crate::{features::by_era, ties::TiesText};

/// Ranks the target that learners fit, each era by itself. Learns nothing.
///
/// ```
/// use fattail_core::{Panel, Transform};
/// use fattail_prepare::PerEraRank;
///
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2"])?
///     .target("return", vec![0.1f32, -0.2, 5.0, 9.0])
///     .build()?;
/// let ranked = PerEraRank::default().transform(panel)?;
/// assert_eq!(ranked.target()?.to_f32(), [0.75, 0.25, 0.25, 0.75]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PerEraRank {
    /// How equal targets are ranked.
    #[serde(with = "TiesText")]
    pub ties: Ties,
}

impl Fit for PerEraRank {
    type Fitted = Self;

    fn fit(&self, _: &Panel) -> Result<Self> {
        Ok(*self)
    }
}

impl Transform for PerEraRank {
    fn transform(&self, panel: Panel) -> Result<Panel> {
        map_target(panel, |target| {
            let (mut ranker, mut outcome) = (Ranker::new(), Ok(0));
            let ranked = by_era(target, |_, values| {
                let wide: Vec<f64> = values.iter().map(|&v| v.into()).collect();
                let mut out = vec![0.0; wide.len()];
                match ranker.uniform(&wide, self.ties, &mut out) {
                    Ok(_) => values.iter_mut().zip(out).for_each(|(slot, r)| *slot = r as f32),
                    refused => outcome = refused,
                }
            });
            outcome.map_err(Error::other).map(|_| ranked)
        })
    }
}
