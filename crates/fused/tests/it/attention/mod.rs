//! Attention against plain loops in double precision.
//!
//! Tolerance: scores are of size one, so single precision leaves 1e-5 forward; gradients are compared with central
//! differences of the plain loops, to 1e-4 of the largest.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fattail_fused::Error;
use fattail_fused::attention::{Attention, Gradients, Inputs, Outputs};
use fattail_fused::encoder::Dropout;
use proptest::prelude::*;

use crate::linear::{assert_near, assert_same_by_threads, differences, dot, random, wide};

/// The output of attention, by its definition.
pub(crate) fn plain(
    attention: &Attention,
    query: &[f64],
    key: &[f64],
    value: &[f64],
    visible: Option<&[bool]>,
) -> Vec<f64> {
    let Attention { heads, queries, keys, width, .. } = *attention;
    let scale = attention.scale.map_or(1.0 / (width as f64).sqrt(), f64::from);
    let dropout = Dropout::new(attention.dropout, attention.seed);
    let mut out = Vec::new();
    for row in 0..attention.batch * heads * queries {
        let (head, at) = (row / queries, row % queries);
        let query = &query[row * width..][..width];
        let sees = |other: usize| {
            let is_visible = visible.is_none_or(|visible| visible[head / heads * keys + other]);
            is_visible && (!attention.causal || other <= at)
        };
        let rows = head * keys..(head + 1) * keys;
        let weights: Vec<f64> = rows
            .clone()
            .map(|row| {
                let score = scale * dot(query, &key[row * width..][..width]);
                if sees(row - head * keys) { score.exp() } else { 0.0 }
            })
            .collect();
        let sum: f64 = weights.iter().sum();
        let share = if sum > 0.0 { 1.0 / sum } else { 0.0 };
        let mask = |other: usize| {
            dropout.map_or(1.0, |drop| f64::from(drop.mask(1, row as u64, other as u32)))
        };
        out.extend((0..width).map(|column| {
            let terms = weights.iter().zip(rows.clone()).enumerate();
            terms
                .map(|(other, (weight, row))| {
                    weight * share * mask(other) * value[row * width + column]
                })
                .sum::<f64>()
        }));
    }
    out
}

type Answer = (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>);

/// Output and gradients of queries, keys and values.
fn run(attention: &Attention, inputs: &Inputs<'_>, grad_out: &[f32]) -> Answer {
    let rows = attention.batch * attention.heads * attention.queries;
    let (mut out, mut log_sum) = (vec![1.0; rows * attention.width], vec![1.0; rows]);
    attention.forward(inputs, &mut out, &mut log_sum).unwrap();
    let mut gradients =
        [inputs.query, inputs.key, inputs.value].map(|input| vec![1.0; input.len()]);
    let [query, key, value] = &mut gradients;
    let outputs = Outputs { out: &out, log_sum: &log_sum, grad_out };
    attention.backward(inputs, &outputs, Gradients { query, key, value }).unwrap();
    let [query, key, value] = gradients;
    (out, query, key, value)
}

fn sizes(attention: &Attention) -> (usize, usize) {
    let heads = attention.batch * attention.heads * attention.width;
    (heads * attention.queries, heads * attention.keys)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_is_the_plain_one(
        (batch, heads, queries, keys, width) in (1_usize..3, 1_usize..3, 1_usize..12, 1_usize..12, 1_usize..20),
        causal: bool, drops: bool, hides: bool, seed: u64,
    ) {
        let dropout = if drops { 0.3 } else { 0.0 };
        let attention = Attention { batch, heads, queries, keys, width, causal, scale: None, dropout, seed };
        let (to, of) = sizes(&attention);
        let (query, key, value) = (random(seed, to), random(seed ^ 1, of), random(seed ^ 2, of));
        let visible: Vec<bool> = random(seed ^ 3, batch * keys).iter().map(|value| *value > -0.3).collect();
        let visible = hides.then_some(&visible[..]);
        let grad_out = random(seed ^ 4, to);
        let inputs = Inputs { query: &query, key: &key, value: &value, visible };
        let (out, to_query, to_key, to_value) = run(&attention, &inputs, &grad_out);
        let (query, key, value, grad_out) = (wide(&query), wide(&key), wide(&value), wide(&grad_out));
        assert_near("out", &out, &plain(&attention, &query, &key, &value, visible), 1e-5);
        let loss = |query: &[f64], key: &[f64], value: &[f64]| {
            dot(&plain(&attention, query, key, value, visible), &grad_out)
        };
        assert_near("query", &to_query, &differences(&query, |query| loss(query, &key, &value)), 1e-4);
        assert_near("key", &to_key, &differences(&key, |key| loss(&query, key, &value)), 1e-4);
        assert_near("value", &to_value, &differences(&value, |value| loss(&query, &key, value)), 1e-4);
    }
}

/// Gradients by their formulas, row by row.
fn plain_gradients(
    attention: &Attention,
    [query, key, value, out, grad]: [&[f64]; 5],
) -> [Vec<f64>; 3] {
    let Attention { queries, keys, width, causal, .. } = *attention;
    let scale = 1.0 / (width as f64).sqrt();
    let mut gradients = [vec![0.0; query.len()], vec![0.0; key.len()], vec![0.0; value.len()]];
    for row in 0..attention.batch * attention.heads * queries {
        let (first, end) =
            (row / queries * keys, if causal { keys.min(row % queries + 1) } else { keys });
        let at = row * width..(row + 1) * width;
        let scores: Vec<f64> = (first..first + end)
            .map(|other| (scale * dot(&query[at.clone()], &key[other * width..][..width])).exp())
            .collect();
        let sum: f64 = scores.iter().sum();
        let shared = dot(&out[at.clone()], &grad[at.clone()]);
        for (other, score) in (first..).zip(scores) {
            let (share, cell) = (score / sum, other * width..(other + 1) * width);
            let slope = scale * share * (dot(&grad[at.clone()], &value[cell.clone()]) - shared);
            for (own, other) in at.clone().zip(cell) {
                gradients[0][own] += slope * key[other];
                gradients[1][other] += slope * query[own];
                gradients[2][other] += share * grad[own];
            }
        }
    }
    gradients
}

#[test]
fn many_tiles_are_the_plain_ones() {
    for (causal, heads, queries, keys) in
        [(false, 1, 300, 700), (true, 1, 530, 530), (true, 20, 100, 130)]
    {
        let attention =
            Attention { heads, queries, keys, width: 24, causal, ..Attention::default() };
        let (to, of) = sizes(&attention);
        // Large scores, so that the running maximum moves.
        let query: Vec<f32> = random(1, to).iter().map(|value| 4.0 * value).collect();
        let (key, value, grad) = (random(2, of), random(3, of), random(4, to));
        let inputs = Inputs { query: &query, key: &key, value: &value, visible: None };
        let (out, to_query, to_key, to_value) = run(&attention, &inputs, &grad);
        let [query, key, value, grad] = [&query, &key, &value, &grad].map(|values| wide(values));
        let expected = plain(&attention, &query, &key, &value, None);
        assert_near("out", &out, &expected, 1e-5);
        let gradients = plain_gradients(&attention, [&query, &key, &value, &expected, &grad]);
        assert_near("query", &to_query, &gradients[0], 2e-5);
        assert_near("key", &to_key, &gradients[1], 2e-5);
        assert_near("value", &to_value, &gradients[2], 2e-5);
    }
}

#[test]
fn threads_do_not_matter() {
    for (heads, length) in [(1, 600), (18, 70)] {
        let attention = Attention {
            heads,
            queries: length,
            keys: length,
            width: 20,
            causal: true,
            dropout: 0.1,
            ..Attention::default()
        };
        let (to, of) = sizes(&attention);
        let (query, key, value, grad) =
            (random(1, to), random(2, of), random(3, of), random(4, to));
        let inputs = Inputs { query: &query, key: &key, value: &value, visible: None };
        assert_same_by_threads(|| run(&attention, &inputs, &grad));
    }
}

#[test]
fn a_query_that_sees_nothing_gives_zeros_and_nan_spreads() {
    let attention = Attention { queries: 2, keys: 2, ..Attention::default() };
    let inputs = Inputs {
        query: &[1.0, 2.0],
        key: &[1.0, 2.0],
        value: &[3.0, 4.0],
        visible: Some(&[false; 2]),
    };
    let (out, query, key, value) = run(&attention, &inputs, &[1.0, 1.0]);
    assert_eq!([out, query, key, value].concat(), [0.0; 8]);
    let inputs = Inputs { query: &[1.0, f32::NAN], visible: None, ..inputs };
    let (out, ..) = run(&attention, &inputs, &[1.0, 1.0]);
    assert!(out[0].is_finite() && out[1].is_nan());
    let inputs = Inputs { query: &[1.0, 1.0], key: &[1.0, f32::NAN], ..inputs };
    let (out, ..) = run(&Attention { causal: true, ..attention }, &inputs, &[1.0, 1.0]);
    assert!(out[0].is_finite() && out[1].is_nan());
}

#[test]
fn bad_shapes_are_refused() {
    let attention = Attention { queries: 2, keys: 2, ..Attention::default() };
    let inputs = Inputs { query: &[1.0], key: &[1.0, 2.0], value: &[3.0, 4.0], visible: None };
    let refused = attention.forward(&inputs, &mut [0.0; 2], &mut [0.0; 2]);
    assert_eq!(refused, Err(Error::Length { what: "query", found: 1, expected: 2 }));
    let refused = Attention { dropout: 1.0, ..attention }.check();
    assert!(matches!(refused, Err(Error::Setting { name: "dropout", .. })));
    assert!(matches!(
        Attention { width: 0, ..attention }.check(),
        Err(Error::Setting { name: "width", .. })
    ));
}

#[test]
fn long_attention_stays_small() {
    let attention =
        Attention { heads: 16, queries: 4096, keys: 4096, width: 64, ..Attention::default() };
    assert!(attention.saved_bytes() + attention.workspace_bytes(2) < 32 << 20);
}
