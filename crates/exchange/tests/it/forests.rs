//! Random forests of every kind, and rows to ask them about.

use fattail_trees::{Child, Feature, Forest, Link, Missing, Node, Rule, Tree};

use crate::hostile::Dice;

/// Features of the forests; the last one is categorical.
const FEATURES: usize = 4;

/// A forest of random trees.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) outputs: usize,
    pub(crate) vectors: bool,
    pub(crate) average: bool,
    pub(crate) link: Link,
    pub(crate) start: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            name: "plain",
            outputs: 1,
            vectors: false,
            average: false,
            link: Link::Identity,
            start: 0.0,
        }
    }
}

/// A forest of each kind that ONNX can hold.
pub(crate) fn plans() -> Vec<Plan> {
    vec![
        Plan::default(),
        Plan { name: "start", start: -1.25, ..Plan::default() },
        Plan { name: "average", average: true, start: 0.5, ..Plan::default() },
        Plan { name: "outputs", outputs: 3, start: 0.25, ..Plan::default() },
        Plan { name: "vectors", outputs: 3, vectors: true, start: 0.1, ..Plan::default() },
        Plan { name: "exp", link: Link::Exp, start: 0.3, ..Plan::default() },
        Plan { name: "sigmoid", link: Link::Sigmoid { scale: 0.7 }, start: 0.3, ..Plan::default() },
        Plan {
            name: "certain",
            link: Link::Sigmoid { scale: 1.0 },
            start: 19.0,
            ..Plan::default()
        },
        Plan { name: "each", outputs: 2, link: Link::Sigmoid { scale: 1.0 }, ..Plan::default() },
        Plan { name: "softmax", outputs: 3, link: Link::Softmax, start: 0.2, ..Plan::default() },
        Plan {
            name: "softmax_vectors",
            outputs: 3,
            vectors: true,
            link: Link::Softmax,
            ..Plan::default()
        },
        Plan { name: "square", link: Link::SignedSquare, ..Plan::default() },
        Plan { name: "softplus", link: Link::Softplus, ..Plan::default() },
    ]
}

impl Plan {
    pub(crate) fn forest(&self) -> Forest {
        let mut dice = Dice::new(5);
        let width = if self.vectors { self.outputs } else { 1 };
        let count = 4 * self.outputs / width;
        let output = |at: usize| if self.vectors { 0 } else { at % self.outputs };
        let name = |at| Feature { name: format!("column {at}"), ..Feature::default() };
        Forest {
            features: (0..FEATURES).map(name).collect(),
            outputs: self.outputs,
            trees: (0..count).map(|at| tree(&mut dice, width, output(at))).collect(),
            start: vec![self.start; self.outputs],
            average: self.average,
            link: self.link,
            ..Forest::default()
        }
    }
}

/// A tree that grows at a random leaf until it has its nodes; the first has none.
fn tree(dice: &mut Dice, width: usize, output: usize) -> Tree {
    let nodes = dice.below(8);
    let mut tree = Tree::constant(vec![0.0; width], output);
    let mut owners: Vec<Option<(usize, bool)>> = vec![None];
    for at in 0..nodes {
        let leaf = dice.below(owners.len());
        let new = Child::Node(at as u32);
        match owners[leaf] {
            Some((owner, true)) => tree.nodes[owner].left = new,
            Some((owner, false)) => tree.nodes[owner].right = new,
            None => {}
        }
        tree.nodes.push(node(dice, Child::Leaf(leaf as u32), Child::Leaf(owners.len() as u32)));
        owners[leaf] = Some((at, true));
        owners.push(Some((at, false)));
    }
    let leaves = owners.len();
    tree.values = (0..leaves * width).map(|_| dice.number()).collect();
    tree.weights = (0..leaves).map(|leaf| leaf as f64).collect();
    tree.counts = vec![3; leaves];
    tree
}

fn node(dice: &mut Dice, left: Child, right: Child) -> Node {
    let feature = dice.below(FEATURES);
    let default_left = dice.below(2) == 0;
    let rule = if feature == FEATURES - 1 {
        let empty = dice.below(5) == 0;
        let words = (0..2).map(|_| if empty { 0 } else { dice.below(1 << 32) as u32 }).collect();
        Rule::Categorical { left: words, missing: Missing::Nan, default_left }
    } else {
        let threshold = if dice.below(6) == 0 { 0.0 } else { dice.number() };
        let missing = [Missing::None, Missing::Zero, Missing::Nan][dice.below(3)];
        // Zero as missing goes the way of zero: no other way has a place in single precision.
        let missing = if threshold == 0.0 { Missing::Nan } else { missing };
        let default_left = if missing == Missing::Zero { threshold > 0.0 } else { default_left };
        Rule::Numeric { threshold, missing, default_left }
    };
    Node {
        feature: feature as u32,
        rule,
        left,
        right,
        gain: 1.5,
        value: 0.0,
        weight: 2.0,
        count: 7,
    }
}

/// Rows of single precision: around thresholds, at zero, and with missing values.
pub(crate) fn rows(forest: &Forest, count: usize) -> Vec<Vec<f64>> {
    let mut dice = Dice::new(11);
    let all = forest.trees.iter().flat_map(|tree| &tree.nodes);
    let cuts: Vec<f64> = all
        .filter_map(|node| match node.rule {
            Rule::Numeric { threshold, .. } => Some(threshold),
            Rule::Categorical { .. } => None,
        })
        .collect();
    let mut value = |at| match (dice.below(6), at) {
        (0, _) => f64::NAN,
        (_, at) if at + 1 == FEATURES => dice.below(80) as f64,
        (1, _) => 0.0,
        (2, _) => -0.0,
        (3, _) if !cuts.is_empty() => f64::from(cuts[dice.below(cuts.len())] as f32),
        _ => f64::from(dice.number() as f32),
    };
    (0..count).map(|_| (0..FEATURES).map(&mut value).collect()).collect()
}
