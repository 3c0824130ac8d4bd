//! Which models are better than the benchmark, with the chance of any false one under control.
//!
//! `t_k = √n d̄_k / ω̂_k` with the prewhitened `ω̂`; in a draw of `l` circular blocks of length `b`,
//! `t*_k = √(l b) (d̄*_k - d̄_k) / ω̂*_k` with `ω̂*_k² = b/l Σ_j (mean of block j - d̄*_k)²` made anew.
//! Models in falling order of `t`: the adjusted p-value of the `j`-th is that of `t_(j)` among the
//! largest `t*` of the models from `j` on, and no smaller than the one before.
//!
//! Blocks are circular whatever the scheme. NaN is refused, as is a difference that is constant and not
//! 0; a model that never differs from the benchmark has p-value 1.
//!
//! Cost: `draws · models · n / b`.
//!
//! Reference: Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping,
//! Econometrica 73(4), algorithms 4.1 and 4.2; Romano and Wolf (2016), Efficient computation of
//! adjusted p-values for resampling-based stepdown multiple testing, Statistics and Probability
//! Letters 113; Götze and Künsch (1996), Second-order correctness of the blockwise bootstrap, Annals of
//! Statistics 24(5).

use fattail_stats::below;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Excess, Studentised, Superior};
use crate::error::{Error, Result};
use crate::long_run::ring_sums;
use crate::resampling::{Resampling, Scheme, length};

/// What the stepwise test tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stepwise {
    /// `t_k`, in input order.
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
    /// constant and not 0, and settings outside their range; [`Error::Range`] when a block is longer
    /// than half of the eras.
    pub fn stepwise(&self, models: &[&[f64]], benchmark: &[f64]) -> Result<Stepwise> {
        let excess = Excess::new(models, benchmark, self.better)?;
        let resampling = Resampling { scheme: Scheme::Circular, ..self.resampling };
        let blocks = resampling.blocks(&excess.columns)?;
        let block = length(blocks) as usize;
        if 2 * block > excess.rows {
            let (name, given) = ("block_length", block as f64);
            return Err(Error::Range { name, given, allowed: "1 to half of the eras" });
        }
        let wide = match self.studentised {
            Studentised::Bootstrap => Studentised::Prewhitened,
            other => other,
        };
        let scales = excess.scales(blocks, wide)?;
        let statistics = excess.statistics(&scales);
        let mut order: Vec<usize> = (0..excess.count()).collect();
        order.sort_by(|&a, &b| statistics[b].total_cmp(&statistics[a]).then(a.cmp(&b)));
        let world = World::new(&excess, block, wide);
        let maxima = |draw: u32| world.maxima(draw, &resampling, &order);
        let above: Vec<Vec<bool>> = (0..resampling.draws)
            .into_par_iter()
            .map(|draw| {
                let largest = maxima(draw).into_iter().zip(&order);
                largest.map(|(star, &k)| star >= statistics[k]).collect()
            })
            .collect();
        let (mut adjusted, mut floor) = (vec![1.0; order.len()], 0.0_f64);
        for (place, &k) in order.iter().enumerate() {
            let count = above.iter().filter(|draw| draw[place]).count();
            floor = floor.max(resampling.p_value(count));
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
    fn new(excess: &'a Excess, block: usize, studentised: Studentised) -> Self {
        let models = excess.count();
        let mut sums = vec![0.0; excess.rows * models];
        for (k, column) in excess.columns.iter().enumerate() {
            let centred: Vec<f64> = column.iter().map(|v| v - excess.means[k]).collect();
            for (start, sum) in ring_sums(&centred, block).into_iter().enumerate() {
                sums[start * models + k] = sum;
            }
        }
        Self { excess, sums, block, studentised: studentised != Studentised::No }
    }

    /// The largest `t*` of the models from each place of `order` on.
    fn maxima(&self, draw: u32, resampling: &Resampling, order: &[usize]) -> Vec<f64> {
        let models = order.len();
        let number = self.excess.rows / self.block;
        let (mut plain, mut square) = (vec![0.0; models], vec![0.0; models]);
        let mut generator = resampling.counter().draw(draw);
        for _ in 0..number {
            let start = below(&mut generator, self.excess.rows);
            let sums = &self.sums[start * models..][..models];
            for ((plain, square), sum) in plain.iter_mut().zip(&mut square).zip(sums) {
                *plain += sum;
                *square += sum * sum;
            }
        }
        let eras = (number * self.block) as f64;
        let star = |k: usize| {
            if !self.studentised {
                return plain[k] / eras.sqrt();
            }
            // Both are sums over blocks; the eras cancel.
            let spread = square[k] - plain[k] * plain[k] / number as f64;
            // Rounding alone, as of a model that never differs, is no spread.
            if spread <= 1e-12 * square[k] { 0.0 } else { plain[k] / spread.sqrt() }
        };
        let mut largest = vec![0.0; models];
        let mut best = f64::NEG_INFINITY;
        for place in (0..models).rev() {
            best = best.max(star(order[place]));
            largest[place] = best;
        }
        largest
    }
}
