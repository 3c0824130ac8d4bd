//! The study log of the weekly job: every model that was ever tried on a target, so that the best one is judged as the
//! best of all.
//!
//! A line of JSON a model: its target, name and settings, and its Sharpe ratio, nothing where it failed. The same
//! settings, seed included, on the same features in as many folds are one trial, however often it ran.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

use fattail::{
    Panel,
    evaluate::{Backtest, Summary},
    luck::Trials,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Learner, Outcome};

/// A model that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tried {
    target: String,
    model: String,
    settings: Vec<String>,
    /// SHA-256 of all settings, the names of the features and the number of folds.
    sha256: String,
    /// Per era; nothing for a model that failed.
    sharpe: Option<f64>,
}

impl Tried {
    /// A model before it is tried on a panel in so many folds.
    pub(crate) fn new(learner: &Learner, panel: &Panel, folds: usize) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("{learner:?}, {folds} folds"));
        for name in panel.schema().features() {
            // Each name with its length, so that no two lists are written alike.
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
        }
        Self {
            target: panel.schema().target().unwrap_or_default().to_owned(),
            model: learner.kind().name().to_owned(),
            settings: learner.told.clone(),
            sha256: format!("{:x}", hash.finalize()),
            sharpe: None,
        }
    }

    /// What it scored.
    pub(crate) fn scored(&mut self, backtest: &Backtest) {
        let scores = backtest.scores.first().map(|scores| Summary::of(&scores.values()).sharpe);
        self.sharpe = scores.filter(|sharpe| sharpe.is_finite());
    }
}

/// The trials of this run and those in the log, which this run's are added to.
///
/// # Errors
/// When the log cannot be read or written, or a line of it is not one of its own.
pub(crate) fn keep(tried: Vec<Tried>, log: Option<&Path>) -> Outcome<Trials> {
    let mut all = log.map(read).transpose()?.unwrap_or_default();
    all.retain(|known| tried.iter().any(|one| one.target == known.target));
    let mut added = String::new();
    for one in tried {
        if all.iter().all(|known| known.sha256 != one.sha256) {
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

/// The lines of a log; none where it is not there yet.
///
/// # Errors
/// When it cannot be read, or a line is not one of its own.
pub(crate) fn read(path: &Path) -> Outcome<Vec<Tried>> {
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
