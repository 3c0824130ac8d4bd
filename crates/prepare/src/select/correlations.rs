//! How each feature goes with the target, era by era, and how steady that is.
//!
//! Pearson's correlation of feature and target over the rows of an era where both are known; NaN
//! where it is not defined. Over the defined eras: mean, mean over standard deviation (divisor `n`),
//! or the share of eras whose sign is that of the mean. A feature without a defined era scores 0; one
//! whose correlation never varies scores infinitely steady unless it is zero.
//!
//! Cost: a few passes over each feature, features in parallel.
//!
//! Reference: Numerai, feature exposure and per-era correlation; Grinold and Kahn (2000), Active
//! Portfolio Management, chapter 6 (information ratio).

use std::cmp::Ordering;

use fattail_core::{Error, Panel, Result};
use fattail_stats::{mean, pearson, std};
use serde::{Deserialize, Serialize};

use crate::features::each_feature;

/// How steady a feature's correlation with the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stability {
    /// Size of the mean.
    Mean,
    /// Size of the mean over the standard deviation, at most 1e9; 0 for fewer than two eras.
    #[default]
    Ratio,
    /// Share of eras whose sign is that of the mean.
    Sign,
}

/// Which of the scored features are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// So many of the best, at least 1.
    Top(usize),
    /// All that score more.
    Above(f64),
}

/// The correlation of each feature with the target in each era: one vector a feature.
///
/// ```
/// use fattail_core::Panel;
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "2"])?
///     .feature("x", vec![0u8, 1, 0, 1])
///     .target("y", vec![0.0f32, 1.0, 1.0, 0.0])
///     .build()?;
/// assert_eq!(fattail_prepare::era_correlations(&panel)?, [[1.0, -1.0]]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
///
/// # Errors
/// When the panel has no target.
pub fn era_correlations(panel: &Panel) -> Result<Vec<Vec<f64>>> {
    let target = panel.target()?;
    each_feature(panel, |_, column| {
        let eras = column.eras().zip(target.eras());
        eras.map(|(x, y)| {
            let pairs = x.iter().zip(y.iter()).filter(|(x, y)| !x.is_nan() && !y.is_nan());
            let (x, y): (Vec<f64>, Vec<f64>) =
                pairs.map(|(x, y)| (f64::from(x), f64::from(y))).unzip();
            pearson(&x, &y).map_err(Error::other)
        })
        .collect()
    })
}

impl Stability {
    /// The score of a feature with these correlations, 0 or more.
    #[must_use]
    pub fn score(self, correlations: &[f64]) -> f64 {
        let known: Vec<f64> = correlations.iter().copied().filter(|c| !c.is_nan()).collect();
        let centre = mean(&known);
        if known.is_empty() || centre == 0.0 {
            return 0.0;
        }
        match self {
            Self::Mean => centre.abs(),
            Self::Ratio => steadiness(&known).abs(),
            Self::Sign => {
                let same = known.iter().filter(|&&c| c * centre > 0.0).count();
                same as f64 / known.len() as f64
            }
        }
    }
}

/// Values that hardly vary count as varying by this share of their mean.
const LEAST_VARIATION: f64 = 1e-9;

/// Mean over standard deviation of the values that are not NaN, at most 1e9 in size; 0 for fewer than
/// two of them, which say nothing about how steady they are.
pub(crate) fn steadiness(values: &[f64]) -> f64 {
    let known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let centre = mean(&known);
    if known.len() < 2 || centre == 0.0 {
        return 0.0;
    }
    centre / std(&known, 0).max(LEAST_VARIATION * centre.abs())
}

impl Keep {
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Top(0) => Err(Error::setting("keep", 0, "at least 1")),
            Self::Above(limit) if limit.is_nan() => Err(Error::setting("keep", limit, "a number")),
            _ => Ok(()),
        }
    }

    /// The positions that are kept, rising.
    pub(crate) fn of(self, scores: &[f64]) -> Vec<usize> {
        let mut kept = best_first(scores);
        match self {
            Self::Top(count) => kept.truncate(count),
            Self::Above(limit) => kept.retain(|&at| scores[at] > limit),
        }
        kept.sort_unstable();
        kept
    }
}

/// Positions by falling score, equal scores in order.
pub(crate) fn best_first(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let falling = |&a: &usize, &b: &usize| -> Ordering { scores[b].total_cmp(&scores[a]) };
    order.sort_by(falling);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let correlations = [0.5, -0.25, f64::NAN, 0.5];
        assert_eq!(Stability::Mean.score(&correlations), 0.25);
        assert_eq!(Stability::Sign.score(&correlations), 2.0 / 3.0);
        assert!((Stability::Ratio.score(&correlations) - 0.25 / 0.125f64.sqrt()).abs() < 1e-15);
        assert_eq!(Stability::Ratio.score(&[f64::NAN]), 0.0);
        assert_eq!(Stability::Ratio.score(&[0.5, f64::NAN]), 0.0);
        for same in [[0.5; 3], [-0.1; 3]] {
            assert!((Stability::Ratio.score(&same) / 1e9 - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn keeps_the_best_in_order() {
        assert_eq!(Keep::Top(2).of(&[0.1, 0.3, 0.3, 0.9]), [1, 3]);
        assert_eq!(Keep::Above(0.2).of(&[0.1, 0.3, 0.2]), [1]);
        assert!(Keep::Top(0).check().is_err() && Keep::Above(f64::NAN).check().is_err());
    }
}
