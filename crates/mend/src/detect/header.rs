//! Where the table begins, the names of its columns, and what they hold.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Confidence, Layout, MOST_COLUMNS, TooManyColumns, date_order, score::is_value};
use crate::{
    align::Aligned,
    cell::{DateOrder, is_marker, trimmed},
    cells::Cells,
    column::{Column, Kind},
    dialect::{Dialect, Known},
    ragged::best,
    sample::Sample,
    split::{Record, split},
};

/// Records at the beginning among which the names are looked for.
const BEGINNING: usize = 64;
/// A name is not longer than this.
const NAME_BYTES: usize = 256;
/// An alignment of names that costs more is none.
const NAMES: f32 = 3.0;
/// Rows of names are not more than this.
const NAME_ROWS: usize = 4;

/// A record of the sample.
struct Row {
    start: usize,
    stop: usize,
    /// Where the next one begins.
    next: usize,
    cells: Vec<Vec<u8>>,
}

impl Row {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !trimmed(cell).is_empty()).count()
    }

    /// Whether it looks like a row of a table so wide, and like more than a title.
    fn is_like(&self, width: usize) -> bool {
        self.cells.len() == width && 3 * self.filled() > width
    }
}

pub(super) fn layout(
    start: &[u8],
    elsewhere: &[&[u8]],
    dialect: Dialect,
    sure: Confidence,
    known: &Known,
) -> Result<Layout, TooManyColumns> {
    let rows = rows(start, &dialect);
    let given = known.names.as_ref().map(Vec::len).filter(|&names| names > 0);
    let width = given.unwrap_or_else(|| width(&rows));
    if width > MOST_COLUMNS {
        return Err(TooManyColumns { found: width });
    }
    let begin = known.preamble.map_or_else(
        || beginning(start, &rows, width, &dialect),
        |lines| row_after(start, &rows, lines, &dialect),
    );
    let body = &rows[(begin + NAME_ROWS).min(rows.len())..];
    // The kinds of the rows well below the names judge whether the first rows are names.
    let judged = match body.iter().filter(|row| row.cells.len() == width).count() {
        0..4 => columns(rows.get(begin + 1..).unwrap_or_default(), &[], width, &dialect, known),
        _ => columns(body, &[], width, &dialect, known),
    };
    let (first, header, certain) = find_header(&rows, begin, width, &judged.columns, known);
    let data = first + header;
    let names = names(start, &rows[first..data.min(rows.len())], width, &dialect, known);
    let below = rows.get(data..).unwrap_or_default();
    let Judged { mut columns, votes, marks } = columns(below, elsewhere, width, &dialect, known);
    for (column, name) in columns.iter_mut().zip(names) {
        column.name = name;
    }
    let lines = |bytes: &[u8]| memchr::memchr_iter(dialect.ends.byte(), bytes).count();
    let open = !start.is_empty() && !start.ends_with(&[dialect.ends.byte()]);
    let all = lines(start) + usize::from(open);
    // The last record may be open: it is none of the rows here, and is read later.
    let rest = rows.last().map_or(0, |row| row.next);
    let (preamble, offset) = match rows.get(first) {
        None if known.preamble.is_some_and(|given| given >= all) => (all, start.len()),
        None if known.preamble.is_some() => (lines(&start[..rest]), rest),
        None => (0, rest),
        Some(row) => (lines(&start[..row.start]), rows.get(data).map_or(rest, |row| row.start)),
    };
    let begins = match known.preamble {
        Some(_) => 1.0,
        None => begins(&rows[..first.min(rows.len())], below, width),
    };
    let date_order = if known.date_order.is_some() { 1.0 } else { date_order(votes).1 };
    let confidence = Confidence { preamble: begins, header: certain, marks, date_order, ..sure };
    Ok(Layout {
        dialect,
        preamble,
        header,
        body: offset,
        lines: lines(&start[..offset]),
        columns,
        confidence,
    })
}

/// How sure it is that the table begins between the rows above and those below.
fn begins(above: &[Row], below: &[Row], width: usize) -> f64 {
    let share = |rows: &[Row], like: bool| {
        let count = rows.iter().filter(|row| row.is_like(width) == like).count();
        if rows.is_empty() { 1.0 } else { count as f64 / rows.len() as f64 }
    };
    share(above, false) * share(&below[..below.len().min(BEGINNING)], true)
}

/// The records of the sample that are whole. A quote that swallows the rest of the sample was none: its record is
/// the line.
fn rows(sample: &[u8], dialect: &Dialect) -> Vec<Row> {
    let (mut rows, mut cells, mut at) = (Vec::new(), Cells::default(), 0);
    while at < sample.len() {
        cells.clear();
        let mut text = sample;
        let mut record = split(text, at, dialect, &mut cells);
        if record.unclosed || record.long {
            let line = memchr::memchr(dialect.ends.byte(), &sample[at..]);
            text = &sample[..line.map_or(sample.len(), |end| at + end + 1)];
            cells.clear();
            let inner = text.strip_suffix(&[dialect.ends.byte()]).unwrap_or(text);
            record = Record { next: text.len(), ..split(inner, at, dialect, &mut cells) };
            text = inner;
        }
        let whole = record.next < sample.len() || sample.ends_with(&[dialect.ends.byte()]);
        if whole || rows.len() < 2 {
            let cells = cells.places.iter().map(|&cell| cells.bytes(text, cell).to_vec());
            let (stop, next) = (record.stop, record.next);
            rows.push(Row { start: at, stop, next, cells: cells.collect() });
        }
        at = record.next;
    }
    rows
}

/// The width of most rows; of equals the larger.
fn width(rows: &[Row]) -> usize {
    let mut widths = BTreeMap::<usize, usize>::new();
    for row in rows.iter().filter(|row| row.filled() > 0) {
        *widths.entry(row.cells.len()).or_default() += 1;
    }
    let most = widths.into_iter().max_by_key(|&(width, count)| (count, width));
    most.map_or(1, |(width, _)| width)
}

/// The first row that looks like one of the table: as wide, and more than a title.
fn beginning(sample: &[u8], rows: &[Row], width: usize, dialect: &Dialect) -> usize {
    let first = rows.iter().take(BEGINNING).position(|row| row.is_like(width)).unwrap_or(0);
    // Names that are ragged themselves stand right above.
    let above = first.checked_sub(1).filter(|&above| {
        let names = fitted(sample, &rows[above], width, dialect);
        let filled = names.iter().filter(|name| !name.is_empty()).count();
        let number = |name: &String| crate::cell::float(name.as_bytes()).is_some();
        width > 1 && 4 * filled >= 3 * width && !names.iter().any(number)
    });
    // A row with a value in it belongs to the table, however ragged it is.
    let value =
        |row: &Row| row.cells.len() > 1 && row.cells.iter().any(|cell| is_value(trimmed(cell)));
    let values = rows[..first].iter().rev().take_while(|row| value(row)).count();
    above.unwrap_or(first - values)
}

fn row_after(sample: &[u8], rows: &[Row], lines: usize, dialect: &Dialect) -> usize {
    let before = |row: &Row| memchr::memchr_iter(dialect.ends.byte(), &sample[..row.start]).count();
    rows.iter().position(|row| before(row) >= lines).unwrap_or(rows.len())
}

/// The columns of a table.
struct Judged {
    columns: Vec<Column>,
    /// How their dates vote.
    votes: [u64; 3],
    /// How sure the marks of numbers are, in the column where they are least.
    marks: f64,
}

/// The columns that rows as wide as the table tell.
fn columns(
    rows: &[Row],
    elsewhere: &[&[u8]],
    width: usize,
    dialect: &Dialect,
    known: &Known,
) -> Judged {
    let mut samples = vec![Sample::default(); width];
    let mut see = |row: &Row| {
        if row.cells.len() == width {
            row.cells.iter().zip(&mut samples).for_each(|(cell, sample)| sample.see(cell));
        }
    };
    rows.iter().for_each(&mut see);
    for stretch in elsewhere {
        // It begins within a record and ends within one.
        let from = memchr::memchr(dialect.ends.byte(), stretch).map_or(stretch.len(), |at| at + 1);
        let upto =
            memchr::memrchr(dialect.ends.byte(), stretch).map_or(from, |at| at + 1).max(from);
        self::rows(&stretch[from..upto], dialect).iter().for_each(&mut see);
    }
    let mut votes = [0; 3];
    for sample in &samples {
        // Columns of dates vote, texts with a date here and there do not.
        if matches!(
            sample.kind(known, DateOrder::default()),
            Kind::Date { .. } | Kind::Timestamp { .. }
        ) {
            votes.iter_mut().zip(sample.date_votes()).for_each(|(all, votes)| *all += votes);
        }
    }
    let order = known.date_order.unwrap_or(date_order(votes).0);
    let mut marks = 1.0_f64;
    let columns = samples.into_iter().enumerate().map(|(at, sample)| {
        marks = marks.min(sample.marks_sure(known, order));
        sample.finish(format!("column_{}", at + 1), known, order)
    });
    let columns = columns.collect();
    Judged { columns, votes, marks }
}

/// The first row of names, how many there are, and how sure that is.
fn find_header(
    rows: &[Row],
    begin: usize,
    width: usize,
    columns: &[Column],
    known: &Known,
) -> (usize, usize, f64) {
    if let Some(header) = known.header {
        return (begin, header, 1.0);
    }
    let Some(row) = rows.get(begin) else { return (begin, 0, 0.0) };
    let vote = vote(row, width, columns);
    let header = match vote {
        // Nothing speaks: rows of words alone begin with names, unless the words come again.
        Vote { names: 0.0, data: 0.0 } => !comes_again(row, &rows[begin + 1..]),
        Vote { names, data } => names > data,
    };
    if !header {
        // A row as ragged as a row of names may be, but which is none, belongs to the table.
        return (begin, 0, vote.sure());
    }
    let more = rows[begin + 1..].iter().take(NAME_ROWS - 1).take_while(|row| {
        let vote = self::vote(row, width, columns);
        row.cells.len() == width && vote.names >= 2.0 && vote.data == 0.0
    });
    (begin, 1 + more.count(), vote.sure())
}

/// What the cells of a row say: that they are names, or that they are values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Vote {
    names: f64,
    data: f64,
}

impl Vote {
    fn sure(self) -> f64 {
        let all = self.names + self.data;
        if all == 0.0 { 0.3 } else { (self.names - self.data).abs() / all }
    }
}

fn vote(row: &Row, width: usize, columns: &[Column]) -> Vote {
    let mut vote = Vote { names: 0.0, data: 0.0 };
    for (cell, column) in row.cells.iter().zip(columns) {
        let cell = trimmed(cell);
        // A number is a value wherever it stands; in a ragged row only this can be told.
        let number = crate::cell::float(cell).is_some();
        if cell.is_empty() || is_marker(cell) || row.cells.len() != width && !number {
            continue;
        }
        let weight = match column.kind.is_text() {
            true if column.is_telling() => 0.5,
            true => continue,
            false => 1.0,
        };
        match column.strangeness(cell) < 0.5 {
            true => vote.data += weight,
            false => vote.names += weight,
        }
    }
    if row.cells.len() != width && vote.data == 0.0 {
        vote.names = 1.0;
    }
    vote
}

/// Whether cells of a row stand in their columns again, or are not such as names are.
fn comes_again(row: &Row, below: &[Row]) -> bool {
    let mut seen = HashSet::new();
    row.cells.iter().enumerate().any(|(at, cell)| {
        let cell = trimmed(cell);
        let again =
            below.iter().any(|row| row.cells.get(at).is_some_and(|other| trimmed(other) == cell));
        let value = crate::cell::float(cell).is_some() || cell.len() > NAME_BYTES;
        !cell.is_empty() && (again || value || !seen.insert(cell.to_vec()))
    })
}

/// One name a column, none twice and none empty.
fn names(
    sample: &[u8],
    rows: &[Row],
    width: usize,
    dialect: &Dialect,
    known: &Known,
) -> Vec<String> {
    let mut names: Vec<String> = match &known.names {
        Some(names) if !names.is_empty() => names.clone(),
        _ => {
            let rows: Vec<Vec<String>> =
                rows.iter().map(|row| fitted(sample, row, width, dialect)).collect();
            (0..width).map(|at| joined(rows.iter().map(|row| row[at].as_str()))).collect()
        }
    };
    let mut seen: HashSet<String> = HashSet::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (at, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = format!("column_{}", at + 1);
        }
        let base = name.clone();
        let count = counts.entry(base.clone()).or_insert(1);
        while !seen.insert(name.clone()) {
            *count += 1;
            *name = format!("{base}_{count}");
        }
    }
    names
}

/// The cells of a row of names, as many as there are columns.
fn fitted(sample: &[u8], row: &Row, width: usize, dialect: &Dialect) -> Vec<String> {
    let text = |cell: &[u8]| String::from_utf8_lossy(trimmed(cell)).into_owned();
    if row.cells.len() == width {
        return row.cells.iter().map(|cell| text(cell)).collect();
    }
    // Of names only that they are not empty is known.
    let shape = crate::Shape { empty: Some(false), filled: Some(true), ..crate::Shape::default() };
    let columns = vec![Column { shape, ..Column::new("", Kind::TEXT) }; width];
    let aligned =
        best(sample, (row.start, row.stop), dialect, &columns).filter(|found| found.cost < NAMES);
    let cells = aligned.map(|aligned| aligned.cells).unwrap_or_default().into_iter();
    let mut names: Vec<String> = cells
        .map(|cell| match cell {
            Aligned::Place(start, stop) => text(&sample[start..stop]),
            Aligned::Text(bytes) => text(&bytes),
            Aligned::Missing => String::new(),
        })
        .collect();
    names.resize(width, String::new());
    names
}

/// Names that stand below each other, each once.
fn joined<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut name: Vec<&str> = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        if name.last() != Some(&part) {
            name.push(part);
        }
    }
    name.join(" ")
}
