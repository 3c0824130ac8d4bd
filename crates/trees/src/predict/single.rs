//! One row at a time, without allocating.
//!
//! Nodes lie in one list, the two children of a node beside each other, so that a step is
//! `first + right` without a branch. Eight trees go down together: while one waits for memory, the
//! others step. Cost: about depth times trees steps.

use crate::{Child, Forest, Missing, Rule, Tree, tree::contains};

/// Trees that go down together.
const LANES: usize = 8;

/// The flags of a node beside its feature.
const LEAF: u32 = 1 << 31;
const LEFT: u32 = 1 << 30;
const ZERO: u32 = 1 << 29;
const NAN: u32 = 1 << 28;
const SET: u32 = 1 << 27;
const FEATURE: u32 = SET - 1;

/// A node in 16 bytes; a leaf holds its value or its number.
#[derive(Debug, Clone, Copy)]
struct Flat {
    threshold: f64,
    /// The feature and flags.
    asked: u32,
    /// The left child; the right one comes next. A leaf's own place.
    first: u32,
}

/// A forest laid out for single rows.
#[derive(Debug, Clone)]
pub(crate) struct Single {
    nodes: Vec<Flat>,
    /// The root of each tree.
    roots: Vec<u32>,
    sets: Vec<(Box<[u32]>, bool)>,
    /// Whether zeros can be missing or a rule has a set: numbers are not all there is.
    special: bool,
}

impl Single {
    /// Lays a checked forest out, unless it has too many features or nodes for 16-byte nodes.
    pub(crate) fn new(forest: &Forest) -> Option<Self> {
        let nodes: usize = forest.trees.iter().map(|tree| 2 * tree.nodes.len() + 1).sum();
        if forest.features.len() > FEATURE as usize || u32::try_from(nodes).is_err() {
            return None;
        }
        let mut single = Self {
            nodes: Vec::with_capacity(nodes),
            roots: Vec::with_capacity(forest.trees.len()),
            sets: Vec::new(),
            special: false,
        };
        forest.trees.iter().for_each(|tree| single.push(tree));
        Some(single)
    }

    fn push(&mut self, tree: &Tree) {
        let root = self.nodes.len() as u32;
        self.roots.push(root);
        self.nodes.push(Flat { threshold: 0.0, asked: LEAF, first: root });
        let start = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        let mut open = vec![(start, root)];
        while let Some((child, place)) = open.pop() {
            self.nodes[place as usize] = match child {
                Child::Leaf(leaf) => leaf_of(tree, leaf, place),
                Child::Node(at) => {
                    let node = &tree.nodes[at as usize];
                    let first = self.nodes.len() as u32;
                    let blank = Flat { threshold: 0.0, asked: LEAF, first };
                    self.nodes.extend([blank; 2]);
                    open.extend([(node.right, first + 1), (node.left, first)]);
                    let (threshold, flags) = self.rule(&node.rule);
                    Flat { threshold, asked: node.feature | flags, first }
                }
            };
        }
    }

    fn rule(&mut self, rule: &Rule) -> (f64, u32) {
        match rule {
            Rule::Numeric { threshold, missing, default_left } => {
                let left = if *default_left { LEFT } else { 0 };
                let kind = match missing {
                    Missing::None => 0,
                    Missing::Zero => ZERO,
                    Missing::Nan => NAN,
                };
                self.special |= kind == ZERO;
                (*threshold, left | kind)
            }
            Rule::Categorical { left, default_left, .. } => {
                self.special = true;
                self.sets.push((left.clone(), *default_left));
                ((self.sets.len() - 1) as f64, SET)
            }
        }
    }

    /// Adds the values of all trees to the zeroed sums of a row.
    pub(crate) fn add(&self, forest: &Forest, row: &[f64], sums: &mut [f64]) {
        let nan = row.iter().fold(false, |any, x| any | x.is_nan());
        // Leaves read the first value too, where there is one.
        let special = self.special || nan || row.is_empty();
        let mut groups = self.roots.chunks_exact(LANES);
        for (group, roots) in groups.by_ref().enumerate() {
            let mut at: [u32; LANES] = std::array::from_fn(|lane| roots[lane]);
            if special {
                at.iter_mut().for_each(|at| self.descend(row, at));
            } else {
                self.descend_together(row, &mut at);
            }
            for (lane, at) in at.into_iter().enumerate() {
                self.take(&forest.trees[group * LANES + lane], at, row, sums);
            }
        }
        let rest = groups.remainder();
        let trees = forest.trees.iter().skip(self.roots.len() - rest.len());
        for (tree, &root) in trees.zip(rest) {
            let mut at = root;
            self.descend(row, &mut at);
            self.take(tree, at, row, sums);
        }
    }

    /// Goes down where every question is `x <= threshold`.
    fn descend_together(&self, row: &[f64], at: &mut [u32; LANES]) {
        let mut open = true;
        while open {
            open = false;
            for at in at.iter_mut() {
                let node = self.nodes[*at as usize];
                let inner = u32::from(node.asked & LEAF == 0);
                let x = row[(node.asked & FEATURE) as usize];
                let right = u32::from(x > node.threshold);
                *at = node.first + (right & inner);
                open |= inner != 0;
            }
        }
    }

    /// Goes down with every kind of question.
    fn descend(&self, row: &[f64], at: &mut u32) {
        loop {
            let node = self.nodes[*at as usize];
            if node.asked & LEAF != 0 {
                return;
            }
            let x = row[(node.asked & FEATURE) as usize];
            *at = node.first + u32::from(!self.goes_left(node, x));
        }
    }

    fn goes_left(&self, node: Flat, x: f64) -> bool {
        if node.asked & SET != 0 {
            let (set, with_nan) = &self.sets[node.threshold as usize];
            return contains(set, *with_nan, x);
        }
        let x = if x.is_nan() && node.asked & NAN == 0 { 0.0 } else { x };
        let absent = x.is_nan() || node.asked & ZERO != 0 && x.abs() <= Tree::ZERO;
        if absent { node.asked & LEFT != 0 } else { x <= node.threshold }
    }

    fn take(&self, tree: &Tree, at: u32, row: &[f64], sums: &mut [f64]) {
        let value = self.nodes[at as usize].threshold;
        if tree.width == 1 && tree.linear.is_empty() {
            sums[tree.output] += value;
            return;
        }
        for output in 0..tree.width {
            sums[tree.output + output] += tree.value(value as usize, output, row);
        }
    }
}

/// A leaf: its value, or its number where the tree has several or lines.
fn leaf_of(tree: &Tree, leaf: u32, place: u32) -> Flat {
    let plain = tree.width == 1 && tree.linear.is_empty();
    let threshold = if plain { tree.values[leaf as usize] } else { f64::from(leaf) };
    Flat { threshold, asked: LEAF, first: place }
}
