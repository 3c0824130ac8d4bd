//! Mean and standard deviation of any union of blocks, from sums of blocks.
//!
//! Scores are centred on the mean of their strategy first, so that sums of squares keep their digits.
//! The sums of every subset of the lower and of the upper half of the blocks are made once; a
//! combination adds one of each, and its complement is the total minus that.
//!
//! A standard deviation below `1e-7` of the scores' own size is rounding: the statistic is NaN.
//!
//! Cost: `2^(S/2) N` numbers, four of them; a combination reads four rows of `N`.

use fattail_stats::mean;

use super::{Rows, Statistic};
use crate::error::{ROUNDING, size};

/// Sums of scores and of their squares.
pub(super) struct BlockSums {
    /// Means of the strategies.
    centre: Vec<f64>,
    /// The variance below which there is none.
    least: Vec<f64>,
    total: Sums,
    lower: Vec<Sums>,
    upper: Vec<Sums>,
    half: usize,
    /// Eras of a combination.
    eras: f64,
    statistic: Statistic,
}

/// One sum a strategy.
#[derive(Clone)]
struct Sums {
    plain: Vec<f64>,
    square: Vec<f64>,
}

impl Sums {
    fn zero(count: usize) -> Self {
        Self { plain: vec![0.0; count], square: vec![0.0; count] }
    }

    fn plus(&self, other: &Self) -> Self {
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect();
        Self { plain: add(&self.plain, &other.plain), square: add(&self.square, &other.square) }
    }
}

impl BlockSums {
    pub(super) fn new(
        strategies: &[&[f64]],
        rows: &Rows,
        blocks: usize,
        statistic: Statistic,
    ) -> Self {
        let count = strategies.len();
        let mut single = vec![Sums::zero(count); blocks];
        let (mut centre, mut least) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (at, column) in strategies.iter().enumerate() {
            let used: Vec<f64> =
                (0..blocks).flat_map(|block| &column[rows.of(block)]).copied().collect();
            let middle = mean(&used);
            for (block, values) in used.chunks_exact(rows.kept).enumerate() {
                for value in values {
                    let apart = value - middle;
                    single[block].plain[at] += apart;
                    single[block].square[at] += apart * apart;
                }
            }
            centre.push(middle);
            least.push((ROUNDING * size(&used)).powi(2));
        }
        let half = blocks / 2;
        let (lower, upper) = (subsets(&single[..half], count), subsets(&single[half..], count));
        let total = lower[lower.len() - 1].plus(&upper[upper.len() - 1]);
        let eras = (half * rows.kept) as f64;
        Self { centre, least, total, lower, upper, half, eras, statistic }
    }

    /// Writes the statistics of the blocks of a mask, and of the others.
    pub(super) fn statistics(&self, mask: u32, inside: &mut [f64], outside: &mut [f64]) {
        let low = &self.lower[(mask & ((1 << self.half) - 1)) as usize];
        let high = &self.upper[(mask >> self.half) as usize];
        match self.statistic {
            Statistic::Sharpe => self.write(low, high, inside, outside, sharpe),
            Statistic::Mean => self.write(low, high, inside, outside, |mean, _, _| mean),
        }
    }

    #[inline]
    fn write(
        &self,
        low: &Sums,
        high: &Sums,
        inside: &mut [f64],
        outside: &mut [f64],
        form: impl Fn(f64, f64, f64) -> f64,
    ) {
        let n = inside.len();
        let (per, degrees) = (1.0 / self.eras, 1.0 / (self.eras - 1.0));
        let (low_plain, low_square) = (&low.plain[..n], &low.square[..n]);
        let (high_plain, high_square) = (&high.plain[..n], &high.square[..n]);
        let (all_plain, all_square) = (&self.total.plain[..n], &self.total.square[..n]);
        let (centre, least, outside) = (&self.centre[..n], &self.least[..n], &mut outside[..n]);
        let moments = |centre: f64, plain: f64, square: f64, least: f64| {
            let variance = (square - plain * plain * per) * degrees;
            form(centre + plain * per, variance, least)
        };
        for i in 0..n {
            let (plain, square) = (low_plain[i] + high_plain[i], low_square[i] + high_square[i]);
            inside[i] = moments(centre[i], plain, square, least[i]);
            let (plain, square) = (all_plain[i] - plain, all_square[i] - square);
            outside[i] = moments(centre[i], plain, square, least[i]);
        }
    }
}

#[inline]
fn sharpe(mean: f64, variance: f64, least: f64) -> f64 {
    if variance > least { mean / variance.sqrt() } else { f64::NAN }
}

/// The sums of every subset, by mask.
fn subsets(single: &[Sums], count: usize) -> Vec<Sums> {
    let mut sums = vec![Sums::zero(count)];
    for mask in 1..1_usize << single.len() {
        let first = mask.trailing_zeros() as usize;
        sums.push(sums[mask & (mask - 1)].plus(&single[first]));
    }
    sums
}
