//! What becomes of a sample's gates at a step, and the way back, by vectors.
//!
//! With the derivative of a state `dh` and of a carry `dc`, both summed over what comes later:
//!
//! ```text
//! LSTM  do = dh tanh(c) o (1 - o)      dc += dh o (1 - tanh(c)^2)      di = dc g i (1 - i)
//!       df = dc c' f (1 - f)           dg = dc i (1 - g^2)             dc' = dc f
//! GRU   dz = dh (h' - n) z (1 - z)     dn = dh (1 - z) (1 - n^2)       dr = dn p r (1 - r)
//!       dp = dn r                      dh' = dh z
//! ```
//!
//! where p is what the past gives n, and the products with the past's weights are added to `dh'` by the caller.

use std::ops::Range;

use pulp::Simd;

use crate::linear::lanes::{sigmoid, tanh};

/// The columns of each vector.
#[inline(always)]
fn vectors<S: Simd>(hidden: usize) -> impl Iterator<Item = Range<usize>> {
    (0..hidden).step_by(S::F32_LANES).map(move |from| from..hidden.min(from + S::F32_LANES))
}

#[inline(always)]
fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    S::as_simd_f32s(from).0.first().copied().unwrap_or_else(|| simd.partial_load_f32s(from))
}

#[inline(always)]
fn store<S: Simd>(simd: S, to: &mut [f32], value: S::f32s) {
    match S::as_mut_simd_f32s(to).0 {
        [whole, ..] => *whole = value,
        [] => simd.partial_store_f32s(to, value),
    }
}

/// x (1 - x) times a factor.
#[inline(always)]
fn slope_of_sigmoid<S: Simd>(simd: S, x: S::f32s, factor: S::f32s) -> S::f32s {
    simd.mul_f32s(factor, simd.negate_mul_add_f32s(x, x, x))
}

/// (1 - x^2) times a factor.
#[inline(always)]
fn slope_of_tanh<S: Simd>(simd: S, x: S::f32s, factor: S::f32s) -> S::f32s {
    simd.mul_f32s(factor, simd.negate_mul_add_f32s(x, x, simd.splat_f32s(1.0)))
}

/// Gates in place, the carry in place, and the state.
#[inline(always)]
pub(super) fn lstm<S: Simd>(simd: S, gates: &mut [f32], carry: &mut [f32], state: &mut [f32]) {
    let hidden = state.len();
    let (input, rest) = gates.split_at_mut(hidden);
    let (forget, rest) = rest.split_at_mut(hidden);
    let (new, output) = rest.split_at_mut(hidden);
    for at in vectors::<S>(hidden) {
        let i = sigmoid(simd, load(simd, &input[at.clone()]));
        let f = sigmoid(simd, load(simd, &forget[at.clone()]));
        let g = tanh(simd, load(simd, &new[at.clone()]));
        let o = sigmoid(simd, load(simd, &output[at.clone()]));
        let kept = simd.mul_f32s(f, load(simd, &carry[at.clone()]));
        let c = simd.mul_add_f32s(i, g, kept);
        store(simd, &mut input[at.clone()], i);
        store(simd, &mut forget[at.clone()], f);
        store(simd, &mut new[at.clone()], g);
        store(simd, &mut output[at.clone()], o);
        store(simd, &mut carry[at.clone()], c);
        store(simd, &mut state[at], simd.mul_f32s(o, tanh(simd, c)));
    }
}

/// Gates in place, and the state in place.
#[inline(always)]
pub(super) fn gru<S: Simd>(simd: S, gates: &mut [f32], state: &mut [f32]) {
    let hidden = state.len();
    let (reset, rest) = gates.split_at_mut(hidden);
    let (update, rest) = rest.split_at_mut(hidden);
    let (new, past) = rest.split_at_mut(hidden);
    for at in vectors::<S>(hidden) {
        let r = sigmoid(simd, load(simd, &reset[at.clone()]));
        let z = sigmoid(simd, load(simd, &update[at.clone()]));
        let own = load(simd, &new[at.clone()]);
        let n = tanh(simd, simd.mul_add_f32s(r, load(simd, &past[at.clone()]), own));
        let before = load(simd, &state[at.clone()]);
        store(simd, &mut reset[at.clone()], r);
        store(simd, &mut update[at.clone()], z);
        store(simd, &mut new[at.clone()], n);
        store(simd, &mut state[at], simd.mul_add_f32s(z, simd.sub_f32s(before, n), n));
    }
}

/// Slopes of a loss with respect to what a step hands on: state and carry, in place for the step before.
#[derive(Debug)]
pub(super) struct Slopes<'a> {
    pub(super) state: &'a mut [f32],
    pub(super) carry: &'a mut [f32],
    /// Of the gates, before their functions: written.
    pub(super) gates: &'a mut [f32],
}

/// The way back through [`lstm`]; `own` is the loss's slope with respect to the state, `carry` this step's carry and
/// the one before.
#[inline(always)]
pub(super) fn lstm_back<S: Simd>(
    simd: S,
    gates: &[f32],
    own: &[f32],
    (carry, before): (&[f32], &[f32]),
    slopes: Slopes<'_>,
) {
    let hidden = own.len();
    for at in vectors::<S>(hidden) {
        let [i, f, g, o] =
            [0, 1, 2, 3].map(|gate| load(simd, &gates[gate * hidden..][..hidden][at.clone()]));
        let t = tanh(simd, load(simd, &carry[at.clone()]));
        let dh = simd.add_f32s(load(simd, &own[at.clone()]), load(simd, &slopes.state[at.clone()]));
        let later = load(simd, &slopes.carry[at.clone()]);
        let dc = simd.add_f32s(later, slope_of_tanh(simd, t, simd.mul_f32s(dh, o)));
        let found = [
            slope_of_sigmoid(simd, i, simd.mul_f32s(dc, g)),
            slope_of_sigmoid(simd, f, simd.mul_f32s(dc, load(simd, &before[at.clone()]))),
            slope_of_tanh(simd, g, simd.mul_f32s(dc, i)),
            slope_of_sigmoid(simd, o, simd.mul_f32s(dh, t)),
        ];
        for (gate, slope) in found.into_iter().enumerate() {
            store(simd, &mut slopes.gates[gate * hidden..][..hidden][at.clone()], slope);
        }
        store(simd, &mut slopes.carry[at.clone()], simd.mul_f32s(dc, f));
        store(simd, &mut slopes.state[at], simd.splat_f32s(0.0));
    }
}

/// The way back through [`gru`]; `own` is the loss's slope with respect to the state, `before` the state before.
#[inline(always)]
pub(super) fn gru_back<S: Simd>(
    simd: S,
    gates: &[f32],
    own: &[f32],
    before: &[f32],
    slopes: Slopes<'_>,
) {
    let hidden = own.len();
    let one = simd.splat_f32s(1.0);
    for at in vectors::<S>(hidden) {
        let [r, z, n, p] =
            [0, 1, 2, 3].map(|gate| load(simd, &gates[gate * hidden..][..hidden][at.clone()]));
        let dh = simd.add_f32s(load(simd, &own[at.clone()]), load(simd, &slopes.state[at.clone()]));
        let change = simd.sub_f32s(load(simd, &before[at.clone()]), n);
        let dn = slope_of_tanh(simd, n, simd.mul_f32s(dh, simd.sub_f32s(one, z)));
        let found = [
            slope_of_sigmoid(simd, r, simd.mul_f32s(dn, p)),
            slope_of_sigmoid(simd, z, simd.mul_f32s(dh, change)),
            dn,
            simd.mul_f32s(dn, r),
        ];
        for (gate, slope) in found.into_iter().enumerate() {
            store(simd, &mut slopes.gates[gate * hidden..][..hidden][at.clone()], slope);
        }
        store(simd, &mut slopes.state[at], simd.mul_f32s(dh, z));
    }
}
