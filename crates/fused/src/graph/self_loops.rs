//! One loop a node, with the mean of its incoming edges' features.
//!
//! As PyTorch Geometric's `GATv2Conv` does with `fill_value='mean'`: loops of the list are dropped with their features;
//! the other edges keep their order; then node n gets the loop n -> n, whose features are the mean of those of the
//! remaining edges that end at n, or zero where none does. The filling is linear in the features, so its gradient is
//! one pass too. A NaN stays with its column of its target. Cost: edges x width, sums in `f64`.
//! Reference: Fey & Lenssen (2019), `add_remaining_self_loops` and `add_self_loops` of PyTorch Geometric 2.8.

use super::{Edges, volume};
use crate::Result;
use crate::error::expect_len;

/// A list of edges with one loop a node, and where its edges came from.
///
/// ```
/// use fattail_fused::graph::{Edges, SelfLoops};
///
/// let edges = Edges { nodes: 2, sources: vec![0, 1, 0], targets: vec![1, 1, 1] };
/// let loops = SelfLoops::new(&edges)?;
/// assert_eq!(loops.edges().sources, [0, 0, 0, 1]);
/// assert_eq!(loops.fill(&[1.0, 9.0, 3.0], 1)?, [1.0, 3.0, 0.0, 2.0]);
/// # Ok::<(), fattail_fused::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfLoops {
    edges: Edges,
    kept: Vec<u32>,
    before: usize,
}

impl SelfLoops {
    /// Drops the loops of a list and gives every node one.
    ///
    /// # Errors
    /// As [`Edges::check`].
    pub fn new(edges: &Edges) -> Result<Self> {
        edges.check()?;
        let ends = edges.sources.iter().zip(&edges.targets);
        let kept: Vec<u32> = (0..)
            .zip(ends)
            .filter(|(_, (source, target))| source != target)
            .map(|(at, _)| at)
            .collect();
        let column = |ends: &[u32]| -> Vec<u32> {
            let others = kept.iter().map(|&edge| ends[edge as usize]);
            others.chain((0..).take(edges.nodes)).collect()
        };
        let looped = Edges {
            nodes: edges.nodes,
            sources: column(&edges.sources),
            targets: column(&edges.targets),
        };
        looped.check()?;
        Ok(Self { edges: looped, kept, before: edges.len() })
    }

    /// The edges that are no loops, in the order of the list, then a loop of each node.
    #[must_use]
    pub fn edges(&self) -> &Edges {
        &self.edges
    }

    /// The places in the old list of the edges that are no loops; the new list begins with them.
    #[must_use]
    pub fn kept(&self) -> &[u32] {
        &self.kept
    }

    /// The features of the new list from those of the old one, [edges, width].
    ///
    /// # Errors
    /// When the slice is not as long as the old list asks for.
    pub fn fill(&self, features: &[f32], width: usize) -> Result<Vec<f32>> {
        expect_len("edge features", features.len(), volume(&[self.before, width])?)?;
        let mut out = Vec::with_capacity(volume(&[self.edges.len(), width])?);
        let mut sums = vec![0.0_f64; volume(&[self.edges.nodes, width])?];
        for (&edge, &target) in self.kept.iter().zip(&self.edges.targets) {
            let row = &features[edge as usize * width..][..width];
            out.extend_from_slice(row);
            for (sum, &value) in sums[target as usize * width..][..width].iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        }
        for (node, &count) in self.counts().iter().enumerate() {
            let row = &sums[node * width..][..width];
            out.extend(row.iter().map(|&sum| (sum / count) as f32));
        }
        Ok(out)
    }

    /// The gradient with respect to the old list's features, from that of the new list's.
    ///
    /// # Errors
    /// When the slice is not as long as the new list asks for.
    pub fn fill_gradient(&self, gradient: &[f32], width: usize) -> Result<Vec<f32>> {
        expect_len("edge gradient", gradient.len(), volume(&[self.edges.len(), width])?)?;
        let mut out = vec![0.0; volume(&[self.before, width])?];
        let (own, loops) = gradient.split_at(self.kept.len() * width);
        let counts = self.counts();
        for (at, (&edge, &target)) in self.kept.iter().zip(&self.edges.targets).enumerate() {
            let (own, mean) =
                (&own[at * width..][..width], &loops[target as usize * width..][..width]);
            let row = &mut out[edge as usize * width..][..width];
            for (slope, (&own, &mean)) in row.iter_mut().zip(own.iter().zip(mean)) {
                *slope = (f64::from(own) + f64::from(mean) / counts[target as usize]) as f32;
            }
        }
        Ok(out)
    }

    /// The number of each node's incoming edges without the loop, at least 1.
    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0_f64; self.edges.nodes];
        for &target in &self.edges.targets[..self.kept.len()] {
            counts[target as usize] += 1.0;
        }
        counts.iter().map(|count| count.max(1.0)).collect()
    }
}
