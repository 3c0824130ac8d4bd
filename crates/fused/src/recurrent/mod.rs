//! Layers of LSTM and GRU cells over time, all steps in one call.
//!
//! ```text
//! LSTM  i, f, o = sigmoid(.)   g = tanh(.)    of x W_ih^T + b_ih + h W_hh^T + b_hh, in the order i, f, g, o
//!       c = f c' + i g         h = o tanh(c)
//! GRU   r, z = sigmoid(.)      n = tanh(x W_in^T + b_in + r (h' W_hn^T + b_hn)), in the order r, z, n
//!       h = (1 - z) n + z h'
//! ```
//!
//! with h' and c' those of the step before, zero before the first. Parameters are PyTorch's: one matrix for all gates.
//! Samples are cut into tiles whose gates stay in the cache from the product to the state; a tile goes through all
//! steps alone, so threads never wait for one another. The backward pass goes back in time with the gates that were
//! kept, and adds to the gradients of the weights after some 256 rows, in one product. Tiles and the parts of these
//! sums depend on the shape alone: same bits with any number of threads. NaN and infinity spread as in plain loops.
//! Cost: 2 x samples x length x gates x hidden x (inputs + hidden) operations forward, twice that backward.
//! References: Hochreiter & Schmidhuber (1997), Long short-term memory; Gers, Schmidhuber & Cummins (2000), the forget
//! gate; Cho et al. (2014), Learning phrase representations using RNN encoder-decoder; `torch.nn.LSTM` and
//! `torch.nn.GRU` for the order of gates and the two biases.

mod backward;
mod cell;
mod forward;
mod packed;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Result, expect_len};
use crate::linear::check_sizes;
use crate::linear::tile::add_parts;
use packed::{Packed, Width};

/// Samples of a tile, at most.
const SAMPLES: usize = 48;

/// Samples of a tile that are not cut further: the rows that the product sums together.
const FEWEST: usize = 6;

/// Tiles that a batch is cut into, where it is large enough; and the parts of the gradients of weights.
const PARTS: usize = 8;

/// Kinds of recurrent cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Long short-term memory.
    #[default]
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

impl Cell {
    /// Gates of a cell.
    #[must_use]
    pub const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

/// A layer of a shape.
///
/// ```
/// use fattail_fused::recurrent::{Cell, Recurrent, Weights};
///
/// // A GRU that keeps nothing of the past and sees nothing: its state halves towards tanh(0.2) each step.
/// let layer = Recurrent { samples: 1, length: 2, inputs: 1, hidden: 1, cell: Cell::Gru };
/// let weights =
///     Weights { ih: &[0.0; 3], hh: &[0.0; 3], bias_ih: &[0.0, 0.0, 0.2], bias_hh: &[0.0; 3] };
/// let mut states = [0.0; 2];
/// layer.forward(&[1.0, 1.0], weights, &mut states, &mut [])?;
/// let limit = 0.2_f32.tanh();
/// assert!((states[0] - 0.5 * limit).abs() < 1e-6 && (states[1] - 0.75 * limit).abs() < 1e-6);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrent {
    /// Samples.
    pub samples: usize,
    /// Steps of a sample.
    pub length: usize,
    /// Values of a step.
    pub inputs: usize,
    /// Values of a state.
    pub hidden: usize,
    /// The cell.
    pub cell: Cell,
}

/// Parameters of a layer, as PyTorch keeps them.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// (gates x hidden) x inputs.
    pub ih: &'a [f32],
    /// (gates x hidden) x hidden.
    pub hh: &'a [f32],
    /// gates x hidden.
    pub bias_ih: &'a [f32],
    /// gates x hidden.
    pub bias_hh: &'a [f32],
}

/// What a backward pass goes by.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The input: samples x length x inputs.
    pub input: &'a [f32],
    /// The states that the forward pass wrote: samples x length x hidden.
    pub states: &'a [f32],
    /// What it saved.
    pub saved: &'a [f32],
}

/// Gradients to write.
#[derive(Debug)]
pub struct RecurrentGradients<'a> {
    /// Of the input; none where nobody asks.
    pub input: Option<&'a mut [f32]>,
    /// As [`Weights::ih`].
    pub ih: &'a mut [f32],
    /// As [`Weights::hh`].
    pub hh: &'a mut [f32],
    /// As [`Weights::bias_ih`].
    pub bias_ih: &'a mut [f32],
    /// As [`Weights::bias_hh`].
    pub bias_hh: &'a mut [f32],
}

impl Recurrent {
    /// Refuses what cannot be computed.
    ///
    /// # Errors
    ///
    /// `Error::Setting` where a size is zero.
    pub fn check(&self) -> Result<()> {
        check_sizes(&[
            ("samples", self.samples),
            ("length", self.length),
            ("inputs", self.inputs),
            ("hidden", self.hidden),
        ])
    }

    /// Values that a forward pass saves where a backward pass will follow: gates and, of LSTM, carries.
    #[must_use]
    pub fn saved_len(&self) -> usize {
        self.samples * self.length * self.width().saved()
    }

    /// Bytes that the forward pass leaves to the backward pass beside input and states.
    #[must_use]
    pub fn saved_bytes(&self) -> usize {
        4 * self.saved_len()
    }

    /// Bytes of memory that either pass takes while it runs, at most.
    #[must_use]
    pub fn workspace_bytes(&self, threads: usize) -> usize {
        let width = self.width();
        let parts = if self.parts() > 1 { self.parts() * width.parameters() } else { 0 };
        let tile = self.tile();
        let running = tile * (width.saved() + 2 * self.hidden);
        let pending = backward::pending(tile) * (width.gates() + self.inputs + self.hidden);
        // A task's copied panel lies on its stack.
        4 * (width.packed() + parts + threads * (running + pending)) + threads * 65_536
    }

    /// Writes all states, samples x length x hidden, and into `saved` what the backward pass needs; an empty
    /// `saved` means that there will be none.
    ///
    /// # Errors
    ///
    /// What [`Recurrent::check`] refuses; `Error::Length` where a slice has another length.
    pub fn forward(
        &self,
        input: &[f32],
        weights: Weights<'_>,
        states: &mut [f32],
        saved: &mut [f32],
    ) -> Result<()> {
        self.expect_inputs(input, weights)?;
        expect_len("states", states.len(), self.rows() * self.hidden)?;
        if !saved.is_empty() {
            expect_len("saved", saved.len(), self.saved_len())?;
        }
        let packed = Packed::forward(self.width(), weights);
        let rows = self.tile() * self.length;
        let run = |x: &[f32], states: &mut [f32], saved: Option<&mut [f32]>| {
            let tile = forward::Tile { shape: *self, weights: &packed, x, states, saved };
            pulp::Arch::new().dispatch(tile);
        };
        let tiles =
            input.par_chunks(rows * self.inputs).zip(states.par_chunks_mut(rows * self.hidden));
        if saved.is_empty() {
            tiles.for_each(|(x, states)| run(x, states, None));
        } else {
            let saved = saved.par_chunks_mut(rows * self.width().saved());
            tiles.zip(saved).for_each(|((x, states), saved)| run(x, states, Some(saved)));
        }
        Ok(())
    }

    /// Writes the gradients of a loss, given that with respect to all states.
    ///
    /// # Errors
    ///
    /// What [`Recurrent::check`] refuses; `Error::Length` where a slice has another length.
    pub fn backward(
        &self,
        weights: Weights<'_>,
        record: Record<'_>,
        grad_states: &[f32],
        gradients: RecurrentGradients<'_>,
    ) -> Result<()> {
        self.expect_inputs(record.input, weights)?;
        expect_len("states", record.states.len(), self.rows() * self.hidden)?;
        expect_len("saved", record.saved.len(), self.saved_len())?;
        expect_len("grad_states", grad_states.len(), record.states.len())?;
        let found = gradients.input.as_deref().map_or(record.input.len(), <[f32]>::len);
        expect_len("the input's gradient", found, record.input.len())?;
        expect_len("the gradient of ih", gradients.ih.len(), weights.ih.len())?;
        expect_len("the gradient of hh", gradients.hh.len(), weights.hh.len())?;
        expect_len("the gradient of bias_ih", gradients.bias_ih.len(), weights.bias_ih.len())?;
        expect_len("the gradient of bias_hh", gradients.bias_hh.len(), weights.bias_hh.len())?;

        let width = self.width();
        let packed = Packed::backward(width, weights);
        let mut sums = vec![0.0; self.parts() * width.parameters()];
        let rows = self.part() * self.length;
        let run = |part: &mut [f32], number: usize, input: Option<&mut [f32]>| {
            let share = backward::Share {
                shape: *self,
                weights: &packed,
                record: self.record_of(record, number),
                grad_states: chunk(grad_states, rows * self.hidden, number),
                input,
                sums: width.split(part),
            };
            share.run();
        };
        let parts = sums.par_chunks_mut(width.parameters()).enumerate();
        match gradients.input {
            None => parts.for_each(|(number, part)| run(part, number, None)),
            Some(input) => parts
                .zip(input.par_chunks_mut(rows * self.inputs))
                .for_each(|((number, part), input)| run(part, number, Some(input))),
        }
        let (first, rest) = sums.split_at_mut(width.parameters());
        add_parts(first, rest);
        let found = width.split(first);
        gradients.ih.copy_from_slice(found.ih);
        gradients.hh.copy_from_slice(found.hh);
        gradients.bias_ih.copy_from_slice(found.bias_ih);
        gradients.bias_hh.copy_from_slice(found.bias_hh);
        Ok(())
    }

    fn width(&self) -> Width {
        Width { cell: self.cell, inputs: self.inputs, hidden: self.hidden }
    }

    fn rows(&self) -> usize {
        self.samples * self.length
    }

    /// Samples of a tile.
    fn tile(&self) -> usize {
        let tiles = self.samples.div_ceil(SAMPLES).max(self.samples.div_ceil(FEWEST).min(PARTS));
        self.samples.div_ceil(tiles)
    }

    /// Samples of a part: whole tiles.
    fn part(&self) -> usize {
        let tiles = self.samples.div_ceil(self.tile());
        tiles.div_ceil(PARTS) * self.tile()
    }

    fn parts(&self) -> usize {
        self.samples.div_ceil(self.part())
    }

    fn record_of<'a>(&self, record: Record<'a>, part: usize) -> Record<'a> {
        let rows = self.part() * self.length;
        Record {
            input: chunk(record.input, rows * self.inputs, part),
            states: chunk(record.states, rows * self.hidden, part),
            saved: chunk(record.saved, rows * self.width().saved(), part),
        }
    }

    fn expect_inputs(&self, input: &[f32], weights: Weights<'_>) -> Result<()> {
        self.check()?;
        let gates = self.cell.gates() * self.hidden;
        expect_len("input", input.len(), self.rows() * self.inputs)?;
        expect_len("ih", weights.ih.len(), gates * self.inputs)?;
        expect_len("hh", weights.hh.len(), gates * self.hidden)?;
        expect_len("bias_ih", weights.bias_ih.len(), gates)?;
        expect_len("bias_hh", weights.bias_hh.len(), gates)
    }
}

/// A chunk by its number; the last may be shorter.
fn chunk(values: &[f32], len: usize, number: usize) -> &[f32] {
    let from = number * len;
    &values[from..values.len().min(from + len)]
}
