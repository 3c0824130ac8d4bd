//! All steps of a tile of samples.

use pulp::{Simd, WithSimd};

use crate::linear::product::{Base, Left, Product, Right};

use super::packed::Packed;
use super::{Cell, Recurrent, cell};

/// Samples of a tile: rows of the input, of the states to write and of what is saved.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    pub(super) shape: Recurrent,
    pub(super) weights: &'a Packed,
    pub(super) x: &'a [f32],
    pub(super) states: &'a mut [f32],
    /// Gates by steps, then carries by steps.
    pub(super) saved: Option<&'a mut [f32]>,
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Recurrent { length, inputs, hidden, cell, .. } = self.shape;
        let samples = self.x.len() / (length * inputs);
        let (columns, width) = (4 * hidden, hidden);
        let mut state = vec![0.0; samples * width];
        let mut carry = vec![0.0; samples * width];
        let keeps = self.saved.is_some();
        let mut own = vec![0.0; if keeps { 0 } else { samples * columns }];
        let saved = self.saved.unwrap_or_default();
        let (all_gates, all_carries) =
            saved.split_at_mut(if keeps { length * samples * columns } else { 0 });
        for step in 0..length {
            let gates = match keeps {
                true => &mut all_gates[step * samples * columns..][..samples * columns],
                false => &mut own,
            };
            project(simd, &self.shape, self.weights, (&self.x[step * inputs..], &state), gates);
            let rows = gates.chunks_exact_mut(columns).zip(state.chunks_exact_mut(width));
            for (at, ((gates, state), carry)) in rows.zip(carry.chunks_exact_mut(width)).enumerate()
            {
                match cell {
                    Cell::Lstm => cell::lstm(simd, gates, carry, state),
                    Cell::Gru => cell::gru(simd, gates, state),
                }
                self.states[(at * length + step) * width..][..width].copy_from_slice(state);
            }
            if keeps && cell == Cell::Lstm {
                all_carries[step * samples * width..][..samples * width].copy_from_slice(&carry);
            }
        }
    }
}

/// What input and past give the gates of all samples; a sample's rows of the input are a whole sample apart.
#[inline(always)]
fn project<S: Simd>(
    simd: S,
    shape: &Recurrent,
    weights: &Packed,
    (x, state): (&[f32], &[f32]),
    gates: &mut [f32],
) {
    let (rows, columns) = (state.len() / shape.hidden, 4 * shape.hidden);
    simd.vectorize(Product {
        rows,
        depth: shape.inputs,
        width: shape.cell.gates() * shape.hidden,
        left: Left::Rows(x, shape.length * shape.inputs),
        right: Right::packed::<S>(&weights.ih, shape.inputs),
        out: gates,
        stride: columns,
        base: Base::Row(&weights.bias),
    });
    for (block, packed) in &weights.hh {
        let base = if block.shared { Base::Old } else { Base::Row(&weights.bias[block.column..]) };
        simd.vectorize(Product {
            rows,
            depth: shape.hidden,
            width: block.width,
            left: Left::Rows(state, shape.hidden),
            right: Right::packed::<S>(packed, shape.hidden),
            out: &mut gates[block.column..],
            stride: columns,
            base,
        });
    }
}
