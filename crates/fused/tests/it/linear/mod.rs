//! Layers and norms against plain loops in double precision.
//!
//! Tolerance: values are of size one and sums of at most some hundred terms, so single precision leaves 1e-5 forward;
//! gradients are compared with central differences of the plain loops, to 1e-4 of the largest.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fattail_fused::Error;
use fattail_fused::linear::{
    Activation, LayerNorm, LayerNormGradients, Linear, LinearGradients, SquaredDistance,
};
use proptest::prelude::*;

/// Numbers between -1 and 1, by SplitMix64.
pub(crate) fn random(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z >> 40) as f32 / (1 << 23) as f32) - 1.0
    };
    std::iter::repeat_with(next).take(len).collect()
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Fails unless all values are near, measured by the largest.
pub(crate) fn assert_near(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0, |scale: f64, value| scale.max(value.abs()));
    for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= tolerance * scale, "{what}[{at}]: {found} instead of {expected}");
    }
}

/// The gradient of a function by central differences.
pub(crate) fn differences(at: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let moved = |place: usize, by: f64| {
        let mut at = at.to_vec();
        at[place] += by;
        f(&at)
    };
    (0..at.len()).map(|place| (moved(place, step) - moved(place, -step)) / (2.0 * step)).collect()
}

pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// Runs with pools of one, two and three threads and fails unless all answers are the same.
pub(crate) fn assert_same_by_threads<T: PartialEq + std::fmt::Debug + Send>(
    run: impl Fn() -> T + Sync,
) {
    let by = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&run)
    };
    let one = by(1);
    assert!(one == by(2), "two threads give other bits");
    assert!(one == by(3), "three threads give other bits");
}

/// The error function, by its series or its continued fraction.
fn erf(x: f64) -> f64 {
    if x < 0.0 {
        return -erf(-x);
    }
    if x < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..80 {
            let n = f64::from(n);
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        return sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let fraction = (1..60).rev().fold(x, |rest, n| x + f64::from(n) / 2.0 / rest);
    1.0 - (-x * x).exp() / std::f64::consts::PI.sqrt() / fraction
}

pub(crate) fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Gelu => x * 0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2)),
    }
}

/// x W^T + b.
pub(crate) fn affine(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let inputs = weight.len() / bias.len();
    let row = |x: &[f64]| -> Vec<f64> {
        weight.chunks(inputs).zip(bias).map(|(weight, bias)| dot(weight, x) + bias).collect()
    };
    x.chunks(inputs).flat_map(row).collect()
}

pub(crate) fn normalize(x: &[f64], weight: &[f64], bias: &[f64], epsilon: f64) -> Vec<f64> {
    let row = |x: &[f64]| -> Vec<f64> {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let share = 1.0 / (variance + epsilon).sqrt();
        x.iter()
            .zip(weight)
            .zip(bias)
            .map(|((x, weight), bias)| (x - mean) * share * weight + bias)
            .collect()
    };
    x.chunks(weight.len()).flat_map(row).collect()
}

fn activations() -> impl Strategy<Value = Activation> {
    prop::sample::select(vec![Activation::Identity, Activation::Relu, Activation::Gelu])
}

type LinearAnswer = (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>);

/// Output and gradients of input, weight and bias.
fn run(linear: &Linear, x: &[f32], weight: &[f32], bias: &[f32], grad_out: &[f32]) -> LinearAnswer {
    let mut out = vec![0.0; linear.rows * linear.outputs];
    let mut sums = vec![0.0; linear.saved_len()];
    linear.forward(x, weight, bias, &mut out, &mut sums).unwrap();
    let mut gradients = [vec![1.0; x.len()], vec![1.0; weight.len()], vec![1.0; bias.len()]];
    let [input, to_weight, to_bias] = &mut gradients;
    let to = LinearGradients { input: Some(input), weight: to_weight, bias: to_bias };
    linear.backward(x, weight, linear.kept(&sums, &out), grad_out, to).unwrap();
    let [input, to_weight, to_bias] = gradients;
    (out, input, to_weight, to_bias)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn layers_are_the_plain_ones(
        rows in 1_usize..12, inputs in 1_usize..40, outputs in 1_usize..40, activation in activations(), seed: u64,
    ) {
        let linear = Linear { rows, inputs, outputs, activation };
        let x = random(seed, rows * inputs);
        let (weight, bias) = (random(seed ^ 1, outputs * inputs), random(seed ^ 2, outputs));
        let grad_out = random(seed ^ 3, rows * outputs);
        let (out, input, to_weight, to_bias) = run(&linear, &x, &weight, &bias, &grad_out);
        let (x, weight, bias, grad_out) = (wide(&x), wide(&weight), wide(&bias), wide(&grad_out));
        let plain = |x: &[f64], weight: &[f64], bias: &[f64]| -> Vec<f64> {
            affine(x, weight, bias).into_iter().map(|x| activate(activation, x)).collect()
        };
        assert_near("out", &out, &plain(&x, &weight, &bias), 1e-5);
        let kinks = affine(&x, &weight, &bias).iter().any(|x| x.abs() < 1e-4);
        prop_assume!(activation != Activation::Relu || !kinks);
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| dot(&plain(x, weight, bias), &grad_out);
        assert_near("bias", &to_bias, &differences(&bias, |bias| loss(&x, &weight, bias)), 1e-4);
        assert_near("input", &input, &differences(&x, |x| loss(x, &weight, &bias)), 1e-4);
        if rows * inputs * outputs < 2_000 {
            assert_near("weight", &to_weight, &differences(&weight, |weight| loss(&x, weight, &bias)), 1e-4);
        }
    }

    #[test]
    fn norms_are_the_plain_ones(rows in 1_usize..20, width in 1_usize..40, seed: u64) {
        let norm = LayerNorm { rows, width, epsilon: 1e-3 };
        let x = random(seed, rows * width);
        let (weight, bias) = (random(seed ^ 1, width), random(seed ^ 2, width));
        let grad_out = random(seed ^ 3, rows * width);
        let mut out = vec![0.0; x.len()];
        norm.forward(&x, &weight, &bias, &mut out).unwrap();
        let (mut input, mut to_weight, mut to_bias) = (vec![1.0; x.len()], vec![1.0; width], vec![1.0; width]);
        let to = LayerNormGradients { input: &mut input, weight: &mut to_weight, bias: &mut to_bias };
        norm.backward(&x, &weight, &grad_out, to).unwrap();
        let (x, weight, bias, grad_out) = (wide(&x), wide(&weight), wide(&bias), wide(&grad_out));
        assert_near("out", &out, &normalize(&x, &weight, &bias, 1e-3), 1e-5);
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| dot(&normalize(x, weight, bias, 1e-3), &grad_out);
        assert_near("input", &input, &differences(&x, |x| loss(x, &weight, &bias)), 1e-4);
        assert_near("weight", &to_weight, &differences(&weight, |weight| loss(&x, weight, &bias)), 1e-4);
        assert_near("bias", &to_bias, &differences(&bias, |bias| loss(&x, &weight, bias)), 1e-4);
    }
}

#[test]
fn many_rows_and_deep_sums_are_the_plain_ones() {
    // More rows than a tile, deeper than a block of sums, rows of inputs half a KiB apart: all paths of products.
    let linear = Linear { rows: 230, inputs: 640, outputs: 70, activation: Activation::Identity };
    let (x, weight) = (random(1, 230 * 640), random(2, 70 * 640));
    let (bias, grad_out) = (random(3, 70), random(4, 230 * 70));
    let (out, input, to_weight, to_bias) = run(&linear, &x, &weight, &bias, &grad_out);
    let (x, weight, bias, grad_out) = (wide(&x), wide(&weight), wide(&bias), wide(&grad_out));
    assert_near("out", &out, &affine(&x, &weight, &bias), 1e-5);
    let transpose = |values: &[f64], width: usize| -> Vec<f64> {
        (0..width)
            .flat_map(|column| {
                values.iter().skip(column).step_by(width).copied().collect::<Vec<_>>()
            })
            .collect()
    };
    let back = affine(&grad_out, &transpose(&weight, 640), &[0.0; 640]);
    assert_near("input", &input, &back, 1e-5);
    let by_output = affine(&transpose(&grad_out, 70), &transpose(&x, 640), &[0.0; 640]);
    assert_near("weight", &to_weight, &by_output, 1e-5);
    let sums: Vec<f64> =
        transpose(&grad_out, 70).chunks(230).map(|column| column.iter().sum()).collect();
    assert_near("bias", &to_bias, &sums, 1e-5);
}

#[test]
fn threads_do_not_matter() {
    let linear = Linear { rows: 777, inputs: 37, outputs: 53, activation: Activation::Gelu };
    let (x, weight) = (random(1, 777 * 37), random(2, 53 * 37));
    let (bias, grad_out) = (random(3, 53), random(4, 777 * 53));
    assert_same_by_threads(|| run(&linear, &x, &weight, &bias, &grad_out));
}

#[test]
fn activations_of_large_and_missing_numbers() {
    for activation in [Activation::Relu, Activation::Gelu] {
        let linear = Linear { rows: 5, inputs: 1, outputs: 1, activation };
        let x = [-1e4, 1e4, f32::NAN, -14.0, 0.0];
        let (out, ..) = run(&linear, &x, &[1.0], &[0.0], &[1.0; 5]);
        assert_eq!((out[0], out[1], out[4]), (0.0, 1e4, 0.0), "{activation:?}");
        assert!(out[2].is_nan(), "{activation:?}");
        assert!(out[3] <= 0.0 && out[3] > -1e-4, "{activation:?}: {}", out[3]);
    }
}

#[test]
fn bad_shapes_are_refused() {
    let linear = Linear { rows: 1, inputs: 2, outputs: 1, activation: Activation::Identity };
    let refused = linear.forward(&[1.0], &[1.0, 1.0], &[0.0], &mut [0.0], &mut []);
    assert_eq!(refused, Err(Error::Length { what: "input", found: 1, expected: 2 }));
    let refused = Linear { rows: 0, ..linear }.check();
    assert!(matches!(refused, Err(Error::Setting { name: "rows", .. })));
    let norm = LayerNorm { rows: 1, width: 1, epsilon: f32::NAN };
    assert!(matches!(norm.check(), Err(Error::Setting { name: "epsilon", .. })));
}

#[test]
fn distances_are_the_plain_ones() {
    for (rows, width) in [(1, 1), (3, 7), (200, 33)] {
        let distance = SquaredDistance { rows, width };
        let (left, right) = (random(1, rows * width), random(2, rows * width));
        let gradient = random(3, rows);
        let run = || {
            let (mut out, mut slope) = (vec![f32::NAN; rows], vec![f32::NAN; rows * width]);
            distance.forward(&left, &right, &mut out).unwrap();
            distance.backward(&left, &right, &gradient, &mut slope).unwrap();
            (out, slope)
        };
        let (a, b, g) = (wide(&left), wide(&right), wide(&gradient));
        let apart: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let plain: Vec<f64> = apart.chunks(width).map(|row| dot(row, row)).collect();
        let slopes: Vec<f64> =
            apart.iter().enumerate().map(|(at, apart)| 2.0 * g[at / width] * apart).collect();
        let (out, slope) = run();
        assert_near("out", &out, &plain, 1e-5);
        assert_near("slope", &slope, &slopes, 1e-6);
        assert_same_by_threads(run);
    }
    let refused = SquaredDistance { rows: 1, width: 2 }.forward(&[0.0; 2], &[0.0], &mut [0.0]);
    assert_eq!(refused, Err(Error::Length { what: "right", found: 1, expected: 2 }));
}
