//! Mini-batches in memory that is used again.
//!
//! Samples in a random order are a cache miss each. A buffer therefore gathers a block of the samples
//! that come next in one loop, whose loads the processor overlaps, and batches are slices of it.
//! Cost: one or two cache lines a sample; nothing is allocated after the first block.

use std::ops::Range;

use fattail_core::{Error, Result};

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
/// let batch = buffer.batch(&samples, &plan, plan.step(1), 0)?;
/// assert_eq!((batch.features, batch.target), (&[3.0][..], &[0.3][..]));
/// assert!(buffer.batch(&samples, &plan, 1..4, 0).is_err());
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
    /// Values of each of them.
    width: usize,
    /// The rows of windows.
    window: Vec<u32>,
}

impl Buffer {
    /// The samples at `positions` of the plan. The plan must be the one of the last call, or
    /// [`forget`](Self::forget) must have been called since.
    ///
    /// # Errors
    /// When the positions are not the plan's, or the plan was arranged for another number of samples.
    pub fn batch(
        &mut self,
        samples: &Samples,
        plan: &Plan,
        positions: Range<usize>,
        key: u64,
    ) -> Result<Batch<'_>> {
        let held = self.held.start <= positions.start && positions.end <= self.held.end;
        if !held || positions.end < positions.start || self.width != samples.width() {
            check(samples, plan, &positions)?;
            self.gather(samples, plan, &positions);
        }
        let (start, end) = (positions.start - self.held.start, positions.end - self.held.start);
        let width = self.width;
        Ok(Batch {
            features: &self.features[start * width..end * width],
            width,
            target: &self.target[start..end],
            weight: samples.weighted.then(|| &self.weight[start..end]),
            rows: &self.rows[start..end],
            eras: &self.eras[start..end],
            key,
        })
    }

    /// Holds nothing any more: said when the plan was arranged anew.
    pub fn forget(&mut self) {
        self.held = 0..0;
    }

    fn gather(&mut self, samples: &Samples, plan: &Plan, positions: &Range<usize>) {
        let width = samples.width();
        let block = positions.len().max(Self::block(width));
        let end = positions.start.saturating_add(block).min(plan.order.len());
        (self.held, self.width) = (positions.start..end, width);
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
                resize(&mut self.window, order.len() * samples.window);
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
        resize(&mut self.features, length * width);
        resize(&mut self.target, length);
        resize(&mut self.weight, length);
        resize(&mut self.rows, length);
        resize(&mut self.eras, length);
    }

    /// Samples of `width` values that are gathered together, at least.
    pub(crate) fn block(width: usize) -> usize {
        BLOCK_VALUES / width.saturating_add(4)
    }

    /// Bytes of a sample that is held, its window's rows included.
    pub(crate) fn bytes(width: usize, window: usize) -> u64 {
        let windows = if window > 1 { window } else { 0 };
        4 * (width as u64 + windows as u64 + 4)
    }
}

/// Makes room for `length` values and no more; what stood there goes away first.
fn resize<T: Clone + Default>(values: &mut Vec<T>, length: usize) {
    if length > values.capacity() {
        *values = Vec::new();
        values.reserve_exact(length);
    }
    values.resize(length, T::default());
}

fn check(samples: &Samples, plan: &Plan, positions: &Range<usize>) -> Result<()> {
    if plan.of != samples.len() {
        return Err(Error::setting("samples of the plan", plan.of, "as many as there are"));
    }
    if positions.end > plan.order.len() {
        return Err(Error::setting("the last position", positions.end, "within the plan"));
    }
    if positions.end < positions.start {
        return Err(Error::setting("the last position", positions.end, "not before the first"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fattail_core::Panel;

    use super::*;
    use crate::Reading;

    fn samples(rows: usize, width: usize) -> Samples {
        let panel = Panel::builder().target("y", vec![0.5f32; rows]);
        let named = |panel: fattail_core::PanelBuilder, at| {
            panel.feature(format!("x{at}"), vec![1.0f32; rows])
        };
        let panel = (0..width).fold(panel, named).build().unwrap();
        Samples::known(&panel, &Reading::default()).unwrap()
    }

    #[test]
    fn positions_and_plans_of_others_are_refused() {
        let (few, many, wide) = (samples(3, 1), samples(5, 1), samples(5, 2));
        let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
        plan.arrange_in_order(&many, false, 2);
        assert_eq!(buffer.batch(&many, &plan, 3..5, 0).unwrap().target.len(), 2);
        // The same plan, but samples of other values.
        assert_eq!(buffer.batch(&wide, &plan, 3..5, 0).unwrap().features.len(), 4);
        for (start, end) in [(0, 6), (6, 6), (4, 2)] {
            let positions = Range { start, end };
            assert!(buffer.batch(&many, &plan, positions, 0).is_err());
        }
        buffer.forget();
        let told = buffer.batch(&few, &plan, 0..2, 0).unwrap_err().to_string();
        assert!(told.contains("samples of the plan"), "{told}");
        assert!(buffer.batch(&few, &Plan::default(), 0..1, 0).is_err());
    }
}
