//! How rows of era scores are drawn with their neighbours, shared by the tests that resample.
//!
//! Without a given length, the block is as long as the mean of the lengths that Politis and White's
//! rule chooses for each series, constant series left out, and at least 1. Draw `i` depends on
//! (seed, `i`) alone, so that results are the same bits for any number of threads.
//!
//! Series that are shorter than 8 have no automatic length and are refused.
//!
//! Reference: Politis and Romano (1994), The stationary bootstrap, JASA 89; Politis and White (2004),
//! Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23(1); Patton,
//! Politis and White (2009), Correction, 28(4).

use fattail_stats::{Blocks, Counter, optimal_block_length};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The most draws.
const MOST_DRAWS: u32 = 1_000_000;

/// Settings of a block bootstrap.
///
/// ```
/// use fattail_luck::{Resampling, Scheme};
/// let four_weeks = Resampling { block_length: Some(4.0), ..Resampling::default() };
/// assert_eq!((four_weeks.scheme, four_weeks.draws), (Scheme::Stationary, 999));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resampling {
    /// The form of the blocks. Tests whose scale needs whole blocks take circular ones always, and
    /// say so.
    pub scheme: Scheme,
    /// Length of a block, or its mean, in eras; from the data when none is given. Circular blocks
    /// round it up.
    pub block_length: Option<f64>,
    /// Resampled series, up to a million. With `draws + 1` a multiple of 20, a test at 5 % has that size
    /// exactly.
    pub draws: u32,
    /// Seed of the draws.
    pub seed: u64,
}

/// The form of the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Blocks of random length on the series closed to a ring.
    #[default]
    Stationary,
    /// Blocks of one length on the ring.
    Circular,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { scheme: Scheme::Stationary, block_length: None, draws: 999, seed: 0 }
    }
}

impl Resampling {
    /// The block for these series of equal length, checked.
    pub(crate) fn blocks<S: AsRef<[f64]>>(&self, series: &[S]) -> Result<Blocks> {
        let rows = series.first().map_or(0, |s| s.as_ref().len());
        if !(1..=MOST_DRAWS).contains(&self.draws) {
            let given = f64::from(self.draws);
            return Err(Error::Range { name: "draws", given, allowed: "1 to 1,000,000" });
        }
        let length = match self.block_length {
            Some(given) if given >= 1.0 && given <= rows as f64 => given,
            Some(given) => {
                let allowed = "1 to the number of eras";
                return Err(Error::Range { name: "block_length", given, allowed });
            }
            None => self.automatic(series)?.min(rows as f64),
        };
        Ok(match self.scheme {
            Scheme::Stationary => Blocks::Stationary(length),
            Scheme::Circular => Blocks::Circular(length.ceil() as usize),
        })
    }

    /// The length of circular blocks, whatever the scheme, of which two fit into the series.
    pub(crate) fn circular<S: AsRef<[f64]>>(&self, series: &[S]) -> Result<usize> {
        let rows = series.first().map_or(0, |s| s.as_ref().len());
        let circular = Self { scheme: Scheme::Circular, ..*self };
        let block = length(circular.blocks(series)?);
        if 2.0 * block > rows as f64 {
            let (name, allowed) = ("block_length", "1 to half of the eras");
            return Err(Error::Range { name, given: block, allowed });
        }
        Ok(block as usize)
    }

    pub(crate) fn counter(&self) -> Counter {
        Counter::new(self.seed)
    }

    /// `(1 + draws at least as large) / (1 + draws)`: never 0, and exact when all are exchangeable.
    pub(crate) fn p_value(&self, at_least: usize) -> f64 {
        (1.0 + at_least as f64) / (1.0 + f64::from(self.draws))
    }

    fn automatic<S: AsRef<[f64]>>(&self, series: &[S]) -> Result<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for one in series {
            let length = optimal_block_length(one.as_ref())?;
            let length = match self.scheme {
                Scheme::Stationary => length.stationary,
                Scheme::Circular => length.circular,
            };
            if length.is_finite() {
                sum += length;
                count += 1.0;
            }
        }
        Ok(if count > 0.0 { (sum / count).max(1.0) } else { 1.0 })
    }
}

/// The length of a block.
pub(crate) fn length(blocks: Blocks) -> f64 {
    match blocks {
        Blocks::Moving(length) | Blocks::Circular(length) => length as f64,
        Blocks::Stationary(mean) => mean,
    }
}
