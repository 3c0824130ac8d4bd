//! Differences to a benchmark, and their means in resampled worlds.

use fattail_stats::{Blocks, cosine_count, mean, std};
use rayon::prelude::*;

use super::{Better, Studentised};
use crate::error::{self, Error, ROUNDING, Result};
use crate::long_run::{LongRunVariance, cosines, equally_rare, of_bootstrap, prewhitened};
use crate::resampling::Resampling;

/// Draws that go over the rows together, so that a row is read once for all of them.
const GROUP: u32 = 8;

/// `d_{k,t}`, by model and by row.
pub(super) struct Excess {
    pub(super) rows: usize,
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) means: Vec<f64>,
    /// The largest value that each column was made from.
    pub(super) sizes: Vec<f64>,
    by_row: Vec<f64>,
}

/// What means are divided by in the two worlds; infinite for a model that takes no part.
pub(super) struct Scales {
    pub(super) data: Vec<f64>,
    pub(super) bootstrap: Vec<f64>,
    /// Degrees of Student's t in the world of the data; infinite for the normal distribution.
    degrees: Vec<f64>,
    pub(super) studentised: bool,
}

impl Excess {
    /// The scores of `models` minus those of `benchmark`, larger being better.
    pub(super) fn new(models: &[&[f64]], benchmark: &[f64], better: Better) -> Result<Self> {
        let rows = error::columns("models", models, 8)?;
        error::same_length("benchmark", 0, benchmark.len(), rows)?;
        error::finite("benchmark", 0, benchmark)?;
        let sign = better.sign();
        let difference = |model: &&[f64]| -> Vec<f64> {
            model.iter().zip(benchmark).map(|(score, base)| sign * (score - base)).collect()
        };
        let size = |model: &&[f64]| error::size(model).max(error::size(benchmark));
        let sizes = models.iter().map(size).collect();
        Ok(Self::of(models.iter().map(difference).collect(), sizes, rows))
    }

    /// Columns as they are, made from values of some size.
    pub(super) fn of(columns: Vec<Vec<f64>>, sizes: Vec<f64>, rows: usize) -> Self {
        let means = columns.iter().map(|column| mean(column)).collect();
        let by_row = (0..rows).flat_map(|t| columns.iter().map(move |column| column[t])).collect();
        Self { rows, columns, means, sizes, by_row }
    }

    pub(super) fn count(&self) -> usize {
        self.columns.len()
    }

    /// `ω̂²` of a column in the world of the data.
    fn variance(
        &self,
        column: &[f64],
        blocks: Blocks,
        studentised: Studentised,
    ) -> Result<LongRunVariance> {
        Ok(match studentised {
            Studentised::No => LongRunVariance::normal(1.0),
            Studentised::Bootstrap => LongRunVariance::normal(of_bootstrap(column, blocks)),
            Studentised::Prewhitened => prewhitened(column),
            Studentised::Overlap { span } => cosines(column, cosine_count(self.rows, span)?),
        })
    }

    /// The spread of each column under the bootstrap.
    pub(super) fn bootstrap_spreads(&self, blocks: Blocks) -> Vec<f64> {
        self.columns.par_iter().map(|column| of_bootstrap(column, blocks).sqrt()).collect()
    }

    /// What the test divides by.
    pub(super) fn scales(&self, blocks: Blocks, studentised: Studentised) -> Result<Scales> {
        let scale = |k: usize| -> Result<(f64, f64, f64)> {
            let column = &self.columns[k];
            let found = self.variance(column, blocks, studentised)?;
            if studentised == Studentised::No {
                return Ok((1.0, 1.0, found.degrees));
            }
            if still("model minus benchmark", k, column, self.sizes[k])? {
                return Ok((f64::INFINITY, f64::INFINITY, f64::INFINITY));
            }
            let (data, own) = (found.value.sqrt(), of_bootstrap(column, blocks).sqrt());
            spreads(k, column, data, own)?;
            Ok((data, own, found.degrees))
        };
        let scales: Vec<_> = (0..self.count()).into_par_iter().map(scale).collect::<Result<_>>()?;
        let (data, rest): (Vec<f64>, Vec<(f64, f64)>) =
            scales.into_iter().map(|(data, own, degrees)| (data, (own, degrees))).unzip();
        let (bootstrap, degrees) = rest.into_iter().unzip();
        let studentised = studentised != Studentised::No;
        Ok(Scales { data, bootstrap, degrees, studentised })
    }

    /// `√n d̄_k / ω̂_k`, or the value that is as rare where resampled ones have `after` degrees.
    pub(super) fn statistics(&self, scales: &Scales, after: f64) -> Vec<f64> {
        let root = (self.rows as f64).sqrt();
        let ratios = self.means.iter().zip(&scales.data).map(|(mean, scale)| root * mean / scale);
        ratios.zip(&scales.degrees).map(|(t, &before)| equally_rare(t, before, after)).collect()
    }

    /// The means of each model in each draw, draw by draw.
    pub(super) fn resampled(&self, blocks: Blocks, resampling: &Resampling) -> Result<Vec<f64>> {
        let draws = resampling.draws;
        let groups: Vec<u32> = (0..draws).step_by(GROUP as usize).collect();
        let parts: Vec<Vec<f64>> = groups
            .into_par_iter()
            .map(|first| self.group(blocks, resampling, first..draws.min(first + GROUP)))
            .collect::<Result<_>>()?;
        Ok(parts.concat())
    }

    fn group(
        &self,
        blocks: Blocks,
        resampling: &Resampling,
        draws: std::ops::Range<u32>,
    ) -> Result<Vec<f64>> {
        let (size, models) = (draws.len(), self.count());
        let mut indices = vec![0; self.rows];
        // How often each row is drawn, the draws of a row side by side.
        let mut times = vec![0.0; self.rows * size];
        for (at, draw) in draws.enumerate() {
            blocks.indices(&mut resampling.counter().draw(draw), &mut indices)?;
            for &row in &indices {
                times[row * size + at] += 1.0;
            }
        }
        let mut sums = vec![0.0; size * models];
        let rows = self.by_row.chunks_exact(models).zip(times.chunks_exact(size));
        for (row, times) in rows {
            for (sums, &times) in sums.chunks_exact_mut(models).zip(times) {
                if times != 0.0 {
                    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += times * value);
                }
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= self.rows as f64);
        Ok(sums)
    }
}

/// The first place with the largest value.
pub(super) fn first_largest(count: usize, value: impl Fn(usize) -> f64) -> (usize, f64) {
    (0..count).fold((0, f64::NEG_INFINITY), |(at, best), i| {
        let value = value(i);
        if value > best { (i, value) } else { (at, best) }
    })
}

/// Whether a difference of values of some size never moves from 0; refused when it stays elsewhere.
pub(super) fn still(
    name: &'static str,
    column: usize,
    difference: &[f64],
    size: f64,
) -> Result<bool> {
    if !error::constant(difference, size) {
        return Ok(false);
    }
    if mean(difference).abs() <= ROUNDING * size {
        return Ok(true);
    }
    Err(Error::Constant { name, column })
}

/// Refuses spreads that are nothing beside that of the values, as of blocks that always sum to the same.
pub(super) fn spreads(column: usize, values: &[f64], data: f64, own: f64) -> Result<()> {
    let least = ROUNDING * std(values, 0);
    if own <= least {
        return Err(Error::Constant { name: "means of blocks", column });
    }
    if data <= least {
        return Err(Error::Constant { name: "slow waves", column });
    }
    Ok(())
}
