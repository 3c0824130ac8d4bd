//! What the text of a cell says: numbers, dates, times, truth, markers of missing values.

mod date;
mod missing;
mod number;

pub use date::DateOrder;
pub(crate) use date::{DAY, Moment, date, time, told_clock, told_day};
pub(crate) use missing::{is_marker, plain_letters};
pub use number::{NumberForm, Unit};
pub(crate) use number::{float, integer, split_unit, windowed_float, windowed_integer};

/// Reads `true` and `false` and their usual spellings.
pub(crate) fn boolean(cell: &[u8]) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()));
    match () {
        () if is(["true", "t", "yes", "y"]) => Some(true),
        () if is(["false", "f", "no", "n"]) => Some(false),
        () => None,
    }
}

/// The cell without spaces around it; the no-break space of UTF-8 counts.
pub(crate) fn trimmed(mut cell: &[u8]) -> &[u8] {
    loop {
        let short = cell.trim_ascii();
        let short = short.strip_prefix(b"\xc2\xa0").unwrap_or(short);
        let short = short.strip_suffix(b"\xc2\xa0").unwrap_or(short);
        if short.len() == cell.len() {
            return cell;
        }
        cell = short;
    }
}
