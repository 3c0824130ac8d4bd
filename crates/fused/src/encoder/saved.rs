//! What the forward pass leaves to the backward pass, and what memory either takes.

use super::Encoder;
use crate::attention::BackwardMemory;
use crate::linear::tile::TILE;

/// Parts of the rows whose gradients of weights are summed apart, at most.
const PARTS: usize = 16;

/// Values that all parts' gradients take together, at most, where there is more than one.
const PART_VALUES: usize = 1 << 24;

/// Rows of the stages between.
#[derive(Debug)]
pub(super) struct State<T> {
    /// Queries, keys and values, turned: rows x 3 width.
    pub(super) heads: T,
    /// What attention gives: rows x width.
    pub(super) context: T,
    /// Logarithms of the softmax's sums: rows x heads.
    pub(super) log_sum: T,
    /// Rows after attention's residual, before a norm: rows x width.
    pub(super) middle: T,
    /// Sums before the activation: rows x hidden.
    pub(super) sums: T,
    /// Rows before the last norm, where the norm is last: rows x width.
    pub(super) last: T,
}

impl Encoder {
    /// Values that the forward pass saves.
    #[must_use]
    pub fn saved_len(&self) -> usize {
        if self.recompute { 0 } else { self.state_len() }
    }

    /// Bytes that the forward pass leaves to the backward pass beside the input.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        4 * self.saved_len()
    }

    /// Bytes of memory that either pass takes while it runs, at most: gradients of queries, keys, values and
    /// contexts, of the parameters a part, packed weights, and tiles a thread.
    #[must_use]
    pub fn workspace_bytes(&self, threads: usize) -> usize {
        let recomputed = if self.recompute { self.state_len() } else { 0 };
        let rows = self.rows() * 4 * self.width;
        let sizes = self.sizes();
        let linear = [sizes.project_in, sizes.project_out, sizes.feed_in, sizes.feed_out];
        let packed: usize = linear.iter().map(|size| size.packed_len()).sum();
        let parameters = self.parts().1 * self.parameters_len();
        let tile = TILE * (3 * self.width + 2 * self.hidden + 3 * self.width);
        let head = BackwardMemory::len(self.head_width(), self.length, self.length);
        let angles = self.length * self.head_width();
        4 * (recomputed + rows + packed + parameters + angles + threads * (tile.max(head) + 16_384))
    }

    pub(super) fn state_len(&self) -> usize {
        self.state_lens().iter().sum()
    }

    fn state_lens(&self) -> [usize; 6] {
        let row = self.rows() * self.width;
        let last = if self.norm_first { 0 } else { row };
        [3 * row, row, self.rows() * self.heads, row, self.rows() * self.hidden, last]
    }

    pub(super) fn state<'a>(&self, mut values: &'a [f32]) -> State<&'a [f32]> {
        let [heads, context, log_sum, middle, sums, last] = self.state_lens().map(|len| {
            let (first, rest) = values.split_at(len);
            values = rest;
            first
        });
        State { heads, context, log_sum, middle, sums, last }
    }

    pub(super) fn state_mut<'a>(&self, mut values: &'a mut [f32]) -> State<&'a mut [f32]> {
        let [heads, context, log_sum, middle, sums, last] = self.state_lens().map(|len| {
            let (first, rest) = std::mem::take(&mut values).split_at_mut(len);
            values = rest;
            first
        });
        State { heads, context, log_sum, middle, sums, last }
    }

    /// Rows of a part of the gradients of weights, and parts: by the shape, never by the threads.
    pub(super) fn parts(&self) -> (usize, usize) {
        let tiles = self.rows().div_ceil(TILE);
        let wanted = (PART_VALUES / self.parameters_len()).clamp(1, PARTS).min(tiles);
        let span = tiles.div_ceil(wanted) * TILE;
        (span, self.rows().div_ceil(span))
    }
}
