//! Maximum mean discrepancy: do two samples of many features come from one distribution?
//!
//! With `k(x, y) = exp(-|x - y|² / (2 h²))`,
//! `MMD² = Σ_{i≠j} k(x_i, x_j) / (n(n-1)) + Σ_{i≠j} k(y_i, y_j) / (m(m-1)) - 2 Σ k(x_i, y_j) / (nm)`,
//! which is unbiased and therefore below zero at times. `h` is the median distance of the pooled rows
//! unless it is given. Features are centred and divided by their pooled standard deviation; a feature
//! with missing values gets them at its mean, and an indicator column beside it.
//!
//! Over a panel, blocks of eras are the observations: `k` of two blocks is the mean over pairs of
//! their rows, pairs inside a block are left out, and blocks are dealt, as in [`EraTest`](crate::EraTest).
//! Over rows, rows are dealt. Scale and bandwidth do not depend on the deal, so both are exact.
//!
//! Cost is bounded by `rows`, drawn with the seed: `rows² · features` once, then `rows²` a deal.
//! [`Mmd::linear_time`] instead passes once over all rows, with
//! `MMD²_l = mean of k(x_1,x_2) + k(y_1,y_2) - k(x_1,y_2) - k(x_2,y_1)` over disjoint pairs, which is
//! normal in the limit; it needs many more rows for the same power.
//!
//! All features constant: statistic 0, p 1. Infinite values are refused.
//!
//! Reference: Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), A kernel two-sample test, JMLR 13,
//! lemma 6 (unbiased), section 6 and lemma 14 (linear time), section 8 (median).

mod points;

use fattail_core::Panel;
use fattail_stats::{Counter, median, normal_cdf};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::points::Points;
pub(crate) use self::points::some_of;
use crate::{
    EraTest,
    eras::Deals,
    error::{Error, Result, at_least},
    null::{Method, Outcome},
};

/// Settings of the kernel test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mmd {
    /// Rows at most, both samples together; at least 4, and over a panel at least one for each block.
    pub rows: usize,
    /// `h` in pooled standard deviations; the median distance when it is not given.
    pub bandwidth: Option<f64>,
    /// Deals.
    pub draws: u32,
    /// Same seed, same rows and deals.
    pub seed: u64,
}

impl Default for Mmd {
    fn default() -> Self {
        Self { rows: 1000, bandwidth: None, draws: 499, seed: 0 }
    }
}

impl Mmd {
    /// Tests two samples of independent rows, given as columns: the same features in both.
    ///
    /// ```
    /// use fattail_drift::Mmd;
    /// let x: Vec<f64> = (0..60).map(|i| f64::from(i * 7 % 60)).collect();
    /// let y: Vec<f64> = x.iter().map(|x| x * x / 30.0).collect();
    /// // The same values of each feature, but no longer together.
    /// let z: Vec<f64> = y.iter().rev().copied().collect();
    /// let found = Mmd::default().samples(&[&x, &y], &[&x, &z])?;
    /// assert!(found.statistic > 0.0 && found.p <= 0.002);
    /// # Ok::<(), fattail_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, a sample has fewer than two rows, columns differ in length
    /// or number, or a value is infinite.
    pub fn samples(&self, reference: &[&[f64]], current: &[&[f64]]) -> Result<Outcome> {
        self.check()?;
        let [n, m] = points::rows_of(reference, current)?;
        at_least("reference", "rows", n, 2)?;
        at_least("current", "rows", m, 2)?;
        let counter = Counter::new(self.seed).stream(ROWS);
        let share = |side: usize| {
            let kept = (self.rows as f64 * side as f64 / (n + m) as f64).round() as usize;
            if n + m <= self.rows { side } else { kept.clamp(2, side) }
        };
        let here = points::some_of(n, share(n), &mut counter.draw(0));
        let there = points::some_of(m, share(m), &mut counter.draw(1));
        let points = Points::of_columns(reference, &here, current, &there)?;
        let kernels = self.between(&points, 1);
        let units = here.len() + there.len();
        let chosen: Vec<u32> = (here.len() as u32..units as u32).collect();
        let deals = Deals::new(units, there.len(), self.draws, self.seed)?;
        Ok(tested(&kernels, units, &chosen, &deals))
    }

    /// Tests eras of a panel, all features together. `reference` and `current` are positions of eras;
    /// `test` says how eras make blocks, and its draws and seed count, not those of `self`.
    ///
    /// # Errors
    /// When a setting is out of its range, there are more blocks than rows allowed, the eras are not
    /// allowed, a side has fewer than two blocks, or a value is infinite.
    pub fn panel(
        &self,
        panel: &Panel,
        reference: &[usize],
        current: &[usize],
        test: &EraTest,
    ) -> Result<Outcome> {
        self.check()?;
        let layout = test.blocks.layout(panel.eras().len(), reference, current)?;
        // Pairs inside a side need two.
        at_least("current", "blocks of eras", layout.current().len(), 2)?;
        let each = self.rows / layout.blocks.len();
        if each == 0 {
            let allowed = "at least one row for each block of eras";
            return Err(Error::setting("rows", self.rows, allowed));
        }
        let (points, each) = Points::of_blocks(panel, &layout.blocks, each, self.seed)?;
        let kernels = self.between(&points, each);
        let deals = test.deals(&layout)?;
        Ok(tested(&kernels, layout.blocks.len(), layout.current(), &deals))
    }

    /// Passes once over independent rows in the order given; the last ones stay out when the samples
    /// differ in length or are odd. Scale and bandwidth come from at most `rows` rows.
    ///
    /// # Errors
    /// When a setting is out of its range, a sample has fewer than four rows, columns differ in length
    /// or number, or a value is infinite.
    pub fn linear_time(&self, reference: &[&[f64]], current: &[&[f64]]) -> Result<Outcome> {
        self.check()?;
        let [n, m] = points::rows_of(reference, current)?;
        at_least("reference", "rows", n, 4)?;
        at_least("current", "rows", m, 4)?;
        let pairs = n.min(m) / 2;
        let rows: Vec<usize> = (0..2 * pairs).collect();
        let points = Points::of_columns(reference, &rows, current, &rows)?;
        let counter = Counter::new(self.seed).stream(ROWS);
        let few = points::some_of(4 * pairs, self.rows.min(4 * pairs), &mut counter.draw(2));
        let gamma = self.gamma(&points.some(&few).apart());
        let k = |a: usize, b: usize| (-gamma * points.squared_distance(a, b)).exp();
        let term = |pair: usize| {
            let (x1, x2) = (2 * pair, 2 * pair + 1);
            let (y1, y2) = (2 * pairs + x1, 2 * pairs + x2);
            k(x1, x2) + k(y1, y2) - k(x1, y2) - k(x2, y1)
        };
        let terms: Vec<f64> = (0..pairs).into_par_iter().map(term).collect();
        let statistic = fattail_stats::mean(&terms);
        let error = fattail_stats::std(&terms, 1) / (pairs as f64).sqrt();
        let p = if error > 0.0 { normal_cdf(-statistic / error) } else { 1.0 };
        Ok(Outcome { statistic, p, method: Method::Asymptotic })
    }

    fn check(&self) -> Result<()> {
        if self.rows < 4 {
            return Err(Error::setting("rows", self.rows, "at least 4"));
        }
        match self.bandwidth {
            Some(h) if !(h > 0.0 && h.is_finite()) => {
                Err(Error::setting("bandwidth", h, "above 0 and finite"))
            }
            _ => Ok(()),
        }
    }

    /// `1 / (2 h²)`, from the squared distances of pairs.
    fn gamma(&self, apart: &[f64]) -> f64 {
        let h = self.bandwidth.unwrap_or_else(|| {
            let middle = median(apart).sqrt();
            // More than half of the pairs are equal: the mean is not 0 unless all are.
            if middle > 0.0 { middle } else { fattail_stats::mean(apart).sqrt() }
        });
        if h > 0.0 { 0.5 / (h * h) } else { 0.0 }
    }

    /// Mean kernels between units of `each` rows; 0 on the diagonal.
    fn between(&self, points: &Points, each: usize) -> Vec<f64> {
        let apart = points.apart();
        let gamma = self.gamma(&apart);
        let units = points.rows() / each;
        let mut kernels = vec![0.0; units * units];
        for u in 0..units {
            for v in 0..u {
                let mut sum = 0.0;
                for a in u * each..(u + 1) * each {
                    let from = a * (a - 1) / 2 + v * each;
                    sum += apart[from..from + each].iter().map(|d| (-gamma * d).exp()).sum::<f64>();
                }
                let mean = sum / (each * each) as f64;
                kernels[u * units + v] = mean;
                kernels[v * units + u] = mean;
            }
        }
        kernels
    }
}

/// Keeps the choice of rows apart from the deals.
const ROWS: u64 = 0x3D;

/// The statistic of the chosen units, and its p-value among the deals.
fn tested(kernels: &[f64], units: usize, chosen: &[u32], deals: &Deals) -> Outcome {
    let sums: Vec<f64> = kernels.chunks_exact(units).map(|row| row.iter().sum()).collect();
    let total: f64 = sums.iter().sum();
    let (n, m) = ((units - chosen.len()) as f64, chosen.len() as f64);
    let squared = |chosen: &[u32]| {
        let to_all: f64 = chosen.iter().map(|&unit| sums[unit as usize]).sum();
        let inside: f64 = chosen
            .iter()
            .map(|&unit| {
                let row = &kernels[unit as usize * units..][..units];
                chosen.iter().map(|&other| row[other as usize]).sum::<f64>()
            })
            .sum();
        let across = to_all - inside;
        let others = total - 2.0 * to_all + inside;
        others / (n * (n - 1.0)) + inside / (m * (m - 1.0)) - 2.0 * across / (n * m)
    };
    let statistic = squared(chosen);
    let sorted = |deal: &[u32]| {
        let mut deal = deal.to_vec();
        deal.sort_unstable();
        squared(&deal)
    };
    let drawn: Vec<f64> = deals.par_iter().map(sorted).collect();
    // Constant features: every kernel is 1, and what differs is rounding.
    let flat = kernels.iter().enumerate().all(|(at, &k)| k == 1.0 || at % (units + 1) == 0);
    let p = if flat { 1.0 } else { deals.p_of(statistic, drawn.into_iter()) };
    let method = if deals.is_exact() { Method::Exact } else { Method::Permutation };
    Outcome { statistic: if flat { 0.0 } else { statistic }, p, method }
}
