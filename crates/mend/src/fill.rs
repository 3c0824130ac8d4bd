//! Cells to values, a column at a time.

use crate::{
    block::{Data, Filled, Note, Seen, shown},
    cell::{float, integer, trimmed, windowed_float, windowed_integer},
    cells::{Cell, Cells, place},
    column::{Column, Kind, Value},
    detect::patched,
    rule::{Policy, Rule},
    value::{Meaning, Wider, meaning},
};

/// Where a row stands in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPlace {
    pub(crate) start: u32,
    /// Where the next record begins.
    pub(crate) next: u32,
    pub(crate) line: u32,
}

/// Rows whose cells are found and whose values are not yet.
pub(crate) struct Batch<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) cells: &'a Cells,
    pub(crate) rows: &'a [RowPlace],
    pub(crate) width: usize,
    /// Whether no cell holds a control character or a byte that is not UTF-8.
    pub(crate) plain: bool,
}

impl<'a> Batch<'a> {
    #[inline]
    pub(crate) fn cell(&self, row: usize, column: usize) -> &'a [u8] {
        let cell: Cell = self.cells.places[row * self.width + column];
        self.cells.bytes(self.text, cell)
    }

    /// The cell, and the 16 bytes of text that end with it, where there are so many.
    #[inline(always)]
    fn windowed(&self, row: usize, column: usize) -> (Cell, Option<&'a [u8; 16]>) {
        let cell = self.cells.places[row * self.width + column];
        let end = cell.end as usize;
        (cell, self.text.get(end.wrapping_sub(16)..end).and_then(<[u8]>::first_chunk))
    }
}

/// What filling found besides values.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) notes: Vec<(usize, Note)>,
    /// Rows that need a rule that may not run, each with the rule.
    pub(crate) refused: Vec<(usize, Rule)>,
    /// Cells that are no values of their columns, by row and column.
    pub(crate) seen: Vec<(usize, usize, Strange)>,
}

/// What a cell that is no value of its column's kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strange {
    Wider(Wider),
    Misfit,
}

impl Strange {
    pub(crate) fn count(self, seen: &mut Seen) {
        match self {
            Self::Wider(Wider::Fraction) => seen.fraction = true,
            Self::Wider(Wider::Wide) => seen.wide = true,
            Self::Wider(Wider::Timed) => seen.timed = true,
            Self::Misfit => seen.misfits += 1,
        }
    }
}

/// Fills one column from a batch.
pub(crate) struct Filler<'a> {
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) at: usize,
    pub(crate) column: &'a Column,
    pub(crate) policy: Policy,
    /// Whether texts that stand for a missing value are known; of columns read as they stand none is.
    pub(crate) known: bool,
    pub(crate) findings: &'a mut Findings,
}

/// A column with room for more.
pub(crate) fn empty(kind: Kind) -> Filled {
    let data = match kind {
        Kind::Boolean => Data::Booleans(Vec::new()),
        Kind::Integer { wide: false, .. } | Kind::Date { .. } => Data::Narrow(Vec::new()),
        Kind::Integer { .. } | Kind::Timestamp { .. } | Kind::Time => Data::Wide(Vec::new()),
        Kind::Float { .. } => Data::Floats(Vec::new()),
        Kind::Text { .. } => Data::Texts { ends: Vec::new(), bytes: Vec::new() },
    };
    Filled { data, missing: Vec::new(), seen: Seen::default() }
}

impl Filler<'_> {
    pub(crate) fn fill(&mut self, filled: &mut Filled) {
        let Filled { data, missing, .. } = filled;
        let kind = self.column.kind;
        match data {
            Data::Narrow(values) if is_plain_integer(kind) => {
                let narrow = |value: i64| i32::try_from(value).ok();
                let windowed =
                    |window: &_, length| windowed_integer(window, length).and_then(narrow);
                self.values(values, missing, windowed, |cell| integer(cell).and_then(narrow))
            }
            Data::Wide(values) if is_plain_integer(kind) => {
                self.values(values, missing, windowed_integer, integer)
            }
            Data::Floats(values) if matches!(kind, Kind::Float { form } if form.is_plain()) => {
                self.values(values, missing, windowed_float, float);
            }
            Data::Narrow(values) => self.values(
                values,
                missing,
                |_, _| None,
                |cell| match kind.read(cell)? {
                    Value::Integer(value) => i32::try_from(value).ok(),
                    _ => None,
                },
            ),
            Data::Wide(values) => self.values(
                values,
                missing,
                |_, _| None,
                |cell| match kind.read(cell)? {
                    Value::Integer(value) => Some(value),
                    _ => None,
                },
            ),
            Data::Floats(values) => self.values(
                values,
                missing,
                |_, _| None,
                |cell| match kind.read(cell)? {
                    Value::Float(value) => Some(value),
                    _ => None,
                },
            ),
            Data::Booleans(values) => self.values(
                values,
                missing,
                |_, _| None,
                |cell| match kind.read(cell)? {
                    Value::Boolean(value) => Some(value),
                    _ => None,
                },
            ),
            Data::Texts { ends, bytes } => self.texts(ends, bytes, missing),
        }
    }

    #[inline(always)]
    fn values<T: Copy + Default + Stored>(
        &mut self,
        values: &mut Vec<T>,
        missing: &mut Vec<u32>,
        windowed: impl Fn(&[u8; 16], usize) -> Option<T>,
        read: impl Fn(&[u8]) -> Option<T>,
    ) {
        let batch = self.batch;
        values.reserve(batch.rows.len());
        for row in 0..batch.rows.len() {
            let (cell, window) = batch.windowed(row, self.at);
            let length = cell.end.wrapping_sub(cell.start) as usize;
            if let Some(value) = window.and_then(|window| windowed(window, length)) {
                values.push(value);
                continue;
            }
            let cell = batch.cell(row, self.at);
            match read(cell) {
                Some(value) => values.push(value),
                None => {
                    let value = if cell.is_empty() { None } else { self.mend(row, cell) };
                    let value = value.and_then(T::stored);
                    if value.is_none() {
                        missing.push(place(values.len()));
                    }
                    values.push(value.unwrap_or_default());
                }
            }
        }
    }

    /// The value of a cell that was not read at once.
    #[cold]
    fn mend(&mut self, row: usize, cell: &[u8]) -> Option<Value> {
        let (value, rule) = match meaning(self.column, cell) {
            Meaning::Plain(value) => return Some(value),
            Meaning::Mended(value, rule) => (value, rule),
            Meaning::Wider(wider) if !self.column.declared => {
                self.findings.seen.push((row, self.at, Strange::Wider(wider)));
                return None;
            }
            Meaning::Wider(_) => (Value::Missing, Rule::Misfit),
        };
        if rule == Rule::Misfit {
            self.findings.seen.push((row, self.at, Strange::Misfit));
        }
        self.note(row, rule, cell, self.column.kind.told(value));
        (value != Value::Missing).then_some(value)
    }

    /// Notes a repair, or that the row has to be refused for it.
    fn note(&mut self, row: usize, rule: Rule, before: &[u8], after: Option<String>) {
        if !self.policy.allows(rule) {
            self.findings.refused.push((row, rule));
            return;
        }
        let RowPlace { start: offset, line, .. } = self.batch.rows[row];
        let column = Some(place(self.at));
        let (line, offset) = (line.into(), offset.into());
        let note = Note { line, offset, column, rule, before: shown(before), after };
        self.findings.notes.push((row, note));
    }

    fn texts(&mut self, ends: &mut Vec<i32>, bytes: &mut Vec<u8>, missing: &mut Vec<u32>) {
        let batch = self.batch;
        ends.reserve(batch.rows.len());
        for row in 0..batch.rows.len() {
            let cell = batch.cell(row, self.at);
            if cell.is_empty() || self.known && self.column.is_missing(trimmed(cell)) {
                missing.push(place(ends.len()));
            } else if batch.plain || is_plain(cell) {
                bytes.extend_from_slice(cell);
            } else {
                self.text(row, cell, bytes);
            }
            ends.push(place(bytes.len()) as i32);
        }
    }

    /// A text with bytes that do not belong there.
    #[cold]
    fn text(&mut self, row: usize, cell: &[u8], bytes: &mut Vec<u8>) {
        let mut text = cell.to_vec();
        let mut rules = Vec::new();
        if text.contains(&0) {
            text.retain(|&byte| byte != 0);
            rules.push(Rule::NullByte);
        }
        if text.iter().any(is_control) {
            text.retain(|byte| !is_control(byte));
            rules.push(Rule::ControlCharacter);
        }
        if std::str::from_utf8(&text).is_err() {
            text = patched(&text);
            rules.push(Rule::InvalidSequence);
        } else if memchr::memmem::find(&text, LOST.as_bytes()).is_some() {
            rules.push(Rule::InvalidSequence);
        }
        for rule in rules {
            self.note(row, rule, cell, Some(shown(&text)));
        }
        bytes.extend_from_slice(&text);
    }
}

fn is_plain_integer(kind: Kind) -> bool {
    matches!(kind, Kind::Integer { form, .. } if form.is_plain())
}

/// What stands for a character that was lost, here or before.
const LOST: &str = "\u{fffd}";

/// Lines and tabs may stand in a text.
fn is_control(byte: &u8) -> bool {
    *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t') || *byte == 0x7f
}

/// Whether a text can be taken as it is.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // The fold has no branch, so that it is done for many bytes at once.
    let odd = text.iter().fold(false, |odd, &byte| odd | (byte < 0x20) | (byte == 0x7f));
    (!odd || !text.iter().any(is_control))
        && std::str::from_utf8(text).is_ok()
        && memchr::memmem::find(text, LOST.as_bytes()).is_none()
}

/// What a value becomes in its column.
trait Stored: Sized {
    fn stored(value: Value) -> Option<Self>;
}

macro_rules! stored {
    ($($kind:ty: $($variant:ident)|+ => $value:expr;)+) => {$(
        impl Stored for $kind {
            fn stored(value: Value) -> Option<Self> {
                match value { $(Value::$variant(value) => $value(value),)+ _ => None }
            }
        }
    )+};
}

stored! {
    bool: Boolean => Some;
    i32: Integer => |value| i32::try_from(value).ok();
    i64: Integer => Some;
    f64: Float => Some;
}
