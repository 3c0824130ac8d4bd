//! Decodes what is written with a reader of its own and asks the decoded trees.
//!
//! The runtime itself is asked by `reference/onnx/check.py`. Predictions agree within 1e-5: the decoded
//! trees are summed in double precision, but the leaves are single.

use std::collections::HashMap;

use fattail_exchange::{Error, onnx};
use fattail_trees::{Forest, Link, Missing, Rule};

use crate::forests::{plans, rows};

/// The fields of a message: numbers, or bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let number = varint(&mut bytes);
        let length = if key & 7 == 2 { number as usize } else { 0 };
        let (inside, rest) = bytes.split_at(length);
        bytes = rest;
        list.push((key >> 3, number, inside));
    }
    list
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            break;
        }
    }
    value
}

fn all(message: &[u8], field: u64) -> Vec<&[u8]> {
    fields(message).into_iter().filter(|part| part.0 == field).map(|part| part.2).collect()
}

fn text(message: &[u8], field: u64) -> String {
    all(message, field)
        .first()
        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
        .unwrap_or_default()
}

fn integers(mut bytes: &[u8]) -> Vec<usize> {
    let mut list = Vec::new();
    while !bytes.is_empty() {
        list.push(varint(&mut bytes) as usize);
    }
    list
}

fn singles(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

/// What the bytes say.
struct Decoded {
    operators: Vec<String>,
    integers: HashMap<String, Vec<usize>>,
    singles: HashMap<String, Vec<f32>>,
    modes: Vec<String>,
    scale: f32,
}

fn decode(bytes: &[u8]) -> Decoded {
    let graph = all(bytes, 7)[0];
    let nodes = all(graph, 1);
    let mut decoded = Decoded {
        operators: nodes.iter().map(|node| text(node, 4)).collect(),
        integers: HashMap::new(),
        singles: HashMap::new(),
        modes: Vec::new(),
        scale: all(graph, 5).first().map_or(1.0, |scale| singles(all(scale, 4)[0])[0]),
    };
    for attribute in all(nodes[0], 5) {
        let name = text(attribute, 1);
        match fields(attribute).iter().find(|part| part.0 == 20).unwrap().1 {
            6 => drop(decoded.singles.insert(name, singles(all(attribute, 7)[0]))),
            7 => drop(decoded.integers.insert(name, integers(all(attribute, 8)[0]))),
            8 => {
                let modes = all(attribute, 9).into_iter();
                decoded.modes =
                    modes.map(|mode| String::from_utf8(mode.to_vec()).unwrap()).collect();
            }
            _ => {}
        }
    }
    decoded
}

impl Decoded {
    fn raw(&self, row: &[f64], outputs: usize) -> Vec<f64> {
        let (trees, nodes) = (&self.integers["nodes_treeids"], &self.integers["nodes_nodeids"]);
        let places: HashMap<(usize, usize), usize> =
            trees.iter().copied().zip(nodes.iter().copied()).zip(0..).collect();
        let mut raw: Vec<f64> = match self.singles.get("base_values") {
            Some(base) => base.iter().map(|&x| f64::from(x)).collect(),
            None => vec![0.0; outputs],
        };
        for tree in 0..=*trees.iter().max().unwrap() {
            let leaf = self.find(&places, tree, row);
            let targets =
                self.integers["target_treeids"].iter().zip(&self.integers["target_nodeids"]);
            for (at, place) in targets.enumerate() {
                if place == (&tree, &leaf) {
                    raw[self.integers["target_ids"][at]] +=
                        f64::from(self.singles["target_weights"][at]);
                }
            }
        }
        raw
    }

    fn find(&self, places: &HashMap<(usize, usize), usize>, tree: usize, row: &[f64]) -> usize {
        let mut node = 0;
        loop {
            let at = places[&(tree, node)];
            let x = row[self.integers["nodes_featureids"][at]] as f32;
            let value = self.singles["nodes_values"][at];
            let yes = match self.modes[at].as_str() {
                "BRANCH_LEQ" => x <= value,
                "BRANCH_LT" => x < value,
                "BRANCH_EQ" => x == value,
                _ => return node,
            };
            let missing = x.is_nan() && self.integers["nodes_missing_value_tracks_true"][at] == 1;
            let side = if yes || missing { "nodes_truenodeids" } else { "nodes_falsenodeids" };
            node = self.integers[side][at];
        }
    }
}

#[test]
fn the_decoded_model_predicts_like_the_forest() {
    for plan in plans() {
        let forest = plan.forest();
        let decoded = decode(&onnx::write(&forest).unwrap());
        for row in rows(&forest, 300) {
            let raw = forest.raw_row(&row).unwrap();
            for (x, y) in decoded.raw(&row, forest.outputs).iter().zip(&raw) {
                assert!((x - y).abs() <= 1e-5 * (1.0 + y.abs()), "{}: {x} for {y}", plan.name);
            }
        }
    }
}

#[test]
fn links_are_nodes() {
    let operators = |link| {
        let forest = Forest { link, ..plans()[0].forest() };
        let decoded = decode(&onnx::write(&forest).unwrap());
        assert_eq!(decoded.operators[0], "TreeEnsembleRegressor");
        (decoded.operators[1..].join(" "), decoded.scale)
    };
    assert_eq!(operators(Link::Identity), (String::new(), 1.0));
    assert_eq!(operators(Link::SignedSquare), ("Abs Mul".into(), 1.0));
    assert_eq!(operators(Link::Sigmoid { scale: 0.5 }), ("Mul Sigmoid".into(), 0.5));
    assert_eq!(operators(Link::Softmax), ("Softmax".into(), 1.0));
    assert_eq!(operators(Link::Softplus), ("Softplus".into(), 1.0));
    assert_eq!(operators(Link::Exp), ("Exp".into(), 1.0));
}

#[test]
fn a_forest_without_trees_predicts_its_start() {
    let forest = Forest { outputs: 2, start: vec![1.0, -2.0], ..Forest::default() };
    assert_eq!(decode(&onnx::write(&forest).unwrap()).raw(&[0.0], 2), [1.0, -2.0]);
}

#[test]
fn what_onnx_has_no_place_for_is_refused() {
    let refused = |forest: &Forest, part: &str| {
        let error = onnx::write(forest).unwrap_err();
        assert!(matches!(error, Error::Unrepresentable { format: "ONNX", .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    let split = || {
        let mut forest = plans()[0].forest();
        forest.trees.retain(|tree| !tree.nodes.is_empty());
        forest
    };
    let mut zero = split();
    zero.trees[0].nodes[0].feature = 0;
    zero.trees[0].nodes[0].rule =
        Rule::Numeric { threshold: 0.5, missing: Missing::Zero, default_left: false };
    refused(&zero, "zero as a missing value in tree 0");
    let mut linear = split();
    linear.trees[0].linear = vec![Default::default(); linear.trees[0].leaves()];
    refused(&linear, "lines in the leaves of tree 0");
    let mut large = split();
    large.trees[0].values[0] = -1e39;
    refused(&large, "leaf 0 of tree 0");
    refused(&Forest { start: vec![1e39], ..split() }, "a start");
}
