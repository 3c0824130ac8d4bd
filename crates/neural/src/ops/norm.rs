//! Layer normalisation of the last axis.

use burn::tensor::Tensor;

use super::fusable;

/// `(x - mean) / sqrt(variance + eps) w + b`.
pub(crate) fn layer_norm<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if fusable(&input) && fusable(&weight) && fusable(&bias) && input.shape().num_elements() > 0 {
        return fused::layer_norm(input, weight, bias, eps);
    }
    composed(input, weight, bias, eps)
}

fn composed<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
) -> Tensor<D> {
    let centred = input.clone() - input.mean_dim(D - 1);
    let spread = centred.clone().square().mean_dim(D - 1).add_scalar(eps).sqrt();
    centred / spread * weight.unsqueeze::<D>() + bias.unsqueeze::<D>()
}

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::linear::{LayerNorm, LayerNormGradients};

    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Normed {
        norm: LayerNorm,
        shape: Vec<usize>,
    }

    pub(super) fn layer_norm<const D: usize>(
        input: Tensor<D>,
        weight: Tensor<1>,
        bias: Tensor<1>,
        eps: f64,
    ) -> Tensor<D> {
        let shape = input.dims().to_vec();
        let width = shape[D - 1];
        let rows = shape[..D - 1].iter().product();
        let norm = LayerNorm { rows, width, epsilon: eps as f32 };
        let bias = bias.into_dispatch();
        let inputs = Inputs::Three(input.into_dispatch(), weight.into_dispatch(), bias);
        run(inputs, Normed { norm, shape })
    }

    impl Operation for Normed {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            self.shape.clone()
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            let mut out = vec![0.0; inputs[0].len()];
            let done = self.norm.forward(inputs[0], inputs[1], inputs[2], &mut out);
            done.expect("shapes are checked");
            (out, ())
        }

        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            let [mut input, mut weight, mut bias] =
                [0, 1, 2].map(|at| vec![0.0; pass.inputs[at].len()]);
            let gradients =
                LayerNormGradients { input: &mut input, weight: &mut weight, bias: &mut bias };
            let (x, w) = (pass.inputs[0], pass.inputs[1]);
            self.norm.backward(x, w, pass.gradient, gradients).expect("shapes are checked");
            vec![Some(input), Some(weight), Some(bias)]
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn the_kernel_is_the_composition() {
        let inputs = [random([6 * 5 * 11], 1), random([11], 2), random([11], 3)];
        let input = |x: &[Tensor<1>]| x[0].clone().reshape([6, 5, 11]);
        check(
            &inputs,
            |x| layer_norm(input(x), x[1].clone(), x[2].clone(), 1e-5),
            |x| composed(input(x), x[1].clone(), x[2].clone(), 1e-5),
        );
    }
}
