//! A tree as text for a person, or as a graph for Graphviz.

use std::fmt::{self, Write as _};

use crate::{Child, Forest, Missing, Result, Rule, Tree};

use super::path::tree_of;

/// A drawing of a tree. Its `Display` is indented text.
///
/// ```
/// use fattail_trees::{Forest, Tree, explain::Drawing};
/// let forest = Forest { trees: vec![Tree::constant(vec![0.5], 0)], ..Forest::default() };
/// let drawing = Drawing::new(&forest, 0)?;
/// assert_eq!(drawing.to_string(), "leaf 0: [0.5], 0 rows\n");
/// assert!(drawing.dot().starts_with("digraph tree {"));
/// # Ok::<(), fattail_trees::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Drawing<'a> {
    forest: &'a Forest,
    tree: &'a Tree,
}

impl<'a> Drawing<'a> {
    /// Draws tree `tree` of a forest.
    ///
    /// # Errors
    /// When the forest's parts do not fit together or it has no such tree.
    pub fn new(forest: &'a Forest, tree: usize) -> Result<Self> {
        forest.check()?;
        Ok(Self { forest, tree: tree_of(forest, tree)? })
    }

    /// The tree in Graphviz's language.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph tree {\n    node [shape=box];\n");
        for (_, at) in self.preorder() {
            let label = self.label(at).replace('\\', "\\\\").replace('"', "\\\"");
            let name = dot_name(at);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "    {name} [label=\"{label}\"];");
            if let Child::Node(node) = at {
                let node = &self.tree.nodes[node as usize];
                let (left, right) = (dot_name(node.left), dot_name(node.right));
                let _ = writeln!(out, "    {name} -> {left} [label=\"yes\"];");
                let _ = writeln!(out, "    {name} -> {right} [label=\"no\"];");
            }
        }
        out.push_str("}\n");
        out
    }

    fn label(&self, at: Child) -> String {
        match at {
            Child::Node(index) => {
                let node = &self.tree.nodes[index as usize];
                let name = &self.forest.features[node.feature as usize].name;
                let asked = question(name, &node.rule);
                format!("node {index}: {asked}? gain {}, {} rows", node.gain, node.count)
            }
            Child::Leaf(leaf) => {
                let (values, count) =
                    (self.tree.leaf(leaf as usize), self.tree.counts[leaf as usize]);
                let linear = if self.tree.linear.is_empty() { "" } else { ", linear" };
                format!("leaf {leaf}: {values:?}, {count} rows{linear}")
            }
        }
    }

    /// Nodes and leaves with their depth, each before its left part, that before its right one.
    fn preorder(&self) -> Vec<(usize, Child)> {
        let root = if self.tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        let (mut open, mut order) = (vec![(0, root)], Vec::new());
        while let Some((depth, at)) = open.pop() {
            order.push((depth, at));
            if let Child::Node(node) = at {
                let node = &self.tree.nodes[node as usize];
                open.extend([(depth + 1, node.right), (depth + 1, node.left)]);
            }
        }
        order
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, at) in self.preorder() {
            writeln!(f, "{:indent$}{}", "", self.label(at), indent = 2 * depth)?;
        }
        Ok(())
    }
}

fn dot_name(at: Child) -> String {
    match at {
        Child::Node(node) => format!("node{node}"),
        Child::Leaf(leaf) => format!("leaf{leaf}"),
    }
}

/// What goes left, in words.
pub(super) fn question(name: &str, rule: &Rule) -> String {
    match rule {
        Rule::Numeric { threshold, missing, default_left } => {
            let missing = match missing {
                Missing::None => return format!("{name} <= {threshold}"),
                Missing::Zero => "zero or missing",
                Missing::Nan => "missing",
            };
            let or = if *default_left { "or" } else { "and not" };
            format!("{name} <= {threshold} {or} {missing}")
        }
        Rule::Categorical { left, default_left, .. } => {
            let bits = (0..32 * left.len()).filter(|bit| left[bit / 32] >> (bit % 32) & 1 == 1);
            let list: Vec<String> = bits.map(|bit| bit.to_string()).collect();
            let or = if *default_left { " or missing" } else { "" };
            format!("{name} in {{{}}}{or}", list.join(", "))
        }
    }
}
