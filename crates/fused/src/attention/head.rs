//! One head of attention on rows that may lie apart: what its tiles share.
//!
//! Tiles hold the transposed scores, a row a key and a lane a query: the maximum, the exponential and the sum of
//! a softmax then run down the rows of a vector, without sums across lanes, and keys and values are read in
//! place. Only queries are packed, once a tile.

use pulp::Simd;

use crate::encoder::Dropout;
use crate::linear::lanes;
use crate::linear::product::{
    Base, Left, Product, Right, pack_transposed, packed_len, panel_width,
};

/// Queries of a tile, a multiple of every panel: lanes of a row of scores.
pub(super) const QUERIES: usize = 96;

/// Keys of a tile: a tile of scores is 36 KiB.
pub(super) const KEYS: usize = 96;

/// Rows of a matrix, `stride` apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
}

impl<'a> Rows<'a> {
    /// What starts at a row.
    #[inline(always)]
    pub(super) fn from(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.stride..]
    }
}

/// Rows of a matrix to write, `stride` apart.
#[derive(Debug)]
pub(crate) struct RowsMut<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) stride: usize,
}

impl RowsMut<'_> {
    /// What starts at a row.
    #[inline(always)]
    pub(super) fn from(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.stride..]
    }
}

/// A head: its inputs and what may see what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) query: Rows<'a>,
    pub(crate) key: Rows<'a>,
    pub(crate) value: Rows<'a>,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    pub(crate) width: usize,
    pub(crate) scale: f32,
    pub(crate) causal: bool,
    /// Whether a key may be seen.
    pub(crate) visible: Option<&'a [bool]>,
    pub(crate) dropout: Option<Dropout>,
    /// The head's number among all: masks differ.
    pub(crate) number: u64,
}

/// The site of dropout that is attention's.
pub(crate) const SITE: u32 = 1;

/// A tile's place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    pub(super) query: usize,
    pub(super) queries: usize,
    pub(super) key: usize,
    pub(super) keys: usize,
    /// Lanes of a row of scores: the queries, and what fills the last panel.
    pub(super) columns: usize,
}

impl Tile {
    /// The queries from `query` on, up to `end`.
    #[inline(always)]
    pub(super) fn at<S: Simd>(query: usize, end: usize) -> Self {
        let queries = QUERIES.min(end - query);
        let columns = queries.next_multiple_of(panel_width::<S>());
        Self { query, queries, key: 0, keys: 0, columns }
    }
}

/// Values of a packed tile of queries, at most.
pub(super) fn query_len(width: usize, queries: usize) -> usize {
    packed_len(width, queries.min(QUERIES))
}

/// Values of a tile of scores, at most.
pub(super) fn score_len(queries: usize, keys: usize) -> usize {
    packed_len(keys.min(KEYS), queries.min(QUERIES))
}

impl Head<'_> {
    /// Keys that the queries before `end` may see.
    #[inline(always)]
    pub(super) fn seen(&self, end: usize) -> usize {
        if self.causal { self.keys.min(end) } else { self.keys }
    }

    /// Packs a tile's queries, times the scale.
    #[inline(always)]
    pub(super) fn pack_queries<S: Simd>(&self, simd: S, tile: Tile, packed: &mut [f32]) {
        self.pack(simd, tile, self.query, packed);
        lanes::scale(simd, &mut packed[..self.width * tile.columns], self.scale);
    }

    /// Packs the rows of a tile's queries in some matrix.
    #[inline(always)]
    pub(super) fn pack<S: Simd>(&self, simd: S, tile: Tile, rows: Rows<'_>, packed: &mut [f32]) {
        let packed = &mut packed[..self.width * tile.columns];
        pack_transposed(
            simd,
            (self.width, tile.queries),
            rows.from(tile.query),
            rows.stride,
            packed,
        );
    }

    /// The products of a tile's keys (or values) with packed queries (or gradients).
    #[inline(always)]
    pub(super) fn products<S: Simd>(
        &self,
        simd: S,
        tile: Tile,
        rows: Rows<'_>,
        packed: &[f32],
        out: &mut [f32],
    ) {
        simd.vectorize(Product {
            rows: tile.keys,
            depth: self.width,
            width: tile.columns,
            left: Left::Rows(rows.from(tile.key), rows.stride),
            right: Right::packed::<S>(packed, self.width),
            out,
            stride: tile.columns,
            base: Base::Zero,
        });
    }

    /// Makes the scores of pairs that may not see each other minus infinity.
    #[inline(always)]
    pub(super) fn hide(&self, tile: Tile, scores: &mut [f32]) {
        for (at, row) in scores.chunks_exact_mut(tile.columns).take(tile.keys).enumerate() {
            let key = tile.key + at;
            if self.causal && key > tile.query {
                row[..(key - tile.query).min(tile.columns)].fill(f32::NEG_INFINITY);
            }
            if self.visible.is_some_and(|visible| !visible[key]) {
                row.fill(f32::NEG_INFINITY);
            }
        }
    }

    /// The keys of dropout of a tile's queries.
    #[inline(always)]
    pub(super) fn row_keys(&self, tile: Tile, keys: &mut [u32; QUERIES]) {
        if let Some(dropout) = self.dropout {
            let first = self.number * self.queries as u64 + tile.query as u64;
            for (row, key) in (first..).zip(&mut keys[..tile.columns]) {
                *key = dropout.row_key(SITE, row);
            }
        }
    }
}
