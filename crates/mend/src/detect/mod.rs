//! How a text table is written, found from its beginning.
//!
//! Every candidate (delimiter, quote, escape) splits the sample, and the one whose table looks most like
//! one wins (after G. J. J. van den Burg, A. Nazabal, C. Sutton, Wrangling messy CSV files by detecting
//! row and type patterns, 2019):
//!
//! ```text
//! score       = consistency * meaning
//! consistency = sum over widths w of (n_w / n)^2 * (w - 1) / w      n_w rows of n have w cells
//! meaning     = mean over cells: 1 a number, a date, a word, a quoted text; less for what holds a
//!               delimiter of another candidate, and for quotes that are not escaped
//! ```

mod encoding;
mod header;
mod score;

use serde::{Deserialize, Serialize};

use crate::{
    cell::DateOrder,
    column::Column,
    dialect::{Dialect, Ends, Known},
};

pub(crate) use encoding::patched;
pub use encoding::{Charset, Transcoder};

/// How sure each finding is, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Confidence {
    /// Of delimiter, quote and escape together: 1 where no other candidate makes a table.
    pub dialect: f64,
    /// Of what ends a record: the share of the line ends that are like it.
    pub ends: f64,
    /// Of where the table begins: the share of the lines above that are unlike its rows, times the share of the
    /// rows below that are as wide as it.
    pub preamble: f64,
    /// Of the rows of names.
    pub header: f64,
    /// Of decimal and thousands marks, in the column where they are least sure: 0 where every number with a mark
    /// could be read in another way, such as `1.234`.
    pub marks: f64,
    /// Of the order of dates, where a column has dates.
    pub date_order: f64,
}

/// A table of more columns than [`MOST_COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} columns, {MOST_COLUMNS} are allowed")]
pub struct TooManyColumns {
    /// Columns that most rows have.
    pub found: usize,
}

/// Tables have so many columns at most: each takes memory of its own, however few rows there are.
pub const MOST_COLUMNS: usize = 1 << 16;

/// A table as its beginning tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// How cells and records are parted.
    pub dialect: Dialect,
    /// Lines before the names or the first row.
    pub preamble: usize,
    /// Rows of names.
    pub header: usize,
    /// Bytes before the first row.
    pub body: usize,
    /// Lines before the first row.
    pub lines: usize,
    /// The columns.
    pub columns: Vec<Column>,
    /// How sure this is.
    pub confidence: Confidence,
}

/// Finds the layout of a table from the beginning of its text, without a byte-order mark, and from
/// stretches of text elsewhere in it, which begin and end anywhere. What is `known` is not looked for.
///
/// # Errors
/// When there are more than [`MOST_COLUMNS`] columns.
///
/// ```
/// use fattail_mend::{Kind, Known, detect};
/// let text = b"report of May\n\nday;price\n01.05.2026;12,5\n02.05.2026;13,25\n";
/// let layout = detect(text, &[], &Known::default())?;
/// assert_eq!((layout.dialect.delimiter, layout.preamble, layout.header), (b';', 2, 1));
/// assert_eq!(layout.columns[1].name, "price");
/// assert!(matches!(layout.columns[1].kind, Kind::Float { form } if form.decimal == b','));
/// # Ok::<(), fattail_mend::TooManyColumns>(())
/// ```
pub fn detect(start: &[u8], elsewhere: &[&[u8]], known: &Known) -> Result<Layout, TooManyColumns> {
    let (ends, sure) = known.ends.map_or_else(|| find_ends(start), |ends| (ends, 1.0));
    let (dialect, confidence) = score::best(start, ends, known);
    let sure = Confidence { dialect: confidence, ends: sure, ..Confidence::default() };
    header::layout(start, elsewhere, dialect, sure, known)
}

/// Line feeds, unless carriage returns without one are more; and how sure that is.
fn find_ends(sample: &[u8]) -> (Ends, f64) {
    let lone = |at: &usize| sample.get(at + 1) != Some(&b'\n');
    let returns = memchr::memchr_iter(b'\r', sample).filter(lone).count();
    let feeds = memchr::memchr_iter(b'\n', sample).count();
    let share = |count: usize| count as f64 / (returns + feeds).max(1) as f64;
    match returns > feeds {
        true => (Ends::CarriageReturn, share(returns)),
        false => (Ends::LineFeed, if returns == 0 { 1.0 } else { share(feeds) }),
    }
}

/// The order that the file's dates vote for, and how sure it is.
pub(crate) fn date_order(votes: [u64; 3]) -> (DateOrder, f64) {
    let mut best = (DateOrder::YearFirst, 0);
    for (order, count) in DateOrder::ALL.into_iter().zip(votes) {
        if count > best.1 {
            best = (order, count);
        }
    }
    let second = votes.iter().enumerate().filter(|(at, _)| *at != best.0 as usize);
    let second = second.map(|(_, count)| *count).max().unwrap_or(0);
    let sure = if best.1 == 0 { 1.0 } else { 1.0 - second as f64 / best.1 as f64 };
    (best.0, sure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(text: &str) -> Confidence {
        detect(text.as_bytes(), &[], &Known::default()).unwrap().confidence
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_sure() {
        let rows = |row: &str| format!("day;price\n{}", row.repeat(20));
        let clear = sure(&rows("28.01.2018;12,5\n"));
        assert_eq!(
            (clear.marks, clear.date_order, clear.ends, clear.preamble),
            (1.0, 1.0, 1.0, 1.0)
        );
        assert_eq!(sure(&rows("28.01.2018;1.234\n")).marks, 0.0);
        assert_eq!(sure(&rows("28.01.2018;1,234\n")).marks, 0.0);
        assert_eq!(sure(&rows("28.01.2018;1,234\n28.01.2018;1,23\n")).marks, 0.5);
        assert_eq!(sure(&rows("02.01.2018;1\n")).date_order, 0.0);
        assert_eq!(sure(&rows("28.01.2018;1\r28.01.2018;2\n")).ends, 21.0 / 41.0);
        let title = sure(&format!("report of May\n\n{}", rows("28.01.2018;1\n28.01.2018\n")));
        assert_eq!(title.preamble, 0.5);
    }

    #[test]
    fn columns_without_end_are_refused() {
        let row = |width: usize| vec!["7"; width].join(",").into_bytes();
        let found = detect(&row(MOST_COLUMNS + 1), &[], &Known::default());
        assert_eq!(found.unwrap_err(), TooManyColumns { found: MOST_COLUMNS + 1 });
        assert!(detect(&row(MOST_COLUMNS), &[], &Known::default()).is_ok());
    }
}
