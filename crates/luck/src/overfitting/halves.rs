//! The eras of a half, put together for a statistic that needs them all.

use std::cell::RefCell;

use super::Rows;

/// The blocks of all halves.
pub(super) struct Halves {
    rows: Rows,
    blocks: usize,
}

thread_local! {
    /// The eras of one strategy in one half; kept, so that the loop over combinations allocates nothing.
    static ERAS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

impl Halves {
    pub(super) fn new(rows: Rows, blocks: usize) -> Self {
        Self { rows, blocks }
    }

    /// Writes the statistic of each strategy over the blocks of a mask.
    pub(super) fn statistics(
        &self,
        strategies: &[&[f64]],
        mask: u32,
        statistic: &(impl Fn(&[f64]) -> f64 + Sync),
        out: &mut [f64],
    ) {
        // Taken out, because a statistic may itself cross-validate.
        let mut eras = ERAS.take();
        for (slot, column) in out.iter_mut().zip(strategies) {
            eras.clear();
            for block in (0..self.blocks).filter(|block| mask >> block & 1 == 1) {
                eras.extend_from_slice(&column[self.rows.of(block)]);
            }
            *slot = statistic(&eras);
        }
        ERAS.set(eras);
    }
}
