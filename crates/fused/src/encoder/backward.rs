//! The stages of the backward pass, in the forward pass's order turned round.
//!
//! A task owns a part of the rows and its own sums of the parameters' gradients; sums are added part by part.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::forward::{AFTER_ACTIVATION, AFTER_ATTENTION, AFTER_FEED, drop_rows};
use super::layer::Sizes;
use super::rotary::Rotary;
use super::saved::State;
use super::{Encoder, Gradients, Parameters};
use crate::attention::{self, BackwardMemory, Rows, RowsMut};
use crate::linear::lanes;
use crate::linear::tile::{self, TILE, add_parts};

impl Encoder {
    /// The whole pass; all lengths are right.
    pub(super) fn run_backward(
        &self,
        input: &[f32],
        parameters: &Parameters<&[f32]>,
        state: &[f32],
        grad_out: &[f32],
        gradients: Gradients<'_>,
    ) {
        let state = self.state(state);
        let (span, parts) = self.parts();
        let (rows, len) = (span * self.width, self.parameters_len());
        let mut sums = vec![0.0; parts * len];
        let mut context = vec![0.0; input.len()];
        let sizes = self.sizes();
        let packed = [
            sizes.project_out.pack_backward(parameters.project_out.weight),
            sizes.feed_in.pack_backward(parameters.feed_in.weight),
            sizes.feed_out.pack_backward(parameters.feed_out.weight),
        ];
        let tasks = gradients.input.par_chunks_mut(rows).zip(context.par_chunks_mut(rows));
        let tasks = tasks.zip(sums.par_chunks_mut(len)).enumerate();
        tasks.for_each(|(part, ((residual, context), sums))| {
            pulp::Arch::new().dispatch(Out {
                encoder: self,
                sizes,
                parameters,
                packed: &packed,
                state: &state,
                first: part * span,
                grad_out: &grad_out[part * rows..][..residual.len()],
                residual,
                context,
                sums: self.split(sums),
            });
        });
        let heads = self.attend_back(&state, &context);
        let (rotary, packed) =
            (self.rotary(), sizes.project_in.pack_backward(parameters.project_in.weight));
        let tasks = gradients.input.par_chunks_mut(rows).zip(input.par_chunks(rows));
        let tasks = tasks.zip(sums.par_chunks_mut(len)).enumerate();
        tasks.for_each(|(part, ((residual, x), sums))| {
            pulp::Arch::new().dispatch(In {
                encoder: self,
                parameters,
                packed: &packed,
                rotary: rotary.as_ref(),
                heads: &heads,
                first: part * span,
                x,
                residual,
                sums: self.split(sums),
            });
        });
        let (first, rest) = sums.split_at_mut(len);
        add_parts(first, rest);
        for (to, from) in gradients.parameters.layers().into_iter().zip(self.split(first).layers())
        {
            to.weight.copy_from_slice(from.weight);
            to.bias.copy_from_slice(from.bias);
        }
    }

    /// Gradients of queries, keys and values: batch x heads x 3 x length x head width.
    fn attend_back(&self, state: &State<&[f32]>, grad_context: &[f32]) -> Vec<f32> {
        let (width, size) = (self.head_width(), self.length * self.head_width());
        let mut heads = vec![0.0; self.rows() * 3 * self.width];
        let memory = || BackwardMemory::new(width, self.length, self.length);
        heads.par_chunks_mut(3 * size).enumerate().for_each_init(
            memory,
            |memory, (number, gradient)| {
                let (sample, head) = (number / self.heads, number % self.heads);
                let at = sample * self.length * self.width + head * width;
                let (query, rest) = gradient.split_at_mut(size);
                let (key, value) = rest.split_at_mut(size);
                let to = |values| RowsMut { values, stride: width };
                pulp::Arch::new().dispatch(attention::Backward {
                    head: self.head(state.heads, sample, head),
                    from: 0,
                    to: self.length,
                    out: Rows { values: &state.context[at..], stride: self.width },
                    log_sum: Rows {
                        values: &state.log_sum[sample * self.length * self.heads + head..],
                        stride: self.heads,
                    },
                    grad_out: Rows { values: &grad_context[at..], stride: self.width },
                    grad_query: to(query),
                    grad_key: to(key),
                    grad_value: to(value),
                    memory,
                });
            },
        );
        heads
    }
}

/// Feed-forward, norm and projection of a part, back to contexts and to the residual path.
struct Out<'a> {
    encoder: &'a Encoder,
    sizes: Sizes,
    parameters: &'a Parameters<&'a [f32]>,
    packed: &'a [Vec<f32>; 3],
    state: &'a State<&'a [f32]>,
    /// The part's first row.
    first: usize,
    grad_out: &'a [f32],
    residual: &'a mut [f32],
    context: &'a mut [f32],
    sums: Parameters<&'a mut [f32]>,
}

/// Rows of a tile between.
#[derive(Debug, Default)]
struct OutMemory {
    normal: Vec<f32>,
    feed: Vec<f32>,
    before: Vec<f32>,
    active: Vec<f32>,
    hidden: Vec<f32>,
}

impl WithSimd for Out<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut memory = OutMemory::default();
        for from in (0..self.grad_out.len() / self.encoder.width).step_by(TILE) {
            self.tile(simd, from, &mut memory);
        }
    }
}

impl Out<'_> {
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, from: usize, memory: &mut OutMemory) {
        let Self { encoder, sizes, parameters, packed, state, first, .. } = *self;
        let (width, hidden, drop) = (encoder.width, encoder.hidden, encoder.drop());
        let rows = TILE.min(self.grad_out.len() / width - from);
        let row = first + from;
        let (own, all) = (from * width..(from + rows) * width, row * width..(row + rows) * width);
        let grad_out = &self.grad_out[own.clone()];
        let (residual, context) = (&mut self.residual[own.clone()], &mut self.context[own]);
        let OutMemory { normal, feed, before, active, hidden: grad_hidden } = memory;
        for rows_of_width in [&mut *normal, &mut *feed, &mut *before] {
            rows_of_width.resize(rows * width, 0.0);
        }
        let middle = &state.middle[all.clone()];
        let norm =
            encoder.norm(if encoder.norm_first { &parameters.norm2 } else { &parameters.norm1 });
        norm.forward(simd, middle, normal);
        residual.copy_from_slice(grad_out);
        if !encoder.norm_first {
            let (last, sums) = (&state.last[all.clone()], &mut self.sums.norm2);
            encoder.norm(&parameters.norm2).backward(simd, last, residual, sums.weight, sums.bias);
        }
        feed.copy_from_slice(residual);
        drop_rows(simd, drop, AFTER_FEED, row, width, feed);
        active.clear();
        active.extend_from_slice(&state.sums[row * hidden..(row + rows) * hidden]);
        grad_hidden.resize(rows * hidden, 0.0);
        tile::back(simd, sizes.feed_out, feed, &packed[2], grad_hidden, false);
        drop_rows(simd, drop, AFTER_ACTIVATION, row, hidden, grad_hidden);
        encoder.activation.back(simd, grad_hidden, active);
        drop_rows(simd, drop, AFTER_ACTIVATION, row, hidden, active);
        let sums = &mut self.sums.feed_out;
        tile::weigh(simd, sizes.feed_out, (feed, active), sums.weight, sums.bias);
        let sums = &mut self.sums.feed_in;
        tile::weigh(simd, sizes.feed_in, (grad_hidden, normal), sums.weight, sums.bias);
        tile::back(simd, sizes.feed_in, grad_hidden, &packed[1], before, false);
        let sums = &mut self.sums;
        let norm_sums = if encoder.norm_first { &mut sums.norm2 } else { &mut sums.norm1 };
        if encoder.norm_first {
            norm.backward(simd, middle, before, norm_sums.weight, norm_sums.bias);
            lanes::add(simd, residual, before);
        } else {
            lanes::add(simd, residual, before);
            norm.backward(simd, middle, residual, norm_sums.weight, norm_sums.bias);
        }
        feed.copy_from_slice(residual);
        drop_rows(simd, drop, AFTER_ATTENTION, row, width, feed);
        tile::back(simd, sizes.project_out, feed, &packed[0], context, false);
        let sums = &mut self.sums.project_out;
        tile::weigh(simd, sizes.project_out, (feed, &state.context[all]), sums.weight, sums.bias);
    }
}

/// Positions, projection and norm of a part, back to the input.
struct In<'a> {
    encoder: &'a Encoder,
    parameters: &'a Parameters<&'a [f32]>,
    packed: &'a [f32],
    rotary: Option<&'a Rotary>,
    heads: &'a [f32],
    first: usize,
    x: &'a [f32],
    /// The residual path's gradient, to which the rest is added.
    residual: &'a mut [f32],
    sums: Parameters<&'a mut [f32]>,
}

impl WithSimd for In<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let encoder = self.encoder;
        let (width, size) = (encoder.width, encoder.sizes().project_in);
        let (mut heads, mut normal, mut before) = (Vec::new(), Vec::new(), Vec::new());
        let residual = std::mem::take(&mut self.residual);
        let tiles = self.x.chunks(TILE * width).zip(residual.chunks_mut(TILE * width));
        for (number, (x, residual)) in tiles.enumerate() {
            heads.resize(3 * x.len(), 0.0);
            self.gather(self.first + number * TILE, &mut heads);
            let sums = &mut self.sums.project_in;
            if !encoder.norm_first {
                tile::weigh(simd, size, (&heads, x), sums.weight, sums.bias);
                tile::back(simd, size, &heads, self.packed, residual, true);
                continue;
            }
            normal.resize(x.len(), 0.0);
            before.resize(x.len(), 0.0);
            let norm = encoder.norm(&self.parameters.norm1);
            norm.forward(simd, x, &mut normal);
            tile::weigh(simd, size, (&heads, &normal), sums.weight, sums.bias);
            tile::back(simd, size, &heads, self.packed, &mut before, false);
            let sums = &mut self.sums.norm1;
            norm.backward(simd, x, &mut before, sums.weight, sums.bias);
            lanes::add(simd, residual, &before);
        }
    }
}

impl In<'_> {
    /// The gradients of queries, keys and values of rows from `first` on, side by side and turned back.
    #[inline(always)]
    fn gather(&self, first: usize, rows: &mut [f32]) {
        let Encoder { width, length, heads, .. } = *self.encoder;
        let head_width = self.encoder.head_width();
        for (row, to) in (first..).zip(rows.chunks_exact_mut(3 * width)) {
            let (sample, position) = (row / length, row % length);
            for (place, to) in to.chunks_exact_mut(head_width).enumerate() {
                let (part, head) = (place / heads, place % heads);
                let block = (sample * heads + head) * 3 + part;
                to.copy_from_slice(
                    &self.heads[(block * length + position) * head_width..][..head_width],
                );
            }
            if let Some(rotary) = self.rotary {
                rotary.turn_back(position, &mut to[..2 * width]);
            }
        }
    }
}
