//! The node `TreeEnsembleRegressor`: columns over the nodes of all trees.
//!
//! The nodes of a tree keep their numbers, its leaves follow. A rule on categories is a chain of questions
//! `x = c`, all of whose answers yes lead to one child; the first question sends NaN its way.

use fattail_trees::{Child, Forest, Node, Rule, Tree};

use super::FORMAT;
use super::protobuf::Message;
use crate::single::Single;
use crate::{Error, Result, categories};

/// The kinds of attributes.
const INT: u64 = 2;
const STRING: u64 = 3;
const FLOATS: u64 = 6;
const INTS: u64 = 7;
const STRINGS: u64 = 8;

/// The columns of the node.
#[derive(Debug, Default)]
pub(super) struct Ensemble {
    outputs: usize,
    base: Vec<f32>,
    trees: Vec<u64>,
    nodes: Vec<u64>,
    features: Vec<u64>,
    modes: Vec<&'static str>,
    values: Vec<f32>,
    yes: Vec<u64>,
    no: Vec<u64>,
    missing_yes: Vec<u64>,
    target_trees: Vec<u64>,
    target_nodes: Vec<u64>,
    targets: Vec<u64>,
    weights: Vec<f32>,
}

/// A question and where its answers lead.
struct Question {
    feature: u64,
    mode: &'static str,
    value: f32,
    yes: u64,
    no: u64,
    missing_yes: bool,
}

impl Ensemble {
    /// The columns of a forest.
    pub(super) fn new(forest: &Forest) -> Result<Self> {
        let share = if forest.average { forest.iterations().max(1) as f64 } else { 1.0 };
        let mut ensemble = Self { outputs: forest.outputs, ..Self::default() };
        for &start in &forest.start {
            ensemble.base.push(single(start, || "a start".into())?);
        }
        if forest.trees.is_empty() {
            ensemble.tree(0, &Tree::constant(vec![0.0; forest.outputs], 0), share)?;
        }
        for (at, tree) in forest.trees.iter().enumerate() {
            ensemble.tree(at, tree, share)?;
        }
        Ok(ensemble)
    }

    fn tree(&mut self, at: usize, tree: &Tree, share: f64) -> Result<()> {
        if !tree.linear.is_empty() {
            return Err(refuse(format!("the lines in the leaves of tree {at}")));
        }
        let mut next = (tree.nodes.len() + tree.leaves()) as u64;
        for (number, node) in tree.nodes.iter().enumerate() {
            self.split((at as u64, number as u64), node, tree, &mut next)?;
        }
        for leaf in 0..tree.leaves() {
            let number = (tree.nodes.len() + leaf) as u64;
            self.question((at as u64, number), &LEAF);
            for (output, value) in (tree.output..).zip(tree.leaf(leaf)) {
                let name = || format!("leaf {leaf} of tree {at}, beyond single precision,");
                self.weights.push(single(value / share, name)?);
                self.target_trees.push(at as u64);
                self.target_nodes.push(number);
                self.targets.push(output as u64);
            }
        }
        Ok(())
    }

    fn split(
        &mut self,
        (at, number): (u64, u64),
        node: &Node,
        tree: &Tree,
        next: &mut u64,
    ) -> Result<()> {
        let (yes, no) = (number_of(node.left, tree), number_of(node.right, tree));
        let feature = u64::from(node.feature);
        match &node.rule {
            Rule::Numeric { threshold, missing, default_left } => {
                let rule = Single::new(*threshold, *missing, *default_left);
                let rule =
                    rule.ok_or_else(|| refuse(format!("zero as a missing value in tree {at}")))?;
                let (value, missing_yes) = (rule.threshold, rule.default_left);
                let mode = "BRANCH_LEQ";
                self.question(
                    (at, number),
                    &Question { feature, mode, value, yes, no, missing_yes },
                );
            }
            Rule::Categorical { left, default_left, .. } => {
                let mut number = number;
                let mut missing_yes = *default_left;
                let mut members = categories::members(left).peekable();
                if members.peek().is_none() {
                    let (mode, value) = ("BRANCH_LT", f32::MIN);
                    let question = Question { feature, mode, value, yes, no, missing_yes };
                    self.question((at, number), &question);
                }
                while let Some(category) = members.next() {
                    let last = members.peek().is_none();
                    let (mode, value) = ("BRANCH_EQ", category as f32);
                    let no = if last { no } else { *next };
                    let question = Question { feature, mode, value, yes, no, missing_yes };
                    self.question((at, number), &question);
                    missing_yes = false;
                    if !last {
                        number = *next;
                        *next += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn question(&mut self, (tree, number): (u64, u64), question: &Question) {
        self.trees.push(tree);
        self.nodes.push(number);
        self.features.push(question.feature);
        self.modes.push(question.mode);
        self.values.push(question.value);
        self.yes.push(question.yes);
        self.no.push(question.no);
        self.missing_yes.push(question.missing_yes.into());
    }

    /// The node of the graph.
    pub(super) fn node(&self, input: &str, output: &str) -> Message {
        let mut node = super::node("TreeEnsembleRegressor", &[input], output);
        let integers = [
            ("nodes_treeids", &self.trees),
            ("nodes_nodeids", &self.nodes),
            ("nodes_featureids", &self.features),
            ("nodes_truenodeids", &self.yes),
            ("nodes_falsenodeids", &self.no),
            ("nodes_missing_value_tracks_true", &self.missing_yes),
            ("target_treeids", &self.target_trees),
            ("target_nodeids", &self.target_nodes),
            ("target_ids", &self.targets),
        ];
        for (name, values) in integers {
            node.message(5, &attribute(name, INTS, |attribute| attribute.numbers(8, values)));
        }
        let singles = [
            ("nodes_values", &self.values),
            ("target_weights", &self.weights),
            ("base_values", &self.base),
        ];
        for (name, values) in singles.into_iter().filter(|(_, values)| !values.is_empty()) {
            node.message(5, &attribute(name, FLOATS, |attribute| attribute.singles(7, values)));
        }
        node.message(
            5,
            &attribute("nodes_modes", STRINGS, |attribute| {
                self.modes.iter().for_each(|mode| attribute.text(9, mode));
            }),
        );
        let outputs = self.outputs as u64;
        node.message(5, &attribute("n_targets", INT, |attribute| attribute.number(3, outputs)));
        for (name, value) in [("aggregate_function", "SUM"), ("post_transform", "NONE")] {
            node.message(5, &attribute(name, STRING, |attribute| attribute.text(4, value)));
        }
        node.text(7, "ai.onnx.ml");
        node
    }
}

const LEAF: Question =
    Question { feature: 0, mode: "LEAF", value: 0.0, yes: 0, no: 0, missing_yes: false };

fn attribute(name: &str, kind: u64, fill: impl FnOnce(&mut Message)) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name);
    fill(&mut attribute);
    attribute.number(20, kind);
    attribute
}

fn number_of(child: Child, tree: &Tree) -> u64 {
    match child {
        Child::Node(node) => u64::from(node),
        Child::Leaf(leaf) => u64::from(leaf) + tree.nodes.len() as u64,
    }
}

fn refuse(what: String) -> Error {
    Error::Unrepresentable { format: FORMAT, what }
}

/// A number in single precision, unless it is beyond.
fn single(x: f64, name: impl Fn() -> String) -> Result<f32> {
    let near = x as f32;
    if near.is_finite() { Ok(near) } else { Err(refuse(name())) }
}
