//! ONNX: a `TreeEnsembleRegressor` of the domain ai.onnx.ml, and the link as nodes behind it.
//!
//! The graph maps `features` (f32, rows x features) to `prediction` (f32, rows x outputs). Runtimes sum in
//! single precision. A row goes the way it goes here when its numbers are f32 and its categories whole
//! numbers; NaN goes the way of missing values. Averages are divided into the leaves.
//! Cost: linear in the nodes and in the categories of their sets.
//! Reference: ONNX 1.14, `onnx.proto` and operators of ai.onnx 13 and ai.onnx.ml 3.

mod ensemble;
mod protobuf;

use fattail_trees::{Forest, Link};

use crate::Result;
use ensemble::Ensemble;
use protobuf::Message;

/// The name of the format in errors.
const FORMAT: &str = "ONNX";
/// The kind of f32 among the kinds of elements.
const FLOAT: u64 = 1;

/// Writes a model that predicts like the forest.
///
/// ```
/// use fattail_exchange::onnx;
/// use fattail_trees::{Feature, Forest, Tree};
/// let forest = Forest {
///     features: vec![Feature { name: "x".into(), ..Feature::default() }],
///     trees: vec![Tree::constant(vec![0.25], 0)],
///     ..Forest::default()
/// };
/// assert!(onnx::write(&forest)?.windows(21).any(|name| name == b"TreeEnsembleRegressor"));
/// # Ok::<(), fattail_exchange::Error>(())
/// ```
///
/// # Errors
/// When ONNX has no place for a part: lines in leaves, zero as a missing value, numbers beyond
/// single precision.
pub fn write(forest: &Forest) -> Result<Vec<u8>> {
    forest.check()?;
    let mut graph = Message::default();
    let steps = steps(forest.link);
    let sum = if steps.is_empty() { "prediction" } else { "raw" };
    graph.message(1, &Ensemble::new(forest)?.node("features", sum));
    for (operator, inputs, output) in steps {
        graph.message(1, &node(operator, inputs, output));
    }
    graph.text(2, "forest");
    if let Link::Sigmoid { scale } = forest.link {
        graph.message(5, &scalar("scale", scale as f32));
    }
    graph.message(11, &tensor("features", forest.features.len()));
    graph.message(12, &tensor("prediction", forest.outputs));
    let mut model = Message::default();
    model.number(1, 7);
    model.text(2, "fattail");
    model.message(7, &graph);
    model.message(8, &operators("", 13));
    model.message(8, &operators("ai.onnx.ml", 3));
    Ok(model.bytes())
}

/// The operators of a link, with their inputs and outputs: from `raw` to `prediction`.
fn steps(link: Link) -> &'static [(&'static str, &'static [&'static str], &'static str)] {
    match link {
        Link::Identity => &[],
        Link::SignedSquare => &[("Abs", &["raw"], "size"), ("Mul", &["raw", "size"], "prediction")],
        Link::Exp => &[("Exp", &["raw"], "prediction")],
        Link::Sigmoid { .. } => {
            &[("Mul", &["raw", "scale"], "scaled"), ("Sigmoid", &["scaled"], "prediction")]
        }
        Link::Softmax => &[("Softmax", &["raw"], "prediction")],
        Link::Softplus => &[("Softplus", &["raw"], "prediction")],
    }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Message {
    let mut node = Message::default();
    inputs.iter().for_each(|input| node.text(1, input));
    node.text(2, output);
    node.text(4, operator);
    node
}

/// A tensor of one number.
fn scalar(name: &str, value: f32) -> Message {
    let mut tensor = Message::default();
    tensor.numbers(1, &[1]);
    tensor.number(2, FLOAT);
    tensor.singles(4, &[value]);
    tensor.text(8, name);
    tensor
}

/// The name and type of a matrix of any number of rows.
fn tensor(name: &str, columns: usize) -> Message {
    let (mut rows, mut width, mut shape) =
        (Message::default(), Message::default(), Message::default());
    rows.text(2, "rows");
    width.number(1, columns as u64);
    shape.message(1, &rows);
    shape.message(1, &width);
    let (mut matrix, mut kind, mut value) =
        (Message::default(), Message::default(), Message::default());
    matrix.number(1, FLOAT);
    matrix.message(2, &shape);
    kind.message(1, &matrix);
    value.text(1, name);
    value.message(2, &kind);
    value
}

fn operators(domain: &str, version: u64) -> Message {
    let mut set = Message::default();
    set.text(1, domain);
    set.number(2, version);
    set
}
