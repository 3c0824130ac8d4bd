//! A tree that has been grown: on bins, with its rows, and as a [`Tree`] of the model.

use std::ops::Range;

use fattail_bins::{Binned, Kind};
use fattail_trees::{Child, LinearLeaf, Missing, Node, Rule, Tree};
use rayon::prelude::*;

use super::table::Table;
use crate::split::{Side, Split};

/// A node on bins.
#[derive(Debug, Clone)]
pub(crate) struct BinNode {
    /// The split.
    pub(crate) split: Split,
    /// Its table.
    pub(crate) table: Table,
    /// Where left goes.
    pub(crate) left: Child,
    /// Where right goes.
    pub(crate) right: Child,
    /// The value of the node as a leaf.
    pub(crate) output: f64,
}

/// A leaf with its rows.
#[derive(Debug, Clone)]
pub(crate) struct GrownLeaf {
    /// Its rows among those of the tree.
    pub(crate) rows: Range<usize>,
    /// Its values, one an output of the tree.
    pub(crate) values: Vec<f64>,
    /// Sum of hessians.
    pub(crate) weight: f64,
    /// Rows over all workers.
    pub(crate) count: u64,
}

/// A grown tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grown {
    /// The nodes.
    pub(crate) nodes: Vec<BinNode>,
    /// The leaves.
    pub(crate) leaves: Vec<GrownLeaf>,
    /// The rows of the sample, leaf by leaf; empty for all rows in one leaf.
    pub(crate) rows: Vec<u32>,
    /// A line a leaf, or none at all.
    pub(crate) lines: Vec<LinearLeaf>,
    /// The least that a split won, where the number of leaves ended the tree.
    pub(crate) least_gain: f64,
}

/// Rows of a block of scores.
const BLOCK: usize = 1 << 14;

impl Grown {
    /// A tree that asks nothing and was grown on no row.
    pub(crate) fn constant(value: f64) -> Self {
        let leaf = GrownLeaf { rows: 0..0, values: vec![value], weight: 0.0, count: 0 };
        Self { leaves: vec![leaf], ..Self::default() }
    }

    /// Whether the tree asks nothing.
    pub(crate) fn is_stump(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The leaf of a row of a binned panel.
    pub(crate) fn find(&self, binned: &Binned, row: usize) -> usize {
        let mut at = if self.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf as usize,
                Child::Node(node) => {
                    let node = &self.nodes[node as usize];
                    let column = &binned.columns[node.split.feature];
                    at = if node.table.ask(column).goes_left(row) { node.left } else { node.right };
                }
            }
        }
    }

    /// Adds the values of the tree, shrunk, to the scores of a binned panel, which begin at the tree's
    /// first output.
    pub(crate) fn add_to(&self, binned: &Binned, shrinkage: f64, score: &mut [f64]) {
        for (at, score) in score.chunks_mut(binned.rows.max(1)).take(self.width()).enumerate() {
            score.par_iter_mut().enumerate().for_each(|(row, score)| {
                *score += self.leaves[self.find(binned, row)].values[at] * shrinkage;
            });
        }
    }

    /// Values of a leaf.
    pub(crate) fn width(&self) -> usize {
        self.leaves.first().map_or(1, |leaf| leaf.values.len())
    }

    /// Adds value `at` of each leaf, shrunk, to the scores of the rows that it was grown on, which
    /// increase in each leaf.
    pub(crate) fn add_to_rows(&self, at: usize, shrinkage: f64, score: &mut [f64]) {
        score.par_chunks_mut(BLOCK).enumerate().for_each(|(block, score)| {
            let start = block * BLOCK;
            for leaf in &self.leaves {
                let value = leaf.values[at] * shrinkage;
                let rows = &self.rows[leaf.rows.clone()];
                let place = |end: usize| rows.partition_point(|&row| (row as usize) < end);
                let own = &rows[place(start)..place(start + score.len())];
                own.iter().for_each(|&row| score[row as usize - start] += value);
            }
        });
    }

    /// The tree of the model, its values multiplied by `shrinkage`.
    pub(crate) fn to_tree(&self, binned: &Binned, output: usize, shrinkage: f64) -> Tree {
        let mut tree = Tree {
            nodes: self.nodes.iter().map(|node| node.to_node(binned)).collect(),
            values: self.leaves.iter().flat_map(|leaf| leaf.values.iter().copied()).collect(),
            weights: self.leaves.iter().map(|leaf| leaf.weight).collect(),
            counts: self.leaves.iter().map(|leaf| leaf.count).collect(),
            linear: self.lines.clone(),
            width: self.width(),
            output,
            shrinkage: 1.0,
        };
        tree.scale(shrinkage);
        tree
    }
}

impl BinNode {
    fn to_node(&self, binned: &Binned) -> Node {
        let (split, mapper) = (&self.split, &binned.columns[self.split.feature].mapper);
        let rule = match (&split.side, &mapper.kind) {
            (Side::Threshold { bin, default_left }, _) => Rule::Numeric {
                threshold: mapper.threshold(*bin),
                missing: mapper.missing,
                default_left: *default_left,
            },
            (Side::Categories(bins), Kind::Categorical { categories }) => Rule::Categorical {
                left: bits(bins.iter().map(|&bin| categories[bin as usize])),
                missing: if mapper.missing == Missing::Nan { Missing::Nan } else { Missing::None },
                default_left: false,
            },
            (Side::Categories(_), Kind::Numeric { .. }) => {
                unreachable!("sets of categories come from categorical features")
            }
        };
        Node {
            feature: split.feature as u32,
            rule,
            left: self.left,
            right: self.right,
            gain: split.gain,
            value: self.output,
            weight: split.left.h + split.right.h,
            count: (split.left.n + split.right.n) as u64,
        }
    }
}

/// A bit set of categories.
pub(crate) fn bits(categories: impl Iterator<Item = i32>) -> Box<[u32]> {
    let mut words = Vec::new();
    for category in categories {
        let Ok(category) = usize::try_from(category) else { continue };
        if words.len() <= category / 32 {
            words.resize(category / 32 + 1, 0u32);
        }
        words[category / 32] |= 1 << (category % 32);
    }
    words.into()
}
