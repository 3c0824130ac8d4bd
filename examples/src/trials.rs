//! The study log of the weekly job: every model that was ever tried on a target, so that the best one is judged as the
//! best of all.
//!
//! A line of JSON a model: its target, name and settings, its Sharpe ratio, nothing where it failed. Runs of the same
//! model with the same settings are one trial.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

use fattail::{
    evaluate::{Scores, Summary},
    luck::Trials,
};
use serde::{Deserialize, Serialize};

use crate::{Outcome, Weekly};

/// A model that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tried {
    target: String,
    model: String,
    settings: Vec<String>,
    /// Per era; nothing for a model that failed.
    sharpe: Option<f64>,
}

impl Tried {
    fn is(&self, other: &Self) -> bool {
        (&self.target, &self.model, &self.settings)
            == (&other.target, &other.model, &other.settings)
    }
}

/// The trials of this run and those in the log, which this run's are added to.
///
/// # Errors
/// When the log cannot be read or written, or a line of it is not one of its own.
pub(crate) fn trials(weekly: &Weekly, log: Option<&Path>) -> Outcome<Trials> {
    let mut all = log.map(read).transpose()?.unwrap_or_default();
    let target = weekly.known.schema().target().unwrap_or_default();
    all.retain(|tried| tried.target == target);
    let mut added = String::new();
    for one in tried(weekly, target) {
        if !all.iter().any(|known| known.is(&one)) {
            added.push_str(&serde_json::to_string(&one)?);
            added.push('\n');
            all.push(one);
        }
    }
    if let Some(path) = log.filter(|_| !added.is_empty()) {
        let told = |error| format!("cannot write '{}': {error}", path.display());
        // One write at the end of the file: runs beside each other do not mix their lines.
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(told)?;
        file.write_all(added.as_bytes()).map_err(told)?;
    }
    let sharpes: Vec<f64> = all.iter().map(|tried| tried.sharpe.unwrap_or(f64::NAN)).collect();
    Ok(Trials::from_sharpes(&sharpes))
}

fn tried(weekly: &Weekly, target: &str) -> Vec<Tried> {
    let sharpe = |scores: &Scores| Some(Summary::of(&scores.values()).sharpe);
    let one = |model: &str, settings: &[String], sharpe: Option<f64>| Tried {
        target: target.to_owned(),
        model: model.to_owned(),
        settings: settings.to_vec(),
        sharpe: sharpe.filter(|value| value.is_finite()),
    };
    let runs = weekly.runs.iter().map(|run| {
        let sharpe = run.backtest.scores.first().and_then(sharpe);
        one(run.name(), &run.learner.told, sharpe)
    });
    let failed =
        weekly.failures.iter().map(|failure| one(failure.kind.name(), &failure.told, None));
    runs.chain(failed).collect()
}

fn read(path: &Path) -> Outcome<Vec<Tried>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|error| format!("cannot read '{}': {error}", path.display()))?,
    };
    let line = |(at, line): (usize, &str)| {
        let told = |error| format!("'{}', line {}: {error}", path.display(), at + 1);
        serde_json::from_str(line).map_err(told)
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    Ok(lines.map(line).collect::<Result<_, _>>()?)
}
