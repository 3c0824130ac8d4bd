//! Where gates lie, and weights packed for the products with them.
//!
//! Both cells have four columns of gates a step: i, f, g, o of LSTM; r, z, what the input gives n, what the past gives
//! n of GRU. The past's weights reach them in blocks.

use crate::linear::tile::Size;

use super::{Cell, RecurrentGradients, Weights};

/// Sizes of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    pub(super) cell: Cell,
    pub(super) inputs: usize,
    pub(super) hidden: usize,
}

/// Rows of the past's weights and the columns of gates that they give.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) width: usize,
    /// Whether the input gives the columns too.
    pub(super) shared: bool,
}

impl Width {
    /// Columns of gates of a step.
    pub(super) fn gates(self) -> usize {
        4 * self.hidden
    }

    /// Values of a step that are kept.
    pub(super) fn saved(self) -> usize {
        self.gates() + if self.cell == Cell::Lstm { self.hidden } else { 0 }
    }

    /// The blocks of the past's weights.
    pub(super) fn blocks(self) -> Vec<Block> {
        let hidden = self.hidden;
        match self.cell {
            Cell::Lstm => vec![Block { row: 0, column: 0, width: 4 * hidden, shared: true }],
            Cell::Gru => vec![
                Block { row: 0, column: 0, width: 2 * hidden, shared: true },
                Block { row: 2 * hidden, column: 3 * hidden, width: hidden, shared: false },
            ],
        }
    }

    pub(super) fn of_input(self) -> Size {
        Size { inputs: self.inputs, outputs: self.cell.gates() * self.hidden }
    }

    pub(super) fn of_block(self, block: Block) -> Size {
        Size { inputs: self.hidden, outputs: block.width }
    }

    /// All parameters.
    pub(super) fn parameters(self) -> usize {
        self.cell.gates() * self.hidden * (self.inputs + self.hidden + 2)
    }

    /// Values that packed weights take, either way.
    pub(super) fn packed(self) -> usize {
        let blocks = self.blocks().into_iter().map(|block| self.of_block(block).packed_len());
        self.of_input().packed_len() + blocks.sum::<usize>() + self.gates()
    }

    /// The parts of all parameters' gradients.
    pub(super) fn split(self, values: &mut [f32]) -> RecurrentGradients<'_> {
        let gates = self.cell.gates() * self.hidden;
        let (ih, rest) = values.split_at_mut(gates * self.inputs);
        let (hh, rest) = rest.split_at_mut(gates * self.hidden);
        let (bias_ih, bias_hh) = rest.split_at_mut(gates);
        RecurrentGradients { input: None, ih, hh, bias_ih, bias_hh }
    }
}

/// Packed weights.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) ih: Vec<f32>,
    pub(super) hh: Vec<(Block, Vec<f32>)>,
    /// What the gates' columns start from.
    pub(super) bias: Vec<f32>,
}

impl Packed {
    /// For products with inputs and states.
    pub(super) fn forward(width: Width, weights: Weights<'_>) -> Self {
        Self::new(width, weights, Size::pack_forward)
    }

    /// For products with gradients of gates.
    pub(super) fn backward(width: Width, weights: Weights<'_>) -> Self {
        Self::new(width, weights, Size::pack_backward)
    }

    fn new(width: Width, weights: Weights<'_>, pack: impl Fn(Size, &[f32]) -> Vec<f32>) -> Self {
        let hidden = width.hidden;
        let mut bias = weights.bias_ih.to_vec();
        bias.resize(width.gates(), 0.0);
        let mut hh = Vec::with_capacity(2);
        for block in width.blocks() {
            let own = &weights.bias_hh[block.row..][..block.width];
            let place = &mut bias[block.column..][..block.width];
            place.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            let rows = &weights.hh[block.row * hidden..][..block.width * hidden];
            hh.push((block, pack(width.of_block(block), rows)));
        }
        Self { ih: pack(width.of_input(), weights.ih), hh, bias }
    }
}
