//! What was read from a stretch of text: columns, notes of repairs, refused rows, and counts that add up.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::rule::Rule;

/// Texts in notes are cut to so many bytes.
const SHOWN_BYTES: usize = 1024;

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Of [`crate::Kind::Boolean`].
    Booleans(Vec<bool>),
    /// Whole numbers of 32 bits, and days since 1970-01-01.
    Narrow(Vec<i32>),
    /// Whole numbers of 64 bits, and microseconds since 1970-01-01 or since midnight.
    Wide(Vec<i64>),
    /// Numbers.
    Floats(Vec<f64>),
    /// Texts, end to end in UTF-8; text i ends at `ends[i]`.
    Texts {
        /// Where each text ends.
        ends: Vec<i32>,
        /// The texts.
        bytes: Vec<u8>,
    },
}

impl Data {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Self::Booleans(values) => values.len(),
            Self::Narrow(values) => values.len(),
            Self::Wide(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Texts { ends, .. } => ends.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the values take.
    fn memory(&self) -> usize {
        match self {
            Self::Booleans(values) => values.len(),
            Self::Narrow(values) => 4 * values.len(),
            Self::Wide(values) => 8 * values.len(),
            Self::Floats(values) => 8 * values.len(),
            Self::Texts { ends, bytes } => 4 * ends.len() + bytes.len(),
        }
    }

    /// The text at a row, of a column of texts.
    pub fn text(&self, row: usize) -> Option<&[u8]> {
        let Self::Texts { ends, bytes } = self else { return None };
        let start = row.checked_sub(1).map_or(0, |before| ends[before]);
        bytes.get(usize::try_from(start).ok()?..usize::try_from(*ends.get(row)?).ok()?)
    }

    /// Takes the rows out, counted from `from`, that are not kept.
    fn retain(&mut self, from: usize, keep: &[bool]) {
        match self {
            Self::Booleans(values) => retain(values, from, keep),
            Self::Narrow(values) => retain(values, from, keep),
            Self::Wide(values) => retain(values, from, keep),
            Self::Floats(values) => retain(values, from, keep),
            Self::Texts { ends, bytes } => retain_texts(ends, bytes, from, keep),
        }
    }
}

fn retain<T: Copy>(values: &mut Vec<T>, from: usize, keep: &[bool]) {
    let mut to = from;
    for (at, _) in keep.iter().enumerate().filter(|(_, keep)| **keep) {
        values[to] = values[from + at];
        to += 1;
    }
    values.truncate(to);
}

fn retain_texts(ends: &mut Vec<i32>, bytes: &mut Vec<u8>, from: usize, keep: &[bool]) {
    let base = from.checked_sub(1).map_or(0, |before| ends[before]) as usize;
    let tail = bytes.split_off(base);
    let old = ends.split_off(from);
    let mut start = 0;
    for (&end, &keep) in old.iter().zip(keep) {
        let end = end as usize - base;
        if keep {
            bytes.extend_from_slice(&tail[start..end]);
            ends.push(crate::cells::place(bytes.len()) as i32);
        }
        start = end;
    }
}

/// A column as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// The values; where one is missing stands anything.
    pub data: Data,
    /// The rows whose value is missing, in order.
    pub missing: Vec<u32>,
    /// What stood there that a wider kind would hold.
    pub seen: Seen,
}

impl Filled {
    pub(crate) fn retain(&mut self, from: usize, keep: &[bool]) {
        self.data.retain(from, keep);
        let first = self.missing.partition_point(|&row| (row as usize) < from);
        let old = self.missing.split_off(first);
        let mut before = vec![0u32; keep.len()];
        let mut kept = 0;
        for (before, &keep) in before.iter_mut().zip(keep) {
            *before = kept;
            kept += u32::from(keep);
        }
        let stays = old.into_iter().map(|row| row as usize - from).filter(|&row| keep[row]);
        self.missing.extend(stays.map(|row| crate::cells::place(from) + before[row]));
    }
}

/// Cells that are no values of the column's kind but of a wider one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// A number with a fraction or an exponent among whole ones.
    pub fraction: bool,
    /// A whole number of more than 32 bits among narrow ones.
    pub wide: bool,
    /// A time among days.
    pub timed: bool,
    /// Cells that fit in no way, those of refused rows as well.
    pub misfits: u64,
}

impl Seen {
    /// What both saw.
    pub fn and(self, other: Self) -> Self {
        Self {
            fraction: self.fraction || other.fraction,
            wide: self.wide || other.wide,
            timed: self.timed || other.timed,
            misfits: self.misfits + other.misfits,
        }
    }
}

/// A repair, or that a row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line on which the row begins, counted from 0 at the first line of the block.
    pub line: u64,
    /// Where the row begins in the text.
    pub offset: u64,
    /// The column, where it is about one.
    pub column: Option<u32>,
    /// The rule.
    pub rule: Rule,
    /// What stood there, at most 1 KiB.
    pub before: String,
    /// What stands there now; nothing where a value is missing or the row was refused.
    pub after: Option<String>,
}

impl Note {
    /// A note on a whole row or line: nothing of it stands in the table.
    pub fn whole(rule: Rule, line: u64, offset: u64, text: &[u8]) -> Self {
        let before = shown(text.trim_ascii_end());
        Self { line, offset, column: None, rule, before, after: None }
    }

    /// Bytes of memory that it takes, about: allocators give texts 16 bytes and more.
    pub(crate) fn memory(&self) -> usize {
        let texts =
            self.before.len().max(16) + self.after.as_ref().map_or(0, |text| text.len().max(16));
        size_of::<Self>() + texts
    }
}

/// A row that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The line on which it begins, as in a note.
    pub line: u64,
    /// Where it begins in the text.
    pub start: usize,
    /// Where the next record begins.
    pub next: usize,
    /// The rule that would have been needed, or the reason.
    pub rule: Rule,
}

/// What was read from a stretch of text.
///
/// `read == rows + refused`, always; lines that are no rows are counted in `skipped`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The columns, of equal length.
    pub columns: Vec<Filled>,
    /// Rows in the columns.
    pub rows: usize,
    /// Rows read.
    pub read: u64,
    /// Blank lines and repeated names.
    pub skipped: u64,
    /// Lines from the beginning to `next`.
    pub lines: u64,
    /// Where the next record begins.
    pub next: usize,
    /// The repairs, in the order of rows and columns.
    pub notes: Vec<Note>,
    /// The rows that were refused.
    pub refused: Vec<Refused>,
    /// The bytes of refused rows, in order; of a row that is too long also those behind what it may have.
    pub aside: Vec<Range<usize>>,
    /// Whether the text behind `next` goes on with a row that is too long.
    pub open: bool,
    /// Bytes that the notes take.
    pub(crate) notes_memory: usize,
}

impl Block {
    /// Adds a note behind all others.
    pub fn add(&mut self, note: Note) {
        self.notes_memory += note.memory();
        self.notes.push(note);
    }

    /// Bytes of memory that it takes, about.
    pub fn memory(&self) -> usize {
        // Of a column with few rows most is what holds it.
        let column = |filled: &Filled| {
            size_of::<Filled>() + 64 + filled.data.memory() + 4 * filled.missing.len()
        };
        let columns: usize = self.columns.iter().map(column).sum();
        let refused = self.refused.len() * size_of::<Refused>();
        columns + refused + self.aside.len() * size_of::<Range<usize>>() + self.notes_memory
    }
}

/// Bytes as a text that can be shown, cut where they are many.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN_BYTES) {
        Some(cut) if bytes.len() > SHOWN_BYTES => String::from_utf8_lossy(cut).into_owned() + "…",
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_out_from_a_place_on() {
        let texts = Data::Texts { ends: vec![1, 2, 4, 4, 7], bytes: b"abccddd".to_vec() };
        let mut column = Filled { data: texts, missing: vec![0, 2, 3], seen: Seen::default() };
        column.retain(1, &[true, false, true, true]);
        assert_eq!(column.missing, [0, 2]);
        let told: Vec<_> = (0..4).map(|row| column.data.text(row).unwrap()).collect();
        assert_eq!(told, [&b"a"[..], b"b", b"", b"ddd"]);
        let mut numbers = Data::Narrow(vec![1, 2, 3, 4]);
        numbers.retain(2, &[false, true]);
        assert_eq!(numbers, Data::Narrow(vec![1, 2, 4]));
    }
}
