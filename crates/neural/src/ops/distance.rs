//! Squared distances of rows.

use burn::tensor::Tensor;

use super::fusable;

/// `sum over columns of (a - b)^2`: `[rows, columns]` twice to `[rows, 1]`.
pub(crate) fn squared_distance(left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fusable(&left) && fusable(&right) && left.shape().num_elements() > 0 {
        return fused::squared_distance(left, right);
    }
    composed(left, right)
}

fn composed(left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
    (left - right).square().sum_dim(1)
}

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::linear::SquaredDistance;

    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Distance(SquaredDistance);

    pub(super) fn squared_distance(left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
        let [rows, width] = left.dims();
        let inputs = Inputs::Two(left.into_dispatch(), right.into_dispatch());
        run(inputs, Distance(SquaredDistance { rows, width }))
    }

    impl Operation for Distance {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            vec![self.0.rows, 1]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            let mut out = vec![0.0; self.0.rows];
            self.0.forward(inputs[0], inputs[1], &mut out).expect("shapes are checked");
            (out, ())
        }

        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            // The distance is the same from either side.
            let slope = |own: usize| {
                let (a, b) = (pass.inputs[own], pass.inputs[1 - own]);
                let mut out = vec![0.0; a.len()];
                self.0.backward(a, b, pass.gradient, &mut out).expect("shapes are checked");
                out
            };
            [0, 1].map(|own| pass.wanted[own].then(|| slope(own))).into()
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn the_kernel_is_the_composition() {
        let inputs = [random([237, 51], 1), random([237, 51], 2)];
        check(
            &inputs,
            |x| squared_distance(x[0].clone(), x[1].clone()),
            |x| composed(x[0].clone(), x[1].clone()),
        );
    }
}
