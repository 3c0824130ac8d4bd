//! Lines, and the `key=value` fields that they hold.

use std::str::FromStr;

use crate::{Error, Result};

/// A line of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Without its end.
    pub(super) text: &'a str,
}

/// The lines of a text whose first line has the number `first`.
pub(super) fn lines(text: &str, first: usize) -> impl Iterator<Item = Line<'_>> {
    let cut = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    cut.enumerate().map(move |(at, text)| Line { number: first + at, text })
}

/// An error at a line.
pub(super) fn refuse(line: usize, key: &str, reason: impl Into<String>) -> Error {
    Error::Text { line, key: shortened(key), reason: reason.into() }
}

/// A hostile file may hold a megabyte where a name is expected.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// One `key=value` line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    pub(super) line: usize,
}

impl<'a> Field<'a> {
    /// A line without `=` is a key with an empty value.
    fn of(line: Line<'a>) -> Self {
        let (key, value) = line.text.split_once('=').unwrap_or((line.text, ""));
        Self { key, value, line: line.number }
    }

    /// An error about this field.
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        refuse(self.line, self.key, reason)
    }

    /// The value as one number.
    pub(super) fn number<T: FromStr>(&self) -> Result<T> {
        self.parse(self.value.trim())
    }

    fn parse<T: FromStr>(&self, word: &str) -> Result<T> {
        word.parse()
            .map_err(|_| self.error(format!("'{}' is not a number that fits", shortened(word))))
    }

    /// The value as exactly `count` numbers between spaces.
    pub(super) fn list<T: FromStr>(&self, count: usize) -> Result<Vec<T>> {
        // Capacity from what is there, not from what the file claims.
        let mut numbers = Vec::with_capacity(count.min(self.value.len() / 2 + 1));
        for word in self.value.split_ascii_whitespace() {
            numbers.push(self.parse(word)?);
        }
        if numbers.len() == count {
            return Ok(numbers);
        }
        Err(self.error(format!("{} values, expected are {count}", numbers.len())))
    }
}

/// The fields of a header or of a tree.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// Where they begin: what is missing is reported there.
    head: Line<'a>,
    list: Vec<Field<'a>>,
}

impl<'a> Fields<'a> {
    /// Gathers lines until the first empty one, at most `limit`.
    pub(super) fn gather(
        head: Line<'a>,
        lines: impl Iterator<Item = Line<'a>>,
        limit: usize,
    ) -> Result<Self> {
        let mut list: Vec<Field> = Vec::new();
        for line in lines.take_while(|line| !line.text.is_empty()) {
            let field = Field::of(line);
            if list.len() == limit {
                return Err(field.error(format!("more than {limit} lines")));
            }
            if list.iter().any(|before| before.key == field.key) {
                return Err(field.error("stands twice"));
            }
            list.push(field);
        }
        Ok(Self { head, list })
    }

    /// The field of a key.
    pub(super) fn find(&self, key: &str) -> Option<Field<'a>> {
        self.list.iter().find(|field| field.key == key).copied()
    }

    /// The field of a key that has to be there.
    pub(super) fn need(&self, key: &str) -> Result<Field<'a>> {
        self.find(key).ok_or_else(|| refuse(self.head.number, key, "is missing"))
    }

    /// The numbers of a key, or zeros where the key is missing.
    pub(super) fn list_or_zeros<T: FromStr + Clone + Default>(
        &self,
        key: &str,
        count: usize,
    ) -> Result<Vec<T>> {
        match self.find(key) {
            Some(field) => field.list(count),
            None => Ok(vec![T::default(); count]),
        }
    }
}
