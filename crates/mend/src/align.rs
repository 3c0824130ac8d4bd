//! A ragged row, cell by cell to its columns: the cheapest way from the first column to the last.
//!
//! The line is cut at every delimiter, quoted or not, into n pieces. A path takes pieces and fills columns;
//! the state is (i pieces taken, j columns filled), and the steps are
//!
//! ```text
//! (i, j) -> (i + k, j + 1)   k pieces, joined, are the cell of column j
//! (i, j) -> (i + 1, j)       an empty piece is dropped
//! (i, j) -> (i, j + 1)       column j has no cell
//! (i, j) -> (i + 1, j + 2)   one piece is two cells that lost their delimiter
//! ```
//!
//! Each step costs what it takes on itself, plus how strange the cell would look in its column. It is the
//! alignment of S. B. Needleman and C. D. Wunsch (A general method applicable to the search for
//! similarities in the amino acid sequence of two proteins, 1970) with joins and splits. States farther
//! from the diagonal than the row is ragged are not looked at: cost is columns x band^2.

use crate::{
    cells::Cells,
    column::{Column, Kind},
    dialect::Dialect,
    rule::Rule,
    split::{skip_padding, split, unescape},
};

/// States farther off than this beside the difference in width are not looked at.
const SLACK: usize = 3;
/// A row whose alignment would take more steps than this is refused.
const MOST_STEPS: usize = 400_000;
/// Pieces longer than this are not parted.
const MOST_PARTED: usize = 512;
/// A cell is joined from no more pieces than this.
const MOST_JOINED: usize = 256;

/// What the steps cost.
mod cost {
    pub(super) const UNESCAPED: f32 = 0.9;
    pub(super) const UNCLOSED: f32 = 1.2;
    pub(super) const JOIN: f32 = 0.8;
    /// Each piece beyond two.
    pub(super) const JOIN_MORE: f32 = 0.1;
    /// A join where a space follows the delimiters, as in sentences, costs so much less.
    pub(super) const SENTENCE: f32 = 0.2;
    pub(super) const TRAILING: f32 = 0.3;
    pub(super) const EXTRA: f32 = 0.7;
    pub(super) const GIVEN_UP: f32 = 3.0;
    pub(super) const NO_CELL: f32 = 1.2;
    pub(super) const NO_CELL_AT_END: f32 = 0.4;
    /// A column that was never empty has no cell.
    pub(super) const NEVER_EMPTY: f32 = 0.5;
    pub(super) const PARTED: f32 = 0.9;
    /// Cells that look stranger than this together are not parted.
    pub(super) const STRANGE: f32 = 0.45;
}

/// The cell of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aligned {
    /// Bytes of the text.
    Place(usize, usize),
    /// Bytes that had to be put together.
    Text(Vec<u8>),
    Missing,
}

/// A row that found its columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alignment {
    pub(crate) cost: f32,
    pub(crate) cells: Vec<Aligned>,
    /// The rules that it took, each with its column.
    pub(crate) rules: Vec<(Rule, usize)>,
    /// The columns whose cells are quoted.
    pub(crate) quoted: Vec<usize>,
    /// Whether a space follows every delimiter that became text, as in sentences.
    pub(crate) spaced: bool,
}

/// Aligns the line from `start` to `stop`; `None` where it would take too long.
pub(crate) fn align(
    text: &[u8],
    (start, stop): (usize, usize),
    dialect: &Dialect,
    columns: &[Column],
) -> Option<Alignment> {
    Aligner::new(text, start, stop, dialect, columns)?.run()
}

/// How a path came to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Take(u32),
    Drop,
    Skip,
    /// Where in the piece the second cell begins.
    Part(u32),
}

struct Aligner<'a> {
    text: &'a [u8],
    dialect: &'a Dialect,
    columns: &'a [Column],
    /// Where pieces begin; one more for the end, as if a delimiter followed.
    bounds: Vec<usize>,
    /// Whether the row has fewer cells than there are columns, quotes minded.
    few: bool,
    band: usize,
    /// The least i - j.
    lowest: isize,
    costs: Vec<f32>,
    steps: Vec<Step>,
}

/// A cell as its quotes have it.
enum Form {
    /// From, to.
    Plain(usize, usize),
    Quoted(usize, usize),
    Unescaped(usize, usize),
    Unclosed(usize, usize),
}

impl<'a> Aligner<'a> {
    fn new(
        text: &'a [u8],
        start: usize,
        stop: usize,
        dialect: &'a Dialect,
        columns: &'a [Column],
    ) -> Option<Self> {
        let delimiters = memchr::memchr_iter(dialect.delimiter, &text[start..stop]);
        let mut bounds = vec![start];
        bounds.extend(delimiters.map(|at| start + at + 1));
        bounds.push(stop + 1);
        let (pieces, width) = (bounds.len() - 1, columns.len());
        let mut cells = Cells::default();
        split(&text[..stop], start, dialect, &mut cells);
        let few = cells.places.len() < width;
        let band = pieces.abs_diff(width) + 2 * SLACK + 1;
        let lowest = (pieces as isize - width as isize).min(0) - SLACK as isize;
        let steps = (width + 1).checked_mul(band)?;
        (steps.checked_mul(band.min(MOST_JOINED))? <= MOST_STEPS).then(|| Self {
            text,
            dialect,
            columns,
            bounds,
            few,
            band,
            lowest,
            costs: vec![f32::INFINITY; steps],
            steps: vec![Step::Start; steps],
        })
    }

    fn pieces(&self) -> usize {
        self.bounds.len() - 1
    }

    fn state(&self, pieces: usize, column: usize) -> Option<usize> {
        let off = usize::try_from(pieces as isize - column as isize - self.lowest).ok()?;
        (off < self.band && pieces <= self.pieces() && column <= self.columns.len())
            .then(|| column * self.band + off)
    }

    fn run(mut self) -> Option<Alignment> {
        let start = self.state(0, 0)?;
        self.costs[start] = 0.0;
        for column in 0..=self.columns.len() {
            for off in 0..self.band {
                let pieces = usize::try_from(column as isize + self.lowest + off as isize);
                let Some(pieces) = pieces.ok().filter(|&pieces| pieces <= self.pieces()) else {
                    continue;
                };
                let cost = self.costs[column * self.band + off];
                if cost.is_finite() {
                    self.leave(pieces, column, cost);
                }
            }
        }
        let last = self.state(self.pieces(), self.columns.len())?;
        self.costs[last].is_finite().then(|| self.trace(last))
    }

    /// Every step from a state.
    fn leave(&mut self, pieces: usize, column: usize, cost: f32) {
        if pieces < self.pieces() {
            self.drop_piece(pieces, column, cost);
        }
        if column == self.columns.len() {
            return;
        }
        self.reach(pieces, column + 1, cost + self.no_cell(pieces, column), Step::Skip);
        if pieces == self.pieces() {
            return;
        }
        self.take(pieces, column, cost);
        if column + 1 < self.columns.len() && self.few {
            self.part(pieces, column, cost);
        }
    }

    fn reach(&mut self, pieces: usize, column: usize, cost: f32, step: Step) {
        if let Some(state) = self.state(pieces, column)
            && cost < self.costs[state]
        {
            self.costs[state] = cost;
            self.steps[state] = step;
        }
    }

    /// Where a piece or several stand, without padding.
    fn span(&self, first: usize, count: usize) -> (usize, usize) {
        let (start, stop) = (self.bounds[first], self.bounds[first + count] - 1);
        (skip_padding(self.text, start, self.dialect).min(stop), stop)
    }

    fn drop_piece(&mut self, piece: usize, column: usize, cost: f32) {
        let (start, stop) = self.span(piece, 1);
        let empty = self.text[start..stop].trim_ascii().is_empty();
        let step = match (empty, column == self.columns.len()) {
            (true, true) => cost::TRAILING,
            (true, false) => cost::EXTRA,
            (false, _) => cost::GIVEN_UP,
        };
        self.reach(piece + 1, column, cost + step, Step::Drop);
    }

    fn no_cell(&self, pieces: usize, column: usize) -> f32 {
        let at_end = pieces == self.pieces();
        let base = if at_end { cost::NO_CELL_AT_END } else { cost::NO_CELL };
        let never = !self.columns[column].shape.may_be_empty();
        base + if never { cost::NEVER_EMPTY } else { 0.0 }
    }

    fn take(&mut self, piece: usize, column: usize, cost: f32) {
        let most = (self.pieces() - piece).min(MOST_JOINED);
        for count in 1..=most {
            if self.state(piece + count, column + 1).is_none() {
                if count > 1 {
                    break;
                }
                continue;
            }
            let step = self.cell_cost(piece, count, column);
            if step.is_finite() {
                self.reach(piece + count, column + 1, cost + step, Step::Take(count as u32));
            }
        }
    }

    fn cell_cost(&self, piece: usize, count: usize, column: usize) -> f32 {
        let (start, stop) = self.span(piece, count);
        let form = self.form(start, stop);
        let quotes = match form {
            Form::Plain(..) | Form::Quoted(..) => 0.0,
            Form::Unescaped(..) => cost::UNESCAPED,
            Form::Unclosed(..) => cost::UNCLOSED,
        };
        let strange = |from: usize, to: usize| {
            self.columns[column].strangeness(self.text[from..to].trim_ascii())
        };
        match form {
            Form::Quoted(from, to) | Form::Unescaped(from, to) => quotes + strange(from, to),
            Form::Plain(from, to) => {
                quotes + strange(from, to) + self.join_cost(piece, count, column)
            }
            // A number behind the stray quote is one.
            Form::Unclosed(from, to) => {
                let strange = strange(from, to).min(strange(from + 1, to));
                quotes + strange + self.join_cost(piece, count, column)
            }
        }
    }

    /// What it costs that delimiters outside of quotes are text.
    fn join_cost(&self, piece: usize, count: usize, column: usize) -> f32 {
        if count == 1 {
            // A space behind a delimiter, where none is usual, is the middle of a sentence.
            let (start, stop) = self.span(piece, 1);
            let middle = stop > start + 1 && self.text[start] == b' ';
            return if middle { 2.0 * cost::SENTENCE } else { 0.0 };
        }
        let column = &self.columns[column];
        let (start, stop) = self.span(piece, count);
        if !column.kind.is_text() && column.kind.read(self.text[start..stop].trim_ascii()).is_none()
        {
            return f32::INFINITY;
        }
        let inner = &self.bounds[piece + 1..piece + count];
        let spaced = self.is_spaced(piece, count);
        let quote = |&at: &usize| self.dialect.quote.is_some_and(|q| self.text.get(at) == Some(&q));
        let opened = inner.iter().filter(|at| quote(at)).count();
        let sentence = if spaced { cost::SENTENCE } else { 0.0 };
        cost::JOIN + cost::JOIN_MORE * (count - 2) as f32 + opened as f32 - sentence
    }

    /// Whether a space follows every delimiter between pieces.
    fn is_spaced(&self, piece: usize, count: usize) -> bool {
        let inner = &self.bounds[piece + 1..piece + count];
        inner.iter().all(|&at| self.text.get(at) == Some(&b' '))
    }

    fn form(&self, start: usize, stop: usize) -> Form {
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

    /// The best place to part a piece into the cells of two columns.
    fn part(&mut self, piece: usize, column: usize, cost: f32) {
        let (start, stop) = self.span(piece, 1);
        let (left, right) = (&self.columns[column], &self.columns[column + 1]);
        // A piece that is a whole cell of one of them has lost nothing.
        let whole =
            |column: &Column| column.is_telling() && self.half_cost(start, stop, column) < 0.1;
        let telling = left.is_telling() || right.is_telling();
        if stop - start > MOST_PARTED || !telling || whole(left) || whole(right) {
            return;
        }
        let fit = |at: usize| {
            let halves = [(start, at, left), (at, stop, right)];
            halves
                .into_iter()
                .map(|(from, to, column)| self.half_cost(from, to, column))
                .sum::<f32>()
        };
        let (mut best, mut ways) = ((f32::INFINITY, start), 0);
        for at in start + 1..stop {
            let fit = fit(at);
            ways += usize::from(fit < cost::STRANGE);
            if fit <= best.0 {
                best = (fit, at);
            }
        }
        // Two numbers can be parted in many ways; where a text follows, the first cell is as long as it can be.
        let told = ways == 1 || right.kind.is_text();
        if told && best.0 < cost::STRANGE {
            let step = Step::Part((best.1 - start) as u32);
            self.reach(piece + 1, column + 2, cost + cost::PARTED + best.0, step);
        }
    }

    fn half_cost(&self, from: usize, to: usize, column: &Column) -> f32 {
        match self.form(from, to) {
            Form::Plain(from, to) | Form::Quoted(from, to) => {
                let cell = self.text[from..to].trim_ascii();
                // One pattern tells where a cell ends; of several, each number has one.
                let strange = match (column.kind.is_text(), &column.shape.patterns[..]) {
                    (false, [_]) if !column.shape.has_pattern(cell) => 1.0,
                    (false, _) if column.kind.read(cell).is_some() => 0.0,
                    _ => column.strangeness(cell),
                };
                if cell.is_empty() { f32::INFINITY } else { strange }
            }
            _ => f32::INFINITY,
        }
    }

    /// The way to a state, told from its start.
    fn trace(&self, last: usize) -> Alignment {
        let mut path = Vec::with_capacity(self.columns.len() + 2);
        let (mut pieces, mut column) = (self.pieces(), self.columns.len());
        while let Some(state) = self.state(pieces, column) {
            let step = self.steps[state];
            match step {
                Step::Start => break,
                Step::Take(count) => (pieces, column) = (pieces - count as usize, column - 1),
                Step::Drop => pieces -= 1,
                Step::Skip => column -= 1,
                Step::Part(_) => (pieces, column) = (pieces - 1, column - 2),
            }
            path.push((step, pieces, column));
        }
        let (cells, rules) = (Vec::with_capacity(self.columns.len()), Vec::new());
        let cost = self.costs[last];
        let mut alignment = Alignment { cost, cells, rules, quoted: Vec::new(), spaced: true };
        for &(step, pieces, column) in path.iter().rev() {
            self.follow(step, pieces, column, &mut alignment);
        }
        alignment
    }

    fn follow(&self, step: Step, pieces: usize, column: usize, to: &mut Alignment) {
        match step {
            Step::Start => {}
            Step::Take(count) => {
                let (start, stop) = self.span(pieces, count as usize);
                let (cell, rule) = self.cell(self.form(start, stop));
                let quoted =
                    matches!(self.form(start, stop), Form::Quoted(..) | Form::Unescaped(..));
                if quoted {
                    to.quoted.push(column);
                }
                let joined = count > 1 && !quoted;
                to.spaced &= !joined || self.is_spaced(pieces, count as usize);
                let joined = joined.then_some(match self.columns[column].kind {
                    Kind::Text { .. } => Rule::SplitText,
                    _ => Rule::NumberMarks,
                });
                to.rules.extend(rule.into_iter().chain(joined).map(|rule| (rule, column)));
                to.cells.push(cell);
            }
            Step::Drop => {
                let (start, stop) = self.span(pieces, 1);
                let empty = self.text[start..stop].trim_ascii().is_empty();
                let rule = match (empty, column == self.columns.len()) {
                    (true, true) => Rule::TrailingDelimiter,
                    (true, false) => Rule::ExtraDelimiter,
                    (false, _) => Rule::TooManyCells,
                };
                to.rules.push((rule, column.min(self.columns.len() - 1)));
            }
            Step::Skip => {
                to.rules.push((Rule::TooFewCells, column));
                to.cells.push(Aligned::Missing);
            }
            Step::Part(at) => {
                let (start, stop) = self.span(pieces, 1);
                let at = start + at as usize;
                to.rules.push((Rule::LostDelimiter, column));
                to.cells
                    .extend([self.cell(self.form(start, at)).0, self.cell(self.form(at, stop)).0]);
            }
        }
    }

    fn cell(&self, form: Form) -> (Aligned, Option<Rule>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cell::{DateOrder, NumberForm},
        shape::Shape,
    };

    /// A date, a whole number that is never empty, a text and a remark.
    fn columns() -> Vec<Column> {
        let order = DateOrder::DayFirst;
        let form = NumberForm::default();
        let mut columns = vec![
            Column::new("date", Kind::Date { order }),
            Column::new("count", Kind::Integer { form, wide: false }),
            Column::new("name", Kind::TEXT),
            Column::new("remark", Kind::TEXT),
        ];
        let seen = |empty| Shape { empty: Some(empty), filled: Some(true), ..Shape::default() };
        for (at, column) in columns.iter_mut().enumerate() {
            column.shape = seen(at == 3);
        }
        columns[0].shape.patterns = vec!["99/99/9999".into()];
        columns
    }

    fn told(line: &str) -> (Vec<String>, Vec<&'static str>) {
        let text = line.as_bytes();
        let found = align(text, (0, text.len()), &Dialect::default(), &columns()).unwrap();
        let cells = found.cells.iter().map(|cell| match cell {
            Aligned::Place(from, to) => line[*from..*to].to_owned(),
            Aligned::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Aligned::Missing => "<missing>".into(),
        });
        (cells.collect(), found.rules.iter().map(|(rule, _)| rule.name()).collect())
    }

    #[test]
    fn every_step_finds_its_columns() {
        for (line, cells, rules) in [
            ("28/01/2018,3,Boots,good", ["28/01/2018", "3", "Boots", "good"], vec![]),
            (
                "28/01/2018,3,,Boots,good",
                ["28/01/2018", "3", "Boots", "good"],
                vec!["extra_delimiter"],
            ),
            (
                "28/01/2018,3,Boots,good,",
                ["28/01/2018", "3", "Boots", "good"],
                vec!["trailing_delimiter"],
            ),
            (
                "28/01/2018,3,Boots",
                ["28/01/2018", "3", "Boots", "<missing>"],
                vec!["too_few_cells"],
            ),
            (
                "28/01/20183,Boots,good",
                ["28/01/2018", "3", "Boots", "good"],
                vec!["lost_delimiter"],
            ),
            (
                "28/01/2018,3,\"Boots, \"high\"\",",
                ["28/01/2018", "3", "Boots, \"high\"", ""],
                vec!["unescaped_quote"],
            ),
            (
                "28/01/2018,\"3,\"Boots, high\",",
                ["28/01/2018", "\"3", "Boots, high", ""],
                vec!["unclosed_quote"],
            ),
            (
                "28/01/2018,3,Boots, high,",
                ["28/01/2018", "3", "Boots, high", ""],
                vec!["split_text"],
            ),
        ] {
            let (found, took) = told(line);
            assert_eq!((found, took), (cells.map(str::to_owned).to_vec(), rules), "{line}");
        }
    }
}
