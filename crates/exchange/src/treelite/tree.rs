//! One tree of a checkpoint: columns over the nodes, and then the leaves.

use fattail_trees::{Child, Rule, Tree};

use super::{FORMAT, File};
use crate::single::missing_left;
use crate::{Error, Result, categories};

/// The kinds of nodes.
const LEAF: u8 = 0;
const NUMBER: u8 = 1;
const CATEGORY: u8 = 2;
/// Left when at most the threshold.
const AT_MOST: u8 = 3;

/// The columns over the nodes, in the order of the file.
#[derive(Default)]
struct Columns {
    kinds: Vec<u8>,
    left: Vec<i32>,
    right: Vec<i32>,
    features: Vec<i32>,
    default_left: Vec<u8>,
    values: Vec<f64>,
    thresholds: Vec<f64>,
    operators: Vec<u8>,
    vectors: Vec<f64>,
    vector_ends: Vec<u64>,
    categories: Vec<u32>,
    category_ends: Vec<u64>,
    counts: Vec<u64>,
    weights: Vec<f64>,
    gains: Vec<f64>,
}

/// Writes the tree at a position, its leaves divided by `share`.
pub(super) fn put(file: &mut File, at: usize, tree: &Tree, share: f64) -> Result<()> {
    let refuse = |what| Err(Error::Unrepresentable { format: FORMAT, what });
    if !tree.linear.is_empty() {
        return refuse(format!("the lines in the leaves of tree {at}"));
    }
    let mut columns = Columns::default();
    for node in 0..tree.nodes.len() {
        if columns.node(tree, node).is_none() {
            return refuse(format!("zero as a missing value in tree {at}"));
        }
    }
    (0..tree.leaves()).for_each(|leaf| columns.leaf(tree, leaf, share));
    columns.put(file);
    Ok(())
}

fn number_of(child: Child, tree: &Tree) -> i32 {
    match child {
        Child::Node(node) => node as i32,
        Child::Leaf(leaf) => leaf as i32 + tree.nodes.len() as i32,
    }
}

impl Columns {
    /// A node, unless NaN alone cannot stand for what it misses.
    fn node(&mut self, tree: &Tree, at: usize) -> Option<()> {
        let node = &tree.nodes[at];
        let (kind, threshold, operator, default_left) = match &node.rule {
            Rule::Numeric { threshold, missing, default_left } => {
                (NUMBER, *threshold, AT_MOST, missing_left(*threshold, *missing, *default_left)?)
            }
            Rule::Categorical { left, default_left, .. } => {
                self.categories.extend(categories::members(left).map(|category| category as u32));
                (CATEGORY, 0.0, 0, *default_left)
            }
        };
        self.kinds.push(kind);
        self.left.push(number_of(node.left, tree));
        self.right.push(number_of(node.right, tree));
        self.features.push(node.feature as i32);
        self.default_left.push(default_left.into());
        self.values.push(0.0);
        self.thresholds.push(threshold);
        self.operators.push(operator);
        self.counts.push(node.count);
        self.weights.push(node.weight);
        self.gains.push(node.gain);
        self.close();
        Some(())
    }

    fn leaf(&mut self, tree: &Tree, leaf: usize, share: f64) {
        let values = tree.leaf(leaf).iter().map(|value| value / share);
        if tree.width > 1 {
            self.vectors.extend(values);
            self.values.push(0.0);
        } else {
            self.values.extend(values);
        }
        self.kinds.push(LEAF);
        self.left.push(-1);
        self.right.push(-1);
        self.features.push(-1);
        self.default_left.push(0);
        self.thresholds.push(0.0);
        self.operators.push(0);
        self.counts.push(tree.counts[leaf]);
        self.weights.push(tree.weights[leaf]);
        self.gains.push(0.0);
        self.close();
    }

    /// Ends the lists of the latest node.
    fn close(&mut self) {
        self.vector_ends.push(self.vectors.len() as u64);
        self.category_ends.push(self.categories.len() as u64);
    }

    fn put(self, file: &mut File) {
        let count = self.kinds.len();
        let bytes = |list: Vec<u8>| list.into_iter().map(|byte| [byte]);
        let integers = |list: Vec<i32>| list.into_iter().map(i32::to_le_bytes);
        let doubles = |list: Vec<f64>| list.into_iter().map(f64::to_le_bytes);
        let starts = |ends: &[u64]| -> Vec<u64> {
            [0].into_iter().chain(ends.iter().copied()).take(count).collect()
        };
        let longs = |list: Vec<u64>| list.into_iter().map(u64::to_le_bytes);
        file.put((count as i32).to_le_bytes());
        file.put([self.kinds.contains(&CATEGORY).into()]);
        file.list(bytes(self.kinds));
        file.list(integers(self.left));
        file.list(integers(self.right));
        file.list(integers(self.features));
        file.list(bytes(self.default_left));
        file.list(doubles(self.values));
        file.list(doubles(self.thresholds));
        file.list(bytes(self.operators));
        // The listed categories go left.
        file.list(bytes(vec![0; count]));
        file.list(doubles(self.vectors));
        file.list(longs(starts(&self.vector_ends)));
        file.list(longs(self.vector_ends));
        file.list(self.categories.into_iter().map(u32::to_le_bytes));
        file.list(longs(starts(&self.category_ends)));
        file.list(longs(self.category_ends));
        let known = self.counts.iter().any(|&count| count > 0);
        file.list(longs(self.counts));
        file.list(bytes(vec![known.into(); count]));
        for list in [self.weights, self.gains] {
            file.list(doubles(list));
            file.list(bytes(vec![1; count]));
        }
        // No further fields of the tree, none of its nodes.
        file.put([0; 8]);
    }
}
