//! `boost config=train.conf`: LightGBM's own way, in which the parameter `task` is the subcommand.

use std::path::Path;

use fattail::gbdt::parameters::{Parameters, Task, full_name};

use super::arguments::{Given, Pairs, with_config};
use crate::Outcome;

/// The parameters that tell what is done and where it goes.
const ASKED: [&str; 3] = ["task", "output_model", "output_result"];

/// The subcommand and the options that LightGBM would mean by a command line without one: its names of
/// files where none are given, and predictions in its form.
pub(super) fn by_task(given: Given) -> Outcome<Vec<String>> {
    let option = |name: &str| given.options.iter().position(|option| option == name);
    let config = option("--config").and_then(|at| given.options.get(at + 1));
    let pairs = with_config(given.parameters, config.map(Path::new))?;
    let asked = |(name, _): &(String, String)| full_name(name).is_ok_and(|n| ASKED.contains(&n));
    let few: Pairs = pairs.into_iter().filter(asked).collect();
    let Parameters { task, files, .. } = Parameters::parse(few)?;
    let (words, name, named) = match task {
        Task::Train | Task::Refit => (vec!["train"], "LightGBM_model.txt", files.output_model),
        Task::Predict => {
            (vec!["predict", "--plain"], "LightGBM_predict_result.txt", files.output_result)
        }
        Task::Convert => return Ok(vec!["convert".into()]),
    };
    let out = (named.is_none() && option("--out").is_none()).then_some(["--out", name]);
    let words = words.into_iter().chain(out.into_iter().flatten());
    Ok(words.map(str::to_owned).collect())
}
