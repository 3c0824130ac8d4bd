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
//! Hansen, Lunde and Nason take `ω = ω*`; prewhitened `ω` with the normal value that is as rare is the default,
//! as in the tests against a benchmark and for the same reason.
//!
//! Models that never differ are never told apart. NaN is refused; where the test is studentised, so are two
//! models whose difference is constant and not 0, a comparison that becomes so, and one whose resampled mean
//! never moves.
//!
//! Cost: `draws · (n · models + models²)` and `n^1.5 · models²` for max, `draws · models³` for range.
//!
//! Reference: Hansen, Lunde and Nason (2011), The model confidence set, Econometrica 79(2), sections 2
//! and 3.

use fattail_stats::{cosine_count, cosine_waves};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::excess::{first_largest, spreads, still};
use super::{Better, Excess, Studentised};
use crate::error::{self, Result};
use crate::long_run::{LongRunVariance, normal_score, of_waves, prewhitened};
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
#[serde(default, deny_unknown_fields)]
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
    /// Columns of different length or below 8 rows, values that are not finite, settings outside their
    /// range, and [`crate::Error::Constant`] for a comparison without spread whose difference is not 0.
    pub fn of(&self, models: &[&[f64]]) -> Result<ModelSet> {
        let rows = error::columns("models", models, 8)?;
        let sign = self.better.sign();
        let signed = |column: &&[f64]| column.iter().map(|v| sign * v).collect();
        let sizes = models.iter().map(|column| error::size(column)).collect();
        let scores = Excess::of(models.iter().map(signed).collect(), sizes, rows);
        let blocks = self.resampling.blocks(&differences(&scores))?;
        let mut centred = scores.resampled(blocks, &self.resampling)?;
        for draw in centred.chunks_exact_mut(models.len()) {
            draw.iter_mut().zip(&scores.means).for_each(|(star, mean)| *star -= mean);
        }
        let world = Worlds::new(&scores, &centred, self.studentised)?;
        let pairs = match self.equality {
            Equality::Max => None,
            Equality::Range => Some(world.pairs()?),
        };
        let (mut alive, mut eliminated): (Vec<usize>, _) =
            ((0..models.len()).collect(), Vec::new());
        let (mut p_values, mut floor) = (vec![1.0; models.len()], 0.0_f64);
        while alive.len() > 1 {
            let (worst, above) = match &pairs {
                None => world.max(&alive)?,
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
    /// The cosine transforms of each model, none unless labels overlap.
    waves: Vec<Vec<f64>>,
    size: f64,
}

/// What the mean of a comparison is divided by in the two worlds, infinite for models that never differ, and
/// the degrees of Student's t in the world of the data.
#[derive(Clone, Copy)]
struct Spread {
    data: f64,
    degrees: f64,
    bootstrap: f64,
}

impl Spread {
    const NONE: Self = Self::normal(f64::INFINITY);

    const fn normal(both: f64) -> Self {
        Self { data: both, degrees: f64::INFINITY, bootstrap: both }
    }

    /// A mean over its spread in the world of the data, or the normal value that is as rare.
    fn score(&self, difference: f64) -> f64 {
        normal_score(difference / self.data, self.degrees)
    }
}

impl<'a> Worlds<'a> {
    /// Refuses two models that differ by a constant, where spreads are asked for.
    fn new(scores: &'a Excess, centred: &'a [f64], studentised: Studentised) -> Result<Self> {
        let size = scores.sizes.iter().fold(0.0, |largest: f64, size| largest.max(*size));
        let mut transformed = Vec::new();
        if let Studentised::Overlap { span } = studentised {
            let count = cosine_count(scores.rows, span)?;
            let each = scores.columns.par_iter().map(|column| cosine_waves(column, count));
            transformed = each.collect();
        }
        let world = Self { scores, centred, studentised, waves: transformed, size };
        if studentised != Studentised::No {
            for i in 0..scores.count() {
                for j in 0..i {
                    still("difference of two models", i, &world.apart(i, j), size)?;
                }
            }
        }
        Ok(world)
    }

    /// The scores of one model minus those of another.
    fn apart(&self, i: usize, j: usize) -> Vec<f64> {
        let columns = &self.scores.columns;
        columns[i].iter().zip(&columns[j]).map(|(a, b)| a - b).collect()
    }

    fn draws(&self) -> impl IndexedParallelIterator<Item = &[f64]> {
        self.centred.par_chunks_exact(self.scores.count())
    }

    /// The spread of the mean of a series, whose centred mean in a draw is `star` and whose `wave` is that of
    /// these models; `model` is where to look when there is none.
    fn spread(
        &self,
        model: usize,
        series: &[f64],
        wave: impl Fn(usize) -> f64,
        star: impl Fn(usize, &[f64]) -> f64,
    ) -> Result<Spread> {
        if self.studentised == Studentised::No {
            return Ok(Spread::normal(1.0));
        }
        if still("comparison of models", model, series, self.size)? {
            return Ok(Spread::NONE);
        }
        let draws = self.centred.chunks_exact(self.scores.count()).enumerate();
        let count = draws.len() as f64;
        let square = |(at, draw): (usize, &[f64])| star(at, draw).powi(2);
        let bootstrap = (draws.map(square).sum::<f64>() / count).sqrt();
        let root = (self.scores.rows as f64).sqrt();
        let found = match self.studentised {
            Studentised::Prewhitened => prewhitened(series),
            Studentised::Overlap { .. } => {
                of_waves(&(0..self.waves[0].len()).map(wave).collect::<Vec<_>>())
            }
            Studentised::No | Studentised::Bootstrap => {
                LongRunVariance::normal((root * bootstrap).powi(2))
            }
        };
        spreads(model, series, found.value.sqrt(), root * bootstrap)?;
        Ok(Spread { data: found.value.sqrt() / root, degrees: found.degrees, bootstrap })
    }

    /// Spreads of all differences of two, row-major.
    fn pairs(&self) -> Result<Vec<Spread>> {
        let models = self.scores.count();
        let spread = |at: usize| {
            let (i, j) = (at / models, at % models);
            if i >= j {
                return Ok(Spread::NONE);
            }
            let wave = |at: usize| self.waves[i][at] - self.waves[j][at];
            self.spread(i, &self.apart(i, j), wave, |_, draw| draw[i] - draw[j])
        };
        let upper: Vec<Spread> =
            (0..models * models).into_par_iter().map(spread).collect::<Result<_>>()?;
        let full = |at: usize| {
            let (i, j) = (at / models, at % models);
            upper[i.min(j) * models + i.max(j)]
        };
        Ok((0..models * models).map(full).collect())
    }

    /// Position of the worst in `alive`, and the draws whose statistic is at least as large.
    fn max(&self, alive: &[usize]) -> Result<(usize, usize)> {
        let size = alive.len() as f64;
        let middle = |values: &[f64]| alive.iter().map(|&k| values[k]).sum::<f64>() / size;
        let middles: Vec<f64> = self.draws().map(middle).collect();
        let over = |columns: &[Vec<f64>], t: usize| {
            alive.iter().map(|&k| columns[k][t]).sum::<f64>() / size
        };
        let columns = &self.scores.columns;
        let levels: Vec<f64> = (0..self.scores.rows).map(|t| over(columns, t)).collect();
        let spread = |&k: &usize| {
            let series: Vec<f64> = columns[k].iter().zip(&levels).map(|(v, m)| v - m).collect();
            let wave = |at: usize| self.waves[k][at] - over(&self.waves, at);
            self.spread(k, &series, wave, |at, draw| middles[at] - draw[k])
        };
        let spreads: Vec<Spread> = alive.par_iter().map(spread).collect::<Result<_>>()?;
        let all = middle(&self.scores.means);
        let value = |at: usize| spreads[at].score(all - self.scores.means[alive[at]]);
        let (worst, largest) = first_largest(alive.len(), value);
        let star = |(draw, m): (&[f64], &f64)| {
            let each =
                alive.iter().zip(&spreads).map(|(&k, spread)| (m - draw[k]) / spread.bootstrap);
            each.fold(f64::NEG_INFINITY, f64::max) >= largest
        };
        let above = self.draws().zip(&middles).filter(|&pair| star(pair)).count();
        Ok((worst, above))
    }

    fn range(&self, alive: &[usize], spreads: &[Spread]) -> (usize, usize) {
        let (count, means) = (self.scores.count(), &self.scores.means);
        let behind = |at: usize| {
            let i = alive[at];
            let each = alive.iter().map(|&j| spreads[i * count + j].score(means[j] - means[i]));
            each.fold(f64::NEG_INFINITY, f64::max)
        };
        let (worst, largest) = first_largest(alive.len(), behind);
        let reaches = |draw: &[f64]| {
            alive.iter().enumerate().any(|(at, &i)| {
                let row = &spreads[i * count..(i + 1) * count];
                let others = &alive[at + 1..];
                others.iter().any(|&j| (draw[i] - draw[j]).abs() / row[j].bootstrap >= largest)
            })
        };
        let above = self.draws().filter(|draw| reaches(draw)).count();
        (worst, above)
    }
}
