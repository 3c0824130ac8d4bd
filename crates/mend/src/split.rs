//! One record, cell by cell, as RFC 4180 and its dialects have it, and as far as it is broken: what a
//! broken record becomes is decided elsewhere.

use memchr::{memchr, memchr2};

use crate::{
    cells::Cells,
    dialect::{Dialect, Escape},
};

/// A record longer than this is refused, and a quote open for longer was never meant to open.
pub const MOST_BYTES: usize = 1 << 20;

/// A quoted cell with more quotes than this inside that are not escaped, or behind one that is not, was never meant
/// to be one.
const MOST_UNESCAPED: usize = 32;

/// A record as it was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// Behind the last cell.
    pub(crate) stop: usize,
    /// Where the next record begins.
    pub(crate) next: usize,
    /// Quotes inside of quoted cells that are not escaped.
    pub(crate) unescaped: usize,
    /// A quoted cell was not closed within the bytes that a record may have.
    pub(crate) unclosed: bool,
    /// The record has more bytes than it may have.
    pub(crate) long: bool,
}

impl Record {
    pub(crate) fn is_clean(&self) -> bool {
        self.unescaped == 0 && !self.unclosed && !self.long
    }
}

/// Splits the record at `at` and adds its cells.
pub(crate) fn split(text: &[u8], at: usize, dialect: &Dialect, cells: &mut Cells) -> Record {
    let window = &text[..text.len().min(at + MOST_BYTES)];
    let record = Record { stop: at, next: at, unescaped: 0, unclosed: false, long: false };
    Splitter { text, window, dialect, cells, record }.run(at)
}

/// A record being split.
struct Splitter<'a> {
    text: &'a [u8],
    /// The text as far as the record may reach.
    window: &'a [u8],
    dialect: &'a Dialect,
    cells: &'a mut Cells,
    record: Record,
}

impl Splitter<'_> {
    fn run(mut self, at: usize) -> Record {
        let mut start = at;
        loop {
            start = skip_padding(self.window, start, self.dialect);
            let quoted = self.dialect.quote.filter(|quote| self.window.get(start) == Some(quote));
            let end = match quoted {
                Some(quote) => self.quoted(start, quote),
                None => {
                    let end = plain_end(self.window, start, self.dialect);
                    self.cells.push(start, without_return(self.window, start, end));
                    end
                }
            };
            match self.window.get(end) {
                Some(&byte) if byte == self.dialect.delimiter => start = end + 1,
                Some(_) => {
                    let stop = without_return(self.window, at, end);
                    return Record { next: end + 1, stop, ..self.record };
                }
                None => {
                    let long = self.window.len() < self.text.len();
                    return Record { next: end, stop: end, long, ..self.record };
                }
            }
        }
    }

    /// Adds the cell that opens at `open` and answers where the delimiter or record end behind it stands.
    fn quoted(&mut self, open: usize, quote: u8) -> usize {
        let (start, mut at, mut escaped) = (open + 1, open + 1, false);
        let (before, mut odd) = (self.record.unescaped, 0);
        let window = self.window;
        loop {
            let found = next_quote(window, at, quote, self.dialect, &mut escaped);
            let Some(found) = found.filter(|_| odd <= MOST_UNESCAPED) else {
                self.record.unclosed = true;
                self.cells.push(open, window.len());
                return window.len();
            };
            if window.get(found + 1) == Some(&quote) {
                escaped = true;
                at = found + 2;
                // Behind one that is not escaped, those that are say nothing.
                odd += usize::from(self.record.unescaped > before);
                continue;
            }
            let Some(end) = closing(window, found + 1, self.dialect) else {
                self.record.unescaped += 1;
                odd += 1;
                at = found + 1;
                continue;
            };
            match escaped {
                true => {
                    let plain = unescape(&window[start..found], quote, self.dialect);
                    self.cells.push_side(self.text.len(), &plain);
                }
                false => self.cells.push(start, found),
            }
            return end;
        }
    }
}

/// The next delimiter, record end or end of text.
fn plain_end(text: &[u8], start: usize, dialect: &Dialect) -> usize {
    let found = memchr2(dialect.delimiter, dialect.ends.byte(), &text[start..]);
    found.map_or(text.len(), |found| start + found)
}

/// The end without a carriage return before the line feed, or before the end of the text.
pub(crate) fn without_return(text: &[u8], start: usize, end: usize) -> usize {
    let line = text.get(end).is_none_or(|&byte| byte == b'\n');
    end - usize::from(line && end > start && text[end - 1] == b'\r')
}

pub(crate) fn skip_padding(text: &[u8], mut start: usize, dialect: &Dialect) -> usize {
    while dialect.padded && text.get(start) == Some(&b' ') {
        start += 1;
    }
    start
}

/// The next quote that no backslash escapes.
fn next_quote(
    text: &[u8],
    mut at: usize,
    quote: u8,
    dialect: &Dialect,
    escaped: &mut bool,
) -> Option<usize> {
    if dialect.escape == Escape::Doubled {
        return memchr(quote, text.get(at..)?).map(|found| at + found);
    }
    loop {
        let found = at + memchr2(quote, b'\\', text.get(at..)?)?;
        if text[found] == quote {
            return Some(found);
        }
        // A backslash means something before a quote and before another one; else it is itself.
        let special = text.get(found + 1).is_some_and(|&next| next == quote || next == b'\\');
        *escaped |= special;
        at = found + 1 + usize::from(special);
    }
}

/// Where the delimiter, the record end or the end of the text stands, if only spaces come before it.
fn closing(text: &[u8], mut at: usize, dialect: &Dialect) -> Option<usize> {
    loop {
        match text.get(at) {
            None => return Some(at),
            Some(&byte) if byte == dialect.delimiter || byte == dialect.ends.byte() => {
                return Some(at);
            }
            Some(b'\r') if matches!(text.get(at + 1), None | Some(b'\n')) => at += 1,
            Some(b' ') => at += 1,
            Some(_) => return None,
        }
    }
}

/// The text of a quoted cell: escapes resolved, quotes that are not escaped as they stand.
pub(crate) fn unescape(inner: &[u8], quote: u8, dialect: &Dialect) -> Vec<u8> {
    let mut plain = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(&byte) = inner.get(at) {
        let next = inner.get(at + 1);
        let doubled = byte == quote && next == Some(&quote);
        let slashed = dialect.escape == Escape::Backslash
            && byte == b'\\'
            && next.is_some_and(|&next| next == quote || next == b'\\');
        match (doubled || slashed, next) {
            (true, Some(&next)) => {
                plain.push(next);
                at += 2;
            }
            _ => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dialect: &Dialect) -> (Vec<String>, Record) {
        let mut cells = Cells::default();
        let record = split(text.as_bytes(), 0, dialect, &mut cells);
        let told = |&cell| String::from_utf8_lossy(cells.bytes(text.as_bytes(), cell)).into_owned();
        (cells.places.iter().map(told).collect(), record)
    }

    #[test]
    fn quotes_as_they_should_be() {
        let (cells, record) = read("a,\"b \"\"c\"\",\nd\",\" e\" ,\r\nnext", &Dialect::default());
        assert_eq!(cells, ["a", "b \"c\",\nd", " e", ""]);
        assert_eq!((record.next, record.is_clean()), (23, true));
        let backslash = Dialect { escape: Escape::Backslash, ..Dialect::default() };
        assert_eq!(read(r#""a\"b\\","c\d","e""f""#, &backslash).0, ["a\"b\\", "c\\d", "e\"f"]);
        let padded = Dialect { padded: true, ..Dialect::default() };
        assert_eq!(read("1, \"a, b\",  2, ", &padded).0, ["1", "a, b", "2", ""]);
        let none = Dialect { quote: None, ..Dialect::default() };
        assert_eq!(read("\"a,b\"\n", &none).0, ["\"a", "b\""]);
    }

    #[test]
    fn quotes_as_they_should_not_be() {
        let (cells, record) = read("\"5\" pipe\",9' x 8\"\n", &Dialect::default());
        assert_eq!(cells, ["5\" pipe", "9' x 8\""]);
        assert_eq!(record.unescaped, 1);
        assert!(read("a,\"b\nc,d\n", &Dialect::default()).1.unclosed);
    }
}
