//! Where the kernel keeps each tensor: rows of matrices padded to eight values.
//!
//! Every tensor starts at a multiple of eight, so that rows are whole vectors. Padding is zero in
//! weights, gradients and moments, and AdamW keeps it so: a zero with a zero gradient stays zero.

use super::lanes::LANES;
use super::network::{Head, Network};

/// Values in a padded vector.
pub(super) const VECTOR: usize = 8;

/// A linear layer's place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linear {
    pub inputs: usize,
    pub outputs: usize,
    /// Values from one row of the matrix to the next.
    pub stride: usize,
    pub weight: usize,
    pub bias: usize,
}

/// A norm's place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norm {
    pub weight: usize,
    pub bias: usize,
}

/// A hidden layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    pub linear: Linear,
    pub norm: Option<Norm>,
    /// Whether the layer's input is added to its output.
    pub residual: bool,
}

/// All of a network.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub inputs: usize,
    pub input_norm: Option<Norm>,
    pub layers: Vec<Layer>,
    pub head: Linear,
    pub sigmoid: bool,
    pub dropout: f64,
    /// Padded values in all.
    pub len: usize,
    pieces: Vec<Piece>,
    parameters: usize,
}

/// A contiguous run of a tensor, in both vectors.
#[derive(Debug, Clone, Copy)]
struct Piece {
    plain: usize,
    padded: usize,
    len: usize,
}

impl Layout {
    /// Of a checked network.
    pub(super) fn new(network: &Network) -> Self {
        let mut places = Places::default();
        let input_norm = network.input_norm.then(|| places.norm(network.inputs));
        let mut inputs = network.inputs;
        let mut layers = Vec::with_capacity(network.hidden.len());
        for (layer, &width) in network.hidden.iter().enumerate() {
            let linear = places.linear(inputs, width);
            let norm = network.norm.then(|| places.norm(width));
            layers.push(Layer { linear, norm, residual: network.adds_input(layer, inputs) });
            inputs = width;
        }
        let head = places.linear(inputs, 1);
        Self {
            inputs: network.inputs,
            input_norm,
            layers,
            head,
            sigmoid: network.head == Head::Sigmoid,
            dropout: network.dropout,
            len: places.padded.next_multiple_of(LANES),
            pieces: places.pieces,
            parameters: places.plain,
        }
    }

    /// Writes parameters, in the order of [`Network::tensors`], into their padded places.
    pub(super) fn pack(&self, plain: &[f32], padded: &mut [f32]) {
        for piece in &self.pieces {
            padded[piece.padded..][..piece.len].copy_from_slice(&plain[piece.plain..][..piece.len]);
        }
    }

    /// The reverse of [`Layout::pack`].
    pub(super) fn unpack_into(&self, padded: &[f32], plain: &mut [f32]) {
        for piece in &self.pieces {
            plain[piece.plain..][..piece.len].copy_from_slice(&padded[piece.padded..][..piece.len]);
        }
    }

    /// [`Layout::unpack_into`] a new vector.
    pub(super) fn unpack(&self, padded: &[f32]) -> Vec<f32> {
        let mut plain = vec![0.0; self.parameters];
        self.unpack_into(padded, &mut plain);
        plain
    }

    /// Parameters without padding.
    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }
}

/// `count`, up to whole vectors.
pub(super) fn padded(count: usize) -> usize {
    count.next_multiple_of(VECTOR)
}

/// Values from one row of a turned matrix to the next: whole registers of every processor.
pub(super) fn turned_stride(inputs: usize) -> usize {
    inputs.next_multiple_of(LANES)
}

#[derive(Default)]
struct Places {
    plain: usize,
    padded: usize,
    pieces: Vec<Piece>,
}

impl Places {
    fn vector(&mut self, len: usize) -> usize {
        let start = self.padded;
        self.pieces.push(Piece { plain: self.plain, padded: start, len });
        self.plain += len;
        self.padded += padded(len);
        start
    }

    fn norm(&mut self, width: usize) -> Norm {
        let weight = self.vector(width);
        Norm { weight, bias: self.vector(width) }
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        let weight = self.padded;
        for _ in 0..outputs {
            self.vector(inputs);
        }
        Linear { inputs, outputs, stride: padded(inputs), weight, bias: self.vector(outputs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_keeps_every_parameter() {
        let network = Network {
            inputs: 5,
            hidden: vec![9, 9],
            input_norm: true,
            norm: true,
            residual: true,
            dropout: 0.0,
            head: Head::Identity,
        };
        let layout = Layout::new(&network);
        assert_eq!(layout.parameters(), network.parameters());
        assert_eq!((layout.layers[0].residual, layout.layers[1].residual), (false, true));
        let plain: Vec<f32> = (1..=network.parameters()).map(|value| value as f32).collect();
        let mut padded = vec![0.0; layout.len];
        layout.pack(&plain, &mut padded);
        assert_eq!(layout.unpack(&padded), plain);
        assert_eq!(padded.iter().filter(|&&value| value != 0.0).count(), plain.len());
        let second = layout.layers[0].linear;
        let offset = network.tensors()[2].offset;
        assert_eq!(padded[second.weight + 2 * second.stride + 3], plain[offset + 2 * 5 + 3]);
    }
}
