//! One tree of a CatBoost document: oblivious, or a node within a node.

use fattail_trees::{Child, Missing, Node, Rule, Tree};

use super::features::{Features, Question};
use crate::document::Place;
use crate::{Result, means};

/// The deepest oblivious tree; CatBoost itself allows 16.
const DEPTH: usize = 24;

impl Question {
    /// The node whose answer no leads to `no`.
    fn node(&self, no: Child, yes: Child) -> Node {
        let (left, right) = if self.yes_is_left { (yes, no) } else { (no, yes) };
        let feature = self.feature;
        Node {
            feature,
            rule: self.rule.clone(),
            left,
            right,
            gain: 0.0,
            value: 0.0,
            weight: 0.0,
            count: 0,
        }
    }
}

/// The rule of a border; the missing are those that are NaN.
pub(super) fn above(border: f32, missing_above: bool) -> Rule {
    let threshold = f64::from(border);
    Rule::Numeric { threshold, missing: Missing::Nan, default_left: !missing_above }
}

/// Reads an oblivious tree.
pub(super) fn read_oblivious(place: &Place<'_>, features: &mut Features) -> Result<Tree> {
    let questions: Vec<Question> = match place.find("splits")?.filter(|splits| !splits.is_null()) {
        Some(splits) => {
            splits.items()?.iter().map(|split| features.question(split)).collect::<Result<_>>()?
        }
        None => Vec::new(),
    };
    if questions.len() > DEPTH {
        let reason = format!("{} splits, allowed are 0 to {DEPTH}", questions.len());
        return Err(place.at("splits")?.error(reason));
    }
    let leaves = 1 << questions.len();
    let values = place.at("leaf_values")?;
    let list = values.numbers()?;
    if list.is_empty() || list.len() % leaves != 0 {
        return Err(values.error(format!("{} values of {leaves} leaves", list.len())));
    }
    let width = list.len() / leaves;
    let weights = read_weights(place, leaves)?;
    let mut nodes = Vec::with_capacity(leaves - 1);
    for (level, question) in questions.iter().enumerate() {
        features.charge(question, 1 << level, place)?;
        for at in 0..1_u32 << level {
            nodes.push(question.node(
                child(level + 1, questions.len(), at),
                child(level + 1, questions.len(), at | 1 << level),
            ));
        }
    }
    Ok(finish(nodes, list, weights, width))
}

fn read_weights(place: &Place<'_>, leaves: usize) -> Result<Vec<f64>> {
    let Some(place) = place.find("leaf_weights")?.filter(|weights| !weights.is_null()) else {
        return Ok(vec![0.0; leaves]);
    };
    let weights = place.numbers()?;
    if weights.len() != leaves {
        return Err(place.error(format!("{} weights of {leaves} leaves", weights.len())));
    }
    Ok(weights)
}

/// The place at a level that the bits of the answers above lead to.
fn child(level: usize, depth: usize, answers: u32) -> Child {
    if level == depth { Child::Leaf(answers) } else { Child::Node((1 << level) - 1 + answers) }
}

fn finish(nodes: Vec<Node>, values: Vec<f64>, weights: Vec<f64>, width: usize) -> Tree {
    let counts = vec![0; weights.len()];
    let linear = Vec::new();
    let mut tree =
        Tree { nodes, values, weights, counts, linear, width, output: 0, shrinkage: 1.0 };
    means::fill_weights(&mut tree);
    means::fill_values(&mut tree);
    tree
}

/// A tree that grows node by node.
struct Growing<'a> {
    features: &'a mut Features,
    nodes: Vec<Node>,
    values: Vec<f64>,
    weights: Vec<f64>,
    width: Option<usize>,
}

/// Reads a tree of nodes within nodes.
pub(super) fn read_nested(place: &Place<'_>, features: &mut Features) -> Result<Tree> {
    let (nodes, values, weights) = (Vec::new(), Vec::new(), Vec::new());
    let mut growing = Growing { features, nodes, values, weights, width: None };
    growing.grow(place)?;
    let Growing { nodes, values, weights, width, .. } = growing;
    Ok(finish(nodes, values, weights, width.unwrap_or(1)))
}

impl Growing<'_> {
    /// Adds what stands at a place; the document's own limit of nesting bounds the depth.
    fn grow(&mut self, place: &Place<'_>) -> Result<Child> {
        let Some(split) = place.find("split")? else { return self.leaf(place) };
        let question = self.features.question(&split)?;
        self.features.charge(&question, 1, place)?;
        let at = self.nodes.len();
        self.nodes.push(question.node(Child::Leaf(0), Child::Leaf(0)));
        let no = self.grow(&place.at("left")?)?;
        let yes = self.grow(&place.at("right")?)?;
        self.nodes[at] = question.node(no, yes);
        Ok(Child::Node(at as u32))
    }

    fn leaf(&mut self, place: &Place<'_>) -> Result<Child> {
        let value = place.at("value")?;
        let values = if value.is_array() { value.numbers()? } else { vec![value.number()?] };
        let width = *self.width.get_or_insert(values.len());
        if values.len() != width || width == 0 {
            return Err(value.error(format!("{} values, other leaves have {width}", values.len())));
        }
        self.values.extend(values);
        self.weights.push(place.find("weight")?.map_or(Ok(0.0), |weight| weight.number())?);
        Ok(Child::Leaf(self.weights.len() as u32 - 1))
    }
}
