//! A pass over the blocks of some rows: loss and gradient, predictions, dead units.
//!
//! With v the weights of the rows and W their sum over the whole batch, the slope of row i's
//! prediction is `share v_i l'(p_i - t_i) / W`, times `p (1 - p)` for a sigmoid head. Losses are
//! computed and summed in `f64`. Rows that teach nothing are read as zeros. Cost as in the
//! [module](super).

use std::ops::Range;

use pulp::{Arch, Simd};

use super::block::{Position, Scratch, Weighted};
use super::lanes::{LANES, Lanes, Task, Wide, on};
use super::loss::RowLoss;

/// A sigmoid whose slope p (1 - p) is below this hardly learns.
pub const SATURATED: f32 = 1e-3;

/// Rows to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Rows x inputs values, row by row.
    pub features: &'a [f32],
    /// One a row; a row whose target is not finite teaches nothing.
    pub target: &'a [f32],
    /// One a row; a row whose weight is not positive and finite teaches nothing. `None` is 1.
    pub weight: Option<&'a [f32]>,
}

impl Batch<'_> {
    /// The weight with which a row teaches; 0 if it teaches nothing.
    #[inline(always)]
    fn teaches(&self, row: usize) -> f64 {
        let weight = self.weight.map_or(1.0, |weight| weight[row]);
        let known = self.target[row].is_finite() && weight > 0.0 && weight.is_finite();
        if known { f64::from(weight) } else { 0.0 }
    }

    /// The weight of all rows.
    pub(super) fn total(&self) -> f64 {
        (0..self.target.len()).map(|row| self.teaches(row)).sum()
    }
}

/// What a pass over a part of a batch reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass<'a> {
    pub network: Weighted<'a>,
    pub loss: &'a RowLoss,
    pub arch: Arch,
    pub batch: &'a Batch<'a>,
    /// What the slopes are multiplied by.
    pub scale: f64,
    pub key: u64,
}

impl Pass<'_> {
    /// Adds the gradient of some rows, and answers the weighted sum of their losses.
    pub(super) fn run(
        &self,
        rows: Range<usize>,
        scratch: &mut Scratch,
        gradient: &mut [f32],
    ) -> f64 {
        on(self.arch, Learn { pass: self, rows, scratch, gradient })
    }
}

struct Learn<'a> {
    pass: &'a Pass<'a>,
    rows: Range<usize>,
    scratch: &'a mut Scratch,
    gradient: &'a mut [f32],
}

impl Task for Learn<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) -> f64 {
        let Self { pass, rows, scratch, gradient } = self;
        let Pass { network, loss, batch, .. } = pass;
        let inputs = network.layout.inputs;
        let mut sum = 0.0;
        for start in rows.clone().step_by(LANES) {
            let end = rows.end.min(start + LANES);
            let taught = Taught::of(batch, start..end);
            scratch.load(&batch.features[start * inputs..end * inputs], &taught.used);
            let position = Position { key: pass.key, row: start };
            let out = scratch.forward::<S, N, true>(wide, network, position);
            let mut bend = [0.0; LANES];
            sum += loss.lanes(&out, &taught.target, &taught.weight, &mut bend);
            let mut slope = Lanes::ZERO;
            for ((slope, bend), p) in slope.0.iter_mut().zip(bend).zip(out.0) {
                let head = if network.layout.sigmoid { p * (1.0 - p) } else { 1.0 };
                *slope = (bend * pass.scale) as f32 * head;
            }
            scratch.backward(wide, network, &slope, gradient);
        }
        sum
    }
}

/// Targets and weights of a block; 0 in lanes that teach nothing.
struct Taught {
    target: Lanes,
    weight: [f64; LANES],
    used: [bool; LANES],
}

impl Taught {
    #[inline(always)]
    fn of(batch: &Batch<'_>, rows: Range<usize>) -> Self {
        let mut all = Self { target: Lanes::ZERO, weight: [0.0; LANES], used: [false; LANES] };
        for (lane, row) in rows.enumerate() {
            let weight = batch.teaches(row);
            all.weight[lane] = weight;
            all.used[lane] = weight > 0.0;
            all.target.0[lane] = if weight > 0.0 { batch.target[row] } else { 0.0 };
        }
        all
    }
}

/// Writes predictions without dropout.
pub(super) struct Predict<'a> {
    pub network: Weighted<'a>,
    pub scratch: &'a mut Scratch,
    pub features: &'a [f32],
    pub out: &'a mut [f32],
}

impl Task for Predict<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) {
        let Self { network, scratch, features, out } = self;
        let blocks = features.chunks(LANES * network.layout.inputs);
        for (features, out) in blocks.zip(out.chunks_mut(LANES)) {
            scratch.load(features, &[true; LANES]);
            let position = Position { key: 0, row: 0 };
            let lanes = scratch.forward::<S, N, false>(wide, &network, position);
            out.copy_from_slice(&lanes.0[..out.len()]);
        }
    }
}

/// Marks, a hidden layer, the units that are positive in some row, and counts the rows in which a
/// sigmoid head is flat.
pub(super) struct Observe<'a> {
    pub network: Weighted<'a>,
    pub scratch: &'a mut Scratch,
    pub features: &'a [f32],
    pub alive: &'a mut [Vec<bool>],
}

impl Task for Observe<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, wide: Wide<S, N>) -> usize {
        let Self { network, scratch, features, alive } = self;
        let inputs = network.layout.inputs;
        let mut flat = 0;
        for block in features.chunks(LANES * inputs) {
            let rows = block.len() / inputs;
            scratch.load(block, &[true; LANES]);
            let position = Position { key: 0, row: 0 };
            let out = scratch.forward::<S, N, false>(wide, &network, position);
            flat += out.0[..rows].iter().filter(|&&p| p * (1.0 - p) < SATURATED).count();
            for (layer, alive) in alive.iter_mut().enumerate() {
                scratch.mark_alive(layer, rows, alive);
            }
        }
        if network.layout.sigmoid { flat } else { 0 }
    }
}
