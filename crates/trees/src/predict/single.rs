//! One row at a time, without allocating.
//!
//! Nodes lie in one list, the two children of a node beside each other, so that a step is
//! `first + right` without a branch; eight trees go down together. Where NaN goes is known for each
//! node beforehand. Forests in which zero is missing or that ask about categories go down tree by
//! tree. Cost: about depth times trees steps.

use super::lanes::{Flat, NAN_RIGHT, TOGETHER, descend};
use crate::{Child, Forest, Missing, Rule, Tree};

/// A forest laid out for single rows.
#[derive(Debug, Clone)]
pub(crate) struct Single {
    nodes: Vec<Flat>,
    /// The value of each leaf at its node, or its number where it has several values or a line.
    values: Vec<f64>,
    /// The root of each tree.
    roots: Vec<u32>,
    /// The output of each tree whose leaves have one value and no line, else [`OTHER`].
    outputs: Vec<u32>,
}

/// No output: a tree that is asked for its values.
const OTHER: u32 = u32::MAX;

impl Single {
    /// Lays a checked forest out, unless zero can be missing, a rule has categories, or there are too
    /// many nodes or features for their numbers.
    pub(crate) fn new(forest: &Forest) -> Option<Self> {
        let nodes: usize = forest.trees.iter().map(|tree| 2 * tree.nodes.len() + 1).sum();
        let plain = |rule: &Rule| match rule {
            Rule::Numeric { missing, .. } => *missing != Missing::Zero,
            Rule::Categorical { .. } => false,
        };
        let fits = u32::try_from(nodes).is_ok() && forest.features.len() < NAN_RIGHT as usize;
        // Leaves read the first value too.
        let has_features = !forest.features.is_empty();
        let all_plain =
            || forest.trees.iter().flat_map(|tree| &tree.nodes).all(|at| plain(&at.rule));
        if !(fits && has_features && all_plain()) {
            return None;
        }
        let mut single = Self {
            nodes: Vec::with_capacity(nodes),
            values: vec![0.0; nodes],
            roots: Vec::with_capacity(forest.trees.len()),
            outputs: forest.trees.iter().map(output).collect(),
        };
        forest.trees.iter().for_each(|tree| single.push(tree));
        Some(single)
    }

    fn push(&mut self, tree: &Tree) {
        let root = self.nodes.len() as u32;
        self.roots.push(root);
        self.nodes.push(leaf(root));
        let start = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        let mut open = vec![(start, root)];
        while let Some((child, place)) = open.pop() {
            match child {
                Child::Leaf(at) => {
                    let value = if output(tree) != OTHER {
                        tree.values[at as usize]
                    } else {
                        f64::from(at)
                    };
                    self.values[place as usize] = value;
                }
                Child::Node(at) => {
                    let node = &tree.nodes[at as usize];
                    let first = self.nodes.len() as u32;
                    self.nodes.extend([leaf(first), leaf(first + 1)]);
                    open.extend([(node.right, first + 1), (node.left, first)]);
                    let Rule::Numeric { threshold, .. } = node.rule else { continue };
                    let nan_right = if node.rule.goes_left(f64::NAN) { 0 } else { NAN_RIGHT };
                    let asked = node.feature | nan_right;
                    self.nodes[place as usize] = Flat { threshold, asked, first };
                }
            }
        }
    }

    /// Adds the values of all trees to the zeroed sums of a row as wide as the forest's features.
    pub(crate) fn add(&self, forest: &Forest, row: &[f64], sums: &mut [f64]) {
        let nan = row.iter().fold(false, |any, x| any | x.is_nan());
        for (group, roots) in self.roots.chunks(TOGETHER).enumerate() {
            let mut at = [roots[0]; TOGETHER];
            at[..roots.len()].copy_from_slice(roots);
            if nan {
                descend::<true>(&self.nodes, row, &mut at);
            } else {
                descend::<false>(&self.nodes, row, &mut at);
            }
            let first = group * TOGETHER;
            for ((tree, at), &output) in (first..).zip(&at).zip(&self.outputs[first..]) {
                let value = self.values[*at as usize];
                if output == OTHER {
                    add_leaf(&forest.trees[tree], value as usize, row, sums);
                } else {
                    sums[output as usize] += value;
                }
            }
        }
    }
}

fn add_leaf(tree: &Tree, leaf: usize, row: &[f64], sums: &mut [f64]) {
    for output in 0..tree.width {
        sums[tree.output + output] += tree.value(leaf, output, row);
    }
}

fn output(tree: &Tree) -> u32 {
    if is_plain(tree) { u32::try_from(tree.output).unwrap_or(OTHER) } else { OTHER }
}

fn leaf(place: u32) -> Flat {
    Flat { threshold: f64::INFINITY, asked: 0, first: place }
}

/// Whether leaves have one value and no line.
fn is_plain(tree: &Tree) -> bool {
    tree.width == 1 && tree.linear.is_empty()
}
