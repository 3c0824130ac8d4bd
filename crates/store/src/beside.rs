//! Files of numbers beside the data, one a line, as LightGBM has them.

use std::{fs::read_to_string, path::Path};

use fattail_core::Eras;

use crate::{Error, Place, Result, error::NUMBER, shown::shown};

/// Reads the weights of rows, one a line. Empty lines at the end do not count.
///
/// # Errors
/// When the file cannot be read; names the line that is no finite number.
pub fn read_weights(path: impl AsRef<Path>) -> Result<Vec<f32>> {
    let weight = |line: &str| line.parse().ok().filter(|weight: &f32| weight.is_finite());
    read_lines(path.as_ref(), "weight", NUMBER, weight)
}

/// Reads the numbers of rows of queries, one a line, as eras `1`, `2`..., each called by its line. A
/// query of no rows is none. Empty lines at the end do not count.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("rank.train.query");
/// std::fs::write(&path, "2\n0\n3\n")?;
/// let eras = fattail_store::read_queries(&path)?;
/// assert_eq!((eras.len(), eras.rows(), eras.label(1)), (2, 5, "3"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read; names the line that is no count.
pub fn read_queries(path: impl AsRef<Path>) -> Result<Eras> {
    let path = path.as_ref();
    let count = |line: &str| line.parse::<u32>().ok();
    let counts = read_lines(path, "query", "a number of rows", count)?;
    let runs = counts.into_iter().enumerate().filter(|(_, rows)| *rows > 0);
    let runs = runs.map(|(at, rows)| ((at + 1).to_string().into(), rows as usize));
    Eras::from_runs(runs).map_err(|source| Error::Panel { path: path.into(), source })
}

fn read_lines<T>(
    path: &Path,
    column: &str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    let text = read_to_string(path).map_err(Error::read(path))?;
    let value = |(at, line): (usize, &str)| {
        parse(line.trim()).ok_or_else(|| Error::Value {
            path: path.into(),
            place: Place::Line(at as u64 + 1),
            column: column.into(),
            value: format!("'{}'", shown(line.trim())),
            expected,
        })
    };
    text.trim_end().lines().enumerate().map(value).collect()
}
