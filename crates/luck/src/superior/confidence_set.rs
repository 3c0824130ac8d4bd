//! The models among which the best one is, at a given confidence.
//!
//! While the models of the set are found unequal, the worst leaves. With centred resampled means `c_k`,
//! `ω²` the variance of `√n` times a mean in the world of the data and `ω*²` the one over the draws:
//!
//! ```text
//! max    √n (mean of the set - s̄_i) / ω_i   largest against largest  √n (c̄* - c*_i) / ω*_i
//! range  √n (s̄_j - s̄_i) / ω_ij              largest against largest  √n |c*_i - c*_j| / ω*_ij
//! ```
//!
//! The model with the largest statistic, in range against any other, leaves. Its p-value is the largest of
//! the tests so far; the last model has 1. A set of confidence `1 - α` holds the models whose p-value is
//! above `α`. Max asks whether some are worse than the mean, and finds one bad model among many; range
//! finds one good model, too.
//!
//! Hansen, Lunde and Nason take `ω = ω*`; prewhitened `ω` as in the tests against a benchmark is the
//! default, for the same reason.
//!
//! Models that never differ are never told apart. NaN is refused.
//!
//! Cost: `draws · (n · models + models²)` and `n^1.5 · models²` for max, `draws · models³` for range.
//!
//! Reference: Hansen, Lunde and Nason (2011), The model confidence set, Econometrica 79(2), sections 2
//! and 3.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Better, Excess, Studentised};
use crate::error::{self, Result};
use crate::long_run::{cosine_count, cosines, normal_score, prewhitened};
use crate::resampling::{Resampling, length};

/// Settings of a model confidence set.
///
/// ```
/// use fattail_luck::ConfidenceSet;
/// let scores = |shift: f64, k: u32| -> Vec<f64> {
///     (0..100).map(|t| f64::from((t * 7 + k * 5) % 11) + shift).collect()
/// };
/// let (good, twin, bad) = (scores(3.0, 0), scores(3.0, 4), scores(0.0, 2));
/// let set = ConfidenceSet::default().of(&[&good, &bad, &twin])?;
/// assert_eq!(set.members(0.05), [0, 2]);
/// assert_eq!(set.eliminated[0], 1);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfidenceSet {
    /// Whether large or small values are good.
    pub better: Better,
    /// The test of equality.
    pub equality: Equality,
    /// What the mean differences are divided by.
    pub studentised: Studentised,
    /// How eras are drawn.
    pub resampling: Resampling,
}

/// A test of whether all models of a set are equally good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Equality {
    /// Each model against the mean of the set, `T_max`.
    #[default]
    Max,
    /// Each model against each other, `T_R`.
    Range,
}

/// What a model confidence set tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSet {
    /// p-values in input order.
    pub p_values: Vec<f64>,
    /// Models in the order in which they leave, the best last.
    pub eliminated: Vec<usize>,
    /// Length of the blocks.
    pub block_length: f64,
}

impl ModelSet {
    /// The models that remain at confidence `1 - significance`, in input order.
    #[must_use]
    pub fn members(&self, significance: f64) -> Vec<usize> {
        (0..self.p_values.len()).filter(|&k| self.p_values[k] > significance).collect()
    }
}

impl ConfidenceSet {
    /// The set of columns of era scores.
    ///
    /// # Errors
    /// Columns of different length or below 8 rows, values that are not finite, and settings outside
    /// their range.
    pub fn of(&self, models: &[&[f64]]) -> Result<ModelSet> {
        let rows = error::columns("models", models, 8)?;
        let sign = match self.better {
            Better::Higher => 1.0,
            Better::Lower => -1.0,
        };
        let signed = |column: &&[f64]| column.iter().map(|v| sign * v).collect();
        let scores = Excess::of(models.iter().map(signed).collect(), rows);
        let blocks = self.resampling.blocks(&differences(&scores))?;
        let mut centred = scores.resampled(blocks, &self.resampling)?;
        for draw in centred.chunks_exact_mut(models.len()) {
            draw.iter_mut().zip(&scores.means).for_each(|(star, mean)| *star -= mean);
        }
        let studentised = self.studentised;
        let cosines = match studentised {
            Studentised::Overlap { span } => cosine_count(rows, span)?,
            _ => 0,
        };
        let world = Worlds { scores: &scores, centred: &centred, studentised, cosines };
        let pairs = match self.equality {
            Equality::Max => None,
            Equality::Range => Some(world.pairs()),
        };
        let (mut alive, mut eliminated): (Vec<usize>, _) =
            ((0..models.len()).collect(), Vec::new());
        let (mut p_values, mut floor) = (vec![1.0; models.len()], 0.0_f64);
        while alive.len() > 1 {
            let (worst, above) = match &pairs {
                None => world.max(&alive),
                Some(spreads) => world.range(&alive, spreads),
            };
            floor = floor.max(self.resampling.p_value(above));
            p_values[alive[worst]] = floor;
            eliminated.push(alive.remove(worst));
        }
        eliminated.extend(alive);
        Ok(ModelSet { p_values, eliminated, block_length: length(blocks) })
    }
}

/// Each model minus the mean of all: what block lengths are chosen for.
fn differences(scores: &Excess) -> Vec<Vec<f64>> {
    let count = scores.count() as f64;
    let mean = |t: usize| scores.columns.iter().map(|column| column[t]).sum::<f64>() / count;
    let middle: Vec<f64> = (0..scores.rows).map(mean).collect();
    let apart = |column: &Vec<f64>| column.iter().zip(&middle).map(|(v, m)| v - m).collect();
    scores.columns.iter().map(apart).collect()
}

/// Scores, and centred means of each draw.
struct Worlds<'a> {
    scores: &'a Excess,
    centred: &'a [f64],
    studentised: Studentised,
    cosines: usize,
}

/// Spreads of means in the two worlds.
struct Spreads {
    data: Vec<f64>,
    bootstrap: Vec<f64>,
}

impl Worlds<'_> {
    fn draws(&self) -> impl IndexedParallelIterator<Item = &[f64]> {
        self.centred.par_chunks_exact(self.scores.count())
    }

    /// The two spreads of the mean of a series whose centred mean in a draw is `star`.
    fn spread(
        &self,
        series: impl Fn() -> Vec<f64>,
        star: impl Fn(usize, &[f64]) -> f64,
    ) -> (f64, f64) {
        if self.studentised == Studentised::No {
            return (1.0, 1.0);
        }
        let draws = self.centred.chunks_exact(self.scores.count()).enumerate();
        let count = draws.len() as f64;
        let square = |(at, draw): (usize, &[f64])| star(at, draw).powi(2);
        let own = (draws.map(square).sum::<f64>() / count).sqrt();
        let of_data = |variance: f64| (variance / self.scores.rows as f64).sqrt();
        match self.studentised {
            Studentised::Prewhitened => (of_data(prewhitened(&series())), own),
            Studentised::Overlap { .. } => (of_data(cosines(&series(), self.cosines)), own),
            Studentised::No | Studentised::Bootstrap => (own, own),
        }
    }

    /// A mean over its spread in the world of the data, or the normal value that is as rare.
    fn score(&self, difference: f64, spread: f64) -> f64 {
        let t = ratio(difference, spread);
        match self.studentised {
            Studentised::Overlap { .. } => normal_score(t, self.cosines),
            _ => t,
        }
    }

    /// Spreads of all differences of two, row-major.
    fn pairs(&self) -> Spreads {
        let (models, columns) = (self.scores.count(), &self.scores.columns);
        let spread = |at: usize| {
            let (i, j) = (at / models, at % models);
            if i >= j {
                return (0.0, 0.0);
            }
            let series = || columns[i].iter().zip(&columns[j]).map(|(a, b)| a - b).collect();
            self.spread(series, |_, draw| draw[i] - draw[j])
        };
        let upper: Vec<(f64, f64)> = (0..models * models).into_par_iter().map(spread).collect();
        let full = |at: usize| {
            let (i, j) = (at / models, at % models);
            upper[i.min(j) * models + i.max(j)]
        };
        let (data, bootstrap) = (0..models * models).map(full).unzip();
        Spreads { data, bootstrap }
    }

    /// Position of the worst in `alive`, and the draws whose statistic is at least as large.
    fn max(&self, alive: &[usize]) -> (usize, usize) {
        let size = alive.len() as f64;
        let middle = |values: &[f64]| alive.iter().map(|&k| values[k]).sum::<f64>() / size;
        let middles: Vec<f64> = self.draws().map(middle).collect();
        let columns = &self.scores.columns;
        let level = |t: usize| alive.iter().map(|&k| columns[k][t]).sum::<f64>() / size;
        let levels: Vec<f64> = (0..self.scores.rows).map(level).collect();
        let spread = |&k: &usize| {
            let series = || columns[k].iter().zip(&levels).map(|(v, m)| v - m).collect();
            self.spread(series, |at, draw| middles[at] - draw[k])
        };
        let spreads: Vec<(f64, f64)> = alive.par_iter().map(spread).collect();
        let all = middle(&self.scores.means);
        let value = |at: usize| self.score(all - self.scores.means[alive[at]], spreads[at].0);
        let (worst, largest) = first_largest(alive.len(), value);
        let star = |(draw, m): (&[f64], &f64)| {
            let each = alive.iter().zip(&spreads).map(|(&k, spread)| ratio(m - draw[k], spread.1));
            each.fold(f64::NEG_INFINITY, f64::max) >= largest
        };
        let above = self.draws().zip(&middles).filter(|&pair| star(pair)).count();
        (worst, above)
    }

    fn range(&self, alive: &[usize], spreads: &Spreads) -> (usize, usize) {
        let (count, means) = (self.scores.count(), &self.scores.means);
        let behind = |at: usize| {
            let i = alive[at];
            let each =
                alive.iter().map(|&j| self.score(means[j] - means[i], spreads.data[i * count + j]));
            each.fold(f64::NEG_INFINITY, f64::max)
        };
        let (worst, largest) = first_largest(alive.len(), behind);
        let reaches = |draw: &[f64]| {
            alive.iter().enumerate().any(|(at, &i)| {
                let row = &spreads.bootstrap[i * count..(i + 1) * count];
                let others = &alive[at + 1..];
                others.iter().any(|&j| ratio((draw[i] - draw[j]).abs(), row[j]) >= largest)
            })
        };
        let above = self.draws().filter(|draw| reaches(draw)).count();
        (worst, above)
    }
}

/// 0 where there is no spread: models that never differ.
fn ratio(difference: f64, spread: f64) -> f64 {
    if spread > 0.0 { difference / spread } else { 0.0 }
}

fn first_largest(count: usize, value: impl Fn(usize) -> f64) -> (usize, f64) {
    (0..count).fold((0, f64::NEG_INFINITY), |(at, best), i| {
        let value = value(i);
        if value > best { (i, value) } else { (at, best) }
    })
}
