//! Reads a file in the format of LIBSVM: `label qid:7 0:1.5 3:-2` a line, absent features are 0.
//!
//! The columns are `label`, `qid` where the first line has one, and `Column_0`, `Column_1`... up to the
//! largest index of the file; those beyond it are 0 where they are asked for by name. Indices of a line increase; `#` begins a comment. A feature is `u8` bins
//! when all its values are integers in 0..=255, else `f32`; `nan` and `na` are missing: by
//! [`ReadOptions::missing`] in features, NaN in labels. Cost: one pass; memory: the numbers of the file,
//! then the panel. Reference: Chang & Lin 2011, LIBSVM: a library for support vector machines.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use fattail_core::{ColumnData, Observer, Panel, Progress, silent};

use crate::{
    Error, Features, Missing, Place, ReadOptions, Result,
    panel::Parts,
    plan::{Plan, Wanted},
    rows::{GroupKeys, runs, select},
    shown::shown,
};

/// Columns that a file may have.
const MOST_COLUMNS: usize = 1 << 20;
/// Values that a panel of absent zeros may hold.
const MOST_VALUES: usize = 1 << 33;
/// The observer is told every so many lines.
const LINES_A_STEP: usize = 4096;

const LABEL: &str = "label";
const QUERY: &str = "qid";

/// Reads a file in the format of LIBSVM, as LightGBM and XGBoost read it too.
///
/// ```
/// use fattail_core::silent;
/// use fattail_store::{Features, ReadOptions, Targets, read_libsvm};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("train.svm");
/// std::fs::write(&path, "1 0:4 2:0.5\n0 1:7 # a comment\n")?;
/// let options = ReadOptions {
///     features: Features::All,
///     targets: Targets::Named(vec!["label".into()]),
///     era: None,
///     id: None,
///     ..ReadOptions::default()
/// };
/// let panel = read_libsvm(&path, &options, &silent)?;
/// assert_eq!((panel.rows(), panel.width()), (2, 3));
/// assert_eq!(panel.feature(1).to_f32(), [0.0, 7.0]);
/// assert_eq!(panel.target()?.to_f32(), [1.0, 0.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Names the line and the entry that is no number, comes out of order or is too large; also when the
/// file has more columns or values than a panel of absent zeros should hold.
pub fn read_libsvm(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    observer: Observer<'_>,
) -> Result<Panel> {
    let path = path.as_ref();
    let mut table = load(path, observer)?;
    options.expect_room(path, table.rows() * table.names().len() * size_of::<f32>())?;
    table.widen(options);
    table.finish(path, options)
}

/// The names of the columns of a file; it is read for them.
pub(crate) fn libsvm_names(path: &Path) -> Result<Vec<String>> {
    Ok(load(path, &silent)?.names())
}

fn load(path: &Path, observer: Observer<'_>) -> Result<Table> {
    let file = File::open(path).map_err(Error::read(path))?;
    let total = file.metadata().map_err(Error::read(path))?.len();
    let mut table = Table::default();
    let (mut reader, mut line, mut number, mut done) = (BufReader::new(file), Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(Error::read(path))?;
        if read == 0 {
            break;
        }
        (number, done) = (number + 1, done + read as u64);
        table.push(&Line { path, number }, &line)?;
        if table.rows().is_multiple_of(LINES_A_STEP) {
            observer(Progress { stage: "reading", done, total });
        }
    }
    observer(Progress { stage: "reading", done: total, total });
    Ok(table)
}

/// Whether text begins like a file of this format: a number, then pairs with colons.
pub(crate) fn looks_like_libsvm(start: &str) -> bool {
    let line = start.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut entries = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
    let label = entries.next().is_some_and(|label| label.parse::<f32>().is_ok());
    let pair = |entry: &str| {
        let (index, value) = entry.split_once(':')?;
        (index == QUERY || index.parse::<usize>().is_ok()).then_some(())?;
        value.parse::<f32>().ok()
    };
    label && entries.next().is_some_and(|entry| pair(entry).is_some())
}

/// A line and where it stands.
struct Line<'a> {
    path: &'a Path,
    number: u64,
}

impl Line<'_> {
    fn refuse(&self, column: &str, value: &str, expected: &'static str) -> Error {
        Error::Value {
            path: self.path.into(),
            place: Place::Line(self.number),
            column: column.into(),
            value: format!("'{}'", shown(value)),
            expected,
        }
    }

    /// A number; NaN where it is missing.
    fn value(&self, column: &str, text: &str) -> Result<f32> {
        if matches!(&*text.to_ascii_lowercase(), "nan" | "na") {
            return Ok(f32::NAN);
        }
        let number: Option<f32> = text.parse().ok();
        let finite = number.filter(|number| number.is_finite());
        finite.ok_or_else(|| self.refuse(column, text, "a finite number"))
    }
}

/// The file while it grows: of each column the rows that are not 0.
#[derive(Debug, Default)]
struct Table {
    lines: Vec<u64>,
    labels: Vec<f32>,
    queries: Option<Vec<String>>,
    columns: Vec<Vec<(u32, f32)>>,
}

impl Table {
    fn rows(&self) -> usize {
        self.labels.len()
    }

    fn names(&self) -> Vec<String> {
        let fixed = [LABEL].into_iter().chain(self.queries.as_ref().map(|_| QUERY));
        let features = (0..self.columns.len()).map(|at| format!("Column_{at}"));
        fixed.map(str::to_owned).chain(features).collect()
    }

    /// Features that are asked for and beyond the largest index of the file are absent: 0.
    fn widen(&mut self, options: &ReadOptions) {
        let Features::Named(names) = &options.features else { return };
        let index = |name: &String| name.strip_prefix("Column_")?.parse::<usize>().ok();
        let indices = names.iter().filter_map(index).filter(|&index| index < MOST_COLUMNS);
        let width = indices.max().map_or(0, |index| index + 1);
        self.columns.resize_with(width.max(self.columns.len()), Vec::new);
    }

    fn push(&mut self, at: &Line<'_>, line: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(line)
            .map_err(|source| Error::format(at.path, Place::Line(at.number), "LIBSVM", source))?;
        let mut entries = text.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let Some(label) = entries.next() else { return Ok(()) };
        let row = u32::try_from(self.rows())
            .map_err(|source| Error::format(at.path, Place::Line(at.number), "LIBSVM", source))?;
        let label = at.value(LABEL, label)?;
        let (mut query, mut last) = (None, None);
        for entry in entries {
            const PAIR: &str = "index:value";
            let (index, value) =
                entry.split_once(':').ok_or_else(|| at.refuse("entries", entry, PAIR))?;
            if index == QUERY {
                query = Some(value.to_owned());
                continue;
            }
            let column: usize = index.parse().map_err(|_| at.refuse("entries", entry, PAIR))?;
            if column >= MOST_COLUMNS {
                return Err(at.refuse("entries", entry, "an index below 1048576"));
            }
            if last.is_some_and(|last| last >= column) {
                return Err(at.refuse("entries", entry, "indices that increase"));
            }
            last = Some(column);
            let value = at.value(&format!("Column_{column}"), value)?;
            if self.columns.len() <= column {
                self.columns.resize_with(column + 1, Vec::new);
            }
            self.columns[column].push((row, value));
        }
        self.push_query(at, query)?;
        self.lines.push(at.number);
        self.labels.push(label);
        Ok(())
    }

    /// Queries stand in all lines or in none.
    fn push_query(&mut self, at: &Line<'_>, query: Option<String>) -> Result<()> {
        if self.labels.is_empty() && query.is_some() && self.queries.is_none() {
            self.queries = Some(Vec::new());
        }
        match (&mut self.queries, query) {
            (Some(queries), Some(query)) => queries.push(query),
            (None, None) => {}
            (Some(_), None) => return Err(at.refuse(QUERY, "", "a query in every line")),
            (None, Some(query)) => return Err(at.refuse(QUERY, &query, "no query, as above")),
        }
        Ok(())
    }

    fn finish(self, path: &Path, options: &ReadOptions) -> Result<Panel> {
        let names = self.names();
        if self.rows() == 0 {
            return Err(Error::NoRows { path: path.into(), reason: String::new() });
        }
        if let Some(filter) = &options.filter {
            let cause = fattail_core::Error::setting("filter", &filter.column, "none for LIBSVM");
            return Err(Error::Setting(cause));
        }
        if self.rows().saturating_mul(self.columns.len()) > MOST_VALUES {
            let (rows, columns) = (self.rows(), self.columns.len());
            let source =
                format!("{rows} rows of {columns} columns are more than {MOST_VALUES} values");
            return Err(Error::format(path, Place::File, "LIBSVM", source));
        }
        let plan = Plan::new(path, &names, |_| true, options)?;
        let runs = match (plan.era, &self.queries) {
            (Some(1), Some(queries)) => runs(queries.iter().map(String::as_str)),
            (Some(_), _) => return Err(self.no_era(path, options)),
            (None, _) => vec![("0".into(), self.rows())],
        };
        let keys = GroupKeys { rows: self.rows(), runs, matching: None };
        let (eras, keep) = select(path, options, &[keys], |_, row| Place::Line(self.lines[row]))?;
        let kept: Vec<usize> = keep.into_iter().flatten().flatten().collect();
        let columns = plan.columns.iter().map(|wanted| self.column(path, wanted, &kept));
        let parts = Parts { eras, ids: None, columns: columns.collect::<Result<_>>()? };
        parts.assemble(path, &plan, options, |row| Place::Line(self.lines[kept[row]]))
    }

    fn no_era(&self, path: &Path, options: &ReadOptions) -> Error {
        Error::WrongType {
            path: path.into(),
            column: options.era.clone().unwrap_or_default(),
            found: "numbers".into(),
            expected: "the eras in 'qid'",
        }
    }

    /// A column of the rows that stay, in the order of the plan.
    fn column(&self, path: &Path, wanted: &Wanted, kept: &[usize]) -> Result<ColumnData> {
        let fixed = 1 + usize::from(self.queries.is_some());
        let values = match (wanted.at, &self.queries) {
            (0, _) => self.labels.clone(),
            (1, Some(queries)) => {
                queries.iter().map(|query| query.parse().unwrap_or(f32::NAN)).collect()
            }
            (at, _) => self.dense(at - fixed),
        };
        let values: Vec<f32> = kept.iter().map(|&row| values[row]).collect();
        if let Some(row) = values.iter().position(|value| value.is_nan())
            && wanted.missing == Missing::Refuse
        {
            let at = Line { path, number: self.lines[kept[row]] };
            return Err(at.refuse(&wanted.name, "nan", "a finite number"));
        }
        let bin = |value: &f32| (0.0..=255.0).contains(value) && value.fract() == 0.0;
        if values.iter().all(bin) {
            return Ok(values.iter().map(|&value| value as u8).collect::<Vec<u8>>().into());
        }
        Ok(values.into())
    }

    fn dense(&self, column: usize) -> Vec<f32> {
        let mut values = vec![0.0; self.rows()];
        self.columns[column].iter().for_each(|&(row, value)| values[row as usize] = value);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        assert!(looks_like_libsvm("1 0:2 3:0.5\n") && looks_like_libsvm("-1.5 qid:3 1:2"));
        for other in ["1,2,3", "a 0:1", "1", "", "1\t0.5\t7", "id,era:x\n", "1 a:2"] {
            assert!(!looks_like_libsvm(other), "{other}");
        }
    }
}
