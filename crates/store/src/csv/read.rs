//! Reads a clean CSV file into a panel, line by line.
//!
//! Cells are typed by what they hold: a feature is `u8` bins when every cell is an integer in
//! 0..=255, else `f32`. An empty cell, or one of [`TextForm::missing`], is missing: by [`ReadOptions::missing`] in features, NaN in
//! targets and extras, refused in weights. Cost: one pass; memory: the panel, doubled while a column
//! grows.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
    path::Path,
};

use csv::{ByteRecord, Reader, ReaderBuilder};
use fattail_core::{IdsBuilder, Observer, Panel, Progress};

use super::column::{is_number, push};
use crate::{
    Error, Place, ReadOptions, Result, TextForm,
    options::ID_BYTES,
    panel::{Filling, Parts},
    plan::{Plan, Role, Wanted},
    rows::EraGate,
    shown::shown,
};

/// The observer is told every so many lines.
const LINES_A_STEP: usize = 4096;

/// Reads a text file of cells between commas, tabs or whatever [`ReadOptions::text`] says.
///
/// ```
/// use fattail_core::silent;
/// use fattail_store::{ReadOptions, read_csv};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("train.csv");
/// std::fs::write(&path, "id,era,feature_a,target\nn1,era1,4,0.25\nn2,era1,0,\n")?;
/// let panel = read_csv(&path, &ReadOptions::default(), &silent)?;
/// assert!(panel.feature(0).is_u8());
/// assert!(panel.target()?.to_f32()[1].is_nan());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`crate::read_parquet`], with lines in place of row groups; also when a line has another
/// number of cells than the header.
pub fn read_csv(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    observer: Observer<'_>,
) -> Result<Panel> {
    let path = path.as_ref();
    let mut lines = Lines::open(path, &options.text)?;
    let total = lines.reader.get_ref().get_ref().metadata().map_err(Error::read(path))?.len();
    let header = lines.header()?;
    let mut record = ByteRecord::new();
    let mut more = lines.next(&mut record)?;
    let numeric = |at: usize| {
        let cell = record.get(at).unwrap_or_default();
        is_number(cell) || is_missing(cell, &options.text)
    };
    let plan = Plan::new(path, &header, numeric, options)?;
    let mut table = Table::new(path, &header, &plan, options);
    while more {
        table.push(&record)?;
        if table.rows.is_multiple_of(LINES_A_STEP) {
            let done = lines.reader.position().byte();
            observer(Progress { stage: "reading", done, total });
            table.expect_room()?;
        }
        more = lines.next(&mut record)?;
    }
    observer(Progress { stage: "reading", done: total, total });
    table.expect_room()?;
    table.finish()
}

/// The names of the columns of a text file.
pub(crate) fn csv_names(path: &Path, options: &ReadOptions) -> Result<Vec<String>> {
    Lines::open(path, &options.text)?.header()
}

fn is_missing(cell: &[u8], form: &TextForm) -> bool {
    form.missing.iter().any(|text| text.as_bytes() == cell)
}

/// The lines of a file, each as wide as the header.
struct Lines<'a> {
    path: &'a Path,
    form: &'a TextForm,
    reader: Reader<BufReader<File>>,
    width: usize,
}

impl<'a> Lines<'a> {
    fn open(path: &'a Path, form: &'a TextForm) -> Result<Self> {
        let mut file = BufReader::new(File::open(path).map_err(Error::read(path))?);
        let separator = match form.separator {
            Some(separator) => separator,
            None => separator(&mut file).map_err(Error::read(path))?,
        };
        let mut builder = ReaderBuilder::new();
        builder.flexible(true).delimiter(separator).has_headers(form.header);
        Ok(Self { path, form, reader: builder.from_reader(file), width: 0 })
    }

    fn header(&mut self) -> Result<Vec<String>> {
        let broken = |source| Error::format(self.path, Place::Line(1), "CSV", source);
        let header = self.reader.headers().map_err(broken)?;
        if !self.form.header && !header.is_empty() {
            self.width = header.len();
            let name = |at| {
                let given = self.form.names.get(at).cloned();
                given.unwrap_or_else(|| format!("Column_{at}"))
            };
            return Ok((0..self.width).map(name).collect());
        }
        if header.is_empty() {
            let reason = ": it is empty, without a header".into();
            return Err(Error::NoRows { path: self.path.into(), reason });
        }
        self.width = header.len();
        Ok(header.iter().map(str::to_owned).collect())
    }

    fn next(&mut self, record: &mut ByteRecord) -> Result<bool> {
        let line = self.reader.position().line();
        let broken = |source| Error::format(self.path, Place::Line(line), "CSV", source);
        let more = self.reader.read_byte_record(record).map_err(broken)?;
        if more && record.len() != self.width {
            let source = format!("it has {} cells, the header has {}", record.len(), self.width);
            return Err(Error::format(self.path, Place::Line(line_of(record)), "CSV", source));
        }
        Ok(more)
    }
}

/// The tab where the first line has one and no comma, else the comma.
fn separator(file: &mut BufReader<File>) -> std::io::Result<u8> {
    // As much of the first line as is at hand tells.
    let start = file.fill_buf()?;
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let tab = line.contains(&b'\t') && !line.contains(&b',');
    file.rewind()?;
    Ok(if tab { b'\t' } else { b',' })
}

fn line_of(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

/// The panel while it grows.
struct Table<'a> {
    path: &'a Path,
    header: &'a [String],
    plan: &'a Plan,
    options: &'a ReadOptions,
    gate: EraGate<'a>,
    /// Lines offered, and the line of each row kept.
    rows: usize,
    lines: Vec<u64>,
    ids: IdsBuilder,
    columns: Vec<Filling>,
}

impl<'a> Table<'a> {
    fn new(path: &'a Path, header: &'a [String], plan: &'a Plan, options: &'a ReadOptions) -> Self {
        Self {
            path,
            header,
            plan,
            options,
            gate: EraGate::new(path, options),
            rows: 0,
            lines: Vec::new(),
            ids: IdsBuilder::default(),
            columns: plan
                .columns
                .iter()
                .map(|wanted| Filling::new(wanted.role == Role::Feature, 0))
                .collect(),
        }
    }

    fn push(&mut self, record: &ByteRecord) -> Result<()> {
        self.rows += 1;
        if let (Some(at), Some(filter)) = (self.plan.filter, &self.options.filter)
            && record.get(at) != Some(filter.value.as_bytes())
        {
            return Ok(());
        }
        let era = match self.plan.era {
            Some(at) => self.label(record, at, "an era")?,
            None => "0",
        };
        if !self.gate.admit(era, 1, || Place::Line(line_of(record)))? {
            return Ok(());
        }
        if let Some(at) = self.plan.id {
            let id = self.label(record, at, "an id")?;
            self.ids.push(id);
        }
        self.lines.push(line_of(record));
        for (Wanted { at, missing, .. }, column) in self.plan.columns.iter().zip(&mut self.columns)
        {
            let mut cell = record.get(*at).unwrap_or_default();
            if is_missing(cell, &self.options.text) {
                cell = &[];
            }
            if let Err(expected) = push(column, cell, *missing) {
                return Err(self.refuse(record, *at, expected));
            }
        }
        Ok(())
    }

    /// Refuses what is read once it takes more than is allowed.
    fn expect_room(&self) -> Result<()> {
        let ids = if self.plan.id.is_some() { ID_BYTES } else { 0 };
        let row = ids + self.columns.iter().map(Filling::width).sum::<usize>();
        self.options.expect_room(self.path, self.lines.len() * row)
    }

    fn label<'r>(
        &self,
        record: &'r ByteRecord,
        at: usize,
        expected: &'static str,
    ) -> Result<&'r str> {
        match std::str::from_utf8(record.get(at).unwrap_or_default()) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(self.refuse(record, at, expected)),
        }
    }

    fn refuse(&self, record: &ByteRecord, at: usize, expected: &'static str) -> Error {
        let cell = String::from_utf8_lossy(record.get(at).unwrap_or_default());
        Error::Value {
            path: self.path.into(),
            place: Place::Line(line_of(record)),
            column: self.header[at].clone(),
            value: if cell.is_empty() {
                "an empty cell".into()
            } else {
                format!("'{}'", shown(&cell))
            },
            expected,
        }
    }

    fn finish(self) -> Result<Panel> {
        let parts = Parts {
            eras: self.gate.finish(self.rows)?,
            ids: self.plan.id.map(|_| self.ids.finish()),
            columns: self.columns.into_iter().map(Filling::done).collect(),
        };
        let lines = self.lines;
        parts.assemble(self.path, self.plan, self.options, |row| {
            lines.get(row).map_or(Place::File, |&line| Place::Line(line))
        })
    }
}
