//! Layer normalisation of the last axis, and sums of squares.

use burn::tensor::{DType, Tensor};

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

/// In `f32` whatever the input is in: half precision has no digits for a mean and a variance (Micikevicius
/// et al. 2018, section 3.3).
fn composed<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
) -> Tensor<D> {
    let kind = input.dtype();
    let half = matches!(kind, DType::F16 | DType::BF16);
    let (input, weight, bias) = match half {
        true => (input.cast(DType::F32), weight.cast(DType::F32), bias.cast(DType::F32)),
        false => (input, weight, bias),
    };
    let centred = input.clone() - input.mean_dim(D - 1);
    let spread = centred.clone().square().mean_dim(D - 1).add_scalar(eps).sqrt();
    let out = centred / spread * weight.unsqueeze::<D>() + bias.unsqueeze::<D>();
    if half { out.cast(kind) } else { out }
}

/// The sum of squares of `f32` values on the CPU, in `f64` and in a fixed order: the same bits for any
/// number of threads, which burn's sum of 4 Mi values and more does not have. `None` for other tensors.
pub(crate) fn squares<const D: usize>(values: &Tensor<D>) -> Option<f64> {
    #[cfg(feature = "flex")]
    if fusable(values) {
        return fused::squares(values.clone());
    }
    let _ = values;
    None
}

#[cfg(feature = "flex")]
mod fused {
    use burn::tensor::Tensor;
    use fattail_fused::linear::{LayerNorm, LayerNormGradients};
    use rayon::prelude::*;

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

    /// Values that are summed by one thread.
    const CHUNK: usize = 1 << 16;
    /// Partial sums beside each other, for SIMD.
    const LANES: usize = 8;

    /// A sum of squares as two values of `f32` that add up to it.
    #[derive(Debug, Clone)]
    struct Squares;

    pub(super) fn squares<const D: usize>(values: Tensor<D>) -> Option<f64> {
        let sum: Tensor<1> = run(Inputs::One(values.into_dispatch()), Squares);
        let parts = sum.try_into_data().ok()?;
        Some(parts.iter::<f32>().map(f64::from).sum())
    }

    fn chunk(values: &[f32]) -> f64 {
        let square = |value: f32| f64::from(value) * f64::from(value);
        let (whole, rest) = values.as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        for block in whole {
            lanes.iter_mut().zip(block).for_each(|(lane, &value)| *lane += square(value));
        }
        lanes.iter().sum::<f64>() + rest.iter().map(|&value| square(value)).sum::<f64>()
    }

    impl Operation for Squares {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            vec![2]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            let parts: Vec<f64> = inputs[0].par_chunks(CHUNK).map(chunk).collect();
            let sum: f64 = parts.iter().sum();
            let high = sum as f32;
            let low = if high.is_finite() { (sum - f64::from(high)) as f32 } else { 0.0 };
            (vec![high, low], ())
        }

        /// Nothing is learnt from a norm.
        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            vec![None; pass.inputs.len()]
        }
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
    use rayon::ThreadPoolBuilder;

    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn sums_of_squares_are_the_same_for_any_number_of_threads() {
        // Long enough for burn to sum in parallel.
        let length = (4 << 20) + 12_345;
        let mut state = 1u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let values: Vec<f32> = (0..length).map(|_| draw()).collect();
        let exact: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
        let device = crate::device::cpu().unwrap();
        let data = burn::tensor::TensorData::new(values, [length]);
        let tensor = Tensor::<1>::from_data(data, &device);
        let on = |threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| squares(&tensor).unwrap())
        };
        let one = on(1);
        assert!((one - exact).abs() < 1e-9 * exact, "{one} {exact}");
        for threads in [2, 3, 7] {
            assert_eq!(one.to_bits(), on(threads).to_bits(), "{threads} threads");
        }
        assert_eq!(squares(&Tensor::<1>::from_floats([3.0, 4.0], &device)), Some(25.0));
        assert_eq!(squares(&Tensor::<1>::from_floats([f32::MAX; 2], &device)), Some(f64::INFINITY));
        let half = Tensor::<1>::ones([2], &device).cast(DType::BF16);
        assert_eq!(squares(&half), None);
    }

    #[test]
    fn half_precision_is_normalised_in_full() {
        let device = crate::device::cpu().unwrap();
        // A mean of 100 and a spread of 1: bf16 has steps of 0.5 there.
        let row: Vec<f32> = (0..64).map(|at| 100.0 + (at % 4) as f32).collect();
        let data = burn::tensor::TensorData::new(row, [1, 64]);
        let input = Tensor::<2>::from_data(data, &device);
        let [ones, zeros] = [Tensor::<1>::ones([64], &device), Tensor::zeros([64], &device)];
        let full = composed(input.clone(), ones.clone(), zeros.clone(), 1e-5);
        let to_half = |x: Tensor<1>| x.cast(DType::BF16);
        let half = composed(input.cast(DType::BF16), to_half(ones), to_half(zeros), 1e-5);
        assert_eq!(half.dtype(), DType::BF16);
        let far = (half.cast(DType::F32) - full).abs().max().into_scalar::<f32>();
        // What rounding the output alone costs.
        assert!(far <= 1.5 / 256.0, "{far}");
    }

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
