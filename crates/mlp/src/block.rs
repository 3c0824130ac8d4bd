//! One block of sixteen rows through the network and back; the formulas stand in the
//! [module](super).
//!
//! The forward pass keeps, a hidden layer: its inputs h (along the lanes, and turned to rows), the
//! normalised units x, one over the deviation, and the gate of each unit, which is the dropout's
//! factor where the unit is positive and 0 elsewhere. Backward, with e the slopes of a layer's
//! output and E those of the layer's sums:
//!
//! ```text
//! y' = e gate      x' = g y' and E = layer norm backward of x'   (E = y' without norm)
//! W' += E h^T      b' += sum E      e below = W^T E  (+ e with `residual`)
//! ```
//!
//! A lane whose row teaches nothing has features 0 and slope 0, so that it adds exactly 0. Cost as
//! in the module; nothing is allocated.

use pulp::Simd;

use super::lanes::{LANES, Lanes, Wide};
use super::layout::{Layer, Layout, Linear, Norm, turned_stride};
use super::norm::{normalize, normalize_back};
use super::product::{affine, back, outer, turn};
use super::random::Dropout;

/// What a linear layer sees and leaves behind.
#[derive(Debug, Clone)]
struct Stage {
    input: Vec<Lanes>,
    turned: Vec<f32>,
    normalized: Vec<Lanes>,
    inverse: Lanes,
    gate: Vec<Lanes>,
}

impl Stage {
    fn new(linear: &Linear) -> Self {
        Self {
            input: vec![Lanes::ZERO; linear.inputs],
            turned: vec![0.0; LANES * turned_stride(linear.inputs)],
            normalized: vec![Lanes::ZERO; linear.outputs],
            inverse: Lanes::ZERO,
            gate: vec![Lanes::ZERO; linear.outputs],
        }
    }
}

/// The activations of one block; made once, overwritten by every block.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    /// One a hidden layer, and the head's.
    stages: Vec<Stage>,
    input_normalized: Vec<Lanes>,
    slope: Vec<Lanes>,
    above: Vec<Lanes>,
    below: Vec<Lanes>,
}

/// A network with its padded parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted<'a> {
    pub layout: &'a Layout,
    pub parameters: &'a [f32],
}

/// What the dropout of a batch depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub key: u64,
    /// The block's first row in the batch.
    pub row: usize,
}

impl Scratch {
    pub(super) fn new(layout: &Layout) -> Self {
        let linears = layout.layers.iter().map(|layer| &layer.linear).chain([&layout.head]);
        let stages: Vec<Stage> = linears.map(Stage::new).collect();
        let widest = stages.iter().map(|stage| stage.input.len()).max().unwrap_or(0);
        let buffer = vec![Lanes::ZERO; widest];
        Self {
            stages,
            input_normalized: vec![Lanes::ZERO; layout.inputs],
            slope: buffer.clone(),
            above: buffer.clone(),
            below: buffer,
        }
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        let stage = |stage: &Stage| {
            let lanes = stage.input.len() + stage.normalized.len() + stage.gate.len();
            size_of::<Stage>() + lanes * size_of::<Lanes>() + 4 * stage.turned.len()
        };
        let buffers = [&self.input_normalized, &self.slope, &self.above, &self.below];
        let lanes: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        self.stages.iter().map(stage).sum::<usize>() + lanes * size_of::<Lanes>()
    }

    /// Takes up to sixteen rows; lanes that `used` does not name become 0.
    #[inline(always)]
    pub(super) fn load(&mut self, rows: &[f32], used: &[bool; LANES]) {
        let input = &mut self.stages[0].input;
        let inputs = input.len();
        if rows.len() == LANES * inputs && *used == [true; LANES] {
            for (unit, lanes) in input.iter_mut().enumerate() {
                for (value, row) in lanes.0.iter_mut().zip(rows.chunks_exact(inputs)) {
                    *value = row[unit];
                }
            }
            return;
        }
        input.fill(Lanes::ZERO);
        for (lane, row) in rows.chunks_exact(inputs).enumerate().filter(|&(lane, _)| used[lane]) {
            for (lanes, value) in input.iter_mut().zip(row) {
                lanes.0[lane] = *value;
            }
        }
    }

    /// The predictions of the loaded rows. With `TRAIN` what [`Scratch::backward`] needs is kept,
    /// and units are dropped.
    #[inline(always)]
    pub(super) fn forward<S: Simd, const N: usize, const TRAIN: bool>(
        &mut self,
        wide: Wide<S, N>,
        network: &Weighted<'_>,
        position: Position,
    ) -> Lanes {
        let Weighted { layout, parameters } = network;
        if let Some(norm) = &layout.input_norm {
            let (hat, input) = (&mut self.input_normalized, &mut self.stages[0].input);
            hat.copy_from_slice(input);
            normalize(wide, hat);
            for (unit, (out, hat)) in input.iter_mut().zip(&*hat).enumerate() {
                wide.store(out, norm.scaled(wide, parameters, unit, wide.load(hat)));
            }
        }
        for (at, layer) in layout.layers.iter().enumerate() {
            let [stage, next, ..] = &mut self.stages[at..] else { break };
            if TRAIN {
                turn(&stage.input, &mut stage.turned);
            }
            affine(wide, &layer.linear, parameters, &stage.input, &mut stage.normalized);
            if layer.norm.is_some() {
                let inverse = normalize(wide, &mut stage.normalized);
                wide.store(&mut stage.inverse, inverse);
            }
            let dropout = (TRAIN && layout.dropout > 0.0)
                .then(|| Dropout::new(position.key, at, layer.linear.outputs, layout.dropout));
            stage.rectify(
                wide,
                layer,
                parameters,
                dropout.map(|dropout| (dropout, position.row)),
                next,
            );
        }
        let mut out = [Lanes::ZERO];
        if let Some(last) = self.stages.last_mut() {
            if TRAIN {
                turn(&last.input, &mut last.turned);
            }
            affine(wide, &layout.head, parameters, &last.input, &mut out);
        }
        if layout.sigmoid {
            let z = wide.load(&out[0]);
            wide.store(&mut out[0], wide.sigmoid(z));
        }
        out[0]
    }

    /// Adds the gradient that the slopes of the head's sums lead to.
    #[inline(always)]
    pub(super) fn backward<S: Simd, const N: usize>(
        &mut self,
        wide: Wide<S, N>,
        network: &Weighted<'_>,
        slope: &Lanes,
        gradient: &mut [f32],
    ) {
        let Weighted { layout, parameters } = network;
        let Self { stages, input_normalized, slope: buffer, above, below } = self;
        let Some((last, hidden)) = stages.split_last() else { return };
        let (head, slope) = (&layout.head, std::array::from_ref(slope));
        outer(wide, head, slope, &last.turned, gradient);
        gradient[head.bias] += wide.total(wide.load(&slope[0]));
        if hidden.is_empty() && layout.input_norm.is_none() {
            return;
        }
        back(wide, head, parameters, slope, above);
        for (at, (layer, stage)) in layout.layers.iter().zip(hidden).enumerate().rev() {
            let linear = &layer.linear;
            let (slope, up) = (&mut buffer[..linear.outputs], &above[..linear.outputs]);
            stage.unrectify(wide, layer, parameters, (up, slope), gradient);
            for (to, slope) in gradient[linear.bias..].iter_mut().zip(&*slope) {
                *to += wide.total(wide.load(slope));
            }
            outer(wide, linear, slope, &stage.turned, gradient);
            if at == 0 && layout.input_norm.is_none() {
                return;
            }
            back(wide, linear, parameters, slope, below);
            if layer.residual {
                for (below, up) in below.iter_mut().zip(up) {
                    wide.store(below, wide.add(wide.load(below), wide.load(up)));
                }
            }
            std::mem::swap(above, below);
        }
        if let Some(norm) = &layout.input_norm {
            for (unit, (hat, up)) in input_normalized.iter().zip(&*above).enumerate() {
                norm.add_gradient(wide, unit, wide.load(hat), wide.load(up), gradient);
            }
        }
    }

    /// Marks the units of hidden layer `layer` that were positive in one of `rows` rows.
    pub(super) fn mark_alive(&self, layer: usize, rows: usize, alive: &mut [bool]) {
        for (alive, gate) in alive.iter_mut().zip(&self.stages[layer].gate) {
            *alive |= gate.0[..rows].iter().any(|&gate| gate > 0.0);
        }
    }
}

impl Stage {
    /// Scales, rectifies and drops the units of the rows from the dropout's on.
    #[inline(always)]
    fn rectify<S: Simd, const N: usize>(
        &mut self,
        wide: Wide<S, N>,
        layer: &Layer,
        parameters: &[f32],
        dropout: Option<(Dropout, usize)>,
        next: &mut Self,
    ) {
        let zero = wide.splat(0.0);
        let units = self.normalized.iter().zip(&mut self.gate).zip(&mut next.input);
        for (unit, ((hat, gate), out)) in units.enumerate() {
            let mut sums = wide.load(hat);
            if let Some(norm) = &layer.norm {
                sums = norm.scaled(wide, parameters, unit, sums);
            }
            let keep = match &dropout {
                Some((dropout, row)) => dropout.lanes(wide, *row, unit),
                None => wide.splat(1.0),
            };
            let open = wide.where_above(sums, 0.0, keep, zero);
            wide.store(gate, open);
            wide.store(out, wide.multiply(sums, open));
        }
        if layer.residual {
            for (out, input) in next.input.iter_mut().zip(&self.input) {
                wide.store(out, wide.add(wide.load(out), wide.load(input)));
            }
        }
    }

    /// From the slopes of the layer's output to those of its sums, and the norm's gradient.
    #[inline(always)]
    fn unrectify<S: Simd, const N: usize>(
        &self,
        wide: Wide<S, N>,
        layer: &Layer,
        parameters: &[f32],
        (above, slope): (&[Lanes], &mut [Lanes]),
        gradient: &mut [f32],
    ) {
        let units = slope.iter_mut().zip(above).zip(&self.gate).zip(&self.normalized);
        for (unit, (((slope, above), gate), hat)) in units.enumerate() {
            let mut passed = wide.multiply(wide.load(above), wide.load(gate));
            if let Some(norm) = &layer.norm {
                norm.add_gradient(wide, unit, wide.load(hat), passed, gradient);
                passed = wide.multiply(passed, wide.splat(parameters[norm.weight + unit]));
            }
            wide.store(slope, passed);
        }
        if layer.norm.is_some() {
            normalize_back(wide, slope, &self.normalized, &self.inverse);
        }
    }
}

impl Norm {
    /// `g x + b` of one unit.
    #[inline(always)]
    fn scaled<S: Simd, const N: usize>(
        &self,
        wide: Wide<S, N>,
        parameters: &[f32],
        unit: usize,
        hat: [S::f32s; N],
    ) -> [S::f32s; N] {
        let (weight, bias) = (parameters[self.weight + unit], parameters[self.bias + unit]);
        wide.add_product(wide.splat(weight), hat, wide.splat(bias))
    }

    /// `g' += sum y' x` and `b' += sum y'` of one unit.
    #[inline(always)]
    fn add_gradient<S: Simd, const N: usize>(
        &self,
        wide: Wide<S, N>,
        unit: usize,
        hat: [S::f32s; N],
        slope: [S::f32s; N],
        gradient: &mut [f32],
    ) {
        gradient[self.weight + unit] += wide.total(wide.multiply(slope, hat));
        gradient[self.bias + unit] += wide.total(slope);
    }
}
