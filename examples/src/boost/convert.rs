//! `boost convert`: a model in another format.

use std::path::PathBuf;

use clap::Args;

use super::{
    arguments::Pairs,
    model::{read_model, write_model},
};
use crate::Outcome;

/// The options of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Model to read: LightGBM text, XGBoost JSON or UBJSON, CatBoost JSON, told by its content
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// Model to write: `.json` and `.ubj` XGBoost, `.onnx`, `.treelite`, else LightGBM text
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// Converts a model.
///
/// # Errors
/// When the file is no model, a parameter is unknown, or the other format has no place for it.
pub fn convert(args: &ConvertArgs, others: &Pairs) -> Outcome<String> {
    super::parameters(others.clone(), None)?;
    let forest = read_model(&args.from)?;
    write_model(&args.to, &forest)?;
    let (trees, features) = (forest.trees.len(), forest.features.len());
    let to = args.to.display();
    Ok(format!("{trees} trees over {features} features written to {to}\n"))
}
