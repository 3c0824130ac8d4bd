//! Command lines that mix fixed options with LightGBM's parameters.
//!
//! `--name value`, `--name=value` and `name=value` all do, with dashes or underscores. What the command
//! knows as an option goes to its parser, the rest are parameters; those of the command line count before
//! those of the configuration file.

use std::path::Path;

use clap::Command;
use fattail::gbdt::parameters::{Parameters, read_conf};

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

/// Takes a command line apart.
///
/// ```
/// use clap::{Arg, Command};
/// use fattail_examples::boost::split;
/// let train = Command::new("train").arg(Arg::new("data").long("data"));
/// let command = Command::new("boost").subcommand(train);
/// let words = "boost train --num_leaves=7 --data a.csv --max-depth -1 eta=0.1 --extra-trees";
/// let given = split(&command, words.split(' ').map(str::to_owned));
/// assert_eq!(given.options, ["boost", "train", "--data", "a.csv"]);
/// let names: Vec<_> = given.parameters.iter().map(|pair| (&*pair.0, &*pair.1)).collect();
/// let expected = [("num_leaves", "7"), ("max-depth", "-1"), ("eta", "0.1"), ("extra-trees", "true")];
/// assert_eq!(names, expected);
/// ```
pub fn split(command: &Command, words: impl IntoIterator<Item = String>) -> Given {
    let mut words = words.into_iter().peekable();
    let mut given = Given::default();
    given.options.extend(words.next());
    let name = words.peek().cloned().unwrap_or_default();
    let Some(known) = command.find_subcommand(&name) else {
        given.options.extend(words);
        return given;
    };
    given.options.extend(words.next());
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
        match option(known, name) {
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

/// An option of a command with dashes, and whether it takes a value.
fn option(command: &Command, name: &str) -> Option<(String, bool)> {
    let dashed = name.replace('_', "-");
    if dashed == "help" || dashed == "version" {
        return Some((dashed, false));
    }
    let argument = command.get_arguments().find(|known| known.get_long() == Some(&dashed))?;
    let takes = argument.get_action().takes_values();
    Some((dashed, takes))
}

/// The parameters of a command line and of the configuration file that it names.
///
/// # Errors
/// When the file cannot be read, or a parameter is unknown, out of range or contradicted.
pub fn parameters(mut pairs: Pairs, config: Option<&Path>) -> Outcome<Parameters> {
    let named = |(name, _): &&(String, String)| {
        matches!(&*name.replace('-', "_"), "config" | "config_file")
    };
    let named = pairs.iter().find(named).map(|pair| Path::new(&pair.1).to_owned());
    if let Some(path) = config.map(Path::to_owned).or(named) {
        let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| told(&error))?;
        pairs.extend(read_conf(&text).map_err(|error| told(&error))?);
    }
    Ok(Parameters::parse(pairs)?)
}
