//! Back in time over a part of the samples, and the gradients that it gives.

use pulp::{Simd, WithSimd};

use crate::linear::lanes;
use crate::linear::product::{Base, Left, Product, Right};

use super::cell::{self, Slopes};
use super::packed::{Packed, Width};
use super::{Cell, Record, Recurrent, RecurrentGradients, chunk};

/// Rows after which the gradients of weights are added to.
const ROWS: usize = 256;

/// Rows that wait to be added, for tiles of so many samples.
pub(super) fn pending(samples: usize) -> usize {
    samples * (ROWS / samples).max(1)
}

/// A part of the samples, in whole tiles.
#[derive(Debug)]
pub(super) struct Share<'a> {
    pub(super) shape: Recurrent,
    pub(super) weights: &'a Packed,
    pub(super) record: Record<'a>,
    pub(super) grad_states: &'a [f32],
    pub(super) input: Option<&'a mut [f32]>,
    /// Gradients of the parameters, which are added to.
    pub(super) sums: RecurrentGradients<'a>,
}

impl Share<'_> {
    /// One tile after the other.
    pub(super) fn run(mut self) {
        let (shape, width) = (self.shape, self.shape.width());
        let tile = shape.tile();
        let rows = tile * shape.length;
        let mut input = self.input.take();
        let mut waiting = Waiting::new(width, pending(tile));
        let zero = vec![0.0; shape.hidden];
        for number in 0..self.grad_states.len().div_ceil(rows * shape.hidden) {
            let from = number * rows * shape.inputs;
            pulp::Arch::new().dispatch(Tile {
                shape,
                weights: self.weights,
                record: Record {
                    input: chunk(self.record.input, rows * shape.inputs, number),
                    states: chunk(self.record.states, rows * shape.hidden, number),
                    saved: chunk(self.record.saved, rows * width.saved(), number),
                },
                grad_states: chunk(self.grad_states, rows * shape.hidden, number),
                input: input.as_deref_mut().map(|all| {
                    let to = all.len().min(from + rows * shape.inputs);
                    &mut all[from..to]
                }),
                sums: &mut self.sums,
                waiting: &mut waiting,
                zero: &zero,
            });
        }
    }
}

/// Rows whose products with slopes of gates are still to be added to the gradients of weights.
#[derive(Debug)]
struct Waiting {
    width: Width,
    rows: usize,
    gates: Vec<f32>,
    states: Vec<f32>,
    inputs: Vec<f32>,
}

impl Waiting {
    fn new(width: Width, most: usize) -> Self {
        let values = |columns| vec![0.0; most * columns];
        Self {
            width,
            rows: 0,
            gates: values(width.gates()),
            states: values(width.hidden),
            inputs: values(width.inputs),
        }
    }

    /// Adds what waits to the gradients.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, sums: &mut RecurrentGradients<'_>) {
        let Width { inputs, hidden, .. } = self.width;
        let columns = self.width.gates();
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return;
        }
        let gates = &self.gates[..rows * columns];
        let from_input = self.width.of_input().outputs;
        for row in gates.chunks_exact(columns) {
            lanes::add(simd, sums.bias_ih, &row[..from_input]);
        }
        weigh(simd, (gates, columns, from_input), (&self.inputs, inputs), rows, sums.ih);
        for block in self.width.blocks() {
            let bias = &mut sums.bias_hh[block.row..][..block.width];
            for row in gates.chunks_exact(columns) {
                lanes::add(simd, bias, &row[block.column..][..block.width]);
            }
            let weight = &mut sums.hh[block.row * hidden..][..block.width * hidden];
            let gates = (&gates[block.column..], columns, block.width);
            weigh(simd, gates, (&self.states, hidden), rows, weight);
        }
    }
}

/// `weight += gates^T x`.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    (gates, columns, width): (&[f32], usize, usize),
    (x, inputs): (&[f32], usize),
    rows: usize,
    weight: &mut [f32],
) {
    simd.vectorize(Product {
        rows: width,
        depth: rows,
        width: inputs,
        left: Left::Columns(gates, columns),
        right: Right::rows(x, inputs),
        out: weight,
        stride: inputs,
        base: Base::Old,
    });
}

struct Tile<'a, 'b> {
    shape: Recurrent,
    weights: &'a Packed,
    record: Record<'a>,
    grad_states: &'a [f32],
    input: Option<&'a mut [f32]>,
    sums: &'a mut RecurrentGradients<'b>,
    waiting: &'a mut Waiting,
    /// What was before the first step.
    zero: &'a [f32],
}

impl WithSimd for Tile<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Recurrent { length, inputs, hidden, .. } = self.shape;
        let samples = self.record.input.len() / (length * inputs);
        let mut state = vec![0.0; samples * hidden];
        let mut carry = vec![0.0; samples * hidden];
        for step in (0..length).rev() {
            if (self.waiting.rows + samples) * hidden > self.waiting.states.len() {
                self.waiting.add(simd, self.sums);
            }
            let from = self.waiting.rows;
            self.cells(simd, step, (&mut state, &mut carry), from);
            self.hand_back(simd, step, &mut state, from);
            self.remember(step, from);
            self.waiting.rows += samples;
        }
        self.waiting.add(simd, self.sums);
    }
}

impl<'a> Tile<'a, '_> {
    /// A sample's state before a step, by its row.
    #[inline(always)]
    fn state_before(&self, row: usize, step: usize) -> &'a [f32] {
        let hidden = self.shape.hidden;
        if step == 0 { self.zero } else { &self.record.states[(row - 1) * hidden..][..hidden] }
    }

    fn samples(&self) -> usize {
        self.record.input.len() / (self.shape.length * self.shape.inputs)
    }

    /// Slopes of the gates of a step into the rows that wait.
    #[inline(always)]
    fn cells<S: Simd>(
        &mut self,
        simd: S,
        step: usize,
        (state, carry): (&mut [f32], &mut [f32]),
        from: usize,
    ) {
        let Recurrent { length, hidden, cell, .. } = self.shape;
        let (samples, columns) = (self.samples(), 4 * hidden);
        let (gates, carries) = self.record.saved.split_at(length * samples * columns);
        for sample in 0..samples {
            let (row, place) = (sample * length + step, step * samples + sample);
            let gates = &gates[place * columns..][..columns];
            let own = &self.grad_states[row * hidden..][..hidden];
            let state_before = self.state_before(row, step);
            let slopes = Slopes {
                state: &mut state[sample * hidden..][..hidden],
                carry: &mut carry[sample * hidden..][..hidden],
                gates: &mut self.waiting.gates[(from + sample) * columns..][..columns],
            };
            match cell {
                Cell::Lstm => {
                    let now = &carries[place * hidden..][..hidden];
                    let before = match step {
                        0 => self.zero,
                        _ => &carries[(place - samples) * hidden..][..hidden],
                    };
                    cell::lstm_back(simd, gates, own, (now, before), slopes);
                }
                Cell::Gru => cell::gru_back(simd, gates, own, state_before, slopes),
            }
        }
    }

    /// Slopes of the state before and of the step's input.
    #[inline(always)]
    fn hand_back<S: Simd>(&mut self, simd: S, step: usize, state: &mut [f32], from: usize) {
        let Recurrent { length, inputs, hidden, .. } = self.shape;
        let (rows, columns) = (self.samples(), 4 * hidden);
        let gates = &self.waiting.gates[from * columns..][..rows * columns];
        for (block, packed) in &self.weights.hh {
            simd.vectorize(Product {
                rows,
                depth: block.width,
                width: hidden,
                left: Left::Rows(&gates[block.column..], columns),
                right: Right::packed::<S>(packed, block.width),
                out: state,
                stride: hidden,
                base: Base::Old,
            });
        }
        let depth = self.shape.cell.gates() * hidden;
        if let Some(input) = self.input.as_deref_mut() {
            simd.vectorize(Product {
                rows,
                depth,
                width: inputs,
                left: Left::Rows(gates, columns),
                right: Right::packed::<S>(&self.weights.ih, depth),
                out: &mut input[step * inputs..],
                stride: length * inputs,
                base: Base::Zero,
            });
        }
    }

    /// Copies a step's input and the state before it to the rows that wait.
    #[inline(always)]
    fn remember(&mut self, step: usize, from: usize) {
        let Recurrent { length, inputs, hidden, .. } = self.shape;
        for sample in 0..self.samples() {
            let (row, to) = (sample * length + step, from + sample);
            let before = self.state_before(row, step);
            self.waiting.states[to * hidden..][..hidden].copy_from_slice(before);
            self.waiting.inputs[to * inputs..][..inputs]
                .copy_from_slice(&self.record.input[row * inputs..][..inputs]);
        }
    }
}
