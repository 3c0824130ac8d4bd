//! Which models are better than the benchmark, with the chance of any false one under control.
//!
//! `t_k = √n d̄_k / ω̂_k` with the prewhitened `ω̂`; in a draw of `l` circular blocks of length `b`,
//! `t*_k = √(l b) (d̄*_k - d̄_k) / ω̂*_k` with `ω̂*_k² = b/l Σ_j (mean of block j - d̄*_k)²` made anew. Such a
//! `t*` is Student's t of `l - 1` degrees times `√(l / (l - 1))`, and `t_k` is taken for the value that is as
//! rare there as it is under its own degrees.
//! Models in falling order of `t`: the adjusted p-value of the `j`-th is that of `t_(j)` among the
//! largest `t*` of the models from `j` on, and no smaller than the one before.
//!
//! Blocks are circular whatever the scheme. NaN is refused, as is a difference that is constant and not
//! 0; a model that never differs from the benchmark has p-value 1. A draw whose blocks are all the same has
//! no spread: its `t*` is infinite, with the sign of its mean.
//!
//! Cost: `draws · models · n / b`.
//!
//! Reference: Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping,
//! Econometrica 73(4), algorithms 4.1 and 4.2; Romano and Wolf (2016), Efficient computation of
//! adjusted p-values for resampling-based stepdown multiple testing, Statistics and Probability
//! Letters 113; Götze and Künsch (1996), Second-order correctness of the blockwise bootstrap, Annals of
//! Statistics 24(5).

use fattail_stats::{Blocks, below};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::excess::Scales;
use super::{Excess, Studentised, Superior};
use crate::error::Result;
use crate::long_run::ring_sums;
use crate::resampling::Resampling;

/// What the stepwise test tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stepwise {
    /// `t_k`, as rare among the draws as in the world of the data, in input order.
    pub statistics: Vec<f64>,
    /// Adjusted p-values, in input order: reject those at most `α`, and the probability that any of the
    /// rejections is false is at most `α`.
    pub adjusted: Vec<f64>,
    /// Length of the blocks.
    pub block_length: f64,
}

impl Stepwise {
    /// The models that are better than the benchmark at familywise error `significance`.
    #[must_use]
    pub fn superior(&self, significance: f64) -> Vec<usize> {
        (0..self.adjusted.len()).filter(|&k| self.adjusted[k] <= significance).collect()
    }
}

impl Superior {
    /// Romano and Wolf's stepwise test. [`Studentised::Bootstrap`] is the same as
    /// [`Studentised::Prewhitened`] here, because each draw makes its own spread.
    ///
    /// # Errors
    /// Columns of different length or below 8 rows, values that are not finite, a difference that is
    /// constant and not 0, and settings outside their range; [`crate::Error::Range`] when a block is longer
    /// than half of the eras.
    pub fn stepwise(&self, models: &[&[f64]], benchmark: &[f64]) -> Result<Stepwise> {
        let excess = Excess::new(models, benchmark, self.better)?;
        let resampling = self.resampling;
        let block = resampling.circular(&excess.columns)?;
        let wide = match self.studentised {
            Studentised::Bootstrap => Studentised::Prewhitened,
            other => other,
        };
        let scales = excess.scales(Blocks::Circular(block), wide)?;
        let number = (excess.rows / block) as f64;
        // Where each draw makes its own spread of so many blocks, `t*` is Student's t over this.
        let (after, bias) = match wide {
            Studentised::No => (f64::INFINITY, 1.0),
            _ => (number - 1.0, (number / (number - 1.0)).sqrt()),
        };
        let statistics = excess.statistics(&scales, after);
        let statistics: Vec<f64> = statistics.iter().map(|t| t * bias).collect();
        let mut order: Vec<usize> = (0..excess.count()).collect();
        order.sort_by(|&a, &b| statistics[b].total_cmp(&statistics[a]).then(a.cmp(&b)));
        let world = World::new(&excess, block, &scales);
        let above = world.above(&resampling, &order, &statistics);
        let (mut adjusted, mut floor) = (vec![1.0; order.len()], 0.0_f64);
        for (place, &k) in order.iter().enumerate() {
            floor = floor.max(resampling.p_value(above[place]));
            adjusted[k] = floor;
        }
        Ok(Stepwise { statistics, adjusted, block_length: block as f64 })
    }
}

/// Sums of blocks from each start, the models of a start side by side.
struct World<'a> {
    excess: &'a Excess,
    sums: Vec<f64>,
    block: usize,
    studentised: bool,
}

impl<'a> World<'a> {
    fn new(excess: &'a Excess, block: usize, scales: &Scales) -> Self {
        let models = excess.count();
        let mut sums = vec![0.0; excess.rows * models];
        // One that never differs but for rounding stays at 0.
        let moves = excess.columns.iter().enumerate().filter(|(k, _)| scales.data[*k].is_finite());
        for (k, column) in moves {
            let centred: Vec<f64> = column.iter().map(|v| v - excess.means[k]).collect();
            for (start, sum) in ring_sums(&centred, block).into_iter().enumerate() {
                sums[start * models + k] = sum;
            }
        }
        Self { excess, sums, block, studentised: scales.studentised }
    }

    /// For each place of `order`, the draws whose largest `t*` from there on is at least the statistic.
    fn above(&self, resampling: &Resampling, order: &[usize], statistics: &[f64]) -> Vec<usize> {
        let none = || vec![0; order.len()];
        let count = |mut counted: Counted, draw: u32| {
            self.draw(resampling, draw, &mut counted);
            let mut largest = f64::NEG_INFINITY;
            for (place, &k) in order.iter().enumerate().rev() {
                largest = largest.max(self.star(counted.plain[k], counted.square[k]));
                counted.above[place] += usize::from(largest >= statistics[k]);
            }
            counted
        };
        let start = || {
            let (plain, square) = (vec![0.0; order.len()], vec![0.0; order.len()]);
            Counted { plain, square, above: none() }
        };
        let parts = (0..resampling.draws).into_par_iter().fold(start, count);
        parts.map(|part| part.above).reduce(none, |mut sum, part| {
            sum.iter_mut().zip(part).for_each(|(sum, count)| *sum += count);
            sum
        })
    }

    fn number(&self) -> usize {
        self.excess.rows / self.block
    }

    /// Sums over the blocks of a draw, and of their squares.
    fn draw(&self, resampling: &Resampling, draw: u32, counted: &mut Counted) {
        let (models, mut generator) = (self.excess.count(), resampling.counter().draw(draw));
        counted.plain.fill(0.0);
        counted.square.fill(0.0);
        for _ in 0..self.number() {
            let start = below(&mut generator, self.excess.rows);
            let sums = &self.sums[start * models..][..models];
            let slots = counted.plain.iter_mut().zip(&mut counted.square);
            for ((plain, square), sum) in slots.zip(sums) {
                *plain += sum;
                *square += sum * sum;
            }
        }
    }

    /// `t*` of a model whose blocks have this sum and sum of squares.
    fn star(&self, plain: f64, square: f64) -> f64 {
        let number = self.number() as f64;
        if !self.studentised {
            return plain / (number * self.block as f64).sqrt();
        }
        // Both are sums over blocks; the eras cancel.
        let spread = square - plain * plain / number;
        if spread > 1e-12 * square {
            return plain / spread.sqrt();
        }
        // Rounding alone is no spread; a model that never differs has no squares either.
        if square > 0.0 { f64::INFINITY.copysign(plain) } else { 0.0 }
    }
}

/// Sums of a draw, and what was counted so far.
struct Counted {
    plain: Vec<f64>,
    square: Vec<f64>,
    above: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_are_the_same_are_extreme() {
        let column: Vec<f64> = (0..8).map(|t| f64::from(t % 4)).collect();
        let excess = Excess::of(vec![column], vec![3.0], 8);
        let scales = excess.scales(Blocks::Circular(3), Studentised::Prewhitened).unwrap();
        let world = World::new(&excess, 2, &scales);
        // Four blocks of sum 2: nothing but their mean.
        assert_eq!(world.star(8.0, 16.0), f64::INFINITY);
        assert_eq!(world.star(-8.0, 16.0), f64::NEG_INFINITY);
        assert_eq!(world.star(0.0, 0.0), 0.0);
        assert_eq!(world.star(2.0, 5.0), 1.0);
    }
}
