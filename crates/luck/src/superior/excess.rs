//! Differences to a benchmark, and their means in resampled worlds.

use fattail_stats::{Blocks, mean};
use rayon::prelude::*;

use super::{Better, Studentised};
use crate::error::{self, Error, Result};
use crate::long_run::{cosine_count, cosines, normal_score, of_bootstrap, prewhitened};
use crate::resampling::Resampling;

/// Draws that go over the rows together, so that a row is read once for all of them.
const GROUP: u32 = 8;

/// `d_{k,t}`, by model and by row.
pub(super) struct Excess {
    pub(super) rows: usize,
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) means: Vec<f64>,
    by_row: Vec<f64>,
}

/// What means are divided by in the two worlds; infinite for a model that takes no part.
pub(super) struct Scales {
    pub(super) data: Vec<f64>,
    pub(super) bootstrap: Vec<f64>,
    /// Degrees of Student's t in the world of the data; none for the normal distribution.
    degrees: Option<usize>,
}

impl Excess {
    /// The scores of `models` minus those of `benchmark`, larger being better.
    pub(super) fn new(models: &[&[f64]], benchmark: &[f64], better: Better) -> Result<Self> {
        let rows = error::columns("models", models, 8)?;
        error::same_length("benchmark", 0, benchmark.len(), rows)?;
        error::finite("benchmark", 0, benchmark)?;
        let sign = match better {
            Better::Higher => 1.0,
            Better::Lower => -1.0,
        };
        let difference = |model: &&[f64]| -> Vec<f64> {
            model.iter().zip(benchmark).map(|(score, base)| sign * (score - base)).collect()
        };
        Ok(Self::of(models.iter().map(difference).collect(), rows))
    }

    /// Columns as they are.
    pub(super) fn of(columns: Vec<Vec<f64>>, rows: usize) -> Self {
        let means = columns.iter().map(|column| mean(column)).collect();
        let by_row = (0..rows).flat_map(|t| columns.iter().map(move |column| column[t])).collect();
        Self { rows, columns, means, by_row }
    }

    pub(super) fn count(&self) -> usize {
        self.columns.len()
    }

    /// The first model with the largest value.
    pub(super) fn largest(&self, value: impl Fn(usize) -> f64) -> (usize, f64) {
        (0..self.count()).fold((0, f64::NEG_INFINITY), |(at, best), k| {
            let value = value(k);
            if value > best { (k, value) } else { (at, best) }
        })
    }

    /// `ω̂` of each model in the world of the data.
    pub(super) fn spreads(&self, blocks: Blocks, studentised: Studentised) -> Result<Vec<f64>> {
        let variance = |column: &Vec<f64>| -> Result<f64> {
            match studentised {
                Studentised::No => Ok(1.0),
                Studentised::Bootstrap => Ok(of_bootstrap(column, blocks)),
                Studentised::Prewhitened => Ok(prewhitened(column)),
                Studentised::Overlap { span } => {
                    Ok(cosines(column, cosine_count(self.rows, span)?))
                }
            }
        };
        let root = |column| variance(column).map(f64::sqrt);
        self.columns.par_iter().map(root).collect()
    }

    /// What the test divides by.
    pub(super) fn scales(&self, blocks: Blocks, studentised: Studentised) -> Result<Scales> {
        let degrees = match studentised {
            Studentised::Overlap { span } => Some(cosine_count(self.rows, span)?),
            _ => None,
        };
        let data = self.spreads(blocks, studentised)?;
        if studentised == Studentised::No {
            return Ok(Scales { bootstrap: data.clone(), data, degrees });
        }
        let flat = |k: usize| self.columns[k].iter().all(|v| *v == self.columns[k][0]);
        if let Some(column) = (0..self.count()).find(|&k| flat(k) && self.columns[k][0] != 0.0) {
            return Err(Error::Constant { name: "model minus benchmark", column });
        }
        let apart = |spreads: Vec<f64>| -> Vec<f64> {
            let each = spreads.into_iter().enumerate();
            each.map(|(k, spread)| if flat(k) { f64::INFINITY } else { spread }).collect()
        };
        let bootstrap = apart(self.spreads(blocks, Studentised::Bootstrap)?);
        Ok(Scales { data: apart(data), bootstrap, degrees })
    }

    /// `√n d̄_k / ω̂_k`, or the normal value that is as rare.
    pub(super) fn statistics(&self, scales: &Scales) -> Vec<f64> {
        let root = (self.rows as f64).sqrt();
        let each = self.means.iter().zip(&scales.data).map(|(mean, scale)| root * mean / scale);
        match scales.degrees {
            None => each.collect(),
            Some(degrees) => each.map(|t| normal_score(t, degrees)).collect(),
        }
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
