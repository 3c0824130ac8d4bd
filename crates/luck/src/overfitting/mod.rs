//! The probability that choosing the best backtest was overfitting, by combinatorially symmetric
//! cross-validation (CSCV).
//!
//! `T` eras of `N` strategies are cut into `S` blocks. For each of the `C(S, S/2)` ways to take half of
//! the blocks as in sample (IS), the strategy `n*` with the largest statistic IS is looked up among the
//! others out of sample (OOS, the other half):
//!
//! ```text
//! ω = rank of n* OOS / (N + 1)     λ = ln(ω / (1 - ω))     PBO = share of λ <= 0
//! loss = share of OOS statistics of n* below the threshold
//! OOS = intercept + slope · IS, by least squares over the combinations
//! ```
//!
//! The first `T mod S` eras are dropped, the oldest ones, and counted in the result. Scores of labels that
//! span `H` eras share labels across the ends of blocks, and so do the halves: a gap of `H - 1` leaves the
//! last eras of every block out.
//!
//! Equal statistics share the mean of their ranks, and the first of equal best strategies is taken: among
//! strategies that are all the same, the chosen one lies in the middle, `λ = 0` counts as overfitting, and
//! PBO is 1. A statistic that is NaN (no spread in a half) ranks below all others; one of the chosen counts as a
//! loss. The line and the degradation are over the combinations whose statistics are finite IS and OOS; the
//! others are counted. Combinations come in lexicographic order of their blocks.
//!
//! Cost: `C(S, S/2) N` for mean over standard deviation, from sums of blocks; `C(S, S/2) N T` for
//! another statistic; twice that with curves, whose grid stands only after the first pass.
//!
//! Reference: Bailey, Borwein, López de Prado and Zhu (2017), The probability of backtest overfitting,
//! Journal of Computational Finance 20(4), sections 3 and 5.

mod dominance;
mod halves;
mod sums;

use std::ops::Range;

use fattail_stats::mean;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{self, Error, Result};
use crate::null;

pub use dominance::{Curves, Dominance};
use halves::Halves;
use sums::BlockSums;

/// Combinations that one thread takes at a time; the first of a pair and its complement.
const CHUNK: usize = 64;

/// The most blocks: 2,704,156 combinations.
const MOST_BLOCKS: usize = 24;

/// The most points of a curve.
const MOST_POINTS: usize = 100_000;

/// How overfitting is measured.
///
/// ```
/// use fattail_luck::Cscv;
/// // One strategy is better in every era, so that the choice holds.
/// let eras = |shift: f64| (0..60).map(move |t| f64::from(t * 7 % 11) - 5.0 + shift);
/// let strategies: Vec<Vec<f64>> = vec![eras(0.0).collect(), eras(3.0).collect()];
/// let columns: Vec<&[f64]> = strategies.iter().map(Vec::as_slice).collect();
/// let found = Cscv { blocks: 6, ..Cscv::default() }.run(&columns)?;
/// assert_eq!((found.pbo, found.combinations, found.dropped), (0.0, 20, 0));
/// # Ok::<(), fattail_luck::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cscv {
    /// `S`, even, from 2 to 24.
    pub blocks: usize,
    /// Eras left out at the end of each block: one less than the eras that a label spans.
    pub gap: usize,
    /// The statistic of [`Cscv::run`].
    pub statistic: Statistic,
    /// An OOS statistic below this is a loss.
    pub threshold: f64,
    /// Points of the curves, from the smallest to the largest OOS statistic of the chosen: 2 to 100,000,
    /// or 0 for no curves, which spares the second pass.
    pub points: usize,
}

/// A statistic of a strategy over some eras that sums can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Mean over standard deviation (divisor `n - 1`).
    #[default]
    Sharpe,
    /// Mean.
    Mean,
}

impl Default for Cscv {
    fn default() -> Self {
        Self { blocks: 16, gap: 0, statistic: Statistic::Sharpe, threshold: 0.0, points: 1000 }
    }
}

/// What cross-validation tells about a choice, with all that its plots need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overfitting {
    /// `N`.
    pub strategies: usize,
    /// Eras used.
    pub rows: usize,
    /// Eras dropped from the start, `T mod S`.
    pub dropped: usize,
    /// `S`.
    pub blocks: usize,
    /// Eras left out at the end of each block.
    pub gap: usize,
    /// `C(S, S/2)`.
    pub combinations: usize,
    /// Combinations whose chosen strategy has no finite statistic IS or OOS: left out of the line and of the
    /// degradation.
    pub undefined: usize,
    /// The share of combinations whose chosen strategy is in the lower half OOS.
    pub pbo: f64,
    /// The share of combinations whose chosen strategy lost OOS.
    pub loss_probability: f64,
    /// Slope of OOS on IS statistics of the chosen; below 0 says that better means worse.
    #[serde(with = "null")]
    pub slope: f64,
    /// Its intercept.
    #[serde(with = "null")]
    pub intercept: f64,
    /// Its share of explained variance.
    #[serde(with = "null")]
    pub r_squared: f64,
    /// Mean IS minus mean OOS statistic of the chosen.
    #[serde(with = "null")]
    pub degradation: f64,
    /// Whether the chosen beat the mean strategy.
    pub dominance: Dominance,
    /// Distribution functions of the chosen, of all strategies, and of their mean.
    pub curves: Curves,
    /// `λ` of each combination.
    pub logits: Vec<f64>,
    /// `n*` of each combination.
    pub chosen: Vec<usize>,
    /// Its statistic IS.
    #[serde(with = "null::many")]
    pub in_sample: Vec<f64>,
    /// Its statistic OOS.
    #[serde(with = "null::many")]
    pub out_of_sample: Vec<f64>,
}

/// One combination.
#[derive(Debug, Clone, Copy)]
struct Choice {
    chosen: usize,
    in_sample: f64,
    out_of_sample: f64,
    /// Rank OOS from 1.
    rank: f64,
    /// Mean of all OOS statistics that are not NaN.
    mean: f64,
}

impl Cscv {
    /// Measures with [`Cscv::statistic`]; `strategies` are columns of era scores.
    ///
    /// # Errors
    /// [`Error::Range`] for settings outside their range, [`Error::TooShort`] for fewer than 2
    /// strategies or 2 eras in a half, [`Error::Length`], and [`Error::NotFinite`].
    pub fn run(&self, strategies: &[&[f64]]) -> Result<Overfitting> {
        let rows = self.checked(strategies)?;
        let sums = BlockSums::new(strategies, &rows, self.blocks, self.statistic);
        Ok(self.measure(strategies, &|mask, out: &mut [f64], other: &mut [f64]| {
            sums.statistics(mask, out, other);
        }))
    }

    /// Measures with any statistic of the eras of a half, which come in their order.
    ///
    /// ```
    /// use fattail_luck::Cscv;
    /// let (a, b): (Vec<f64>, Vec<f64>) = (0..40).map(|t| (f64::from(t % 7), f64::from(t % 5))).unzip();
    /// let settings = Cscv { blocks: 4, ..Cscv::default() };
    /// let found = settings.run_with(&[&a, &b], |eras| eras.iter().sum())?;
    /// assert_eq!(found.combinations, 6);
    /// # Ok::<(), fattail_luck::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Cscv::run`].
    pub fn run_with(
        &self,
        strategies: &[&[f64]],
        statistic: impl Fn(&[f64]) -> f64 + Sync,
    ) -> Result<Overfitting> {
        let rows = self.checked(strategies)?;
        let halves = Halves::new(rows, self.blocks);
        Ok(self.measure(strategies, &|mask, out: &mut [f64], other: &mut [f64]| {
            halves.statistics(strategies, mask, &statistic, out);
            halves.statistics(strategies, !mask, &statistic, other);
        }))
    }

    fn checked(&self, strategies: &[&[f64]]) -> Result<Rows> {
        let refused = |name, given: usize, allowed| {
            let given = given as f64;
            Err(Error::Range { name, given, allowed })
        };
        let blocks = self.blocks;
        if !(2..=MOST_BLOCKS).contains(&blocks) || blocks % 2 == 1 {
            return refused("blocks", blocks, "an even number from 2 to 24");
        }
        if self.points == 1 || self.points > MOST_POINTS {
            return refused("points", self.points, "0, or 2 to 100,000");
        }
        error::at_least("strategies", strategies.len(), 2)?;
        let rows = error::columns("strategies", strategies, blocks.max(4))?;
        let block = rows / blocks;
        let kept = block.saturating_sub(self.gap);
        if kept == 0 || kept * blocks < 4 {
            return refused("gap", self.gap, "less than a block, with 2 eras left in a half");
        }
        Ok(Rows { dropped: rows % blocks, block, kept })
    }

    /// Runs over the combinations; `halves` writes the statistics of all strategies in the blocks of a
    /// mask and in the others.
    fn measure(&self, strategies: &[&[f64]], halves: &Statistics<'_>) -> Overfitting {
        let masks = combinations(self.blocks);
        let count = strategies.len();
        // The complement of combination i is the i-th from the end: one pass serves both.
        let firsts = &masks[..masks.len() / 2];
        let pairs: Vec<(Choice, Choice)> = firsts
            .par_chunks(CHUNK)
            .flat_map_iter(|chunk| {
                let (mut first, mut second) = (vec![0.0; count], vec![0.0; count]);
                chunk
                    .iter()
                    .map(|&mask| {
                        halves(mask, &mut first, &mut second);
                        (choose(&first, &second), choose(&second, &first))
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let ahead = pairs.iter().map(|pair| pair.0);
        let choices: Vec<Choice> = ahead.chain(pairs.iter().rev().map(|pair| pair.1)).collect();
        let curves = self.curves(&choices, firsts, count, halves);
        self.summarise(strategies, &choices, curves)
    }

    fn curves(
        &self,
        choices: &[Choice],
        firsts: &[u32],
        count: usize,
        halves: &Statistics<'_>,
    ) -> Curves {
        let (chosen, means) = outcomes(choices);
        let grid = dominance::grid(&chosen, self.points);
        if grid.is_empty() {
            return Curves::new(grid, &chosen, &means, &[]);
        }
        let counted: Vec<Vec<u64>> = firsts
            .par_chunks(CHUNK * 4)
            .map(|chunk| {
                let (mut first, mut second) = (vec![0.0; count], vec![0.0; count]);
                let mut counts = vec![0; grid.len() + 1];
                for &mask in chunk {
                    halves(mask, &mut first, &mut second);
                    dominance::count(&grid, &first, &mut counts);
                    dominance::count(&grid, &second, &mut counts);
                }
                counts
            })
            .collect();
        Curves::new(grid, &chosen, &means, &counted)
    }

    fn summarise(&self, strategies: &[&[f64]], choices: &[Choice], curves: Curves) -> Overfitting {
        let (count, rows) = (strategies.len(), strategies[0].len());
        let share = |of: usize| of as f64 / choices.len() as f64;
        let omega = |choice: &Choice| choice.rank / (count as f64 + 1.0);
        let logits: Vec<f64> = choices.iter().map(|c| (omega(c) / (1.0 - omega(c))).ln()).collect();
        let in_sample: Vec<f64> = choices.iter().map(|c| c.in_sample).collect();
        let (out_of_sample, means) = outcomes(choices);
        let lost = |value: f64| value.is_nan() || value < self.threshold;
        let known = |pair: &(f64, f64)| pair.0.is_finite() && pair.1.is_finite();
        let pairs = in_sample.iter().copied().zip(out_of_sample.iter().copied()).filter(known);
        let (inside, outside): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let (slope, intercept, r_squared) = line(&inside, &outside);
        Overfitting {
            strategies: count,
            rows: (rows / self.blocks - self.gap) * self.blocks,
            dropped: rows % self.blocks,
            blocks: self.blocks,
            gap: self.gap,
            combinations: choices.len(),
            undefined: choices.len() - inside.len(),
            // Half of N + 1 is exact, so that a logit of a middle rank is 0 and counts.
            pbo: share(choices.iter().filter(|c| 2.0 * c.rank <= count as f64 + 1.0).count()),
            loss_probability: share(out_of_sample.iter().filter(|v| lost(**v)).count()),
            slope,
            intercept,
            r_squared,
            degradation: mean(&inside) - mean(&outside),
            dominance: Dominance::of(&out_of_sample, &means),
            curves,
            logits,
            chosen: choices.iter().map(|c| c.chosen).collect(),
            in_sample,
            out_of_sample,
        }
    }
}

/// Writes the statistics of all strategies in the blocks of a mask, and in the others.
type Statistics<'a> = dyn Fn(u32, &mut [f64], &mut [f64]) + Sync + 'a;

/// Where the blocks lie.
#[derive(Debug, Clone, Copy)]
struct Rows {
    /// Eras left out at the start.
    dropped: usize,
    /// Eras of a block.
    block: usize,
    /// Its first eras, before the gap.
    kept: usize,
}

impl Rows {
    /// The eras of a block that count.
    fn of(&self, block: usize) -> Range<usize> {
        let start = self.dropped + block * self.block;
        start..start + self.kept
    }
}

/// The masks of half of the blocks, in lexicographic order of the blocks.
fn combinations(blocks: usize) -> Vec<u32> {
    let half = blocks / 2;
    let mut at: Vec<usize> = (0..half).collect();
    let mut masks = Vec::new();
    loop {
        masks.push(at.iter().fold(0, |mask, &block| mask | 1 << block));
        // The last block that can still move on.
        let Some(moving) = (0..half).rev().find(|&i| at[i] < blocks - half + i) else {
            return masks;
        };
        at[moving] += 1;
        for i in moving + 1..half {
            at[i] = at[i - 1] + 1;
        }
    }
}

/// The first strategy with the largest statistic in `inside`, looked up in `outside`.
fn choose(inside: &[f64], outside: &[f64]) -> Choice {
    let floor = |value: f64| if value.is_nan() { f64::NEG_INFINITY } else { value };
    let (mut chosen, mut best) = (0, floor(inside[0]));
    for (at, &value) in inside.iter().enumerate().skip(1) {
        if value > best {
            (chosen, best) = (at, value);
        }
    }
    let mark = floor(outside[chosen]);
    let (mut below, mut equal, mut sum, mut defined) = (0_usize, 0_usize, 0.0, 0_usize);
    for &value in outside {
        let known = !value.is_nan();
        let place = if known { value } else { f64::NEG_INFINITY };
        below += usize::from(place < mark);
        equal += usize::from(place == mark);
        sum += if known { value } else { 0.0 };
        defined += usize::from(known);
    }
    Choice {
        chosen,
        in_sample: inside[chosen],
        out_of_sample: outside[chosen],
        rank: below as f64 + 0.5 * (equal as f64 + 1.0),
        mean: sum / defined as f64,
    }
}

/// OOS statistics of the chosen, and means of all.
fn outcomes(choices: &[Choice]) -> (Vec<f64>, Vec<f64>) {
    choices.iter().map(|c| (c.out_of_sample, c.mean)).unzip()
}

/// Slope, intercept and explained share of the least-squares line; NaN without spread.
fn line(x: &[f64], y: &[f64]) -> (f64, f64, f64) {
    let (mx, my) = (mean(x), mean(y));
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        x.iter().zip(y).map(|(a, b)| f(a - mx, b - my)).sum()
    };
    let (xx, xy, yy) = (sum(&|a, _| a * a), sum(&|a, b| a * b), sum(&|_, b| b * b));
    let slope = if xx > 0.0 { xy / xx } else { f64::NAN };
    (slope, my - slope * mx, slope * xy / yy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_come_in_order_with_their_complements() {
        assert_eq!(combinations(4), [0b0011, 0b0101, 0b1001, 0b0110, 0b1010, 0b1100]);
        let masks = combinations(16);
        assert_eq!(masks.len(), 12_870);
        let complement = |mask: &u32| !mask & 0xffff;
        assert!(masks.iter().rev().eq(masks.iter().map(complement).collect::<Vec<_>>().iter()));
    }

    #[test]
    fn ties_and_undefined_statistics() {
        let nan = f64::NAN;
        let choice = choose(&[nan, 2.0, 2.0, 1.0], &[0.5, 0.5, 0.7, nan]);
        assert_eq!((choice.chosen, choice.rank), (1, 2.5));
        assert!((choice.mean - 1.7 / 3.0).abs() < 1e-15);
        let lost = choose(&[1.0, 2.0, nan], &[0.0, nan, nan]);
        assert_eq!((lost.chosen, lost.rank), (1, 1.5));
        assert!(lost.out_of_sample.is_nan());
    }

    #[test]
    fn settings_outside_their_range() {
        let (a, b) = ([0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 3.0, 1.0]);
        let with = |blocks| Cscv { blocks, ..Cscv::default() }.run(&[&a, &b]);
        assert!(with(3).is_err() && with(0).is_err() && with(26).is_err());
        assert!(matches!(with(6), Err(Error::TooShort { .. })));
        assert_eq!(with(2).unwrap().combinations, 2);
        assert!(Cscv::default().run(&[&a]).is_err());
        for points in [1, 100_001, usize::MAX] {
            assert!(Cscv { points, blocks: 2, ..Cscv::default() }.run(&[&a, &b]).is_err());
        }
    }

    /// Statistics come from a table, by the first era of a half: mask 0011 begins with era 0.
    fn tabled(strategies: [[f64; 4]; 2]) -> Overfitting {
        let columns: Vec<Vec<f64>> =
            strategies.iter().map(|v| v.iter().flat_map(|v| [*v; 2]).collect()).collect();
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let settings = Cscv { blocks: 4, points: 3, ..Cscv::default() };
        settings.run_with(&slices, |eras| eras.iter().product()).unwrap()
    }

    #[test]
    fn lines_and_dominance_by_hand() {
        // Products of squares: halves 01 23, 02 13, 03 12 and back. The first strategy has 4 and 9·16, 9 and
        // 4·16, 16 and 4·9 for the squares 1, 4, 9, 16; the second 1 always. The first is chosen each time.
        let found = tabled([[1.0, 2.0, 3.0, 4.0], [1.0; 4]]);
        assert_eq!(found.in_sample, [4.0, 9.0, 16.0, 36.0, 64.0, 144.0]);
        assert_eq!(found.out_of_sample, [144.0, 64.0, 36.0, 16.0, 9.0, 4.0]);
        assert_eq!((found.pbo, found.undefined, found.degradation), (0.0, 0, 0.0));
        // Means 45.5 a side; Σ IS² = 26,481, Σ IS·OOS = 2 (4·144 + 9·64 + 16·36) = 3,456.
        let (square, cross) = (26_481.0 - 6.0 * 45.5 * 45.5, 3_456.0 - 6.0 * 45.5 * 45.5);
        assert!((found.slope - cross / square).abs() < 1e-12);
        assert!((found.r_squared - (cross / square).powi(2)).abs() < 1e-12);
        assert!((found.intercept - 45.5 * (1.0 - cross / square)).abs() < 1e-9);
        // The mean strategy has (OOS + 1) / 2, below the chosen in every combination.
        assert!(found.dominance.first_order && found.dominance.second_order);
        assert_eq!(found.curves.at, [4.0, 74.0, 144.0]);
        // 5 of 6 chosen, 11 of 12 of all and 6 of 6 means (72.5 at most) are at or below 74.
        let middle = (found.curves.chosen[1], found.curves.all[1], found.curves.mean[1]);
        assert_eq!(middle, (5.0 / 6.0, 11.0 / 12.0, 1.0));
    }

    #[test]
    fn a_choice_without_statistic_is_left_out_and_counted() {
        let eras: Vec<f64> = (0..8).map(|t| f64::from(t * 5 % 7)).collect();
        let other: Vec<f64> = (0..8).map(|t| f64::from(t * 3 % 5) - 1.0).collect();
        let settings = Cscv { blocks: 4, points: 0, ..Cscv::default() };
        // No statistic of halves that begin with eras 0 and 2.
        let hole =
            |eras: &[f64]| if eras[0] == 0.0 && eras[2] == 3.0 { f64::NAN } else { mean(eras) };
        let whole = settings.run_with(&[&eras, &other], mean).unwrap();
        let found = settings.run_with(&[&eras, &other], hole).unwrap();
        assert_eq!((whole.undefined, found.undefined), (0, 1));
        assert!(found.out_of_sample.iter().any(|v| v.is_nan()));
        let defined = [found.slope, found.intercept, found.r_squared, found.degradation];
        assert!(defined.iter().all(|v| v.is_finite()), "{defined:?}");
        assert!(whole.curves.at.is_empty() && whole.curves.all.is_empty());
        // The loss is counted as before.
        assert!(found.loss_probability >= 1.0 / 6.0);
    }

    #[test]
    fn strategies_that_are_the_same_are_overfitting() {
        let eras: Vec<f64> = (0..32).map(|t| f64::from(t * 7 % 11)).collect();
        let found = Cscv { blocks: 4, ..Cscv::default() }.run(&[&eras, &eras, &eras]).unwrap();
        assert!(found.pbo == 1.0 && found.logits.iter().all(|logit| *logit == 0.0));
    }

    #[test]
    fn a_gap_leaves_the_ends_of_blocks_out() {
        let eras =
            |k: u32| (0..26).map(move |t| f64::from((t * 7 + k * 5) % 11)).collect::<Vec<_>>();
        // Blocks of 6 after 2 dropped eras; the last 2 of each are left out.
        let cut = |all: &[f64]| -> Vec<f64> {
            all[2..].chunks(6).flat_map(|block| block[..4].to_vec()).collect()
        };
        let (a, b) = (eras(0), eras(1));
        let settings = Cscv { blocks: 4, gap: 2, ..Cscv::default() };
        let (found, with) =
            (settings.run(&[&a, &b]).unwrap(), settings.run_with(&[&a, &b], mean).unwrap());
        assert_eq!((found.rows, found.dropped, found.gap), (16, 2, 2));
        let plain = Cscv { gap: 0, ..settings };
        let (a, b) = (cut(&a), cut(&b));
        assert_eq!(found.in_sample, plain.run(&[&a, &b]).unwrap().in_sample);
        assert_eq!(with.in_sample, plain.run_with(&[&a, &b], mean).unwrap().in_sample);
        for gap in [6, 100, usize::MAX] {
            let refused = Cscv { gap, ..settings }.run(&[&eras(0), &eras(1)]);
            assert!(matches!(refused, Err(Error::Range { name: "gap", .. })));
        }
    }
}
