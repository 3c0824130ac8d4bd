//! Gradients of a head, with scores made again tile by tile (Dao et al. 2022, algorithm 4; Dao 2023, section 3.1):
//!
//! ```text
//! P_ij = exp(s_ij - log_sum_i)       D_i = sum_c dO_ic O_ic        dP_ij = (dO V^T)_ij x mask_ij
//! dS_ij = P_ij (dP_ij - D_i)         dV = (P x mask)^T dO          dQ = scale dS K      dK = scale dS^T Q
//! ```
//!
//! Cost: 5 x queries x keys x width multiplications, and as many exponentials as scores.

use pulp::{Simd, WithSimd};

use super::head::{Head, KEYS, QUERIES, Rows, RowsMut, Tile, score_len};
use crate::linear::lanes;
use crate::linear::product::{Base, Left, Product, Right, packed_len};

/// Memory of a task.
#[derive(Debug)]
pub(crate) struct BackwardMemory {
    /// All queries and gradients of outputs, packed.
    query: Vec<f32>,
    gradient: Vec<f32>,
    scores: Vec<f32>,
    slopes: Vec<f32>,
    /// D of every query.
    shared: Vec<f32>,
}

impl BackwardMemory {
    /// Values that a task takes.
    pub(crate) fn len(width: usize, queries: usize, keys: usize) -> usize {
        2 * packed_len(width, queries) + 2 * score_len(queries, keys) + queries
    }

    pub(crate) fn new(width: usize, queries: usize, keys: usize) -> Self {
        let (query, scores) = (packed_len(width, queries), score_len(queries, keys));
        Self {
            query: vec![0.0; query],
            gradient: vec![0.0; query],
            scores: vec![0.0; scores],
            slopes: vec![0.0; scores],
            shared: vec![0.0; queries],
        }
    }
}

/// The gradients of a head with respect to the keys `from` to `to`, where rows of `grad_key` and `grad_value`
/// start, and what these keys add to the gradients of all queries.
#[derive(Debug)]
pub(crate) struct Backward<'a, 'b> {
    pub(crate) head: Head<'a>,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) out: Rows<'a>,
    pub(crate) log_sum: Rows<'a>,
    pub(crate) grad_out: Rows<'a>,
    pub(crate) grad_query: RowsMut<'b>,
    pub(crate) grad_key: RowsMut<'b>,
    pub(crate) grad_value: RowsMut<'b>,
    pub(crate) memory: &'b mut BackwardMemory,
}

impl WithSimd for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Head { queries, width, .. } = self.head;
        for query in 0..queries {
            let (out, gradient) =
                (&self.out.from(query)[..width], &self.grad_out.from(query)[..width]);
            self.memory.shared[query] = lanes::dot(simd, out, gradient);
            self.grad_query.from(query)[..width].fill(0.0);
        }
        for query in (0..queries).step_by(QUERIES) {
            let (tile, start) = (Tile::at::<S>(query, queries), query * width);
            self.head.pack_queries(simd, tile, &mut self.memory.query[start..]);
            self.head.pack(simd, tile, self.grad_out, &mut self.memory.gradient[start..]);
        }
        for key in (self.from..self.to).step_by(KEYS) {
            let keys = KEYS.min(self.to - key);
            for row in key - self.from..key - self.from + keys {
                self.grad_key.from(row)[..width].fill(0.0);
                self.grad_value.from(row)[..width].fill(0.0);
            }
            let first = if self.head.causal { key / QUERIES * QUERIES } else { 0 };
            for query in (first..queries).step_by(QUERIES) {
                let tile = Tile { key, keys, ..Tile::at::<S>(query, queries) };
                self.tile(simd, tile);
            }
            for row in key - self.from..key - self.from + keys {
                lanes::scale(simd, &mut self.grad_key.from(row)[..width], self.head.scale);
            }
        }
        for query in 0..queries {
            lanes::scale(simd, &mut self.grad_query.from(query)[..width], self.head.scale);
        }
    }
}

impl Backward<'_, '_> {
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, tile: Tile) {
        let Self { head, memory, grad_out, .. } = self;
        let BackwardMemory { query, gradient, scores, slopes, shared } = &mut **memory;
        let (query, gradient) =
            (&query[tile.query * head.width..], &gradient[tile.query * head.width..]);
        head.products(simd, tile, head.key, query, scores);
        head.products(simd, tile, head.value, gradient, slopes);
        head.hide(tile, scores);
        let mut constants =
            Constants { log_sum: [0.0; QUERIES], shared: [0.0; QUERIES], row_keys: [0; QUERIES] };
        for at in 0..tile.queries {
            constants.log_sum[at] = self.log_sum.from(tile.query + at)[0];
        }
        constants.shared[..tile.queries].copy_from_slice(&shared[tile.query..][..tile.queries]);
        head.row_keys(tile, &mut constants.row_keys);
        slope(simd, head, tile, (scores, slopes), &constants);
        let row = tile.key - self.from;
        let by_key = |left, rows: Rows<'_>, out: &mut RowsMut<'_>| {
            simd.vectorize(Product {
                rows: tile.keys,
                depth: tile.queries,
                width: head.width,
                left: Left::Rows(left, tile.columns),
                right: Right::rows(rows.from(tile.query), rows.stride),
                stride: out.stride,
                out: out.from(row),
                base: Base::Old,
            });
        };
        by_key(scores, *grad_out, &mut self.grad_value);
        by_key(slopes, head.query, &mut self.grad_key);
        simd.vectorize(Product {
            rows: tile.queries,
            depth: tile.keys,
            width: head.width,
            left: Left::Columns(slopes, tile.columns),
            right: Right::rows(head.key.from(tile.key), head.key.stride),
            stride: self.grad_query.stride,
            out: self.grad_query.from(tile.query),
            base: Base::Old,
        });
    }
}

/// What is constant for a query.
#[derive(Debug)]
struct Constants {
    log_sum: [f32; QUERIES],
    shared: [f32; QUERIES],
    row_keys: [u32; QUERIES],
}

/// Scores to P x mask, and dO V^T to dS.
#[inline(always)]
fn slope<S: Simd>(
    simd: S,
    head: &Head<'_>,
    tile: Tile,
    (scores, slopes): (&mut [f32], &mut [f32]),
    constants: &Constants,
) {
    let vectors = tile.columns / S::F32_LANES;
    let scores = S::as_mut_simd_f32s(scores).0.chunks_exact_mut(vectors);
    let slopes = S::as_mut_simd_f32s(slopes).0.chunks_exact_mut(vectors);
    let log_sums = S::as_simd_f32s(&constants.log_sum).0;
    let shared = S::as_simd_f32s(&constants.shared).0;
    let row_keys = S::as_simd_u32s(&constants.row_keys).0;
    for (at, (scores, slopes)) in scores.zip(slopes).take(tile.keys).enumerate() {
        let column = simd.splat_u32s((tile.key + at) as u32);
        let pairs = scores.iter_mut().zip(slopes).enumerate();
        for (vector, (score, slope)) in pairs {
            let share = lanes::exp(simd, simd.sub_f32s(*score, log_sums[vector]));
            (*score, *slope) = match head.dropout {
                None => (share, *slope),
                Some(dropout) => {
                    let keys = simd.add_u32s(row_keys[vector], column);
                    (dropout.apply(simd, keys, share), dropout.apply(simd, keys, *slope))
                }
            };
            *slope = simd.mul_f32s(share, simd.sub_f32s(*slope, shared[vector]));
        }
    }
}
