//! The forward pass: after the norm everything else, tile by tile.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{GinBlock, GinBlockInputs, Memory, Work};
use crate::Result;
use crate::error::expect_len;
use crate::graph::Graph;
use crate::linear::Activation;
use crate::linear::lanes::{self, map};
use crate::linear::tile::{self, TILE};

impl GinBlock {
    /// Writes y, [batch, nodes, width], and what the backward pass needs: a byte a value, or nothing where `saved`
    /// is empty.
    ///
    /// ```
    /// use fattail_fused::encoder::Layer;
    /// use fattail_fused::graph::{Edges, GinBlock, GinBlockInputs, GinParameters, Graph};
    ///
    /// let graph = Graph::new(Edges { nodes: 2, sources: vec![0], targets: vec![1] })?;
    /// let block = GinBlock { batch: 1, width: 2, hidden: 1, norm_epsilon: 0.0 };
    /// // The norm of either node is (-1, 1): the sums are (-1.5, 1.5) and (-2.5, 2.5). The first layer takes their
    /// // second value, the second layer gives it to both.
    /// let inputs = GinBlockInputs {
    ///     states: &[0.0, 2.0, 4.0, 6.0],
    ///     epsilon: 0.5,
    ///     parameters: GinParameters {
    ///         norm: Layer { weight: &[1.0, 1.0], bias: &[0.0, 0.0] },
    ///         first: Layer { weight: &[0.0, 1.0], bias: &[0.0] },
    ///         second: Layer { weight: &[1.0, 1.0], bias: &[0.0, 0.0] },
    ///     },
    ///     mask: None,
    /// };
    /// let mut out = [0.0; 4];
    /// block.forward(&graph, &inputs, &mut out, &mut [])?;
    /// assert_eq!(out, [1.5, 3.5, 6.5, 8.5]);
    /// # Ok::<(), fattail_fused::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of range or a slice has another length than the shape asks for.
    pub fn forward(
        &self,
        graph: &Graph,
        inputs: &GinBlockInputs<'_>,
        out: &mut [f32],
        saved: &mut [u8],
    ) -> Result<()> {
        let rows = self.expect_inputs(graph, inputs)?;
        expect_len("out", out.len(), rows * self.width)?;
        if !saved.is_empty() {
            expect_len("saved", saved.len(), rows * self.width)?;
        }
        let work = Work::new(*self, graph, inputs)?;
        let second = self.second().pack_forward(inputs.parameters.second.weight);
        let tile = TILE * self.width;
        let run = |memory: &mut Memory, number: usize, out: &mut [f32], saved: &mut [u8]| {
            let (work, second, first) = (&work, &second, number * TILE);
            Arch::new().dispatch(Branch { work, second, first, out, saved, memory });
        };
        let tiles = out.par_chunks_mut(tile);
        if saved.is_empty() {
            tiles.enumerate().for_each_init(Memory::default, |memory, (number, out)| {
                run(memory, number, out, &mut []);
            });
            return Ok(());
        }
        tiles
            .zip(saved.par_chunks_mut(tile))
            .enumerate()
            .for_each_init(Memory::default, |memory, (number, (out, saved))| {
                run(memory, number, out, saved)
            });
        Ok(())
    }
}

/// The branch of a tile and its residual path.
struct Branch<'a> {
    work: &'a Work<'a>,
    /// The second layer, packed.
    second: &'a [f32],
    /// The tile's first row.
    first: usize,
    out: &'a mut [f32],
    saved: &'a mut [u8],
    memory: &'a mut Memory,
}

impl WithSimd for Branch<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, second, first, out, saved, memory } = self;
        let width = work.block.width;
        work.middle(simd, first, out.len() / width, memory);
        let bias = work.inputs.parameters.second.bias;
        tile::affine(simd, work.block.second(), &memory.middle, second, bias, out);
        for (saved, &z) in saved.iter_mut().zip(&*out) {
            *saved = u8::from(z > 0.0 || z.is_nan());
        }
        Activation::Relu.apply(simd, out);
        let all = first * width..first * width + out.len();
        if let Some(mask) = work.inputs.mask {
            let mask = &mask[all.clone()];
            map!(simd: S, value in &mut *out, mask in mask => simd.mul_f32s(value, mask));
        }
        lanes::add(simd, out, &work.inputs.states[all]);
    }
}
