//! Era-aware tests: blocks of eras are dealt, not rows.
//!
//! Rows of an era share its weather, and eras follow from each other. Of rows that are alike, a
//! thousand tell as much as one, so p-values that count them as independent are far too small. Here a
//! *block* of `block` eras in a row is one observation. Its summary `h_u` is the mean of its eras'
//! summaries: the share of each bin of a feature, missing values being a bin, or its mean. With
//! `k_R`, `k_C` blocks on the two sides, means `r`, `c` and `s_b²` the variance over all blocks
//! (divisor one less), both sides together:
//!
//! `T = Σ_b (c_b - r_b)² / (s_b² (1/k_R + 1/k_C))`, over the bins that vary.
//!
//! Null: the sides' labels dealt anew to the blocks, all `C(k_R + k_C, k_C)` ways where these are few,
//! else at random. Exact when blocks are exchangeable, which takes two things. Blocks must not depend
//! on each other: so it is when eras are independent, for any block, and when eras up to `q` apart
//! depend on each other, for any block with `gap >= q` eras left out between blocks; where dependence
//! only fades, a wider gap brings the size as near as wanted. And summaries of blocks must have equal
//! distributions, their spread included: the share of a bin in an era of few rows scatters more than
//! in one of many. Where eras grow, current blocks scatter less than those of the reference, and with
//! fewer of them than of the reference the test is conservative; where the fewer blocks have fewer rows
//! it alarms too often (see the page on drift). What rows of an era share does not shrink with their
//! number, so the more weather, the less this matters; as many rows drawn from each era mend it.
//!
//! One current block is the rank of its distance among those of the others:
//! `p = (1 + #{reference blocks at least as far}) / (1 + k_R)`, each against all the rest.
//! The smallest p-value that is possible is reported: one current block beside nine of the reference
//! can never say less than 0.1, and two beside two never less than 1/3, since `T` does not know which
//! side is which.
//!
//! Eras are counted by position in the panel, so one that keeps every fourth era leaves out more than
//! it must, never less.
//!
//! Cost: one pass over the rows, then `draws · k_C · bins` a feature.
//!
//! Reference: Pitman (1937), Significance tests which may be applied to samples from any populations,
//! JRSS Supplement 4; Bickel, Götze and van Zwet (1997), Resampling fewer than n observations,
//! Statistica Sinica 7; Hoeffding and Robbins (1948), The central limit theorem for dependent random
//! variables, Duke Mathematical Journal 15 (m-dependence).

mod deals;
mod layout;

pub(crate) use deals::Deals;
pub use layout::{EraBlocks, Layout};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, is_number},
    null::{Method, Outcome},
};

/// Settings of a test that deals blocks of eras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EraTest {
    /// How eras are put into blocks.
    pub blocks: EraBlocks,
    /// Deals, unless all of them are no more.
    pub draws: u32,
    /// Same seed, same deals.
    pub seed: u64,
}

impl Default for EraTest {
    fn default() -> Self {
        Self { blocks: EraBlocks::default(), draws: 999, seed: 0 }
    }
}

impl EraTest {
    /// Tests summaries of eras: `summaries[e]` is that of era `e` of the panel, all of one length.
    /// `reference` and `current` are positions of eras.
    ///
    /// ```
    /// use fattail_drift::{EraBlocks, EraTest};
    /// // The means of a feature in 24 eras; the last eight lie higher.
    /// let means: Vec<Vec<f64>> =
    ///     (0..24).map(|era| vec![f64::from(era % 3) + if era < 16 { 0.0 } else { 2.0 }]).collect();
    /// let reference: Vec<usize> = (0..16).collect();
    /// let current: Vec<usize> = (16..24).collect();
    /// let test = EraTest { blocks: EraBlocks { block: 1, gap: 0 }, ..EraTest::default() };
    /// let found = test.summaries(&means, &reference, &current)?;
    /// assert!(found.p < 0.01 && found.statistic > 10.0);
    /// # Ok::<(), fattail_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, an era is on both sides or outside the summaries, there are
    /// fewer than two reference blocks or no current one, the summaries differ in length, or one is
    /// not finite or beyond ±1e100.
    pub fn summaries(
        &self,
        summaries: &[Vec<f64>],
        reference: &[usize],
        current: &[usize],
    ) -> Result<Outcome> {
        let layout = self.blocks.layout(summaries.len(), reference, current)?;
        let width = summaries.first().map_or(0, Vec::len);
        if let Some(odd) = summaries.iter().find(|summary| summary.len() != width) {
            let (given, expected) = (odd.len(), width);
            return Err(Error::Length { name: "summaries", given, expected });
        }
        for &era in reference.iter().chain(current) {
            if let Some(bin) = summaries[era].iter().position(|value| !is_number(*value)) {
                return Err(Error::Summary { era, bin, value: summaries[era][bin] });
            }
        }
        let mut units = vec![0.0; layout.blocks.len() * width];
        for (unit, block) in units.chunks_mut(width.max(1)).zip(&layout.blocks) {
            for (slot, bin) in unit.iter_mut().zip(0..) {
                let sum: f64 = block.iter().map(|&era| summaries[era][bin]).sum();
                *slot = sum / block.len() as f64;
            }
        }
        let deals = self.deals(&layout)?;
        let scaled = Scaled::new(&units, width);
        let mut sums = vec![0.0; scaled.width];
        let observed = scaled.of(layout.current(), &mut sums);
        let p = deals.p(observed, |chosen| scaled.of(chosen, &mut sums));
        let method = if deals.is_exact() { Method::Exact } else { Method::Permutation };
        Ok(Outcome { statistic: observed, p, method })
    }

    pub(crate) fn deals(&self, layout: &Layout) -> Result<Deals> {
        Deals::new(layout.blocks.len(), layout.current().len(), self.draws, self.seed)
    }
}

/// Summaries of blocks, each bin centred and divided by its standard deviation over all blocks, so
/// that a deal needs the sum over the current blocks alone.
pub(crate) struct Scaled {
    units: Vec<f64>,
    pub(crate) width: usize,
    blocks: usize,
}

impl Scaled {
    /// From `blocks x width` finite summaries; bins that do not vary are left out.
    pub(crate) fn new(units: &[f64], width: usize) -> Self {
        let blocks = units.len().checked_div(width).unwrap_or(0);
        let column = |bin: usize| (0..blocks).map(move |unit| units[unit * width + bin]);
        let spread = |bin: usize| {
            let mean = column(bin).sum::<f64>() / blocks as f64;
            let squares: f64 = column(bin).map(|value| (value - mean).powi(2)).sum();
            (bin, mean, (squares / (blocks as f64 - 1.0)).sqrt())
        };
        let moving: Vec<_> =
            (0..width).map(spread).filter(|&(_, mean, std)| std > 1e-12 * mean.abs()).collect();
        let scaled = |unit: usize| {
            moving.iter().map(move |&(bin, mean, std)| (units[unit * width + bin] - mean) / std)
        };
        Self { units: (0..blocks).flat_map(scaled).collect(), width: moving.len(), blocks }
    }

    /// `T` with these blocks as the current ones. With `z` centred, `c - r = c k / k_R` for
    /// `k = k_R + k_C`.
    pub(crate) fn of(&self, chosen: &[u32], sums: &mut [f64]) -> f64 {
        if self.width == 0 {
            return 0.0;
        }
        sums.fill(0.0);
        for &unit in chosen {
            let from = unit as usize * self.width;
            for (sum, value) in sums.iter_mut().zip(&self.units[from..from + self.width]) {
                *sum += value;
            }
        }
        let (all, current) = (self.blocks as f64, chosen.len() as f64);
        let scale = all / (current * (all - current));
        scale * sums.iter().map(|sum| sum * sum).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistic_is_the_plain_formula() {
        let units = [0.1, 0.9, 0.3, 0.7, 0.2, 0.8, 0.6, 0.4, 0.5, 0.5];
        let scaled = Scaled::new(&units, 2);
        let found = scaled.of(&[3, 4], &mut [0.0; 2]);
        let column: Vec<f64> = units.iter().step_by(2).copied().collect();
        let (r, c) = ((0.1 + 0.3 + 0.2) / 3.0, 0.55);
        let variance = fattail_stats::variance(&column, 1);
        let plain = 2.0 * (c - r) * (c - r) / (variance * (1.0 / 3.0 + 0.5));
        assert!((found - plain).abs() < 1e-12, "{found} {plain}");
    }

    #[test]
    fn a_constant_feature_does_not_drift() {
        let flat = vec![vec![0.2, 0.8]; 10];
        let (reference, current) = ((0..6).collect::<Vec<_>>(), (6..10).collect::<Vec<_>>());
        let test = EraTest { blocks: EraBlocks { block: 1, gap: 0 }, ..EraTest::default() };
        let found = test.summaries(&flat, &reference, &current).unwrap();
        assert_eq!((found.statistic, found.p), (0.0, 1.0));
    }

    #[test]
    fn a_summary_that_is_not_finite_is_refused() {
        let test = EraTest { blocks: EraBlocks { block: 1, gap: 0 }, ..EraTest::default() };
        let mut means = vec![vec![0.5, 1.0]; 10];
        let (reference, current) = ((0..6).collect::<Vec<_>>(), (6..9).collect::<Vec<_>>());
        means[9][0] = f64::NAN;
        assert!(test.summaries(&means, &reference, &current).is_ok(), "an era of neither side");
        means[7][1] = f64::NAN;
        let error = test.summaries(&means, &reference, &current).unwrap_err().to_string();
        assert_eq!(error, "summary 1 of era 7 is NaN, allowed is finite and within ±1e100");
    }

    #[test]
    fn one_era_is_ranked() {
        let means: Vec<Vec<f64>> = (0..20).map(|era| vec![f64::from(era * era)]).collect();
        let test = EraTest { draws: 3, ..EraTest::default() };
        let (reference, current) = ((0..19).collect::<Vec<_>>(), [19]);
        let found = test.summaries(&means, &reference, &current).unwrap();
        assert_eq!((found.p, found.method), (0.05, Method::Exact));
    }
}
