//! `act(x W' + b)`, W outputs x inputs.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::{Tensor, activation::relu};

use super::fusable;

/// What follows a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    None,
    /// `max(x, 0)`.
    Relu,
    /// `x Phi(x)`, Phi the normal distribution (Hendrycks & Gimpel 2016).
    Gelu,
}

/// `[.., inputs]` to `[.., outputs]`.
pub(crate) fn linear<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<D> {
    let mut shape = input.dims();
    let inputs = shape[D - 1];
    let rows = shape[..D - 1].iter().product::<usize>();
    shape[D - 1] = weight.dims()[0];
    let flat = input.reshape([rows, inputs]);
    #[cfg(feature = "flex")]
    if fusable(&flat) && fusable(&weight) && fusable(&bias) && rows > 0 {
        return fused::linear(flat, weight, bias, activation).reshape(shape);
    }
    composed(flat, weight, bias, activation).reshape(shape)
}

fn composed(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    let sum = input.matmul(weight.transpose()) + bias.unsqueeze::<2>();
    match activation {
        Activation::None => sum,
        Activation::Relu => relu(sum),
        Activation::Gelu => gelu(sum),
    }
}

/// `x (1 + erf(x / sqrt 2)) / 2`. burn's own has the slope of another curve, that of the approximation by tanh,
/// which is up to 9e-4 off.
fn gelu(x: Tensor<2>) -> Tensor<2> {
    let share = x.clone().mul_scalar(FRAC_1_SQRT_2).erf().add_scalar(1.0).mul_scalar(0.5);
    x * share
}

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::linear::{self as kernel, Linear, LinearGradients};

    use super::Activation;
    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Product(Linear);

    impl From<Activation> for kernel::Activation {
        fn from(activation: Activation) -> Self {
            match activation {
                Activation::None => Self::Identity,
                Activation::Relu => Self::Relu,
                Activation::Gelu => Self::Gelu,
            }
        }
    }

    pub(super) fn linear(
        input: Tensor<2>,
        weight: Tensor<2>,
        bias: Tensor<1>,
        activation: Activation,
    ) -> Tensor<2> {
        let ([rows, inputs], [outputs, _]) = (input.dims(), weight.dims());
        let shape = Linear { rows, inputs, outputs, activation: activation.into() };
        let bias = bias.into_dispatch();
        run(Inputs::Three(input.into_dispatch(), weight.into_dispatch(), bias), Product(shape))
    }

    impl Operation for Product {
        type Saved = Vec<f32>;

        fn shape(&self) -> Vec<usize> {
            vec![self.0.rows, self.0.outputs]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, Vec<f32>) {
            let mut out = vec![0.0; self.0.rows * self.0.outputs];
            let mut sums = vec![0.0; self.0.saved_len()];
            let done = self.0.forward(inputs[0], inputs[1], inputs[2], &mut out, &mut sums);
            done.expect("shapes are checked");
            (out, sums)
        }

        fn backward(&self, pass: &Pass<'_, Vec<f32>>) -> Vec<Option<Vec<f32>>> {
            let zeros = |at: usize| vec![0.0; pass.inputs[at].len()];
            let mut input = pass.wanted[0].then(|| zeros(0));
            let (mut weight, mut bias) = (zeros(1), zeros(2));
            let gradients = LinearGradients {
                input: input.as_deref_mut(),
                weight: &mut weight,
                bias: &mut bias,
            };
            let (x, w) = (pass.inputs[0], pass.inputs[1]);
            let kept = self.0.kept(pass.saved, pass.output);
            let done = self.0.backward(x, w, kept, pass.gradient, gradients);
            done.expect("shapes are checked");
            vec![input, Some(weight), Some(bias)]
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn the_kernel_is_the_composition() {
        for activation in [Activation::None, Activation::Relu, Activation::Gelu] {
            for (inputs, outputs) in [(9, 20), (9, 1), (1, 20)] {
                twins(inputs, outputs, activation);
            }
        }
    }

    fn twins(inputs: usize, outputs: usize, activation: Activation) {
        let all = [random([37 * inputs], 1), random([outputs * inputs], 2), random([outputs], 3)];
        let parts = |x: &[Tensor<1>]| {
            let weight = x[1].clone().reshape([outputs, inputs]);
            (x[0].clone().reshape([37, inputs]), weight, x[2].clone())
        };
        check(
            &all,
            |x| {
                let (input, weight, bias) = parts(x);
                linear(input, weight, bias, activation)
            },
            |x| {
                let (input, weight, bias) = parts(x);
                composed(input, weight, bias, activation)
            },
        );
    }
}
