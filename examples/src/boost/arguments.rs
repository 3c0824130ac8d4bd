//! Command lines that mix fixed options with LightGBM's parameters.
//!
//! `--name value`, `--name=value` and `name=value` all do, with dashes or underscores. What the command
//! knows as an option goes to its parser, the rest are parameters; those of the command line count before
//! those of the configuration file.

use std::path::Path;

use clap::Command;
use fattail::gbdt::parameters::{Parameters, read_conf};

use super::task::by_task;
use crate::Outcome;

/// Parameters by name.
pub type Pairs = Vec<(String, String)>;

/// The words of a command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// What the command's parser takes: the program and the subcommand first.
    pub options: Vec<String>,
    /// The parameters.
    pub parameters: Pairs,
}

/// Takes a command line apart. Without a subcommand, as LightGBM is called, the parameter `task` names it.
///
/// ```
/// use clap::{Arg, Command};
/// use fattail_examples::boost::split;
/// let [data, out] = ["data", "out"].map(|name| Arg::new(name).long(name));
/// let train = Command::new("train").args([data, out]);
/// let command = Command::new("boost").subcommand(train);
/// let words = "boost train --num_leaves=7 --data a.csv --max-depth -1 eta=0.1 --extra-trees";
/// let given = split(&command, words.split(' ').map(str::to_owned)).unwrap();
/// assert_eq!(given.options, ["boost", "train", "--data", "a.csv"]);
/// let names: Vec<_> = given.parameters.iter().map(|pair| (&*pair.0, &*pair.1)).collect();
/// let expected = [("num_leaves", "7"), ("max-depth", "-1"), ("eta", "0.1"), ("extra-trees", "true")];
/// assert_eq!(names, expected);
///
/// let given = split(&command, ["boost", "task=train", "eta=0.1"].map(str::to_owned)).unwrap();
/// assert_eq!(given.options, ["boost", "train", "--out", "LightGBM_model.txt"]);
/// ```
///
/// # Errors
/// When there is no subcommand and the configuration file cannot be read or has no such task.
pub fn split(command: &Command, words: impl IntoIterator<Item = String>) -> Outcome<Given> {
    let mut words: Vec<String> = words.into_iter().collect();
    if words.get(1).is_some_and(|word| is_parameter(word)) {
        let all: Vec<&Command> = command.get_subcommands().collect();
        let added = by_task(divide(&all, words[1..].to_vec()))?;
        words.splice(1..1, added);
    }
    let name = words.get(1).cloned().unwrap_or_default();
    let Some(known) = command.find_subcommand(&name) else {
        return Ok(Given { options: words, parameters: Pairs::new() });
    };
    let rest = words.split_off(2);
    let Given { options, parameters } = divide(&[known], rest);
    words.extend(options);
    Ok(Given { options: words, parameters })
}

/// Whether a word in the place of a subcommand is a parameter.
fn is_parameter(word: &str) -> bool {
    let asks = ["-h", "--help", "-V", "--version"].contains(&word);
    !asks && (word.starts_with("--") || word.contains('='))
}

/// The options of commands and the parameters among words.
fn divide(commands: &[&Command], words: Vec<String>) -> Given {
    let mut words = words.into_iter().peekable();
    let mut given = Given::default();
    while let Some(word) = words.next() {
        let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) else {
            match word.split_once('=') {
                Some((name, value)) if !word.starts_with('-') => {
                    given.parameters.push((name.into(), value.into()));
                }
                _ => given.options.push(word),
            }
            continue;
        };
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        match option(commands, name) {
            Some((dashed, takes)) => {
                given.options.push(format!("--{dashed}"));
                let next = || takes.then(|| words.next()).flatten();
                given.options.extend(value.or_else(next));
            }
            None => {
                let next = words.next_if(|next| value.is_none() && !next.starts_with("--"));
                let value = value.or(next).unwrap_or_else(|| "true".into());
                given.parameters.push((name.into(), value));
            }
        }
    }
    given
}

/// An option of commands with dashes, and whether it takes a value.
fn option(commands: &[&Command], name: &str) -> Option<(String, bool)> {
    let dashed = name.replace('_', "-");
    if dashed == "help" || dashed == "version" {
        return Some((dashed, false));
    }
    let mut arguments = commands.iter().flat_map(|command| command.get_arguments());
    let argument = arguments.find(|known| known.get_long() == Some(&dashed))?;
    let takes = argument.get_action().takes_values();
    Some((dashed, takes))
}

/// The parameters of a command line and of the configuration file that it names.
///
/// # Errors
/// When the file cannot be read, or a parameter is unknown, out of range or contradicted.
pub fn parameters(pairs: Pairs, config: Option<&Path>) -> Outcome<Parameters> {
    Ok(Parameters::parse(with_config(pairs, config)?)?)
}

/// The pairs, and behind them those of the configuration file: `config`, or the one that they name.
pub(super) fn with_config(mut pairs: Pairs, config: Option<&Path>) -> Outcome<Pairs> {
    let named = |(name, _): &&(String, String)| {
        matches!(&*name.replace('-', "_"), "config" | "config_file")
    };
    let named = pairs.iter().find(named).map(|pair| Path::new(&pair.1).to_owned());
    if let Some(path) = config.map(Path::to_owned).or(named) {
        let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| told(&error))?;
        pairs.extend(read_conf(&text).map_err(|error| told(&error))?);
    }
    Ok(pairs)
}
