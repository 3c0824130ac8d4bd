//! Files beside the data, as LightGBM has them: weights in `DATA.weight`, queries in `DATA.query`.

use std::path::{Path, PathBuf};

use fattail::store::{read_queries, read_weights};

use super::source::Source;
use crate::Outcome;

/// What LightGBM reads beside the data and this program does not.
const REFUSED: [(&str, &str); 2] = [
    ("init", "scores to begin at: train on from a model with --input-model"),
    ("position", "positions"),
];

/// Refuses data beside which lies what would count and is not read.
pub(super) fn refuse_beside(data: &Path) -> Outcome {
    let found = REFUSED.iter().find_map(|(ending, what)| Some((beside(data, ending)?, what)));
    found.map_or(Ok(()), |(path, what)| {
        let path = path.display();
        Err(format!("'{path}' is not supported, move it away: it holds {what}").into())
    })
}

/// The data with what lies beside it, where no column says otherwise.
pub(super) fn add_beside(mut source: Source) -> Outcome<Source> {
    if let Some(path) = beside(&source.path, "weight") {
        match &source.roles.weight {
            Some(column) => source.notes.push(told(&path, "weights", column)),
            None => {
                let weighted = source.panel.with_weights(read_weights(&path)?);
                source.panel =
                    weighted.map_err(|error| format!("'{}': {error}", path.display()))?;
            }
        }
    }
    if let Some(path) = beside(&source.path, "query") {
        match &source.roles.era {
            Some(column) => source.notes.push(told(&path, "eras", column)),
            None => {
                let cut = source.panel.with_eras(read_queries(&path)?);
                source.panel = cut.map_err(|error| format!("'{}': {error}", path.display()))?;
                source.has_eras = true;
            }
        }
    }
    Ok(source)
}

/// `DATA.ending`, where it exists.
fn beside(data: &Path, ending: &str) -> Option<PathBuf> {
    let mut name = data.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    Some(PathBuf::from(name)).filter(|path| path.is_file())
}

fn told(path: &Path, what: &str, column: &str) -> String {
    format!("'{}' does not count: {what} are column '{column}'", path.display())
}
