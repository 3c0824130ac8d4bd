//! Treelite's checkpoint, version 4: a binary file that Treelite 4 and the forest libraries on it read.
//!
//! Thresholds and leaves are doubles, so a row goes the way it goes here and sums agree to rounding.
//! Categories are whole numbers. Averages are divided into the leaves.
//! Cost: linear in the nodes and in the categories of their sets.
//! Reference: Treelite 4.8, `docs/serialization/v4.rst`, `src/serializer.cc`.

mod tree;

use fattail_trees::{Forest, Link};

use crate::Result;

/// The name of the format in errors.
const FORMAT: &str = "Treelite";
/// The version that is written.
const VERSION: [i32; 3] = [4, 0, 0];
/// The kind of f64 among the kinds of numbers.
const DOUBLE: u8 = 3;
/// The kinds of tasks.
const BINARY: u8 = 0;
const REGRESSION: u8 = 1;
const CLASSES: u8 = 2;

/// Writes a model that predicts like the forest.
///
/// ```
/// use fattail_exchange::treelite;
/// use fattail_trees::{Feature, Forest, Tree};
/// let forest = Forest {
///     features: vec![Feature { name: "x".into(), ..Feature::default() }],
///     trees: vec![Tree::constant(vec![0.25], 0)],
///     ..Forest::default()
/// };
/// assert_eq!(treelite::write(&forest)?[..4], 4_i32.to_le_bytes());
/// # Ok::<(), fattail_exchange::Error>(())
/// ```
///
/// # Errors
/// When Treelite has no place for a part: lines in leaves, or zero as a missing value.
pub fn write(forest: &Forest) -> Result<Vec<u8>> {
    forest.check()?;
    let mut file = File::default();
    VERSION.into_iter().for_each(|number| file.put(number.to_le_bytes()));
    file.put([DOUBLE, DOUBLE]);
    file.put((forest.trees.len() as u64).to_le_bytes());
    file.put((forest.features.len() as i32).to_le_bytes());
    describe(&mut file, forest);
    let share = if forest.average { forest.iterations().max(1) as f64 } else { 1.0 };
    for (at, tree) in forest.trees.iter().enumerate() {
        tree::put(&mut file, at, tree, share)?;
    }
    Ok(file.bytes)
}

/// Everything between the number of features and the trees.
fn describe(file: &mut File, forest: &Forest) {
    let outputs = forest.outputs as i32;
    let softmax = forest.link == Link::Softmax;
    let (task, transform, scale) = match forest.link {
        Link::Identity => (REGRESSION, "identity", 1.0),
        Link::SignedSquare => (REGRESSION, "signed_square", 1.0),
        Link::Exp => (REGRESSION, "exponential", 1.0),
        Link::Softplus => (REGRESSION, "logarithm_one_plus_exp", 1.0),
        Link::Sigmoid { scale } => (BINARY, "sigmoid", scale),
        Link::Softmax => (CLASSES, "softmax", 1.0),
    };
    file.put([task, 0]);
    let (targets, classes) = if softmax { (1, outputs) } else { (outputs, 1) };
    file.put(targets.to_le_bytes());
    file.list((0..targets).map(|_| classes.to_le_bytes()));
    let vectors = forest.trees.iter().any(|tree| tree.width > 1);
    let shape = if vectors { [targets, classes] } else { [1, 1] };
    file.list(shape.into_iter().map(i32::to_le_bytes));
    // A tree of vectors is one for all: of all classes, or of all targets.
    let place = |vector: bool, all: bool, output: usize| match (vector, all) {
        (true, true) => -1,
        (false, true) => output as i32,
        (_, false) => 0,
    };
    let trees = &forest.trees;
    file.list(trees.iter().map(|tree| place(tree.width > 1, !softmax, tree.output).to_le_bytes()));
    file.list(trees.iter().map(|tree| place(tree.width > 1, softmax, tree.output).to_le_bytes()));
    file.list(transform.bytes().map(|byte| [byte]));
    file.put((scale as f32).to_le_bytes());
    file.put(1.0_f32.to_le_bytes());
    let start = |output: usize| forest.start.get(output).copied().unwrap_or_default();
    file.list((0..forest.outputs).map(|output| start(output).to_le_bytes()));
    file.list("{}".bytes().map(|byte| [byte]));
    file.put(0_i32.to_le_bytes());
}

/// The bytes of a file.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
}

impl File {
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes.extend(bytes);
    }

    /// A list: its length, then its items.
    fn list<const N: usize>(&mut self, items: impl ExactSizeIterator<Item = [u8; N]>) {
        self.put((items.len() as u64).to_le_bytes());
        items.for_each(|item| self.put(item));
    }
}
