//! XGBoost's models, as JSON and as UBJSON.
//!
//! Read are the boosters gbtree and dart, models of several classes or targets with a tree each or with
//! vectors in the leaves, random forests and categorical splits. XGBoost sends `x` left when
//! `f32(x) < condition`; the same holds here for every `x` that is an f32. What is not an f32 should be
//! rounded before it is asked about, as XGBoost does. Categories are whole numbers.
//!
//! XGBoost sums in single precision, a [`Forest`] in double: predictions agree to about 1e-6.
//! `multi:softmax` and `binary:hinge` predict labels there; here the first gives the probabilities
//! of the classes and the second the margin, whose sign is the label.
//!
//! Written are all trees but linear ones, each in single precision. XGBoost's files hold no counts of
//! rows: [`Node::count`](fattail_trees::Node::count) reads as 0, and the sum of hessians is the weight.
//! A value that a node would have as a leaf is the mean of its leaves by these weights.
//! Cost: linear in the size of the file.
//! Reference: XGBoost 3.2, `src/tree/tree_model.cc`, `src/tree/multi_target_tree_model.cc`,
//! `src/gbm/gbtree_model.cc`.

mod objective;
mod read;
mod read_tree;
mod ubjson;
mod write;
mod write_tree;

use fattail_trees::Forest;

use crate::{Result, document};

/// The name of the format in errors.
const FORMAT: &str = "XGBoost";

/// Reads a model from JSON.
///
/// # Errors
/// When the text is no JSON, when a part is missing, of another kind or does not fit the others (the
/// error names its place), or when the model is of a kind that has no trees or is not known.
pub fn read_json(bytes: &[u8]) -> Result<Forest> {
    read::model(&document::parse(bytes)?)
}

/// Reads a model from UBJSON.
///
/// # Errors
/// Like [`read_json`].
pub fn read_ubjson(bytes: &[u8]) -> Result<Forest> {
    read::model(&ubjson::decode(bytes)?)
}

/// Writes a model as JSON.
///
/// ```
/// use fattail_exchange::xgboost;
/// use fattail_trees::{Feature, Forest, Tree};
/// let forest = Forest {
///     features: vec![Feature { name: "x".into(), ..Feature::default() }],
///     trees: vec![Tree::constant(vec![0.25], 0)],
///     ..Forest::default()
/// };
/// let text = xgboost::write_json(&forest)?;
/// assert_eq!(xgboost::read_json(text.as_bytes())?.raw_row(&[1.0])?, [0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When XGBoost has no place for a part: lines in leaves, zero as a missing value, the link of square
/// roots, numbers beyond single precision.
pub fn write_json(forest: &Forest) -> Result<String> {
    Ok(write::model(forest)?.to_string())
}

/// Writes a model as UBJSON.
///
/// # Errors
/// Like [`write_json`].
pub fn write_ubjson(forest: &Forest) -> Result<Vec<u8>> {
    Ok(ubjson::encode(&write::model(forest)?))
}
