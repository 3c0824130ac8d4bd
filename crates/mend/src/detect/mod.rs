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
    /// Of the rows of names.
    pub header: f64,
    /// Of the order of dates, where a column has dates.
    pub date_order: f64,
}

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
/// ```
/// use fattail_mend::{Kind, Known, detect};
/// let text = b"report of May\n\nday;price\n01.05.2026;12,5\n02.05.2026;13,25\n";
/// let layout = detect(text, &[], &Known::default());
/// assert_eq!((layout.dialect.delimiter, layout.preamble, layout.header), (b';', 2, 1));
/// assert_eq!(layout.columns[1].name, "price");
/// assert!(matches!(layout.columns[1].kind, Kind::Float { form } if form.decimal == b','));
/// ```
pub fn detect(start: &[u8], elsewhere: &[&[u8]], known: &Known) -> Layout {
    let ends = known.ends.unwrap_or_else(|| find_ends(start));
    let (dialect, confidence) = score::best(start, ends, known);
    header::layout(start, elsewhere, dialect, confidence, known)
}

/// Line feeds, unless carriage returns without one are more.
fn find_ends(sample: &[u8]) -> Ends {
    let lone = |at: &usize| sample.get(at + 1) != Some(&b'\n');
    let returns = memchr::memchr_iter(b'\r', sample).filter(lone).count();
    match returns > memchr::memchr_iter(b'\n', sample).count() {
        true => Ends::CarriageReturn,
        false => Ends::LineFeed,
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
