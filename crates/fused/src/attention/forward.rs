//! Attention of some queries of a head, with the softmax of Milakov & Gimelshein 2018: over tiles of keys,
//!
//! ```text
//! m' = max(m, max_j s_j)      l' = l exp(m - m') + sum_j exp(s_j - m')      o' = o exp(m - m') + sum_j exp(s_j - m') v_j
//! ```
//!
//! and at the end the output is o / l and the log of the sum m + ln l (Dao et al. 2022, algorithm 1). A query
//! that sees no key gets zeros, and a logarithm of zero.
//! Cost: 2 x queries x keys x width multiplications, and as many exponentials as scores.

use pulp::{Simd, WithSimd};

use super::head::{Head, KEYS, QUERIES, RowsMut, Tile, query_len, score_len};
use crate::linear::lanes;
use crate::linear::product::{Base, Left, Product, Right};

/// Memory of a task.
#[derive(Debug)]
pub(crate) struct ForwardMemory {
    query: Vec<f32>,
    scores: Vec<f32>,
    context: Vec<f32>,
}

impl ForwardMemory {
    pub(crate) fn new(width: usize, queries: usize, keys: usize) -> Self {
        let query = query_len(width, queries);
        let scores = score_len(queries, keys);
        Self { query: vec![0.0; query], scores: vec![0.0; scores], context: vec![0.0; query] }
    }
}

/// The queries `from` to `to` of a head; rows of `out` and `log_sum` start there.
#[derive(Debug)]
pub(crate) struct Forward<'a, 'b> {
    pub(crate) head: Head<'a>,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) out: RowsMut<'b>,
    pub(crate) log_sum: RowsMut<'b>,
    pub(crate) memory: &'b mut ForwardMemory,
}

/// The running softmax of a tile of queries.
#[derive(Debug)]
struct Running {
    maximum: [f32; QUERIES],
    sum: [f32; QUERIES],
    /// What earlier sums are multiplied by.
    shrink: [f32; QUERIES],
    row_keys: [u32; QUERIES],
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for query in (self.from..self.to).step_by(QUERIES) {
            let mut tile = Tile::at::<S>(query, self.to);
            self.head.pack_queries(simd, tile, &mut self.memory.query);
            let mut running = Running {
                maximum: [f32::NEG_INFINITY; QUERIES],
                sum: [0.0; QUERIES],
                shrink: [0.0; QUERIES],
                row_keys: [0; QUERIES],
            };
            self.head.row_keys(tile, &mut running.row_keys);
            let seen = self.head.seen(query + tile.queries);
            for key in (0..seen).step_by(KEYS) {
                (tile.key, tile.keys) = (key, KEYS.min(seen - key));
                self.tile(simd, tile, &mut running);
            }
            self.finish(tile, &running);
        }
    }
}

impl Forward<'_, '_> {
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, tile: Tile, running: &mut Running) {
        let Self { head, memory, .. } = self;
        let ForwardMemory { query, scores, context } = &mut **memory;
        head.products(simd, tile, head.key, query, scores);
        head.hide(tile, scores);
        soften(simd, head, tile, scores, running);
        let context = &mut context[..head.width * tile.columns];
        if tile.key > 0 {
            let shrink = S::as_simd_f32s(&running.shrink).0;
            for row in context.chunks_exact_mut(tile.columns) {
                for (value, &shrink) in S::as_mut_simd_f32s(row).0.iter_mut().zip(shrink) {
                    *value = simd.mul_f32s(*value, shrink);
                }
            }
        }
        simd.vectorize(Product {
            rows: head.width,
            depth: tile.keys,
            width: tile.columns,
            left: Left::Columns(head.value.from(tile.key), head.value.stride),
            right: Right::rows(scores, tile.columns),
            out: context,
            stride: tile.columns,
            base: if tile.key > 0 { Base::Old } else { Base::Zero },
        });
    }

    /// Writes a tile's output and logarithms.
    #[inline(always)]
    fn finish(&mut self, tile: Tile, running: &Running) {
        let row = tile.query - self.from;
        let context = &self.memory.context[..];
        for query in 0..tile.queries {
            let (maximum, sum) = (running.maximum[query], running.sum[query]);
            // No key was seen: the context was not written either.
            let is_blind = sum == 0.0;
            self.log_sum.from(row + query)[0] = if is_blind { 0.0 } else { maximum + sum.ln() };
            let share = 1.0 / sum;
            let out = &mut self.out.from(row + query)[..self.head.width];
            if is_blind {
                out.fill(0.0);
                continue;
            }
            for (out, context) in out.iter_mut().zip(context.chunks_exact(tile.columns)) {
                *out = context[query] * share;
            }
        }
    }
}

/// Scores to exponentials (dropped ones to zero), and the running softmax one tile on.
#[inline(always)]
fn soften<S: Simd>(
    simd: S,
    head: &Head<'_>,
    tile: Tile,
    scores: &mut [f32],
    running: &mut Running,
) {
    let vectors = tile.columns / S::F32_LANES;
    let scores = &mut S::as_mut_simd_f32s(scores).0[..tile.keys * vectors];
    let maxima = S::as_mut_simd_f32s(&mut running.maximum).0;
    let sums = S::as_mut_simd_f32s(&mut running.sum).0;
    let shrinks = S::as_mut_simd_f32s(&mut running.shrink).0;
    let row_keys = S::as_simd_u32s(&running.row_keys).0;
    // Without a key the maximum is minus infinity, which taken off itself would be NaN.
    let least = simd.splat_f32s(f32::MIN);
    for at in 0..vectors {
        let mut maximum = maxima[at];
        for row in scores.chunks_exact(vectors) {
            maximum = simd.max_f32s(row[at], maximum);
        }
        let base = simd.max_f32s(maximum, least);
        let mut sum = simd.splat_f32s(0.0);
        let mut dropout_key = row_keys[at];
        if head.dropout.is_some() {
            dropout_key = simd.add_u32s(dropout_key, simd.splat_u32s(tile.key as u32));
        }
        for row in scores.chunks_exact_mut(vectors) {
            let power = lanes::exp(simd, simd.sub_f32s(row[at], base));
            sum = simd.add_f32s(sum, power);
            row[at] = power;
            if let Some(dropout) = head.dropout {
                row[at] = dropout.apply(simd, dropout_key, power);
                dropout_key = simd.add_u32s(dropout_key, simd.splat_u32s(1));
            }
        }
        let shrink = lanes::exp(simd, simd.sub_f32s(maxima[at], base));
        (maxima[at], shrinks[at]) = (maximum, shrink);
        sums[at] = simd.mul_add_f32s(sums[at], shrink, sum);
    }
}
