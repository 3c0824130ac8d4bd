//! CatBoost's models, as JSON.
//!
//! Read are oblivious and other trees over numbers and over categories that are whole numbers from 0 to
//! 65,535: questions for one category, and statistics of the target or counts by one category, which
//! become sets of categories. Statistics by several features together have no place here.
//! A number goes right when `f32(x) > border`; NaN counts as the smallest or, where the model says so, as
//! the largest. As a category NaN is the word `nan`. Categories that training has not seen get
//! CatBoost's value for these.
//!
//! An oblivious tree of depth `d` becomes a tree of `2^d` leaves in CatBoost's order: split `i` gives bit
//! `i` of the leaf. CatBoost's files hold no counts of rows: a node's weight is that of its leaves.
//! The link is the one that CatBoost's `Probability` and, for Poisson and Tweedie, `Exponent` apply.
//! Cost: linear in the file, the leaves of oblivious trees and the categories of their sets.
//! Reference: CatBoost 1.2.10, `catboost/libs/model/model_export/json_model_helpers.cpp`,
//! `catboost/libs/model/online_ctr.h`; CityHash 1.0 (Pike, Alakuijala 2011).

mod city;
mod counters;
mod features;
mod loss;
mod read;
mod tree;

use fattail_trees::Forest;

use crate::{Result, document};

/// The name of the format in errors.
const FORMAT: &str = "CatBoost";

/// Reads a model from JSON.
///
/// ```
/// let text = r#"{
///     "features_info": {"float_features": [{"flat_feature_index": 0, "feature_index": 0,
///         "feature_id": "x", "borders": [0.5], "nan_value_treatment": "AsIs"}]},
///     "oblivious_trees": [{"leaf_values": [1, 2], "splits": [
///         {"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5, "split_index": 0}]}],
///     "scale_and_bias": [1, [0.25]]}"#;
/// let forest = fattail_exchange::catboost::read_json(text.as_bytes())?;
/// assert_eq!(forest.raw_row(&[0.5])?, [1.25]);
/// assert_eq!(forest.raw_row(&[0.75])?, [2.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the text is no JSON, when a part is missing, of another kind or does not fit the others (the
/// error names its place), or when a feature is of a kind that has no place here (the error names it).
pub fn read_json(bytes: &[u8]) -> Result<Forest> {
    read::model(&document::parse(bytes)?)
}
