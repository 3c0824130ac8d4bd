//! Loops over rows in fixed chunks, so that results do not depend on the number of threads.

use rayon::prelude::*;

/// Rows a chunk: enough to pay for a thread's turn.
pub(crate) const CHUNK: usize = 1 << 14;

/// The sum of `value` over rows `0..rows`, chunk by chunk in order.
pub(crate) fn sum(rows: usize, value: impl Fn(usize) -> f64 + Sync) -> f64 {
    let part =
        |chunk: usize| (chunk * CHUNK..rows.min((chunk + 1) * CHUNK)).map(&value).sum::<f64>();
    if rows <= CHUNK {
        return part(0);
    }
    let parts: Vec<f64> = (0..rows.div_ceil(CHUNK)).into_par_iter().map(part).collect();
    parts.iter().sum()
}

/// Calls `each(first row, gradients, hessians)` on every chunk.
pub(crate) fn fill(
    gradient: &mut [f32],
    hessian: &mut [f32],
    each: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) {
    let pairs = gradient.par_chunks_mut(CHUNK).zip(hessian.par_chunks_mut(CHUNK));
    pairs.enumerate().for_each(|(chunk, (g, h))| each(chunk * CHUNK, g, h));
}

/// Calls `each(first row, values)` on every chunk.
pub(crate) fn fill_one(values: &mut [f32], each: impl Fn(usize, &mut [f32]) + Sync) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, v)| each(chunk * CHUNK, v));
}

/// Splits a slice at `bounds`, which begin with 0 and increase to its length.
pub(crate) fn split<'s>(mut values: &'s mut [f32], bounds: &[usize]) -> Vec<&'s mut [f32]> {
    let mut parts = Vec::with_capacity(bounds.len());
    for pair in bounds.windows(2) {
        let (head, tail) = values.split_at_mut(pair[1] - pair[0]);
        parts.push(head);
        values = tail;
    }
    parts
}
