//! What comes after the trees: importances (computed anew when a forest is written), parameters, and the
//! categories of a data frame.

use super::PANDAS;
use super::fields::{Line, refuse};
use crate::Result;

/// The `[name: value]` lines between `parameters:` and `end of parameters`, then the data frame's.
pub(super) fn parameters<'a>(
    lines: impl Iterator<Item = Line<'a>>,
) -> Result<Vec<(String, String)>> {
    let mut list = Vec::new();
    let (mut open, mut last) = (None, None);
    for line in lines {
        match (line.text, open) {
            ("parameters:", None) if list.is_empty() => open = Some(line.number),
            ("end of parameters", Some(_)) => open = None,
            ("", Some(_)) => {}
            (text, Some(_)) => list.push(pair(text).ok_or_else(|| {
                refuse(line.number, "parameters", "the line is not of the form [name: value]")
            })?),
            (text, None) => last = text.strip_prefix("pandas_categorical:").or(last),
        }
    }
    if let Some(line) = open {
        return Err(refuse(line, "parameters", "'end of parameters' is missing"));
    }
    list.extend(
        last.filter(|&value| value != "null").map(|value| (PANDAS.to_owned(), value.to_owned())),
    );
    Ok(list)
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
    Some((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()))
}
