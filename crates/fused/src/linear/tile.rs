//! A layer on a tile of rows that stays in the cache: what [`super::Linear`] and the encoder are made of.

use pulp::{Simd, WithSimd};

use super::lanes;
use super::product::{Base, Left, Product, Right, pack_rows, pack_transposed, packed_len};

/// Rows of a tile.
pub(crate) const TILE: usize = 96;

/// Inputs and outputs of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Size {
    pub(crate) fn weights(self) -> usize {
        self.inputs * self.outputs
    }

    /// Values of a packed weight, both ways.
    pub(crate) fn packed_len(self) -> usize {
        packed_len(self.inputs, self.outputs).max(packed_len(self.outputs, self.inputs))
    }

    /// The weight packed for [`affine`].
    pub(crate) fn pack_forward(self, weight: &[f32]) -> Vec<f32> {
        let mut packed = vec![0.0; packed_len(self.inputs, self.outputs)];
        pulp::Arch::new().dispatch(Pack {
            size: self,
            weight,
            transposed: true,
            packed: &mut packed,
        });
        packed
    }

    /// The weight packed for [`back`].
    pub(crate) fn pack_backward(self, weight: &[f32]) -> Vec<f32> {
        let mut packed = vec![0.0; packed_len(self.outputs, self.inputs)];
        pulp::Arch::new().dispatch(Pack {
            size: self,
            weight,
            transposed: false,
            packed: &mut packed,
        });
        packed
    }
}

struct Pack<'a> {
    size: Size,
    weight: &'a [f32],
    transposed: bool,
    packed: &'a mut [f32],
}

impl WithSimd for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Size { inputs, outputs } = self.size;
        if self.transposed {
            pack_transposed(simd, (inputs, outputs), self.weight, inputs, self.packed);
        } else {
            pack_rows(simd, (outputs, inputs), self.weight, inputs, self.packed);
        }
    }
}

/// `out = x W^T + b` for the rows of `x`.
#[inline(always)]
pub(crate) fn affine<S: Simd>(
    simd: S,
    size: Size,
    x: &[f32],
    packed: &[f32],
    bias: &[f32],
    out: &mut [f32],
) {
    let rows = x.len() / size.inputs;
    simd.vectorize(Product {
        rows,
        depth: size.inputs,
        width: size.outputs,
        left: Left::Rows(x, size.inputs),
        right: Right::packed::<S>(packed, size.inputs),
        out,
        stride: size.outputs,
        base: Base::Row(bias),
    });
}

/// `gradient of x (+)= g W` for the rows of `g`.
#[inline(always)]
pub(crate) fn back<S: Simd>(
    simd: S,
    size: Size,
    gradient: &[f32],
    packed: &[f32],
    out: &mut [f32],
    add: bool,
) {
    simd.vectorize(Product {
        rows: gradient.len() / size.outputs,
        depth: size.outputs,
        width: size.inputs,
        left: Left::Rows(gradient, size.outputs),
        right: Right::packed::<S>(packed, size.outputs),
        out,
        stride: size.inputs,
        base: if add { Base::Old } else { Base::Zero },
    });
}

/// `gradient of W += g^T x` and `gradient of b += sum of the rows of g`.
#[inline(always)]
pub(crate) fn weigh<S: Simd>(
    simd: S,
    size: Size,
    (gradient, x): (&[f32], &[f32]),
    weight: &mut [f32],
    bias: &mut [f32],
) {
    for row in gradient.chunks_exact(size.outputs) {
        lanes::add(simd, bias, row);
    }
    simd.vectorize(Product {
        rows: size.outputs,
        depth: x.len() / size.inputs,
        width: size.inputs,
        left: Left::Columns(gradient, size.outputs),
        right: Right::rows(x, size.inputs),
        out: weight,
        stride: size.inputs,
        base: Base::Old,
    });
}

/// Adds the parts of a gradient, in their order.
pub(crate) fn add_parts(sum: &mut [f32], parts: &[f32]) {
    for part in parts.chunks_exact(sum.len()) {
        for (sum, part) in sum.iter_mut().zip(part) {
            *sum += part;
        }
    }
}
