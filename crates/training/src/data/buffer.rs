//! Mini-batches in memory that is used again.
//!
//! Samples in a random order are a cache miss each. A buffer therefore gathers a block of the samples
//! that come next in one loop, whose loads the processor overlaps, and batches are slices of it.
//! Cost: one or two cache lines a sample; nothing is allocated after the first block.

use std::ops::Range;

use super::{Plan, Samples, samples::Record};
use crate::Batch;

/// Values that a block may hold beyond a single batch: it stays in the second-level cache.
const BLOCK_VALUES: usize = 1 << 14;

/// The samples at hand.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_training::{Buffer, Plan, Reading, Samples};
/// let panel = Panel::builder()
///     .feature("x", vec![1u8, 2, 3])
///     .target("y", vec![0.1f32, 0.2, 0.3])
///     .build()?;
/// let samples = Samples::known(&panel, &Reading::default())?;
/// let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
/// plan.arrange_in_order(&samples, false, 2);
/// let batch = buffer.batch(&samples, &plan, plan.step(1), 0);
/// assert_eq!((batch.features, batch.target), (&[3.0][..], &[0.3][..]));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Buffer {
    features: Vec<f32>,
    target: Vec<f32>,
    weight: Vec<f32>,
    rows: Vec<u32>,
    eras: Vec<u32>,
    /// The positions of the plan that are held.
    held: Range<usize>,
    /// The rows of windows.
    window: Vec<u32>,
}

impl Buffer {
    /// The samples at `positions` of the plan. The plan must be the one of the last call, or
    /// [`forget`](Self::forget) must have been called since.
    pub fn batch(
        &mut self,
        samples: &Samples,
        plan: &Plan,
        positions: Range<usize>,
        key: u64,
    ) -> Batch<'_> {
        if positions.start < self.held.start || positions.end > self.held.end {
            self.gather(samples, plan, &positions);
        }
        let (start, end) = (positions.start - self.held.start, positions.end - self.held.start);
        let width = samples.width();
        Batch {
            features: &self.features[start * width..end * width],
            width,
            target: &self.target[start..end],
            weight: samples.weighted.then(|| &self.weight[start..end]),
            rows: &self.rows[start..end],
            eras: &self.eras[start..end],
            key,
        }
    }

    /// Holds nothing any more: said when the plan was arranged anew.
    pub fn forget(&mut self) {
        self.held = 0..0;
    }

    fn gather(&mut self, samples: &Samples, plan: &Plan, positions: &Range<usize>) {
        let width = samples.width();
        let block = positions.len().max(BLOCK_VALUES / (width + 4));
        let end = positions.start.saturating_add(block).min(plan.order.len());
        self.held = positions.start..end;
        let order = &plan.order[self.held.clone()];
        let records = order.iter().map(|&sample| samples.records[sample as usize]);
        self.resize(order.len(), width);
        let places = self.target.iter_mut().zip(&mut self.weight);
        let places = places.zip(self.rows.iter_mut().zip(&mut self.eras));
        for (Record { row, era, target, weight }, places) in records.zip(places) {
            let ((target_place, weight_place), (row_place, era_place)) = places;
            (*target_place, *weight_place) = (target, weight);
            (*row_place, *era_place) = (row, era);
        }
        match &samples.history {
            None => {
                samples.source.write(
                    self.rows.iter().copied(),
                    samples.features,
                    &mut self.features,
                );
            }
            Some(history) => {
                self.window.resize(order.len() * samples.window, 0);
                for (&row, out) in
                    self.rows.iter().zip(self.window.chunks_exact_mut(samples.window))
                {
                    history.write(row, out);
                }
                let rows = self.window.iter().copied();
                samples.source.write(rows, samples.features, &mut self.features);
            }
        }
    }

    fn resize(&mut self, length: usize, width: usize) {
        self.features.resize(length * width, 0.0);
        self.target.resize(length, 0.0);
        self.weight.resize(length, 0.0);
        self.rows.resize(length, 0);
        self.eras.resize(length, 0);
    }
}
