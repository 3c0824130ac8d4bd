//! `boost convert`: a model in another format.

use std::path::PathBuf;

use clap::Args;

use super::{
    arguments::Pairs,
    learner::told_all,
    model::{read_model, write_model},
};
use crate::Outcome;

/// The options of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Model to read: LightGBM text, XGBoost JSON or UBJSON, CatBoost JSON, told by its content; or
    /// `input_model`
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Model to write: `.json` and `.ubj` XGBoost, `.onnx`, `.treelite`, else LightGBM text; or
    /// `convert_model`
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Converts a model.
///
/// # Errors
/// When the file is no model, a parameter is unknown, or the other format has no place for it.
pub fn convert(args: &ConvertArgs, others: &Pairs) -> Outcome<String> {
    let parameters = super::parameters(others.clone(), None)?;
    let named = |name: &Option<String>| name.as_ref().map(PathBuf::from);
    let from = args.from.clone().or_else(|| named(&parameters.files.input_model));
    let to = args.to.clone().or_else(|| named(&parameters.files.convert_model));
    let from = from.ok_or("no model: name a file with --from")?;
    let to = to.ok_or("nowhere to write to: name a file with --to")?;
    let forest = read_model(&from)?;
    write_model(&to, &forest)?;
    let (trees, features) = (forest.trees.len(), forest.features.len());
    let (notes, to) = (told_all(&parameters), to.display());
    Ok(format!("{notes}{trees} trees over {features} features written to {to}\n"))
}
