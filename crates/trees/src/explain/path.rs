//! The way of a row through a tree.

use std::fmt;

use crate::{Child, Error, Forest, Result, Rule};

use super::draw::question;

/// A node that a row came by.
#[derive(Debug, Clone, PartialEq)]
pub struct PathStep<'a> {
    /// The node.
    pub node: usize,
    /// The feature asked about.
    pub feature: usize,
    /// Its name.
    pub name: &'a str,
    /// The question.
    pub rule: &'a Rule,
    /// The row's value.
    pub value: f64,
    /// Whether the row went left.
    pub left: bool,
}

/// The way of a row through a tree. Its `Display` tells it in words, a line a node.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionPath<'a> {
    /// The tree.
    pub tree: usize,
    /// The nodes, from the root.
    pub steps: Vec<PathStep<'a>>,
    /// The leaf at the end.
    pub leaf: usize,
    /// What the leaf adds to the outputs.
    pub values: Vec<f64>,
}

impl<'a> DecisionPath<'a> {
    /// The way of `row` through tree `tree` of a forest.
    ///
    /// # Errors
    /// When the forest's parts do not fit together, it has no such tree, or the row has another
    /// width than the features.
    pub fn new(forest: &'a Forest, tree: usize, row: &[f64]) -> Result<Self> {
        forest.check()?;
        let (given, expected) = (row.len(), forest.features.len());
        if given != expected {
            return Err(Error::Width { given, expected });
        }
        let position = tree;
        let tree = tree_of(forest, position)?;
        let mut steps = Vec::new();
        let mut at = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        let leaf = loop {
            let index = match at {
                Child::Leaf(leaf) => break leaf as usize,
                Child::Node(node) => node as usize,
            };
            let node = &tree.nodes[index];
            let feature = node.feature as usize;
            let (value, name) = (row[feature], forest.features[feature].name.as_str());
            let left = node.rule.goes_left(value);
            steps.push(PathStep { node: index, feature, name, rule: &node.rule, value, left });
            at = if left { node.left } else { node.right };
        };
        let values = (0..tree.width).map(|at| tree.value(leaf, at, row)).collect();
        Ok(Self { tree: position, steps, leaf, values })
    }
}

/// A tree by its position.
pub(super) fn tree_of(forest: &Forest, tree: usize) -> Result<&crate::Tree> {
    forest.trees.get(tree).ok_or_else(|| Error::Forest {
        name: "the position of the tree",
        given: tree.to_string(),
        allowed: format!("below {}", forest.trees.len()),
    })
}

impl fmt::Display for DecisionPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let asked = question(step.name, step.rule);
            let answer = if step.left { "yes" } else { "no" };
            writeln!(f, "node {}: {asked}? {} = {}: {answer}", step.node, step.name, step.value)?;
        }
        write!(f, "leaf {}: {:?}", self.leaf, self.values)
    }
}
