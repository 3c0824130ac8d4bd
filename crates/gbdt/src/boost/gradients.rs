//! Gradients into cells.

use rayon::prelude::*;

use crate::histogram::{Cell, Reduce, Scale, exponent};

/// Rows of a block.
const BLOCK: usize = 1 << 13;

/// The exponents that gradients may have, from the smallest `f32` to the largest.
const EXPONENTS: usize = 288;
const LOWEST: i32 = -150;

/// The scale of a round: the same on every worker, from the largest gradient of all.
pub(super) fn scale<C: Cell>(reduce: &dyn Reduce, rows: usize, g: &[f32], h: &[f32]) -> Scale {
    let mut all = vec![0u64; 1 + 2 * EXPONENTS];
    all[0] = rows as u64;
    let (fine_g, fine_h) = C::fineness(1);
    let slot = |values: &[f32], fine: u32| {
        // What is not rounded has no scale.
        let values = if fine > 0 { values } else { &[] };
        let exponent = values.par_chunks(BLOCK).map(exponent).max().unwrap_or(0);
        (exponent - LOWEST).clamp(0, EXPONENTS as i32 - 1) as usize
    };
    all[1 + slot(g, fine_g)] += 1;
    all[1 + EXPONENTS + slot(h, fine_h)] += 1;
    reduce.sum(&mut all);
    let largest =
        |slots: &[u64]| slots.iter().rposition(|&workers| workers > 0).unwrap_or(0) as i32 + LOWEST;
    let (g, h) = all[1..].split_at(EXPONENTS);
    Scale::new::<C>(all[0] as usize, largest(g), largest(h))
}

/// A cell a row.
pub(super) fn encode<C: Cell>(scale: &Scale, g: &[f32], h: &[f32], cells: &mut [C]) {
    let blocks = g.par_chunks(BLOCK).zip(h.par_chunks(BLOCK)).zip(cells.par_chunks_mut(BLOCK));
    blocks.for_each(|((g, h), cells)| {
        for ((&g, &h), cell) in g.iter().zip(h).zip(cells) {
            *cell = C::encode(scale, g, h);
        }
    });
}
