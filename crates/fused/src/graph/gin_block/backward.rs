//! The backward pass: both layers by parts of the rows, then neighbours and the norm.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{GinBlock, GinBlockGradients, GinBlockInputs, GinParameters, Memory, Work};
use crate::Result;
use crate::encoder::Layer;
use crate::error::expect_len;
use crate::graph::Graph;
use crate::graph::gin::Gather;
use crate::graph::lanes::sweep_wide;
use crate::linear::Norm;
use crate::linear::lanes::{self, map};
use crate::linear::tile::{self, TILE, add_parts};

impl GinBlock {
    /// The gradients of a loss whose gradient with respect to y is `gradient`; `saved` is the forward pass's.
    ///
    /// # Errors
    /// When a setting is out of range or a slice has another length than the shape asks for.
    pub fn backward(
        &self,
        graph: &Graph,
        inputs: &GinBlockInputs<'_>,
        saved: &[u8],
        gradient: &[f32],
        out: GinBlockGradients<'_>,
    ) -> Result<()> {
        let rows = self.expect_inputs(graph, inputs)?;
        let GinBlockGradients { states, epsilon, parameters } = out;
        let found = parameters.slices();
        let count = rows * self.width;
        expect_len("saved", saved.len(), count)?;
        expect_len("gradient", gradient.len(), count)?;
        expect_len("the gradient of states", states.len(), count)?;
        self.expect_parameters(found.each_ref().map(|slice| slice.len()))?;
        let work = Work::new(*self, graph, inputs)?;
        let (span, parts) = self.parts(rows);
        let (span, length) = (span * self.width, self.lengths().iter().sum());
        let (mut sums, mut inner) = (vec![0.0; parts * length], vec![0.0; count]);
        let mut along = vec![0.0_f64; parts];
        let weights = inputs.parameters;
        let packed = [
            self.first().pack_backward(weights.first.weight),
            self.second().pack_backward(weights.second.weight),
        ];
        let tasks = inner.par_chunks_mut(span).zip(sums.par_chunks_mut(length)).zip(&mut along);
        tasks.enumerate().for_each(|(part, ((inner, sums), along))| {
            let (work, packed, from) = (&work, &packed, part * span);
            let sums = self.split(sums);
            let layers = Layers { work, packed, from, saved, gradient, inner, sums, along };
            Arch::new().dispatch(layers);
        });
        let tasks = states.par_chunks_mut(span).zip(sums.par_chunks_mut(length));
        tasks.enumerate().for_each(|(part, (states, sums))| {
            let (work, inner, from) = (&work, &inner, part * span);
            let sums = self.split(sums).norm;
            Arch::new().dispatch(Neighbours { work, inner, from, gradient, states, sums });
        });
        let (total, rest) = sums.split_at_mut(length);
        add_parts(total, rest);
        for (to, from) in found.into_iter().zip(self.split(total).slices()) {
            to.copy_from_slice(from);
        }
        *epsilon = along.iter().sum::<f64>() as f32;
        Ok(())
    }
}

/// Both layers of a part, back to the gradient of the sums over neighbours.
struct Layers<'a> {
    work: &'a Work<'a>,
    /// Both layers' weights, packed for the way back.
    packed: &'a [Vec<f32>; 2],
    /// The part's first value.
    from: usize,
    saved: &'a [u8],
    gradient: &'a [f32],
    /// The part's gradient of the sums, overwritten.
    inner: &'a mut [f32],
    sums: GinParameters<&'a mut [f32]>,
    /// The part's gradient of epsilon, added to.
    along: &'a mut f64,
}

impl WithSimd for Layers<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (mut memory, mut outer, mut middle) = (Memory::default(), Vec::new(), Vec::new());
        let tile = TILE * self.work.block.width;
        for start in (0..self.inner.len()).step_by(tile) {
            let end = self.inner.len().min(start + tile);
            self.tile(simd, start..end, &mut memory, (&mut outer, &mut middle));
        }
    }
}

impl Layers<'_> {
    /// A tile of the part's values; `outer` and `before` are gradients of the two layers' sums.
    #[inline(always)]
    fn tile<S: Simd>(
        &mut self,
        simd: S,
        own: std::ops::Range<usize>,
        memory: &mut Memory,
        (outer, before): (&mut Vec<f32>, &mut Vec<f32>),
    ) {
        let Work { block, inputs, ref normed, .. } = *self.work;
        let all = self.from + own.start..self.from + own.end;
        self.work.middle(simd, all.start / block.width, own.len() / block.width, memory);
        let Memory { sums, middle } = memory;
        outer.clear();
        outer.extend_from_slice(&self.gradient[all.clone()]);
        if let Some(mask) = inputs.mask {
            let mask = &mask[all.clone()];
            map!(simd: S, slope in &mut outer[..], mask in mask => simd.mul_f32s(slope, mask));
        }
        for (slope, &passed) in outer.iter_mut().zip(&self.saved[all.clone()]) {
            *slope = if passed == 0 { 0.0 } else { *slope };
        }
        let Layer { weight, bias } = &mut self.sums.second;
        tile::weigh(simd, block.second(), (outer, middle), weight, bias);
        before.resize(middle.len(), 0.0);
        tile::back(simd, block.second(), outer, &self.packed[1], before, false);
        let zero = simd.splat_f32s(0.0);
        map!(simd: S, slope in &mut before[..], value in &middle[..] => {
            simd.select_f32s(simd.less_than_or_equal_f32s(value, zero), zero, slope)
        });
        let Layer { weight, bias } = &mut self.sums.first;
        tile::weigh(simd, block.first(), (before, sums), weight, bias);
        let inner = &mut self.inner[own];
        tile::back(simd, block.first(), before, &self.packed[0], inner, false);
        *self.along += f64::from(lanes::dot(simd, inner, &normed[all]));
    }
}

/// From the gradient of the sums over neighbours to that of a part's states.
struct Neighbours<'a> {
    work: &'a Work<'a>,
    /// The whole batch's.
    inner: &'a [f32],
    /// The part's first value.
    from: usize,
    gradient: &'a [f32],
    states: &'a mut [f32],
    /// The part's gradients of the norm, added to.
    sums: Layer<&'a mut [f32]>,
}

impl WithSimd for Neighbours<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, inner, from, gradient, states, sums } = self;
        let (width, own) = (work.block.width, 1.0 + work.inputs.epsilon);
        let Layer { weight, bias } = work.inputs.parameters.norm;
        let norm = Norm { weight, bias, epsilon: work.block.norm_epsilon };
        for (tile, out) in states.chunks_mut(TILE * width).enumerate() {
            let start = from + tile * TILE * width;
            let (adjacency, first) = (work.graph.outgoing(), start / width);
            let all = start..start + out.len();
            sweep_wide(
                width,
                &mut Gather { adjacency, own, width, first, input: inner, out: &mut *out },
            );
            let x = &work.inputs.states[all.clone()];
            norm.backward(simd, x, out, sums.weight, sums.bias);
            lanes::add(simd, out, &gradient[all]);
        }
    }
}
