//! Grows one tree whose leaves hold a value for each of several outputs.
//!
//! Every output has cells and a histogram of its own; a node's histograms lie one after the other, and
//! the larger child's come by subtraction, as in a tree of one output.
//! Cost: outputs times that of one tree's histograms, but one search of leaves, one partition of rows.

use std::ops::Range;

use fattail_trees::Child;
use rayon::prelude::*;

use super::{
    Grower, Sample,
    grower::{gather, subtract},
    grown::{BinNode, Grown, GrownLeaf},
    partition::partition,
    table::Table,
    turn::Turn,
};
use crate::{
    Growth,
    histogram::{self, Cell, Member, Rows, Scale, Sums},
    split::{EPSILON, Split, Valuer, VectorSplit, VectorTask},
};

/// The gradients of an output.
pub(crate) struct Plane<'a, C> {
    pub(crate) cells: &'a [C],
    pub(crate) scale: Scale,
}

/// What a tree of several outputs is grown from.
pub(crate) struct VectorGrower<'a, C> {
    /// What does not depend on the output, with the first one's cells.
    pub(crate) base: Grower<'a, C>,
    /// Every output.
    pub(crate) planes: Vec<Plane<'a, C>>,
}

/// A leaf that may still be split.
struct VectorLeaf<C> {
    rows: Range<usize>,
    sums: Vec<Sums>,
    values: Vec<f64>,
    depth: usize,
    path: Vec<usize>,
    histogram: Option<Vec<C>>,
    best: Option<VectorSplit>,
    parent: Option<(usize, bool)>,
}

/// A growing tree.
struct Growing<C> {
    rows: Vec<u32>,
    scratch: Vec<u32>,
    ordered: Vec<C>,
    leaves: Vec<VectorLeaf<C>>,
    nodes: Vec<BinNode>,
}

impl<C: Cell> VectorGrower<'_, C> {
    /// Grows a tree; its values are not shrunk.
    pub(crate) fn grow(&self, sample: Sample<'_>) -> Grown {
        let mut growing = self.root(sample);
        let by_level = self.base.settings.growth == Growth::DepthWise;
        while growing.leaves.len() < self.base.settings.leaves {
            let Some(at) = next(&growing.leaves, by_level) else { break };
            let Some(split) = growing.leaves[at].best.take() else { break };
            self.split(&mut growing, at, split);
        }
        let finished = |leaf: VectorLeaf<C>| GrownLeaf {
            rows: leaf.rows,
            weight: mean(&leaf.sums).h,
            count: mean(&leaf.sums).n as u64,
            values: leaf.values,
        };
        let leaves = growing.leaves.into_iter().map(finished).collect();
        Grown { nodes: growing.nodes, leaves, rows: growing.rows, ..Grown::default() }
    }

    fn root(&self, sample: Sample<'_>) -> Growing<C> {
        let rows: Vec<u32> = match sample {
            Sample::All => (0..self.base.cells.len() as u32).collect(),
            Sample::Some(rows) => rows.to_vec(),
        };
        let sums: Vec<Sums> = self.planes.iter().map(|plane| self.sums(plane, &rows)).collect();
        let valuer = Valuer::new(&self.base.settings.limits, 0.0);
        let root = VectorLeaf {
            rows: 0..rows.len(),
            values: sums.iter().map(|&sums| valuer.free_output(sums)).collect(),
            sums,
            depth: 0,
            path: Vec::new(),
            histogram: None,
            best: None,
            parent: None,
        };
        let mut growing = Growing {
            scratch: vec![0; rows.len()],
            ordered: vec![C::default(); rows.len()],
            rows,
            leaves: Vec::new(),
            nodes: Vec::new(),
        };
        let histogram = self.may_split(&root).then(|| self.build(&mut growing, &root));
        let root = self.finish(root, histogram, 0);
        growing.leaves.push(root);
        growing
    }

    fn sums(&self, plane: &Plane<'_, C>, rows: &[u32]) -> Sums {
        let mut sum = [C::default()];
        rows.iter().for_each(|&row| sum[0].add(plane.cells[row as usize]));
        self.base.reduce(&mut sum);
        sum[0].decode(&plane.scale)
    }

    fn may_split(&self, leaf: &VectorLeaf<C>) -> bool {
        let settings = self.base.settings;
        let shallow = settings.depth.is_none_or(|depth| leaf.depth < depth);
        let least = (2 * settings.limits.min_data_in_leaf).max(2);
        shallow && leaf.sums.iter().all(|sums| sums.n >= least as f64) && self.base.pack.bins > 0
    }

    /// A leaf with its histogram and best split.
    fn finish(&self, leaf: VectorLeaf<C>, histogram: Option<Vec<C>>, node: usize) -> VectorLeaf<C> {
        let best = histogram.as_ref().filter(|_| self.may_split(&leaf));
        let best = best.and_then(|histogram| self.find(&leaf, histogram, node));
        VectorLeaf { histogram: histogram.filter(|_| best.is_some()), best, ..leaf }
    }

    /// The histograms of a leaf over all workers, output by output.
    fn build(&self, growing: &mut Growing<C>, leaf: &VectorLeaf<C>) -> Vec<C> {
        let bins = self.base.pack.bins;
        let mut all = vec![C::default(); bins * self.planes.len()];
        let rows = &growing.rows[leaf.rows.clone()];
        let ordered = &mut growing.ordered[leaf.rows.clone()];
        for (plane, histogram) in self.planes.iter().zip(all.chunks_mut(bins)) {
            gather(plane.cells, rows, ordered);
            histogram::build(self.base.pack, Rows::At(rows), ordered, histogram);
        }
        self.base.reduce(&mut all);
        all
    }

    /// Splits leaf `at`: it becomes the left child, the right one comes last.
    fn split(&self, growing: &mut Growing<C>, at: usize, split: VectorSplit) {
        let parent = growing.leaves[at].histogram.take();
        let node = growing.nodes.len();
        let (left, right) = self.children(growing, at, split);
        let (mut of_left, mut of_right) = (None, None);
        if let Some(mut parent) = parent.filter(|_| self.may_split(&left) || self.may_split(&right))
        {
            let left_is_smaller = left.sums[0].n <= right.sums[0].n;
            let small = self.build(growing, if left_is_smaller { &left } else { &right });
            subtract(&mut parent, &small);
            let (small, large) = (Some(small), Some(parent));
            (of_left, of_right) = if left_is_smaller { (small, large) } else { (large, small) };
        }
        let (left, right) = rayon::join(
            || self.finish(left, of_left, 2 * node + 1),
            || self.finish(right, of_right, 2 * node + 2),
        );
        growing.leaves[at] = left;
        growing.leaves.push(right);
    }

    /// Sorts the rows of leaf `at` and makes its children.
    fn children(
        &self,
        growing: &mut Growing<C>,
        at: usize,
        split: VectorSplit,
    ) -> (VectorLeaf<C>, VectorLeaf<C>) {
        let (node, new) = (growing.nodes.len(), growing.leaves.len());
        let leaf = &growing.leaves[at];
        let (range, depth, mut path) = (leaf.rows.clone(), leaf.depth + 1, leaf.path.clone());
        let (arrow, output) = (leaf.parent, leaf.values[0]);
        let column = &self.base.binned.columns[split.feature];
        let table = Table::new(column, &split.side);
        let rows = (&mut growing.rows[range.clone()], &mut growing.scratch[range.clone()]);
        let middle = range.start + partition(rows.0, rows.1, table.ask(column));
        if let Some((parent, is_left)) = arrow {
            let parent = &mut growing.nodes[parent];
            let arrow = if is_left { &mut parent.left } else { &mut parent.right };
            *arrow = Child::Node(node as u32);
        }
        if let Err(place) = path.binary_search(&split.feature) {
            path.insert(place, split.feature);
        }
        let child = |rows: Range<usize>, sums: &[Sums], values: &[f64], is_left: bool| VectorLeaf {
            rows,
            sums: sums.to_vec(),
            values: values.to_vec(),
            depth,
            path: path.clone(),
            histogram: None,
            best: None,
            parent: Some((node, is_left)),
        };
        let left = child(range.start..middle, &split.left, &split.left_values, true);
        let right = child(middle..range.end, &split.right, &split.right_values, false);
        let split = Split {
            feature: split.feature,
            side: split.side,
            gain: split.gain,
            left: mean(&left.sums),
            right: mean(&right.sums),
            left_output: left.values[0],
            right_output: right.values[0],
        };
        let (to_left, to_right) = (Child::Leaf(at as u32), Child::Leaf(new as u32));
        growing.nodes.push(BinNode { split, table, left: to_left, right: to_right, output });
        (left, right)
    }

    /// The best split of a leaf, over features.
    fn find(&self, leaf: &VectorLeaf<C>, histogram: &[C], node: usize) -> Option<VectorSplit> {
        let limits = &self.base.settings.limits;
        let valuers: Vec<Valuer> =
            leaf.values.iter().map(|&value| Valuer::new(limits, value)).collect();
        let twice = |sums: &Sums| Sums { h: sums.h + 2.0 * EPSILON, ..*sums };
        let total: Vec<Sums> = leaf.sums.iter().map(twice).collect();
        let worth = total.iter().zip(&valuers).map(|(&total, valuer)| valuer.leaf_gain(total));
        let floor = worth.sum::<f64>() + limits.min_gain_to_split;
        let columns = self.base.columns_of_node(node);
        let members: Vec<Member> =
            self.base.pack.groups.iter().flat_map(|group| group.members.clone()).collect();
        let splits = members.into_par_iter().filter_map(|member| {
            let feature = member.feature;
            let seen = columns.as_ref().is_none_or(|columns| columns[feature]);
            if !seen || !self.base.allowed.may_follow(&leaf.path, feature) {
                return None;
            }
            let mapper = &self.base.binned.columns[feature].mapper;
            let task = VectorTask {
                feature,
                missing: mapper.missing,
                zero_bin: mapper.zero_bin,
                is_categorical: matches!(mapper.kind, fattail_bins::Kind::Categorical { .. }),
                total: &total,
                valuers: &valuers,
                min_rows: limits.min_data_in_leaf as f64,
                min_hessian: limits.min_sum_hessian_in_leaf,
                floor,
                only: limits
                    .extra_trees
                    .then(|| self.base.draw_choice(node, feature, member.bins - 1)),
            };
            let mut split = task.best(&self.bins_of(histogram, member))?;
            split.gain *= self.base.allowed.factor(feature, leaf.depth);
            Some(split)
        });
        splits.reduce_with(|a, b| if b.beats(&a) { b } else { a })
    }

    /// The sums of a feature's bins, the outputs of a bin together.
    fn bins_of(&self, histogram: &[C], member: Member) -> Vec<Sums> {
        let start = self.base.pack.starts[member.feature].unwrap_or(0);
        let of_bin = |bin: usize| {
            let planes = self.planes.iter().zip(histogram.chunks(self.base.pack.bins));
            planes.map(move |(plane, histogram)| histogram[start + bin].decode(&plane.scale))
        };
        (0..member.bins).flat_map(of_bin).collect()
    }
}

/// The leaf that is split next.
fn next<C>(leaves: &[VectorLeaf<C>], by_level: bool) -> Option<usize> {
    let turn = |(at, leaf): (usize, &VectorLeaf<C>)| {
        let best = leaf.best.as_ref()?;
        Some(Turn { at, depth: leaf.depth, gain: best.gain, feature: best.feature })
    };
    let turns = leaves.iter().enumerate().filter_map(turn);
    Turn::first(turns.filter(|turn| turn.gain > 0.0), by_level)
}

/// The mean over outputs.
fn mean(sums: &[Sums]) -> Sums {
    let all = sums.iter().fold(Sums::default(), |all, &sums| all.plus(sums));
    let count = sums.len() as f64;
    Sums { g: all.g / count, h: all.h / count, n: all.n / count }
}
