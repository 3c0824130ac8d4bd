//! The steps of an alignment and what each costs: what it takes on itself, plus how strange the cell would
//! look in its column.

use super::quote::{Form, Pieces};
use crate::column::Column;

/// Pieces longer than this are not parted.
const MOST_PARTED: usize = 512;

/// What the steps cost.
mod cost {
    pub(super) const UNESCAPED: f32 = 0.9;
    /// Each quote that could have closed the cell and did not.
    pub(super) const CLOSED: f32 = 0.3;
    pub(super) const UNCLOSED: f32 = 1.2;
    pub(super) const JOIN: f32 = 0.9;
    /// Each piece beyond two.
    pub(super) const JOIN_MORE: f32 = 0.1;
    /// Texts seldom begin or end with a delimiter.
    pub(super) const JOIN_EDGE: f32 = 0.5;
    /// A join where a space follows the delimiters, as in sentences, costs so much less.
    pub(super) const SENTENCE: f32 = 0.2;
    /// A cell that begins with a space is the middle of a sentence, where no space is usual.
    pub(super) const MIDDLE: f32 = 0.4;
    pub(super) const TRAILING: f32 = 0.3;
    pub(super) const EXTRA: f32 = 0.6;
    pub(super) const GIVEN_UP: f32 = 3.0;
    pub(super) const NO_CELL: f32 = 1.2;
    /// Short rows leave out last columns, which are empty elsewhere as well.
    pub(super) const NO_CELL_AT_END: f32 = 0.4;
    /// A column that was never empty has no cell.
    pub(super) const NEVER_EMPTY: f32 = 0.2;
    pub(super) const PARTED: f32 = 0.7;
    /// Cells that look stranger than this together are not parted.
    pub(super) const STRANGE: f32 = 0.45;
}

/// How a path goes on from a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Take(u32),
    Drop,
    Skip,
    /// Where in the piece the second cell begins.
    Part(u32),
}

impl Step {
    /// How many pieces it takes, and how many columns it fills.
    pub(super) fn length(self) -> (usize, usize) {
        match self {
            Self::Take(count) => (count as usize, 1),
            Self::Drop => (1, 0),
            Self::Skip => (0, 1),
            Self::Part(_) => (1, 2),
        }
    }
}

/// A row and the columns it may find.
pub(super) struct Row<'a> {
    pub(super) pieces: Pieces<'a>,
    pub(super) columns: &'a [Column],
    /// Whether the row has fewer cells than there are columns, quotes minded.
    pub(super) few: bool,
}

impl Row<'_> {
    /// Tells every step from a state, and its cost; `most` pieces may be joined.
    pub(super) fn steps(
        &self,
        piece: usize,
        column: usize,
        most: usize,
        mut tell: impl FnMut(Step, f32),
    ) {
        let (more, open) = (piece < self.pieces.count(), column < self.columns.len());
        if more {
            tell(Step::Drop, self.dropped(piece, column));
        }
        if open {
            tell(Step::Skip, self.no_cell(piece, column));
        }
        if !more || !open {
            return;
        }
        for count in 1..=most.min(self.pieces.count() - piece) {
            let cost = self.taken(piece, count, column);
            if cost.is_finite() {
                tell(Step::Take(count as u32), cost);
            }
        }
        if column + 1 < self.columns.len()
            && self.few
            && let Some((at, cost)) = self.parted(piece, column)
        {
            tell(Step::Part(at as u32), cost);
        }
    }

    fn dropped(&self, piece: usize, column: usize) -> f32 {
        match (self.pieces.is_empty(piece), column == self.columns.len()) {
            (true, true) => cost::TRAILING,
            (true, false) => cost::EXTRA,
            (false, _) => cost::GIVEN_UP,
        }
    }

    fn no_cell(&self, piece: usize, column: usize) -> f32 {
        let at_end = piece == self.pieces.count();
        match (self.columns[column].shape.may_be_empty(), at_end) {
            (true, true) => cost::NO_CELL_AT_END,
            (true, false) => cost::NO_CELL,
            (false, _) => cost::NO_CELL + cost::NEVER_EMPTY,
        }
    }

    fn taken(&self, piece: usize, count: usize, column: usize) -> f32 {
        let (start, stop) = self.pieces.span(piece, count);
        let strange = |from: usize, to: usize| {
            self.columns[column].strangeness(self.pieces.text[from..to].trim_ascii())
        };
        let joined = || self.joined(piece, count, column);
        match self.pieces.form(start, stop) {
            Form::Quoted(from, to) => strange(from, to),
            Form::Unescaped(from, to) => {
                let closed = self.pieces.around(piece, count).closed as f32;
                cost::UNESCAPED + cost::CLOSED * closed + strange(from, to)
            }
            Form::Plain(from, to) => strange(from, to) + joined(),
            // A number behind the stray quote is one.
            Form::Unclosed(from, to) => {
                cost::UNCLOSED + strange(from, to).min(strange(from + 1, to)) + joined()
            }
        }
    }

    /// What it costs that delimiters outside of quotes are text.
    fn joined(&self, piece: usize, count: usize, column: usize) -> f32 {
        let text = self.pieces.text;
        let (start, stop) = self.pieces.span(piece, count);
        let begins = stop > start + 1 && text[start] == b' ';
        let middle = if begins { cost::MIDDLE } else { 0.0 };
        if count == 1 {
            return middle;
        }
        let kind = self.columns[column].kind;
        if !kind.is_text() && kind.read(text[start..stop].trim_ascii()).is_none() {
            return f32::INFINITY;
        }
        let around = self.pieces.around(piece, count);
        let spaced = around.spaced == count - 1;
        let edge = self.pieces.is_empty(piece) || self.pieces.is_empty(piece + count - 1);
        cost::JOIN + cost::JOIN_MORE * (count - 2) as f32 + around.opened as f32 + middle
            - if spaced { cost::SENTENCE } else { 0.0 }
            + if edge { cost::JOIN_EDGE } else { 0.0 }
    }

    /// The best place to part a piece into the cells of two columns.
    fn parted(&self, piece: usize, column: usize) -> Option<(usize, f32)> {
        let (start, stop) = self.pieces.span(piece, 1);
        let (left, right) = (&self.columns[column], &self.columns[column + 1]);
        // A piece that is a whole cell of one of them has lost nothing.
        let whole = |column: &Column| column.is_telling() && self.half(start, stop, column) < 0.1;
        let telling = left.is_telling() || right.is_telling();
        if stop - start > MOST_PARTED || !telling || whole(left) || whole(right) {
            return None;
        }
        let fit = |at: usize| self.half(start, at, left) + self.half(at, stop, right);
        let (mut best, mut ways) = ((start, f32::INFINITY), 0);
        // Behind the first byte of a character it is not parted.
        let within = |at: &usize| self.pieces.text[*at] & 0xc0 == 0x80;
        for at in (start + 1..stop).filter(|at| !within(at)) {
            let fit = fit(at);
            ways += usize::from(fit < cost::STRANGE);
            if fit <= best.1 {
                best = (at, fit);
            }
        }
        // Two numbers can be parted in many ways; where a text follows, the first cell is as long as it can be.
        let told = ways == 1 || right.kind.is_text();
        (told && best.1 < cost::STRANGE).then(|| (best.0 - start, cost::PARTED + best.1))
    }

    /// How strange a part of a piece would look as a cell.
    fn half(&self, from: usize, to: usize, column: &Column) -> f32 {
        let (Form::Plain(from, to) | Form::Quoted(from, to)) = self.pieces.form(from, to) else {
            return f32::INFINITY;
        };
        let cell = self.pieces.text[from..to].trim_ascii();
        // One pattern tells where a cell ends; of several, each number has one.
        match (column.kind.is_text(), &column.shape.patterns[..]) {
            _ if cell.is_empty() => f32::INFINITY,
            (false, [_]) if !column.shape.has_pattern(cell) => 1.0,
            (false, _) if column.kind.read(cell).is_some() => 0.0,
            _ => column.strangeness(cell),
        }
    }
}
