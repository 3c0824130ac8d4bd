//! The pieces of a line, and what quotes make of those that stand together.

use super::Aligned;
use crate::{
    dialect::Dialect,
    rule::Rule,
    split::{skip_padding, unescape},
};

/// A line, cut at every delimiter, quoted or not.
pub(super) struct Pieces<'a> {
    pub(super) text: &'a [u8],
    pub(super) dialect: &'a Dialect,
    /// Where pieces begin; one more for the end, as if a delimiter followed.
    bounds: Vec<usize>,
    /// What stands around the bounds before each one, so that joins are told without a look at their bytes.
    around: Vec<Around>,
    /// Whether nothing stands in a piece, or nothing between its quotes.
    empty: Vec<bool>,
}

/// What stands around delimiters that become text.
#[derive(Clone, Copy, Default)]
pub(super) struct Around {
    /// Delimiters that a space follows.
    pub(super) spaced: usize,
    /// Those that a quote follows, as if it opened a cell.
    pub(super) opened: usize,
    /// Those that follow a quote, as if it closed a cell.
    pub(super) closed: usize,
}

impl Around {
    fn and(self, text: &[u8], bound: usize, quote: Option<u8>) -> Self {
        let is = |at: usize, byte: u8| usize::from(text.get(at) == Some(&byte));
        let quoted = |at: usize| quote.map_or(0, |quote| is(at, quote));
        Self {
            spaced: self.spaced + is(bound, b' '),
            opened: self.opened + quoted(bound),
            closed: self.closed + quoted(bound.wrapping_sub(2)),
        }
    }
}

/// A cell as its quotes have it: from, to.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Plain(usize, usize),
    Quoted(usize, usize),
    Unescaped(usize, usize),
    Unclosed(usize, usize),
}

impl<'a> Pieces<'a> {
    pub(super) fn new(text: &'a [u8], (start, stop): (usize, usize), dialect: &'a Dialect) -> Self {
        let delimiters = memchr::memchr_iter(dialect.delimiter, &text[start..stop]);
        let mut bounds = vec![start];
        bounds.extend(delimiters.map(|at| start + at + 1));
        bounds.push(stop + 1);
        let mut around = vec![Around::default()];
        for &bound in &bounds {
            around.push(around[around.len() - 1].and(text, bound, dialect.quote));
        }
        let mut pieces = Self { text, dialect, bounds, around, empty: Vec::new() };
        pieces.empty = (0..pieces.count()).map(|piece| pieces.holds_nothing(piece)).collect();
        pieces
    }

    pub(super) fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Bytes of a piece, on average.
    pub(super) fn bytes(&self) -> usize {
        (self.bounds[self.count()] - self.bounds[0]) / self.count()
    }

    /// Where a piece or several stand, without padding.
    pub(super) fn span(&self, first: usize, count: usize) -> (usize, usize) {
        let (start, stop) = (self.bounds[first], self.bounds[first + count] - 1);
        (skip_padding(self.text, start, self.dialect).min(stop), stop)
    }

    fn holds_nothing(&self, piece: usize) -> bool {
        let (start, stop) = self.span(piece, 1);
        match self.form(start, stop) {
            Form::Plain(from, to) | Form::Quoted(from, to) => {
                self.text[from..to].trim_ascii().is_empty()
            }
            _ => false,
        }
    }

    pub(super) fn is_empty(&self, piece: usize) -> bool {
        self.empty[piece]
    }

    /// What stands around the delimiters between pieces.
    pub(super) fn around(&self, first: usize, count: usize) -> Around {
        let (before, all) = (self.around[first + 1], self.around[first + count]);
        Around {
            spaced: all.spaced - before.spaced,
            opened: all.opened - before.opened,
            closed: all.closed - before.closed,
        }
    }

    pub(super) fn form(&self, start: usize, stop: usize) -> Form {
        let cell = &self.text[start..stop];
        let Some(quote) = self.dialect.quote.filter(|quote| cell.first() == Some(quote)) else {
            return Form::Plain(start, stop);
        };
        let closed = cell.trim_ascii_end();
        if closed.len() < 2 || closed.last() != Some(&quote) {
            return Form::Unclosed(start, stop);
        }
        let (from, to) = (start + 1, start + closed.len() - 1);
        match well_escaped(&self.text[from..to], quote, self.dialect) {
            true => Form::Quoted(from, to),
            false => Form::Unescaped(from, to),
        }
    }

    /// What stands in a cell, and the rule that it takes.
    pub(super) fn cell(&self, form: Form) -> (Aligned, Option<Rule>) {
        let plain = |from: usize, to: usize| {
            let quote = self.dialect.quote.unwrap_or(0);
            match self.text[from..to].iter().any(|&byte| byte == quote || byte == b'\\') {
                true => Aligned::Text(unescape(&self.text[from..to], quote, self.dialect)),
                false => Aligned::Place(from, to),
            }
        };
        match form {
            Form::Plain(from, to) => (Aligned::Place(from, to), None),
            Form::Quoted(from, to) => (plain(from, to), None),
            Form::Unescaped(from, to) => (plain(from, to), Some(Rule::UnescapedQuote)),
            Form::Unclosed(from, to) => (Aligned::Place(from, to), Some(Rule::UnclosedQuote)),
        }
    }
}

/// Whether every quote inside is escaped.
fn well_escaped(inner: &[u8], quote: u8, dialect: &Dialect) -> bool {
    let mut at = 0;
    while let Some(&byte) = inner.get(at) {
        let next = inner.get(at + 1);
        let slashed = dialect.escape == crate::Escape::Backslash && byte == b'\\';
        match byte == quote {
            true if next != Some(&quote) => return false,
            true => at += 2,
            false => at += if slashed && next == Some(&quote) { 2 } else { 1 },
        }
    }
    true
}
