//! Batch prediction.
//!
//! Blocks of rows go through the forest one after the other, in parallel, without a lock and without
//! a copy of the panel. Every sum is in f64 and in the order of [`Forest::raw_row`], so the bits are
//! the same for every processor and number of threads.

mod block;
mod lanes;
mod plan;
mod question;
mod single;

use std::{ops::Range, sync::Arc};

use fattail_core::Panel;
use rayon::prelude::*;

use self::{
    block::{Scratch, Source},
    lanes::{BLOCK, Level},
    plan::{Form, Plan},
    single::Single,
};
use crate::{Error, Forest, Result};

/// Strips of blocks for each thread: the more, the more even, the fewer, the less memory is touched.
const STRIPS: usize = 6;

/// A forest laid out for prediction. Immutable, `Send + Sync`.
#[derive(Debug, Clone)]
pub struct Predictor {
    forest: Forest,
    names: Vec<Arc<str>>,
    plan: Plan,
    single: Option<Single>,
    level: Level,
}

impl Predictor {
    /// Checks a forest and lays it out.
    ///
    /// # Errors
    /// When the forest's parts do not fit together.
    pub fn new(forest: &Forest) -> Result<Self> {
        Self::with(forest, Level::best(), None)
    }

    fn with(forest: &Forest, level: Level, form: Option<Form>) -> Result<Self> {
        forest.check()?;
        let names = forest.features.iter().map(|feature| feature.name.as_str().into()).collect();
        let (plan, single) = (Plan::new(forest, form), Single::new(forest));
        Ok(Self { forest: forest.clone(), names, plan, single, level })
    }

    /// The forest.
    #[must_use]
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// Raw scores, row by row, the outputs of a row together.
    ///
    /// # Errors
    /// When the panel's features are not the forest's.
    pub fn raw(&self, panel: &Panel) -> fattail_core::Result<Vec<f64>> {
        self.raw_range(panel, 0..self.forest.iterations())
    }

    /// Raw scores of one row, one an output, into `out`: the bits of [`Forest::raw_row`], without
    /// allocating.
    ///
    /// # Errors
    /// When the row has another width than the features, or `out` than the outputs.
    pub fn raw_row(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        let (width, outputs) = (self.forest.features.len(), self.forest.outputs);
        if row.len() != width {
            return Err(Error::Width { given: row.len(), expected: width });
        }
        if out.len() != outputs {
            let (given, allowed) = (out.len().to_string(), outputs.to_string());
            return Err(Error::Forest { name: "the number of outputs", given, allowed });
        }
        out.fill(0.0);
        match &self.single {
            Some(single) => single.add(&self.forest, row, out),
            None => self.forest.add_row(row, out),
        }
        self.finish(out, self.forest.iterations());
        Ok(())
    }

    /// Predictions of one row, one an output, into `out`.
    ///
    /// # Errors
    /// Like [`Predictor::raw_row`].
    pub fn predict_row(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        self.raw_row(row, out)?;
        self.forest.link.apply(out);
        Ok(())
    }

    /// Raw scores of some iterations alone: their trees, averaged over them where the forest is
    /// averaged, and the start. What is beyond the last iteration is left out.
    ///
    /// # Errors
    /// When the panel's features are not the forest's.
    pub fn raw_range(
        &self,
        panel: &Panel,
        iterations: Range<usize>,
    ) -> fattail_core::Result<Vec<f64>> {
        panel.schema().expect_features(&self.names)?;
        let iterations = self.within(iterations);
        let order = self.order(&iterations);
        let source = Source::new(&self.plan, panel);
        let mut raw = vec![0.0; panel.rows() * self.forest.outputs];
        self.blocks(&source, &mut raw, self.forest.outputs, |scratch, rows, out| {
            scratch.read(&self.plan, &source, &rows);
            scratch.add((&self.forest, &self.plan), &order, &source, &rows, out);
            self.finish(out, iterations.len());
        });
        Ok(raw)
    }

    /// Raw scores after each of some numbers of iterations, in the order given: the list holds what
    /// [`Forest::truncated`] models would score.
    ///
    /// # Errors
    /// When the panel's features are not the forest's, or the numbers do not increase.
    pub fn raw_staged(
        &self,
        panel: &Panel,
        stages: &[usize],
    ) -> fattail_core::Result<Vec<Vec<f64>>> {
        panel.schema().expect_features(&self.names)?;
        if let Some(pair) = stages.windows(2).find(|pair| pair[0] >= pair[1]) {
            let allowed = format!("above {}", pair[0]);
            return Err(
                Error::Forest { name: "a stage", given: pair[1].to_string(), allowed }.into()
            );
        }
        let source = Source::new(&self.plan, panel);
        let (outputs, count) = (self.forest.outputs, stages.len());
        let mut all = vec![0.0; panel.rows() * outputs * count];
        self.blocks(&source, &mut all, outputs * count, |scratch, rows, out| {
            scratch.read(&self.plan, &source, &rows);
            self.stages(scratch, stages, &source, &rows, out);
        });
        let stage = |at: usize| {
            let rows = all.chunks(outputs * count);
            rows.flat_map(|row| &row[at * outputs..(at + 1) * outputs]).copied().collect()
        };
        Ok((0..count).map(stage).collect())
    }

    /// Writes the stages of a block, those of a row together.
    fn stages(
        &self,
        scratch: &mut Scratch,
        stages: &[usize],
        source: &Source<'_>,
        rows: &Range<usize>,
        out: &mut [f64],
    ) {
        let outputs = self.forest.outputs;
        let (mut sums, mut begin) = (vec![0.0; rows.len() * outputs], 0);
        for (at, &end) in stages.iter().enumerate() {
            let iterations = self.within(begin..end);
            begin = iterations.end;
            let order = self.order(&iterations);
            scratch.add((&self.forest, &self.plan), &order, source, rows, &mut sums);
            let mut finished = sums.clone();
            self.finish(&mut finished, begin);
            for (row, sums) in out.chunks_mut(outputs * stages.len()).zip(finished.chunks(outputs))
            {
                row[at * outputs..(at + 1) * outputs].copy_from_slice(sums);
            }
        }
    }

    /// The leaf of each row in each tree, row by row.
    ///
    /// # Errors
    /// When the panel's features are not the forest's.
    pub fn leaves(&self, panel: &Panel) -> fattail_core::Result<Vec<u32>> {
        panel.schema().expect_features(&self.names)?;
        let source = Source::new(&self.plan, panel);
        let trees = self.forest.trees.len();
        let mut all = vec![0; panel.rows() * trees];
        self.blocks(&source, &mut all, trees, |scratch, rows, out| {
            scratch.read(&self.plan, &source, &rows);
            for tree in 0..trees {
                let leaves = scratch.leaves((&self.forest, &self.plan), tree, &source, &rows);
                out.iter_mut()
                    .skip(tree)
                    .step_by(trees)
                    .zip(leaves)
                    .for_each(|(out, leaf)| *out = leaf);
            }
        });
        Ok(all)
    }

    /// Predictions, row by row, the outputs of a row together.
    ///
    /// # Errors
    /// When the panel's features are not the forest's.
    pub fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f64>> {
        let mut all = self.raw(panel)?;
        all.par_chunks_mut(BLOCK * self.forest.outputs).for_each(|block| {
            block.chunks_mut(self.forest.outputs).for_each(|row| self.forest.link.apply(row));
        });
        Ok(all)
    }

    /// Runs over the blocks of a panel, `width` values of `out` a row.
    fn blocks<T: Send>(
        &self,
        source: &Source<'_>,
        out: &mut [T],
        width: usize,
        block: impl Fn(&mut Scratch, Range<usize>, &mut [T]) + Sync,
    ) {
        if out.is_empty() {
            return;
        }
        let strips = rayon::current_num_threads() * STRIPS;
        let blocks = source.rows().div_ceil(BLOCK).div_ceil(strips);
        out.par_chunks_mut(blocks * BLOCK * width).enumerate().for_each(|(strip, out)| {
            let mut scratch = Scratch::new(&self.plan, self.level);
            for (at, out) in out.chunks_mut(BLOCK * width).enumerate() {
                let start = (strip * blocks + at) * BLOCK;
                let rows = start..(start + BLOCK).min(source.rows());
                block(&mut scratch, rows, out);
            }
        });
    }

    fn within(&self, iterations: Range<usize>) -> Range<usize> {
        let end = iterations.end.min(self.forest.iterations());
        iterations.start.min(end)..end
    }

    /// The trees of some iterations: by output where each tree has one, which keeps the order of
    /// every sum and puts trees together whose values are added at once.
    fn order(&self, iterations: &Range<usize>) -> Vec<usize> {
        let period = self.forest.trees_per_iteration();
        let mut order: Vec<usize> = (iterations.start * period..iterations.end * period).collect();
        if self.forest.trees.iter().all(|tree| tree.width == 1) {
            order.sort_by_key(|&at| self.forest.trees[at].output);
        }
        order
    }

    /// Averages over the iterations and adds the start.
    fn finish(&self, raw: &mut [f64], iterations: usize) {
        if self.forest.average && iterations > 0 {
            let iterations = iterations as f64;
            raw.iter_mut().for_each(|x| *x /= iterations);
        }
        for row in raw.chunks_mut(self.forest.outputs) {
            row.iter_mut().zip(&self.forest.start).for_each(|(x, start)| *x += start);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]
mod tests;
