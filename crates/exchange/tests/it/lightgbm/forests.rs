//! Random forests of every kind that the format knows.

use fattail_trees::{Child, Feature, Forest, Info, LinearLeaf, Link, Missing, Node, Rule, Tree};
use proptest::collection::vec;
use proptest::prelude::*;

const MISSING: [Missing; 3] = [Missing::None, Missing::Zero, Missing::Nan];

/// Any finite number but the subnormal, and often a plain one.
pub(super) fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::NORMAL | prop::num::f64::ZERO,
        -1e3..1e3,
        (-1000..1000).prop_map(f64::from),
        Just(Tree::ZERO),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let numeric =
        (number(), 0..3_usize, any::<bool>()).prop_map(|(threshold, missing, default_left)| {
            Rule::Numeric { threshold, missing: MISSING[missing], default_left }
        });
    let categorical = (vec(any::<u32>(), 0..4), 0..3_usize).prop_map(|(left, missing)| {
        Rule::Categorical { left: left.into(), missing: MISSING[missing], default_left: false }
    });
    prop_oneof![3 => numeric, 1 => categorical]
}

fn node(features: u32) -> impl Strategy<Value = Node> {
    (0..features, rule(), number(), number(), number(), any::<u32>()).prop_map(
        |(feature, rule, gain, value, weight, count)| Node {
            feature,
            rule,
            left: Child::Leaf(0),
            right: Child::Leaf(0),
            gain,
            value,
            weight,
            count: count.into(),
        },
    )
}

/// Splits a leaf chosen by each number, as growth does: the left child keeps the leaf's number.
fn grow(mut nodes: Vec<Node>, choices: &[usize]) -> Vec<Node> {
    let mut owner: Vec<Option<(usize, bool)>> = vec![None];
    for at in 0..nodes.len() {
        let leaf = choices[at] % owner.len();
        if let Some((parent, left)) = owner[leaf] {
            let child = Child::Node(at as u32);
            if left { nodes[parent].left = child } else { nodes[parent].right = child }
        }
        nodes[at].left = Child::Leaf(leaf as u32);
        nodes[at].right = Child::Leaf(owner.len() as u32);
        owner[leaf] = Some((at, true));
        owner.push(Some((at, false)));
    }
    nodes
}

fn lines(features: u32, leaves: usize) -> impl Strategy<Value = Vec<LinearLeaf>> {
    let line = (number(), vec((0..features, number()), 0..3));
    let line = line.prop_map(|(constant, terms)| LinearLeaf { constant, terms });
    prop_oneof![2 => Just(Vec::new()), 1 => vec(line, leaves)]
}

fn tree(features: u32, width: usize) -> impl Strategy<Value = Tree> {
    (0..6_usize).prop_flat_map(move |count| {
        let leaves = count + 1;
        let nodes = (vec(node(features), count), vec(any::<usize>(), count));
        let linear = lines(features, if width == 1 { leaves } else { 0 });
        let values =
            (vec(number(), leaves * width), vec(number(), leaves), vec(any::<u32>(), leaves));
        (nodes, values, linear, number()).prop_map(move |(nodes, values, linear, shrinkage)| Tree {
            nodes: grow(nodes.0, &nodes.1),
            values: values.0,
            weights: values.1,
            counts: values.2.into_iter().map(u64::from).collect(),
            linear,
            width,
            output: 0,
            shrinkage,
        })
    })
}

fn info() -> impl Strategy<Value = Info> {
    prop_oneof![
        Just(Info::Unused),
        (number(), number()).prop_map(|(min, max)| Info::Range { min, max }),
        vec(any::<i32>(), 1..4).prop_map(|list| Info::Categories { list }),
    ]
}

fn feature() -> impl Strategy<Value = Feature> {
    let name = "[^\\s\\p{C}=]{1,8}";
    (name, info(), -1..=1_i8).prop_map(|(name, info, monotone)| Feature { name, info, monotone })
}

fn link(outputs: usize) -> impl Strategy<Value = Link> {
    let sigmoid = (1e-3..1e3).prop_map(|scale| Link::Sigmoid { scale });
    let one = prop_oneof![Just(Link::SignedSquare), Just(Link::Exp), Just(Link::Softplus)];
    let single = if outputs == 1 { one.boxed() } else { Just(Link::Softmax).boxed() };
    prop_oneof![Just(Link::Identity), sigmoid, single]
}

fn with_link(mut forest: Forest) -> Forest {
    forest.objective = match forest.link {
        Link::Identity => String::new(),
        Link::SignedSquare => "regression sqrt".into(),
        Link::Exp => "poisson".into(),
        Link::Softplus => "cross_entropy_lambda".into(),
        Link::Softmax => format!("multiclass num_class:{}", forest.outputs),
        Link::Sigmoid { scale } => {
            // Six digits always come back; more is the subject of a test of its own.
            let scale = format!("{scale:.3}").parse::<f64>().unwrap();
            forest.link = Link::Sigmoid { scale };
            match forest.outputs {
                1 => format!("binary sigmoid:{scale}"),
                outputs => format!("multiclassova num_class:{outputs} sigmoid:{scale}"),
            }
        }
    };
    forest
}

/// A forest whose structure LightGBM has too: it comes back in every bit.
pub(super) fn forest() -> impl Strategy<Value = Forest> {
    (1..4_u32, 1..4_usize, 0..4_usize).prop_flat_map(|(features, outputs, iterations)| {
        let trees = vec(tree(features, 1), outputs * iterations);
        let parameters = vec(("[a-z_]{1,8}", "[ -~]{0,8}"), 0..3);
        let parts =
            (vec(feature(), features as usize), trees, any::<bool>(), link(outputs), parameters);
        parts.prop_map(move |(features, mut trees, average, link, parameters)| {
            trees.iter_mut().enumerate().for_each(|(at, tree)| tree.output = at % outputs);
            let average = average && !trees.is_empty();
            let start = Vec::new();
            let objective = String::new();
            with_link(Forest {
                features,
                outputs,
                trees,
                start,
                average,
                link,
                objective,
                parameters,
            })
        })
    })
}

/// A forest with what LightGBM lacks: trees of several outputs, and a start.
pub(super) fn strange() -> impl Strategy<Value = Forest> {
    (forest(), 1..4_usize, 1..4_usize).prop_flat_map(|(plain, outputs, count)| {
        let features = plain.features.len() as u32;
        let parts = (vec(tree(features, outputs), count), vec(-2.0..2.0, outputs));
        parts.prop_map(move |(trees, start)| {
            let (objective, link) = (String::new(), Link::Identity);
            Forest { outputs, trees, start, objective, link, ..plain.clone() }
        })
    })
}

/// A value that a row may hold.
pub(super) fn value() -> impl Strategy<Value = f64> {
    prop_oneof![Just(f64::NAN), Just(0.0), (-40..140).prop_map(f64::from), -3.0..3.0]
}
