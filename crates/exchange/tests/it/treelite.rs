//! Decodes what is written with a reader of its own and asks the decoded trees, which must sum to the same
//! bits: thresholds and leaves are doubles. Treelite itself is asked by `reference/treelite/check.py`.

use fattail_exchange::{Error, treelite};
use fattail_trees::{Forest, Missing, Rule};

use crate::forests::{plans, rows};

/// The bytes that are left.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (first, rest) = self.0.split_at(N);
        self.0 = rest;
        first.try_into().unwrap()
    }

    fn integer(&mut self) -> i32 {
        i32::from_le_bytes(self.take())
    }

    fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn list<const N: usize, T>(&mut self, of: fn([u8; N]) -> T) -> Vec<T> {
        (0..self.long()).map(|_| of(self.take())).collect()
    }
}

struct Decoded {
    transform: String,
    outputs: usize,
    targets: Vec<i32>,
    classes: Vec<i32>,
    start: Vec<f64>,
    trees: Vec<DecodedTree>,
}

struct DecodedTree {
    kinds: Vec<[u8; 1]>,
    left: Vec<i32>,
    right: Vec<i32>,
    features: Vec<i32>,
    default_left: Vec<[u8; 1]>,
    values: Vec<f64>,
    thresholds: Vec<f64>,
    vectors: Vec<f64>,
    vector_starts: Vec<u64>,
    vector_ends: Vec<u64>,
    categories: Vec<u32>,
    category_starts: Vec<u64>,
    category_ends: Vec<u64>,
}

fn decode(bytes: &[u8]) -> Decoded {
    let mut cursor = Cursor(bytes);
    assert_eq!([cursor.integer(), cursor.integer(), cursor.integer()], [4, 0, 0]);
    assert_eq!(cursor.take(), [3, 3]);
    let count = cursor.long();
    let _features = cursor.integer();
    let [_task, average] = cursor.take();
    assert_eq!(average, 0);
    let targets = cursor.integer();
    let classes = cursor.list(i32::from_le_bytes);
    assert_eq!(classes.len(), targets as usize);
    let _shape = cursor.list(i32::from_le_bytes);
    let (target_ids, class_ids) =
        (cursor.list(i32::from_le_bytes), cursor.list(i32::from_le_bytes));
    let transform = String::from_utf8(cursor.list(|[byte]: [u8; 1]| byte)).unwrap();
    let _scales: [u8; 8] = cursor.take();
    let start = cursor.list(f64::from_le_bytes);
    assert_eq!(cursor.list(|byte: [u8; 1]| byte), [*b"{", *b"}"]);
    assert_eq!(cursor.integer(), 0);
    let trees = (0..count).map(|_| decode_tree(&mut cursor)).collect();
    assert!(cursor.0.is_empty());
    let outputs = (targets * classes[0]) as usize;
    Decoded { transform, outputs, targets: target_ids, classes: class_ids, start, trees }
}

fn decode_tree(cursor: &mut Cursor<'_>) -> DecodedTree {
    let byte = |byte: [u8; 1]| byte;
    let _count = cursor.integer();
    let _categorical: [u8; 1] = cursor.take();
    let (kinds, left, right) =
        (cursor.list(byte), cursor.list(i32::from_le_bytes), cursor.list(i32::from_le_bytes));
    let (features, default_left) = (cursor.list(i32::from_le_bytes), cursor.list(byte));
    let (values, thresholds) = (cursor.list(f64::from_le_bytes), cursor.list(f64::from_le_bytes));
    let (operators, listed_right) = (cursor.list(byte), cursor.list(byte));
    assert!(
        kinds.iter().zip(operators).all(|(kind, operator)| (kind[0] == 1) == (operator[0] == 3))
    );
    assert!(listed_right.iter().all(|listed| listed[0] == 0));
    let tree = DecodedTree {
        kinds,
        left,
        right,
        features,
        default_left,
        values,
        thresholds,
        vectors: cursor.list(f64::from_le_bytes),
        vector_starts: cursor.list(u64::from_le_bytes),
        vector_ends: cursor.list(u64::from_le_bytes),
        categories: cursor.list(u32::from_le_bytes),
        category_starts: cursor.list(u64::from_le_bytes),
        category_ends: cursor.list(u64::from_le_bytes),
    };
    let _counts = (cursor.list(u64::from_le_bytes), cursor.list(byte));
    for _ in ["weights", "gains"] {
        let _list = (cursor.list(f64::from_le_bytes), cursor.list(byte));
    }
    assert_eq!(cursor.long(), 0);
    tree
}

impl DecodedTree {
    fn find(&self, row: &[f64]) -> usize {
        let mut at = 0;
        while self.kinds[at][0] != 0 {
            let x = row[self.features[at] as usize];
            let segment = self.category_starts[at] as usize..self.category_ends[at] as usize;
            let left = match self.kinds[at][0] {
                _ if x.is_nan() => self.default_left[at][0] == 1,
                1 => x <= self.thresholds[at],
                _ => self.categories[segment].contains(&(x as u32)),
            };
            at = if left { self.left[at] } else { self.right[at] } as usize;
        }
        at
    }
}

impl Decoded {
    fn raw(&self, row: &[f64]) -> Vec<f64> {
        let mut raw = vec![0.0; self.outputs];
        for (at, tree) in self.trees.iter().enumerate() {
            let leaf = tree.find(row);
            let vector = tree.vector_starts[leaf] as usize..tree.vector_ends[leaf] as usize;
            if self.targets[at] == -1 || self.classes[at] == -1 {
                raw.iter_mut().zip(&tree.vectors[vector]).for_each(|(x, value)| *x += value);
            } else {
                raw[(self.targets[at] + self.classes[at]) as usize] += tree.values[leaf];
            }
        }
        raw.iter_mut().zip(&self.start).for_each(|(x, start)| *x += start);
        raw
    }
}

#[test]
fn the_decoded_model_sums_like_the_forest() {
    for plan in plans() {
        let forest = plan.forest();
        let decoded = decode(&treelite::write(&forest).unwrap());
        for row in rows(&forest, 300) {
            let (given, expected) = (decoded.raw(&row), forest.raw_row(&row).unwrap());
            for (x, y) in given.iter().zip(&expected) {
                // An average is divided leaf by leaf there.
                let allowed = if plan.average { 1e-15 } else { 0.0 };
                assert!((x - y).abs() <= allowed, "{}: {x} for {y}", plan.name);
            }
        }
    }
}

#[test]
fn links_have_treelites_names() {
    let names: Vec<String> = plans()
        .iter()
        .map(|plan| decode(&treelite::write(&plan.forest()).unwrap()).transform)
        .collect();
    for name in
        ["identity", "exponential", "sigmoid", "softmax", "signed_square", "logarithm_one_plus_exp"]
    {
        assert!(names.iter().any(|given| given == name), "{name}");
    }
}

#[test]
fn what_treelite_has_no_place_for_is_refused() {
    let refused = |forest: &Forest, part: &str| {
        let error = treelite::write(forest).unwrap_err();
        assert!(matches!(error, Error::Unrepresentable { format: "Treelite", .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    let split = || {
        let mut forest = plans()[0].forest();
        forest.trees.retain(|tree| !tree.nodes.is_empty());
        forest
    };
    let mut zero = split();
    zero.trees[0].nodes[0].rule =
        Rule::Numeric { threshold: 0.5, missing: Missing::Zero, default_left: false };
    refused(&zero, "zero as a missing value in tree 0");
    let mut linear = split();
    linear.trees[0].linear = vec![Default::default(); linear.trees[0].leaves()];
    refused(&linear, "lines in the leaves of tree 0");
}
