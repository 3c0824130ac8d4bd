//! Histograms of gradients over the bins of a node's rows.

mod cell;
mod kernel;
mod pack;
mod reduce;
#[cfg(test)]
mod tests;

pub(crate) use cell::{Cell, Scale, Sums, exponent};
pub(crate) use kernel::Rows;
pub(crate) use pack::{Block, Group, Member, Pack};
pub use reduce::{Alone, Reduce};

use std::ops::Range;

use rayon::prelude::*;

/// Rows that are worth a task of their own.
const ROWS_PER_TASK: usize = 4 * kernel::TILE;

/// Builds the histogram of a node into `histogram`, which holds zeros.
///
/// Blocks of columns are built in parallel; where there are fewer of them than threads could use,
/// integer histograms split the rows as well. `gradients[i]` belongs to row `i` of `rows`.
pub(crate) fn build<C: Cell>(
    pack: &Pack<'_>,
    rows: Rows<'_>,
    gradients: &[C],
    histogram: &mut [C],
) {
    let threads = rayon::current_num_threads();
    let parts = if C::EXACT && threads > 1 {
        (2 * threads).div_ceil(pack.blocks.len().max(1)).min(gradients.len() / ROWS_PER_TASK).max(1)
    } else {
        1
    };
    let mut tasks: Vec<(&Block<'_>, &mut [C])> = Vec::with_capacity(pack.blocks.len());
    let mut rest = histogram;
    for block in &pack.blocks {
        let (own, after) = rest.split_at_mut(block.bins);
        tasks.push((block, own));
        rest = after;
    }
    let whole =
        |(block, own): (&Block<'_>, &mut [C])| block.build(&pack.groups, rows, gradients, own);
    if threads == 1 || gradients.len() * pack.groups.len() < 1024 {
        tasks.into_iter().for_each(whole);
    } else if parts == 1 {
        tasks.into_par_iter().for_each(whole);
    } else {
        let size = gradients.len().div_ceil(parts);
        tasks.into_par_iter().for_each(|(block, own)| {
            in_parts(pack, block, rows, gradients, size, own);
        });
    }
}

/// Builds a histogram for each part of the rows of a node, one after the other in `histograms`, which
/// holds zeros.
pub(crate) fn build_parts<C: Cell>(
    pack: &Pack<'_>,
    rows: &[u32],
    gradients: &[C],
    parts: &[Range<usize>],
    histograms: &mut [C],
) {
    if pack.bins == 0 {
        return;
    }
    let each = histograms.par_chunks_mut(pack.bins).zip(parts);
    each.for_each(|(mut histogram, part)| {
        let (rows, gradients) = (Rows::At(&rows[part.clone()]), &gradients[part.clone()]);
        for block in &pack.blocks {
            let (own, rest) = histogram.split_at_mut(block.bins);
            block.build(&pack.groups, rows, gradients, own);
            histogram = rest;
        }
    });
}

/// Builds a block's histogram from parts of the rows.
fn in_parts<C: Cell>(
    pack: &Pack<'_>,
    block: &Block<'_>,
    rows: Rows<'_>,
    gradients: &[C],
    size: usize,
    histogram: &mut [C],
) {
    let parts = gradients.par_chunks(size).enumerate().map(|(at, gradients)| {
        let mut part = vec![C::default(); histogram.len()];
        let rows = rows.part(at * size, gradients.len());
        block.build(&pack.groups, rows, gradients, &mut part);
        part
    });
    let sum = parts.reduce_with(|mut sum, part| {
        sum.iter_mut().zip(part).for_each(|(sum, cell)| sum.add(cell));
        sum
    });
    let sum = sum.unwrap_or_default();
    histogram.iter_mut().zip(sum).for_each(|(slot, cell)| slot.add(cell));
}
