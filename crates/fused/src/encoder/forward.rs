//! The stages of the forward pass.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::layer::Sizes;
use super::rotary::Rotary;
use super::saved::State;
use super::{Dropout, Encoder, Layer, Parameters};
use crate::attention::{self, ForwardMemory, Head, Rows, RowsMut};
use crate::linear::tile::{self, TILE};
use crate::linear::{Norm, lanes};

/// Queries of a task of attention.
const TASK: usize = 256;

/// Sites of dropout; attention's weights are the first.
pub(super) const AFTER_ATTENTION: u32 = 2;
pub(super) const AFTER_ACTIVATION: u32 = 3;
pub(super) const AFTER_FEED: u32 = 4;

impl Encoder {
    /// The whole pass; all lengths are right.
    pub(super) fn run_forward(
        &self,
        input: &[f32],
        parameters: &Parameters<&[f32]>,
        out: &mut [f32],
        state: &mut [f32],
    ) {
        let State { heads, context, log_sum, middle, sums, last } = self.state_mut(state);
        let tile = TILE * self.width;
        let (sizes, rotary) = (self.sizes(), self.rotary());
        let packed = sizes.project_in.pack_forward(parameters.project_in.weight);
        let tiles = input.par_chunks(tile).zip(heads.par_chunks_mut(3 * tile)).enumerate();
        tiles.for_each_init(Vec::new, |normal, (number, (x, heads))| {
            let rotary = rotary.as_ref();
            let stage = In {
                encoder: self,
                parameters,
                packed: &packed,
                rotary,
                row: number * TILE,
                x,
                heads,
                normal,
            };
            pulp::Arch::new().dispatch(stage);
        });
        self.attend(heads, context, log_sum);
        let packed = [
            sizes.project_out.pack_forward(parameters.project_out.weight),
            sizes.feed_in.pack_forward(parameters.feed_in.weight),
            sizes.feed_out.pack_forward(parameters.feed_out.weight),
        ];
        let tiles =
            input.par_chunks(tile).zip(context.par_chunks(tile)).zip(out.par_chunks_mut(tile));
        let tiles =
            tiles.zip(middle.par_chunks_mut(tile)).zip(sums.par_chunks_mut(TILE * self.hidden));
        let run = |memory: &mut [Vec<f32>; 2], number: usize, rows: OutRows<'_>| {
            let stage = Out {
                encoder: self,
                sizes,
                parameters,
                packed: &packed,
                row: number * TILE,
                rows,
                memory,
            };
            pulp::Arch::new().dispatch(stage);
        };
        let memory = || [Vec::new(), Vec::new()];
        if self.norm_first {
            tiles.enumerate().for_each_init(
                memory,
                |memory, (number, ((((x, context), out), middle), sums))| {
                    run(memory, number, OutRows { x, context, out, middle, sums, last: None });
                },
            );
            return;
        }
        let tiles = tiles.zip(last.par_chunks_mut(tile)).enumerate();
        tiles.for_each_init(
            memory,
            |memory, (number, (((((x, context), out), middle), sums), last))| {
                run(memory, number, OutRows { x, context, out, middle, sums, last: Some(last) });
            },
        );
    }

    pub(super) fn rotary(&self) -> Option<Rotary> {
        self.rotary.map(|base| Rotary::new(base, self.length, self.head_width()))
    }

    pub(super) fn drop(&self) -> Option<Dropout> {
        Dropout::new(self.dropout, self.seed)
    }

    pub(super) fn norm<'a>(&self, layer: &Layer<&'a [f32]>) -> Norm<'a> {
        Norm { weight: layer.weight, bias: layer.bias, epsilon: self.epsilon }
    }

    /// A head of a sample, whose queries, keys and values are given.
    pub(super) fn head<'a>(&self, heads: &'a [f32], sample: usize, head: usize) -> Head<'a> {
        let stride = 3 * self.width;
        let at = sample * self.length * stride + head * self.head_width();
        let rows = |part: usize| Rows { values: &heads[at + part * self.width..], stride };
        Head {
            query: rows(0),
            key: rows(1),
            value: rows(2),
            queries: self.length,
            keys: self.length,
            width: self.head_width(),
            scale: 1.0 / (self.head_width() as f32).sqrt(),
            causal: self.causal,
            visible: None,
            dropout: self.drop(),
            number: (sample * self.heads + head) as u64,
        }
    }

    /// Attention by samples, and by queries where a sample is long.
    fn attend(&self, heads: &[f32], context: &mut [f32], log_sum: &mut [f32]) {
        let memory = || ForwardMemory::new(self.head_width(), self.length, self.length);
        let samples = context.par_chunks_mut(self.length * self.width);
        let samples = samples.zip(log_sum.par_chunks_mut(self.length * self.heads)).enumerate();
        if self.length <= TASK {
            samples.for_each_init(memory, |memory, (sample, (context, log_sum))| {
                self.attend_some(heads, sample, 0, (context, log_sum), memory);
            });
            return;
        }
        samples.for_each(|(sample, (context, log_sum))| {
            let tasks = context
                .par_chunks_mut(TASK * self.width)
                .zip(log_sum.par_chunks_mut(TASK * self.heads));
            tasks.enumerate().for_each_init(memory, |memory, (task, results)| {
                self.attend_some(heads, sample, task * TASK, results, memory);
            });
        });
    }

    /// All heads of some queries of a sample.
    fn attend_some(
        &self,
        heads: &[f32],
        sample: usize,
        from: usize,
        (context, log_sum): (&mut [f32], &mut [f32]),
        memory: &mut ForwardMemory,
    ) {
        let to = from + context.len() / self.width;
        for head in 0..self.heads {
            pulp::Arch::new().dispatch(attention::Forward {
                head: self.head(heads, sample, head),
                from,
                to,
                out: RowsMut {
                    values: &mut context[head * self.head_width()..],
                    stride: self.width,
                },
                log_sum: RowsMut { values: &mut log_sum[head..], stride: self.heads },
                memory,
            });
        }
    }
}

/// Norm, projection to heads and positions of a tile.
struct In<'a> {
    encoder: &'a Encoder,
    parameters: &'a Parameters<&'a [f32]>,
    packed: &'a [f32],
    rotary: Option<&'a Rotary>,
    /// The tile's first row.
    row: usize,
    x: &'a [f32],
    heads: &'a mut [f32],
    normal: &'a mut Vec<f32>,
}

impl WithSimd for In<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { encoder, parameters, .. } = self;
        let mut x = self.x;
        if encoder.norm_first {
            self.normal.resize(x.len(), 0.0);
            encoder.norm(&parameters.norm1).forward(simd, x, self.normal);
            x = self.normal;
        }
        let layer = &parameters.project_in;
        tile::affine(simd, encoder.sizes().project_in, x, self.packed, layer.bias, self.heads);
        let Some(rotary) = self.rotary else { return };
        for (row, heads) in (self.row..).zip(self.heads.chunks_exact_mut(3 * encoder.width)) {
            rotary.turn(row % encoder.length, &mut heads[..2 * encoder.width]);
        }
    }
}

/// The rows of a tile of the last stage.
struct OutRows<'a> {
    x: &'a [f32],
    context: &'a [f32],
    out: &'a mut [f32],
    middle: &'a mut [f32],
    sums: &'a mut [f32],
    last: Option<&'a mut [f32]>,
}

/// Projection, residual, norm and feed-forward of a tile.
struct Out<'a> {
    encoder: &'a Encoder,
    sizes: Sizes,
    parameters: &'a Parameters<&'a [f32]>,
    /// The weights of the projection and of the two layers, packed.
    packed: &'a [Vec<f32>; 3],
    row: usize,
    rows: OutRows<'a>,
    memory: &'a mut [Vec<f32>; 2],
}

impl WithSimd for Out<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { encoder, sizes, parameters, packed, row, rows, memory } = self;
        let OutRows { x, context, out, middle, sums, last } = rows;
        let [normal, active] = memory;
        normal.resize(x.len(), 0.0);
        active.resize(sums.len(), 0.0);
        let drop = encoder.drop();
        tile::affine(
            simd,
            sizes.project_out,
            context,
            &packed[0],
            parameters.project_out.bias,
            middle,
        );
        drop_rows(simd, drop, AFTER_ATTENTION, row, encoder.width, middle);
        lanes::add(simd, middle, x);
        let norm = if encoder.norm_first { &parameters.norm2 } else { &parameters.norm1 };
        encoder.norm(norm).forward(simd, middle, normal);
        tile::affine(simd, sizes.feed_in, normal, &packed[1], parameters.feed_in.bias, sums);
        active.copy_from_slice(sums);
        encoder.activation.apply(simd, active);
        drop_rows(simd, drop, AFTER_ACTIVATION, row, encoder.hidden, active);
        let end = last.unwrap_or_default();
        let feed = if encoder.norm_first { &mut *out } else { &mut *end };
        tile::affine(simd, sizes.feed_out, active, &packed[2], parameters.feed_out.bias, feed);
        drop_rows(simd, drop, AFTER_FEED, row, encoder.width, feed);
        if encoder.norm_first {
            lanes::add(simd, out, middle);
        } else {
            lanes::add(simd, end, normal);
            encoder.norm(&parameters.norm2).forward(simd, end, out);
        }
    }
}

/// Multiplies rows by their masks.
#[inline(always)]
pub(super) fn drop_rows<S: Simd>(
    simd: S,
    drop: Option<Dropout>,
    site: u32,
    first: usize,
    width: usize,
    rows: &mut [f32],
) {
    let Some(drop) = drop else { return };
    for (row, values) in (first as u64..).zip(rows.chunks_exact_mut(width)) {
        drop.apply_row(simd, site, row, values);
    }
}
