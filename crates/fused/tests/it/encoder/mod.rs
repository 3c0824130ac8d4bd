//! The encoder layer against plain loops in double precision.
//!
//! Tolerance: 2e-5 of the largest value forward; gradients are compared with central differences of the plain layer,
//! to 2e-4 of the largest, which is what single precision leaves after two norms and a softmax.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fattail_fused::Error;
use fattail_fused::attention::Attention;
use fattail_fused::encoder::{Dropout, Encoder, Gradients, Layer, Parameters};
use fattail_fused::linear::Activation;
use proptest::prelude::*;

use crate::attention::plain as attend;
use crate::linear::{
    activate, affine, assert_near, assert_same_by_threads, differences, dot, normalize, random,
    wide,
};

const NAMES: [&str; 6] = ["project_in", "project_out", "feed_in", "feed_out", "norm1", "norm2"];

fn lens(encoder: &Encoder) -> [(usize, usize); 6] {
    let (width, hidden) = (encoder.width, encoder.hidden);
    let norm = (width, width);
    [
        (3 * width * width, 3 * width),
        (width * width, width),
        (width * hidden, hidden),
        (hidden * width, width),
        norm,
        norm,
    ]
}

/// Weights and biases in order.
fn parameters(encoder: &Encoder, seed: u64) -> [Vec<f32>; 12] {
    let flat = lens(encoder).into_iter().flat_map(|(weights, biases)| [weights, biases]);
    let drawn: Vec<_> = (1..)
        .zip(flat)
        .map(|(at, len)| random(seed.wrapping_mul(31).wrapping_add(at), len))
        .collect();
    drawn.try_into().unwrap()
}

fn view(values: &[Vec<f32>; 12]) -> Parameters<&[f32]> {
    let layer = |at: usize| Layer { weight: &values[2 * at][..], bias: &values[2 * at + 1][..] };
    Parameters {
        project_in: layer(0),
        project_out: layer(1),
        feed_in: layer(2),
        feed_out: layer(3),
        norm1: layer(4),
        norm2: layer(5),
    }
}

fn view_mut(values: &mut [Vec<f32>; 12]) -> Parameters<&mut [f32]> {
    let mut rest = values.iter_mut();
    let mut layer =
        || Layer { weight: &mut rest.next().unwrap()[..], bias: &mut rest.next().unwrap()[..] };
    Parameters {
        project_in: layer(),
        project_out: layer(),
        feed_in: layer(),
        feed_out: layer(),
        norm1: layer(),
        norm2: layer(),
    }
}

/// Rows to heads (sample, head, position, place), and back.
fn to_heads(encoder: &Encoder, rows: &[f64], part: usize) -> Vec<f64> {
    let Encoder { batch, length, width, heads, .. } = *encoder;
    let size = width / heads;
    let mut out = Vec::new();
    for (sample, head) in (0..batch).flat_map(|sample| (0..heads).map(move |head| (sample, head))) {
        for position in 0..length {
            let at = (sample * length + position) * 3 * width + part * width + head * size;
            let mut values = rows[at..at + size].to_vec();
            if let (Some(base), true) = (encoder.rotary, part < 2) {
                for pair in 0..size / 2 {
                    let angle =
                        position as f64 * f64::from(base).powf(-2.0 * pair as f64 / size as f64);
                    let (x, y) = (values[pair], values[pair + size / 2]);
                    values[pair] = x * angle.cos() - y * angle.sin();
                    values[pair + size / 2] = y * angle.cos() + x * angle.sin();
                }
            }
            out.extend(values);
        }
    }
    out
}

fn drop(encoder: &Encoder, site: u32, width: usize, rows: Vec<f64>) -> Vec<f64> {
    let Some(dropout) = Dropout::new(encoder.dropout, encoder.seed) else { return rows };
    let mask = |at: usize| f64::from(dropout.mask(site, (at / width) as u64, (at % width) as u32));
    rows.into_iter().enumerate().map(|(at, value)| value * mask(at)).collect()
}

/// The layer by its definition.
fn plain(encoder: &Encoder, x: &[f64], p: &[Vec<f64>]) -> Vec<f64> {
    let Encoder { batch, length, width, heads, hidden, .. } = *encoder;
    let norm = |x: &[f64], at: usize| normalize(x, &p[at], &p[at + 1], f64::from(encoder.epsilon));
    let add =
        |x: &[f64], y: Vec<f64>| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x + y).collect() };
    let mixed = |x: &[f64]| {
        let rows = affine(x, &p[0], &p[1]);
        let [query, key, value] = [0, 1, 2].map(|part| to_heads(encoder, &rows, part));
        let size = width / heads;
        let shape = Attention {
            batch,
            heads,
            queries: length,
            keys: length,
            width: size,
            causal: encoder.causal,
            scale: None,
            dropout: encoder.dropout,
            seed: encoder.seed,
        };
        let by_head = attend(&shape, &query, &key, &value, None);
        let mut context = vec![0.0; x.len()];
        for (at, value) in by_head.into_iter().enumerate() {
            let (row, place) = (at / size, at % size);
            let (sample, head, position) =
                (row / length / heads, row / length % heads, row % length);
            context[(sample * length + position) * width + head * size + place] = value;
        }
        drop(encoder, 2, width, affine(&context, &p[2], &p[3]))
    };
    let feed = |x: &[f64]| {
        let sums = affine(x, &p[4], &p[5]);
        let active = sums.into_iter().map(|sum| activate(encoder.activation, sum)).collect();
        drop(encoder, 4, width, affine(&drop(encoder, 3, hidden, active), &p[6], &p[7]))
    };
    if encoder.norm_first {
        let h = add(x, mixed(&norm(x, 8)));
        add(&h, feed(&norm(&h, 10)))
    } else {
        let h = norm(&add(x, mixed(x)), 8);
        norm(&add(&h, feed(&h)), 10)
    }
}

type Answer = (Vec<f32>, Vec<f32>, [Vec<f32>; 12]);

/// Output, and gradients of input and parameters.
fn run(encoder: &Encoder, x: &[f32], values: &[Vec<f32>; 12], grad_out: &[f32]) -> Answer {
    let (mut out, mut saved) = (vec![1.0; x.len()], vec![1.0; encoder.saved_len()]);
    encoder.forward(x, &view(values), &mut out, &mut saved).unwrap();
    let (mut input, mut gradients) = (vec![1.0; x.len()], values.clone());
    let to = Gradients { input: &mut input, parameters: view_mut(&mut gradients) };
    encoder.backward(x, &view(values), &saved, grad_out, to).unwrap();
    (out, input, gradients)
}

fn shapes() -> impl Strategy<Value = Encoder> {
    let sizes = (1_usize..3, 1_usize..5, 1_usize..3, 1_usize..3, 1_usize..9);
    let activation = prop::sample::select(vec![Activation::Gelu, Activation::Identity]);
    let flags = (any::<[bool; 5]>(), activation, any::<u64>());
    (sizes, flags).prop_map(|((batch, length, heads, half, hidden), (flags, activation, seed))| {
        let [norm_first, causal, drops, turns, recompute] = flags;
        Encoder {
            batch,
            length,
            width: 2 * half * heads,
            heads,
            hidden,
            norm_first,
            causal,
            activation,
            dropout: if drops { 0.3 } else { 0.0 },
            seed,
            epsilon: 1e-2,
            rotary: turns.then_some(100.0),
            recompute,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_is_the_plain_one(encoder in shapes()) {
        let len = encoder.batch * encoder.length * encoder.width;
        let values = parameters(&encoder, encoder.seed);
        let (x, grad_out) = (random(encoder.seed ^ 5, len), random(encoder.seed ^ 6, len));
        let (out, input, gradients) = run(&encoder, &x, &values, &grad_out);
        let (x, grad_out) = (wide(&x), wide(&grad_out));
        let values: Vec<Vec<f64>> = values.iter().map(|values| wide(values)).collect();
        assert_near("out", &out, &plain(&encoder, &x, &values), 2e-5);
        let loss = |x: &[f64]| dot(&plain(&encoder, x, &values), &grad_out);
        assert_near("input", &input, &differences(&x, loss), 2e-4);
        for (at, gradient) in gradients.iter().enumerate() {
            let loss = |value: &[f64]| {
                let mut values = values.clone();
                values[at] = value.to_vec();
                dot(&plain(&encoder, &x, &values), &grad_out)
            };
            assert_near(NAMES[at / 2], gradient, &differences(&values[at], loss), 2e-4);
        }
    }
}

fn large() -> Encoder {
    // More rows than a tile and than a part, samples that tiles cut, more positions than a task of attention.
    Encoder {
        batch: 2,
        length: 300,
        width: 24,
        heads: 2,
        hidden: 40,
        causal: true,
        dropout: 0.1,
        ..Encoder::default()
    }
}

#[test]
fn many_tiles_are_the_plain_ones() {
    for norm_first in [true, false] {
        let encoder = Encoder { norm_first, rotary: Some(1e4), ..large() };
        let values = parameters(&encoder, 7);
        let (x, grad_out) = (random(1, 600 * 24), random(2, 600 * 24));
        let (out, input, gradients) = run(&encoder, &x, &values, &grad_out);
        let (x, grad_out) = (wide(&x), wide(&grad_out));
        let values: Vec<Vec<f64>> = values.iter().map(|values| wide(values)).collect();
        assert_near("out", &out, &plain(&encoder, &x, &values), 2e-5);
        // A derivative along the gradient's signs: large sums of it must agree.
        let along = |gradient: &[f32], at: Option<usize>| {
            let step = 1e-6;
            let moved = |by: f64| {
                let (mut x, mut values) = (x.clone(), values.clone());
                let place = at.map_or(&mut x, |at| &mut values[at]);
                for (place, gradient) in place.iter_mut().zip(gradient) {
                    *place += by * f64::from(gradient.signum());
                }
                dot(&plain(&encoder, &x, &values), &grad_out)
            };
            let found: f64 = gradient.iter().map(|gradient| f64::from(gradient.abs())).sum();
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            assert!(
                (found - expected).abs() <= 1e-3 * expected.abs(),
                "{at:?}: {found} instead of {expected}"
            );
        };
        along(&input, None);
        for at in [0, 2, 4, 6, 8, 10, 11] {
            along(&gradients[at], Some(at));
        }
    }
}

#[test]
fn threads_and_recomputing_do_not_matter() {
    let encoder = large();
    let values = parameters(&encoder, 7);
    let (x, grad_out) = (random(1, 600 * 24), random(2, 600 * 24));
    assert_same_by_threads(|| run(&encoder, &x, &values, &grad_out));
    let again = Encoder { recompute: true, ..encoder };
    assert_eq!(again.saved_len(), 0);
    assert_eq!(run(&again, &x, &values, &grad_out), run(&encoder, &x, &values, &grad_out));
}

#[test]
fn masks_drop_their_share_and_differ_by_seed() {
    let mean = |seed| {
        let drop = Dropout::new(0.25, seed).unwrap();
        let masks = (0..400)
            .flat_map(|row| (0..250).map(move |column| f64::from(drop.mask(2, row, column))));
        masks.sum::<f64>() / 1e5
    };
    // Four standard deviations of a mean of 100,000 masks.
    assert!((mean(1) - 1.0).abs() < 0.0075, "{}", mean(1));
    assert!(mean(1) != mean(2));
    assert!(Dropout::new(0.0, 1).is_none() && Dropout::new(f32::NAN, 1).is_none());
}

#[test]
fn bad_shapes_are_refused() {
    let encoder = Encoder { width: 6, heads: 4, ..Encoder::default() };
    assert!(matches!(encoder.check(), Err(Error::Setting { name: "heads", .. })));
    let odd = Encoder { width: 3, rotary: Some(1e4), ..Encoder::default() };
    assert!(matches!(odd.check(), Err(Error::Setting { name: "width", .. })));
    let base = Encoder { width: 2, rotary: Some(-1.0), ..Encoder::default() };
    assert!(matches!(base.check(), Err(Error::Setting { name: "rotary", .. })));
    let encoder = Encoder { width: 2, ..Encoder::default() };
    let mut values = parameters(&encoder, 1);
    values[4].pop();
    let refused = encoder.forward(
        &[1.0; 2],
        &view(&values),
        &mut [0.0; 2],
        &mut vec![0.0; encoder.saved_len()],
    );
    assert_eq!(refused, Err(Error::Length { what: "feed_in.weight", found: 1, expected: 2 }));
}
