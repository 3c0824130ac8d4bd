//! Products of matrices as backends can be trusted with them.
//!
//! Fusion of burn 0.22.1 may run a product whose right side is one column, and the operations behind it, with a
//! kernel for the other kind (burn's issue 5122): silent nonsense, in a head of one output and in its weight's
//! gradient. A product with such a side, or one that has such a product for a gradient, is a product of values
//! and a sum here.

use burn::{
    backend::{Backend, TensorMetadata as _, tensor::FloatTensor},
    tensor::Tensor,
};

/// What stands in for a product of `[.., rows, inner]` and `[.., inner, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Matrices,
    /// One column: `sum over inner of a b'`.
    Column,
    /// One column times one row: `a b`.
    Outer,
}

impl Way {
    fn of(inner: usize, columns: usize) -> Self {
        match (inner, columns) {
            (1, _) => Self::Outer,
            (_, 1) => Self::Column,
            _ => Self::Matrices,
        }
    }
}

/// `left right`.
pub(crate) fn product<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
    let shape = right.dims();
    match Way::of(shape[D - 2], shape[D - 1]) {
        Way::Matrices => left.matmul(right),
        Way::Column => (left * right.swap_dims(D - 2, D - 1)).sum_dim(D - 1),
        Way::Outer => left * right,
    }
}

/// The same below the graph of gradients, for two tensors of four axes.
pub(super) fn primitive<B: Backend>(left: FloatTensor<B>, right: FloatTensor<B>) -> FloatTensor<B> {
    let [_, _, inner, columns] = right.shape().dims();
    match Way::of(inner, columns) {
        Way::Matrices => B::float_matmul(left, right),
        Way::Column => B::float_sum_dim(B::float_mul(left, B::float_swap_dims(right, 2, 3)), 3),
        Way::Outer => B::float_mul(left, right),
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn columns_and_rows_are_products_of_matrices() {
        for (rows, inner, columns) in [(5, 3, 1), (5, 1, 3), (5, 1, 1), (1, 3, 1), (5, 3, 2)] {
            let inputs = [random([rows * inner], 1), random([inner * columns], 2)];
            let sides = |x: &[Tensor<1>]| {
                (x[0].clone().reshape([rows, inner]), x[1].clone().reshape([inner, columns]))
            };
            check(
                &inputs,
                |x| {
                    let (left, right) = sides(x);
                    product(left, right)
                },
                |x| {
                    let (left, right) = sides(x);
                    left.matmul(right)
                },
            );
        }
    }
}
