//! The eras of a half, put together for a statistic that needs them all.

use std::cell::RefCell;

/// Where the blocks lie.
pub(super) struct Halves {
    dropped: usize,
    block: usize,
    blocks: usize,
}

thread_local! {
    /// The eras of one strategy in one half; kept, so that the loop over combinations allocates nothing.
    static ERAS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

impl Halves {
    pub(super) fn new(dropped: usize, block: usize, blocks: usize) -> Self {
        Self { dropped, block, blocks }
    }

    /// Writes the statistic of each strategy over the blocks of a mask.
    pub(super) fn statistics(
        &self,
        strategies: &[&[f64]],
        mask: u32,
        statistic: &(impl Fn(&[f64]) -> f64 + Sync),
        out: &mut [f64],
    ) {
        let start = |block: usize| self.dropped + block * self.block;
        // Taken out, because a statistic may itself cross-validate.
        let mut eras = ERAS.take();
        for (slot, column) in out.iter_mut().zip(strategies) {
            eras.clear();
            for block in (0..self.blocks).filter(|block| mask >> block & 1 == 1) {
                eras.extend_from_slice(&column[start(block)..start(block + 1)]);
            }
            *slot = statistic(&eras);
        }
        ERAS.set(eras);
    }
}
