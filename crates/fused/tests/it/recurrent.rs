//! Layers of LSTM and GRU against plain loops in double precision.
//!
//! Tolerance: values are of size one, so single precision leaves 1e-5 forward; gradients are compared with central
//! differences of the plain loops, to 1e-4 of the largest.

use fattail_fused::Error;
use fattail_fused::recurrent::{Cell, Record, Recurrent, RecurrentGradients, Weights};
use proptest::prelude::*;

use crate::linear::{affine, assert_near, assert_same_by_threads, differences, dot, random, wide};

/// Input, ih, hh, bias_ih and bias_hh, one after the other.
fn parts(layer: &Recurrent) -> [usize; 5] {
    let gates = layer.cell.gates() * layer.hidden;
    let input = layer.samples * layer.length * layer.inputs;
    [input, gates * layer.inputs, gates * layer.hidden, gates, gates]
}

fn cut<'a, T>(layer: &Recurrent, mut all: &'a [T]) -> [&'a [T]; 5] {
    parts(layer).map(|len| {
        let (part, rest) = all.split_at(len);
        all = rest;
        part
    })
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The formulas of PyTorch's pages, one number at a time.
fn plain(layer: &Recurrent, all: &[f64]) -> Vec<f64> {
    let [input, ih, hh, bias_ih, bias_hh] = cut(layer, all);
    let size = layer.hidden;
    let mut states = Vec::new();
    for sample in input.chunks(layer.length * layer.inputs) {
        let (mut h, mut c) = (vec![0.0; size], vec![0.0; size]);
        for x in sample.chunks(layer.inputs) {
            let (own, past) = (affine(x, ih, bias_ih), affine(&h, hh, bias_hh));
            for j in 0..size {
                let both = |gate: usize| own[gate * size + j] + past[gate * size + j];
                match layer.cell {
                    Cell::Lstm => {
                        c[j] = sigmoid(both(1)) * c[j] + sigmoid(both(0)) * both(2).tanh();
                        h[j] = sigmoid(both(3)) * c[j].tanh();
                    }
                    Cell::Gru => {
                        let (r, z) = (sigmoid(both(0)), sigmoid(both(1)));
                        let n = (own[2 * size + j] + r * past[2 * size + j]).tanh();
                        h[j] = (1.0 - z) * n + z * h[j];
                    }
                }
            }
            states.extend_from_slice(&h);
        }
    }
    states
}

/// States, and the gradients of their product with a slope, laid out as the arguments are.
fn fused(layer: &Recurrent, all: &[f32], slope: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let [input, ih, hh, bias_ih, bias_hh] = cut(layer, all);
    let weights = Weights { ih, hh, bias_ih, bias_hh };
    let mut states = vec![f32::NAN; slope.len()];
    let mut saved = vec![f32::NAN; layer.saved_len()];
    layer.forward(input, weights, &mut states, &mut saved).unwrap();
    let mut found = parts(layer).map(|len| vec![f32::NAN; len]);
    let [of_input, of_ih, of_hh, of_bias_ih, of_bias_hh] = &mut found;
    let gradients = RecurrentGradients {
        input: Some(of_input),
        ih: of_ih,
        hh: of_hh,
        bias_ih: of_bias_ih,
        bias_hh: of_bias_hh,
    };
    let record = Record { input, states: &states, saved: &saved };
    layer.backward(weights, record, slope, gradients).unwrap();
    (states, found.concat())
}

fn layers() -> impl Strategy<Value = (Recurrent, u64)> {
    let sizes = (1usize..15, 1usize..6, 1usize..5, 1usize..11, any::<bool>());
    (sizes, any::<u64>()).prop_map(|((samples, length, inputs, hidden, gru), seed)| {
        let cell = if gru { Cell::Gru } else { Cell::Lstm };
        (Recurrent { samples, length, inputs, hidden, cell }, seed)
    })
}

fn draw(layer: &Recurrent, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let count: usize = parts(layer).iter().sum();
    (random(seed, count), random(seed ^ 1, layer.samples * layer.length * layer.hidden))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_with_plain_loops((layer, seed) in layers()) {
        let (all, slope) = draw(&layer, seed);
        let (states, gradients) = fused(&layer, &all, &slope);
        assert_near("states", &states, &plain(&layer, &wide(&all)), 1e-5);
        let loss = |all: &[f64]| dot(&plain(&layer, all), &wide(&slope));
        assert_near("gradients", &gradients, &differences(&wide(&all), loss), 1e-4);
    }
}

/// Sizes with several tiles a part, parts of unequal size and several products a tile.
#[test]
fn tiles_and_parts_change_nothing() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let layer = Recurrent { samples: 500, length: 13, inputs: 3, hidden: 17, cell };
        let (all, slope) = draw(&layer, 5);
        let (states, gradients) = fused(&layer, &all, &slope);
        assert_near("states", &states, &plain(&layer, &wide(&all)), 1e-5);
        assert_same_by_threads(|| fused(&layer, &all, &slope));

        // The sum over the samples, one at a time.
        let one = Recurrent { samples: 1, ..layer };
        let own = layer.length * layer.inputs;
        let [input, ih, hh, bias_ih, bias_hh] = cut(&layer, &all);
        let mut inputs = Vec::new();
        let mut sum = vec![0.0; parts(&layer)[1..].iter().sum()];
        for (x, slope) in input.chunks(own).zip(slope.chunks(layer.length * layer.hidden)) {
            let alone = [x, ih, hh, bias_ih, bias_hh].concat();
            let found = fused(&one, &alone, slope).1;
            inputs.extend(wide(&found[..own]));
            for (sum, found) in sum.iter_mut().zip(&found[own..]) {
                *sum += f64::from(*found);
            }
        }
        inputs.extend(sum);
        assert_near("gradients", &gradients, &inputs, 1e-5);
    }
}

#[test]
fn without_a_backward_pass_states_are_the_same() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let layer = Recurrent { samples: 7, length: 4, inputs: 2, hidden: 9, cell };
        let (all, slope) = draw(&layer, 3);
        let [input, ih, hh, bias_ih, bias_hh] = cut(&layer, &all);
        let weights = Weights { ih, hh, bias_ih, bias_hh };
        let mut states = vec![f32::NAN; slope.len()];
        layer.forward(input, weights, &mut states, &mut []).unwrap();
        assert_eq!(states, fused(&layer, &all, &slope).0);
    }
}

#[test]
fn the_gradient_of_the_input_may_be_left_out() {
    let layer = Recurrent { samples: 3, length: 4, inputs: 2, hidden: 5, cell: Cell::Gru };
    let (all, slope) = draw(&layer, 4);
    let [input, ih, hh, bias_ih, bias_hh] = cut(&layer, &all);
    let weights = Weights { ih, hh, bias_ih, bias_hh };
    let (mut states, mut saved) = (vec![0.0; slope.len()], vec![0.0; layer.saved_len()]);
    layer.forward(input, weights, &mut states, &mut saved).unwrap();
    let mut found = parts(&layer).map(|len| vec![f32::NAN; len]);
    let [_, of_ih, of_hh, of_bias_ih, of_bias_hh] = &mut found;
    let gradients = RecurrentGradients {
        input: None,
        ih: of_ih,
        hh: of_hh,
        bias_ih: of_bias_ih,
        bias_hh: of_bias_hh,
    };
    let record = Record { input, states: &states, saved: &saved };
    layer.backward(weights, record, &slope, gradients).unwrap();
    assert_eq!(found[1..].concat(), fused(&layer, &all, &slope).1[parts(&layer)[0]..]);
}

/// NaN in one sample's input reaches its later states alone.
#[test]
fn nan_stays_in_its_sample_and_its_future() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let layer = Recurrent { samples: 3, length: 3, inputs: 1, hidden: 2, cell };
        let (mut all, slope) = draw(&layer, 8);
        all[4] = f32::NAN;
        let states = fused(&layer, &all, &slope).0;
        for (row, state) in states.chunks(2).enumerate() {
            let is_hit = row == 4 || row == 5;
            assert!(state.iter().all(|value| value.is_nan() == is_hit), "{cell:?} row {row}");
        }
    }
}

#[test]
fn wrong_sizes_are_named() {
    let layer = Recurrent { samples: 1, length: 2, inputs: 1, hidden: 1, cell: Cell::Lstm };
    let weights = Weights { ih: &[0.0; 4], hh: &[0.0; 4], bias_ih: &[0.0; 4], bias_hh: &[0.0; 4] };
    let error = layer.forward(&[0.0; 3], weights, &mut [0.0; 2], &mut []).unwrap_err();
    assert_eq!(error, Error::Length { what: "input", found: 3, expected: 2 });
    let error = layer.forward(&[0.0; 2], weights, &mut [0.0; 2], &mut [0.0; 3]).unwrap_err();
    assert_eq!(error, Error::Length { what: "saved", found: 3, expected: 10 });
    let short = Weights { bias_hh: &[0.0; 3], ..weights };
    let error = layer.forward(&[0.0; 2], short, &mut [0.0; 2], &mut []).unwrap_err();
    assert_eq!(error, Error::Length { what: "bias_hh", found: 3, expected: 4 });
    let error = Recurrent { hidden: 0, ..layer }.check().unwrap_err();
    assert_eq!(error.to_string(), "hidden is 0, allowed is 1 or more");
}
