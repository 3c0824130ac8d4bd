//! The block of one tree, written in LightGBM's order of keys: 22 lines at most.

use std::fmt::{Display, Write};

use fattail_trees::{Child, LinearLeaf, Missing, Node, Rule, Tree};

use super::layout::cannot;
use super::number::{push_general, push_short};
use crate::Result;

/// The block of tree number `at`, which has one value a leaf.
pub(super) fn tree_text(at: usize, tree: &Tree) -> Result<String> {
    let (nodes, leaves) = (&tree.nodes, tree.leaves());
    if let Some(node) = nodes.iter().position(|node| sends_missing_left(&node.rule)) {
        return Err(cannot(format!(
            "node {node} of tree {at}, whose categories send missing values left,"
        )));
    }
    let mut text = format!("Tree={at}\n");
    let out = &mut text;
    integers(out, "num_leaves", [leaves]);
    integers(out, "num_cat", [nodes.iter().filter_map(set).count()]);
    integers(out, "split_feature", nodes.iter().map(|node| node.feature));
    short(out, "split_gain", nodes.iter().map(|node| node.gain));
    thresholds(out, nodes);
    integers(out, "decision_type", nodes.iter().map(|node| kind(&node.rule)));
    integers(out, "left_child", nodes.iter().map(|node| link(node.left)));
    integers(out, "right_child", nodes.iter().map(|node| link(node.right)));
    long(out, "leaf_value", tree.values.iter().copied());
    // LightGBM keeps no weight of a tree without a split, but of a linear one it reads it.
    let kept = !nodes.is_empty() || !tree.linear.is_empty() || tree.weights[0].to_bits() != 0;
    let weights = if kept { &tree.weights[..] } else { &[] };
    long(out, "leaf_weight", weights.iter().copied());
    integers(out, "leaf_count", &tree.counts);
    short(out, "internal_value", nodes.iter().map(|node| node.value));
    short(out, "internal_weight", nodes.iter().map(|node| node.weight));
    integers(out, "internal_count", nodes.iter().map(|node| node.count));
    sets(out, nodes);
    integers(out, "is_linear", [u8::from(!tree.linear.is_empty())]);
    if !tree.linear.is_empty() {
        linear(out, &tree.linear);
    }
    short(out, "shrinkage", [tree.shrinkage].into_iter());
    text.push_str("\n\n");
    Ok(text)
}

fn sends_missing_left(rule: &Rule) -> bool {
    matches!(rule, Rule::Categorical { default_left: true, .. })
}

fn set(node: &Node) -> Option<&[u32]> {
    match &node.rule {
        Rule::Categorical { left, .. } => Some(left),
        Rule::Numeric { .. } => None,
    }
}

fn kind(rule: &Rule) -> u8 {
    let (first, missing) = match rule {
        Rule::Numeric { missing, default_left, .. } => (2 * u8::from(*default_left), missing),
        Rule::Categorical { missing, .. } => (1, missing),
    };
    let missing = match missing {
        Missing::None => 0,
        Missing::Zero => 4,
        Missing::Nan => 8,
    };
    first + missing
}

fn link(child: Child) -> i64 {
    match child {
        Child::Node(node) => i64::from(node),
        Child::Leaf(leaf) => -1 - i64::from(leaf),
    }
}

/// `key=a b c`, each value by `push`.
fn line<T>(
    out: &mut String,
    key: &str,
    values: impl IntoIterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    out.push_str(key);
    out.push('=');
    spaced(out, values, push);
    out.push('\n');
}

fn spaced<T>(out: &mut String, values: impl IntoIterator<Item = T>, push: impl Fn(&mut String, T)) {
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        push(out, value);
    }
}

fn integers<T: Display>(out: &mut String, key: &str, values: impl IntoIterator<Item = T>) {
    line(out, key, values, |out, value| {
        out.write_fmt(format_args!("{value}")).expect("writing to a string does not fail");
    });
}

fn long(out: &mut String, key: &str, values: impl Iterator<Item = f64>) {
    line(out, key, values, |out, value| push_general(out, normal(value), 17));
}

fn short(out: &mut String, key: &str, values: impl Iterator<Item = f64>) {
    line(out, key, values, |out, value| push_short(out, normal(value)));
}

/// LightGBM aborts on a subnormal number; it takes whatever is within 1e-35 of zero as zero anyway.
fn normal(x: f64) -> f64 {
    if x.is_subnormal() { 0.0 } else { x }
}

/// Of a categorical node the number of its set stands in the threshold's place.
fn thresholds(out: &mut String, nodes: &[Node]) {
    let mut sets = 0.0;
    let thresholds = nodes.iter().map(|node| match node.rule {
        Rule::Numeric { threshold, .. } => threshold,
        Rule::Categorical { .. } => {
            sets += 1.0;
            sets - 1.0
        }
    });
    long(out, "threshold", thresholds);
}

fn sets(out: &mut String, nodes: &[Node]) {
    let sets: Vec<&[u32]> = nodes.iter().filter_map(set).collect();
    if sets.is_empty() {
        return;
    }
    let ends = sets.iter().scan(0, |end, set| {
        *end += set.len();
        Some(*end)
    });
    integers(out, "cat_boundaries", std::iter::once(0).chain(ends));
    integers(out, "cat_threshold", sets.iter().copied().flatten());
}

fn linear(out: &mut String, leaves: &[LinearLeaf]) {
    long(out, "leaf_const", leaves.iter().map(|leaf| leaf.constant));
    integers(out, "num_features", leaves.iter().map(|leaf| leaf.terms.len()));
    terms(out, "leaf_features", leaves, |out, term| out.push_str(&term.0.to_string()));
    terms(out, "leaf_coeff", leaves, |out, term| push_general(out, normal(term.1), 17));
}

/// Terms of a leaf are followed by two spaces, those of a leaf without any by one.
fn terms(
    out: &mut String,
    key: &str,
    leaves: &[LinearLeaf],
    push: impl Fn(&mut String, &(u32, f64)),
) {
    out.push_str(key);
    out.push('=');
    for leaf in leaves {
        spaced(out, &leaf.terms, &push);
        out.push_str(if leaf.terms.is_empty() { " " } else { "  " });
    }
    out.push('\n');
}
