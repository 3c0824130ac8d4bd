//! One tree of an XGBoost document: the nodes, then the leaves.

use fattail_trees::{Child, Forest, Node, Rule, Tree};
use serde_json::{Value, json};

use super::write::refuse;
use crate::single::Single;
use crate::{Result, categories};

/// The parent of the root.
const NOBODY: i32 = i32::MAX;
/// The condition of a node that has none.
const NO_CONDITION: f32 = f32::from_bits(1);

/// The columns of a tree over its nodes, in the order of their numbers.
#[derive(Default)]
struct Columns {
    left: Vec<i64>,
    right: Vec<i64>,
    parents: Vec<i32>,
    features: Vec<u32>,
    conditions: Vec<Value>,
    default_left: Vec<u8>,
    categorical: Vec<u8>,
    gains: Vec<Value>,
    weights: Vec<Value>,
    base: Vec<Value>,
    categories: Vec<usize>,
    owners: Vec<usize>,
    starts: Vec<usize>,
    sizes: Vec<usize>,
}

/// The document of one tree.
pub(super) fn write_tree(id: usize, tree: &Tree, forest: &Forest) -> Result<Value> {
    if !tree.linear.is_empty() {
        return Err(refuse(format!("the lines in the leaves of tree {id}")));
    }
    if tree.width > 1 && tree.width != forest.outputs {
        let what =
            format!("tree {id} of {} values a leaf in {} outputs", tree.width, forest.outputs);
        return Err(refuse(what));
    }
    let mut columns = Columns { parents: parents(tree), ..Columns::default() };
    for node in &tree.nodes {
        let rule = columns.rule(node);
        rule.ok_or_else(|| refuse(format!("zero as a missing value in tree {id}")))?;
        columns.split(node, tree);
    }
    for leaf in 0..tree.leaves() {
        columns
            .leaf(leaf, tree)
            .ok_or_else(|| refuse(format!("leaf {leaf} of tree {id}, beyond single precision,")))?;
    }
    columns.document(id, tree, forest)
}

/// The number of a child: leaves come after all nodes.
fn number_of(child: Child, tree: &Tree) -> i64 {
    match child {
        Child::Node(node) => i64::from(node),
        Child::Leaf(leaf) => i64::from(leaf) + tree.nodes.len() as i64,
    }
}

fn parents(tree: &Tree) -> Vec<i32> {
    let mut parents = vec![NOBODY; tree.nodes.len() + tree.leaves()];
    for (at, node) in tree.nodes.iter().enumerate() {
        for child in [node.left, node.right] {
            parents[number_of(child, tree) as usize] = at as i32;
        }
    }
    parents
}

impl Columns {
    /// The rule of a node, unless single precision cannot hold it.
    fn rule(&mut self, node: &Node) -> Option<()> {
        let (condition, default_left) = match &node.rule {
            Rule::Numeric { threshold, missing, default_left } => {
                let single = Single::new(*threshold, *missing, *default_left)?;
                (single.above(), single.default_left)
            }
            // An empty set sends all to one side, which XGBoost says by a number below all others.
            Rule::Categorical { left, default_left, .. } if left.iter().all(|&word| word == 0) => {
                (f32::MIN, *default_left)
            }
            Rule::Categorical { left, default_left, .. } => {
                self.owners.push(self.left.len());
                self.starts.push(self.categories.len());
                self.categories.extend(categories::members(left));
                self.sizes.push(self.categories.len() - self.starts[self.starts.len() - 1]);
                (NO_CONDITION, !default_left)
            }
        };
        self.conditions.push(number(condition));
        self.default_left.push(default_left.into());
        self.categorical.push((self.owners.last() == Some(&self.left.len())).into());
        Some(())
    }

    fn split(&mut self, node: &Node, tree: &Tree) {
        let swapped = self.owners.last() == Some(&self.left.len());
        let (left, right) = if swapped { (node.right, node.left) } else { (node.left, node.right) };
        self.left.push(number_of(left, tree));
        self.right.push(number_of(right, tree));
        self.features.push(node.feature);
        self.gains.push(information(node.gain));
        self.weights.push(information(node.weight));
        self.base.extend((0..tree.width).map(|_| information(node.value)));
    }

    /// A leaf, unless its value is beyond single precision.
    fn leaf(&mut self, leaf: usize, tree: &Tree) -> Option<()> {
        let values = tree.leaf(leaf).iter().map(|&x| x as f32);
        let values: Vec<Value> =
            values.map(|x| x.is_finite().then(|| number(x))).collect::<Option<_>>()?;
        self.left.push(-1);
        self.right.push(if tree.width > 1 { leaf as i64 } else { -1 });
        self.features.push(0);
        self.conditions.push(match &values[..] {
            [value] => value.clone(),
            _ => number(NO_CONDITION),
        });
        self.default_left.push(0);
        self.categorical.push(0);
        self.gains.push(number(0.0));
        self.weights.push(information(tree.weights[leaf]));
        self.base.extend(values);
        Some(())
    }

    fn document(self, id: usize, tree: &Tree, forest: &Forest) -> Result<Value> {
        let count = self.left.len();
        if i32::try_from(count).is_err() {
            return Err(refuse(format!("tree {id} of {count} nodes")));
        }
        let mut document = json!({
            "categories": self.categories,
            "categories_nodes": self.owners,
            "categories_segments": self.starts,
            "categories_sizes": self.sizes,
            "default_left": self.default_left,
            "id": id,
            "left_children": self.left,
            "loss_changes": self.gains,
            "parents": self.parents,
            "right_children": self.right,
            "split_conditions": self.conditions,
            "split_indices": self.features,
            "split_type": self.categorical,
            "sum_hessian": self.weights,
            "tree_param": {
                "num_deleted": "0",
                "num_feature": forest.features.len().to_string(),
                "num_nodes": count.to_string(),
                "size_leaf_vector": tree.width.to_string(),
            },
        });
        if tree.width > 1 {
            document["leaf_weights"] = self.base[tree.nodes.len() * tree.width..].into();
        }
        document["base_weights"] = self.base.into();
        Ok(document)
    }
}

/// A number that predictions do not depend on, as near as single precision holds it.
fn information(x: f64) -> Value {
    let x = if x.is_nan() { 0.0 } else { x as f32 };
    number(x.clamp(f32::MIN, f32::MAX))
}

/// A number of single precision with no more digits than it needs.
fn number(x: f32) -> Value {
    let short = x.to_string().parse::<f64>().ok().filter(|&short| short as f32 == x);
    short.unwrap_or(f64::from(x)).into()
}
