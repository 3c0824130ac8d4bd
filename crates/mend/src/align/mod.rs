//! A ragged row, cell by cell to its columns: the cheapest way from the first column to the last, and whether
//! another way costs hardly more.
//!
//! The line is cut at every delimiter, quoted or not, into n pieces. A path takes pieces and fills w columns;
//! the state is (i pieces taken, j columns filled), and the steps are
//!
//! ```text
//! (i, j) -> (i + k, j + 1)   k pieces, joined, are the cell of column j
//! (i, j) -> (i + 1, j)       an empty piece is dropped
//! (i, j) -> (i, j + 1)       column j has no cell
//! (i, j) -> (i + 1, j + 2)   one piece is two cells that lost their delimiter
//! ```
//!
//! With c(e) the cost of step e, the cheapest way to a state v and from a state u cost
//!
//! ```text
//! F(0, 0) = 0    F(v) = min over e: u -> v of F(u) + c(e)
//! B(n, w) = 0    B(u) = min over e: u -> v of c(e) + B(v)
//! ```
//!
//! and the cheapest path through e costs F(u) + c(e) + B(v). A step alone says what stands in its column. So
//! another reading, one with another cell somewhere that costs less than F(n, w) + CLEAR, is there exactly if
//! such a step of a path that cheap is: no path has to be told but the best one.
//!
//! It is the alignment of S. B. Needleman and C. D. Wunsch (A general method applicable to the search for
//! similarities in the amino acid sequence of two proteins, 1970) with joins and splits; steps of paths near
//! the best one are found as by M. S. Waterman and T. H. Byers (A dynamic programming algorithm to find all
//! solutions in a neighborhood of the optimum, 1985). States farther from the diagonal than the row is ragged
//! are not looked at: cost is columns x band^2.

mod quote;
mod step;

use self::{
    quote::{Form, Pieces},
    step::{Row, Step},
};
use crate::{
    cells::Cells,
    column::{Column, Kind},
    dialect::Dialect,
    rule::Rule,
    split::split,
};

/// States farther off than this beside the difference in width are not looked at.
const SLACK: usize = 3;
/// A row whose alignment would take more steps than this is refused.
const MOST_STEPS: usize = 400_000;
/// And so is one whose steps would look at more bytes: those of as many pieces as may be joined, at worst.
const MOST_BYTES: usize = 1 << 27;
/// A cell is joined from no more pieces than this.
const MOST_JOINED: usize = 256;
/// An alignment that costs more is good in no row, whatever others cost.
pub(crate) const MOST_COST: f32 = 4.0;
/// A reading that costs so much more is not meant. Costs are tenths: the next tenth is clear, however it rounds.
const CLEAR: f32 = 0.25;
/// The same where cells are missing and that is not all: which ones are goes by the others, and they have faults
/// themselves. Only what takes more than one fault more is not meant; one costs 1.4 at most.
const CLEAR_OF_SEVERAL: f32 = 1.65;

/// The cell of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aligned {
    /// Bytes of the text.
    Place(usize, usize),
    /// Bytes that had to be put together.
    Text(Vec<u8>),
    Missing,
}

impl Aligned {
    /// What it says: padding is nothing, and nor is a missing cell.
    fn bytes<'a>(&'a self, text: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Place(start, stop) => text[*start..*stop].trim_ascii(),
            Self::Text(bytes) => bytes.trim_ascii(),
            Self::Missing => b"",
        }
    }
}

/// A row that found its columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alignment {
    pub(crate) cost: f32,
    pub(crate) cells: Vec<Aligned>,
    /// The rules that it took, each with its column.
    pub(crate) rules: Vec<(Rule, usize)>,
    /// Whether it is no good, or a reading with other cells costs hardly more.
    pub(crate) doubtful: bool,
}

/// Aligns the line from `start` to `stop`; `None` where it would take too long.
pub(crate) fn align(
    text: &[u8],
    (start, stop): (usize, usize),
    dialect: &Dialect,
    columns: &[Column],
) -> Option<Alignment> {
    let pieces = Pieces::new(text, (start, stop), dialect);
    let mut cells = Cells::default();
    split(&text[..stop], start, dialect, &mut cells);
    let few = cells.places.len() < columns.len();
    if columns.is_empty() {
        return None;
    }
    Aligner::new(Row { pieces, columns, few })?.run()
}

/// The states that are looked at: those near the diagonal, column by column.
struct Band {
    pieces: usize,
    columns: usize,
    width: usize,
    /// The least i - j.
    lowest: isize,
}

impl Band {
    fn new(pieces: usize, columns: usize) -> Self {
        let width = pieces.abs_diff(columns) + 2 * SLACK + 1;
        let lowest = (pieces as isize - columns as isize).min(0) - SLACK as isize;
        Self { pieces, columns, width, lowest }
    }

    fn states(&self) -> usize {
        (self.columns + 1) * self.width
    }

    fn state(&self, piece: usize, column: usize) -> Option<usize> {
        let off = usize::try_from(piece as isize - column as isize - self.lowest).ok()?;
        (off < self.width && piece <= self.pieces && column <= self.columns)
            .then(|| column * self.width + off)
    }

    /// Pieces taken and columns filled.
    fn place(&self, state: usize) -> Option<(usize, usize)> {
        let (column, off) = (state / self.width, state % self.width);
        let piece = usize::try_from(column as isize + self.lowest + off as isize).ok()?;
        (piece <= self.pieces).then_some((piece, column))
    }

    /// The state behind a step.
    fn behind(&self, step: Step, piece: usize, column: usize) -> Option<usize> {
        let (pieces, columns) = step.length();
        self.state(piece + pieces, column + columns)
    }

    /// How many pieces may be joined from a state on.
    fn joins(&self, state: usize) -> usize {
        (self.width - state % self.width).min(MOST_JOINED)
    }
}

/// By how much another reading has to cost more than the best one, which takes these rules.
fn margin(rules: &[(Rule, usize)], columns: &[Column]) -> f32 {
    let missing = rules.iter().filter(|(rule, _)| *rule == Rule::TooFewCells).count();
    // Short rows leave out last columns, which are empty elsewhere as well.
    let last = columns.len().saturating_sub(missing);
    let short = |&(_, at): &(Rule, usize)| at >= last && columns[at].shape.may_be_empty();
    let alone = missing == rules.len() && (missing == 1 || rules.iter().all(short));
    if missing == 0 || alone { CLEAR } else { CLEAR_OF_SEVERAL }
}

struct Aligner<'a> {
    row: Row<'a>,
    band: Band,
    /// F, by state.
    costs: Vec<f32>,
    /// How the cheapest way came to a state.
    steps: Vec<Option<Step>>,
}

impl<'a> Aligner<'a> {
    fn new(row: Row<'a>) -> Option<Self> {
        let band = Band::new(row.pieces.count(), row.columns.len());
        let states = (band.columns + 1).checked_mul(band.width)?;
        let joined = band.width.min(MOST_JOINED);
        let steps = states.checked_mul(joined)?;
        // Joins of k pieces, for every k up to the most.
        let bytes = steps.checked_mul(joined / 2 * row.pieces.bytes())?;
        (steps <= MOST_STEPS && bytes <= MOST_BYTES).then(|| Self {
            row,
            band,
            costs: vec![f32::INFINITY; states],
            steps: vec![None; states],
        })
    }

    fn run(mut self) -> Option<Alignment> {
        let start = self.band.state(0, 0)?;
        let last = self.band.state(self.band.pieces, self.band.columns)?;
        self.costs[start] = 0.0;
        self.forward();
        let mut best = self.costs[last].is_finite().then(|| self.trace(last))?;
        best.doubtful = best.cost > MOST_COST || self.has_rival(&best, last);
        Some(best)
    }

    fn forward(&mut self) {
        let Self { row, band, costs, steps } = self;
        for state in 0..band.states() {
            let (Some((piece, column)), cost) = (band.place(state), costs[state]) else { continue };
            if !cost.is_finite() {
                continue;
            }
            row.steps(piece, column, band.joins(state), |step, price| {
                let Some(next) = band.behind(step, piece, column) else { return };
                // Of equals the one that is short wins.
                let cheaper = cost + price < costs[next];
                if cheaper || step == Step::Skip && cost + price == costs[next] {
                    costs[next] = cost + price;
                    steps[next] = Some(step);
                }
            });
        }
    }

    /// Whether a step on a path that costs hardly more than the best says something else. States that no
    /// such path goes through are passed over, so that this is little work beside the way forward.
    fn has_rival(&self, best: &Alignment, last: usize) -> bool {
        let Self { row, band, costs, .. } = self;
        let limit = best.cost + margin(&best.rules, row.columns);
        let mut rest = vec![f32::INFINITY; costs.len()];
        rest[last] = 0.0;
        for state in (0..=last).rev().filter(|&state| costs[state] < limit) {
            let Some((piece, column)) = band.place(state) else { continue };
            let (mut least, mut rival) = (rest[state], false);
            row.steps(piece, column, band.joins(state), |step, price| {
                let Some(next) = band.behind(step, piece, column) else { return };
                let behind = price + rest[next];
                least = least.min(behind);
                rival |= costs[state] + behind < limit
                    && self.says_other(step, piece, column, &best.cells);
            });
            if rival {
                return true;
            }
            rest[state] = least;
        }
        false
    }

    /// Whether the cells of a step are not those of the best path.
    fn says_other(&self, step: Step, piece: usize, column: usize, best: &[Aligned]) -> bool {
        let (mut cells, text) = (Vec::with_capacity(2), self.row.pieces.text);
        self.cells(step, piece, &mut cells);
        cells.iter().zip(&best[column..]).any(|(cell, best)| cell.bytes(text) != best.bytes(text))
    }

    /// The cheapest way to a state, told from its start.
    fn trace(&self, last: usize) -> Alignment {
        let mut path = Vec::with_capacity(self.band.columns + 2);
        let (mut piece, mut column) = (self.band.pieces, self.band.columns);
        let mut state = Some(last);
        while let Some(step) = state.and_then(|state| self.steps[state]) {
            let (pieces, columns) = step.length();
            (piece, column) = (piece - pieces, column - columns);
            path.push((step, piece, column));
            state = self.band.state(piece, column);
        }
        let (cells, rules) = (Vec::with_capacity(self.band.columns), Vec::new());
        let mut told = Alignment { cost: self.costs[last], cells, rules, doubtful: false };
        for &(step, piece, column) in path.iter().rev() {
            self.cells(step, piece, &mut told.cells);
            self.rules(step, piece, column, &mut told.rules);
        }
        told
    }

    /// Adds the cells that a step fills.
    fn cells(&self, step: Step, piece: usize, to: &mut Vec<Aligned>) {
        let pieces = &self.row.pieces;
        let cell = |(start, stop)| pieces.cell(pieces.form(start, stop)).0;
        match step {
            Step::Take(count) => to.push(cell(pieces.span(piece, count as usize))),
            Step::Drop => {}
            Step::Skip => to.push(Aligned::Missing),
            Step::Part(at) => {
                let (start, stop) = pieces.span(piece, 1);
                to.extend([(start, start + at as usize), (start + at as usize, stop)].map(cell));
            }
        }
    }

    /// Adds the rules that a step takes.
    fn rules(&self, step: Step, piece: usize, column: usize, to: &mut Vec<(Rule, usize)>) {
        let Row { pieces, columns, .. } = &self.row;
        match step {
            Step::Take(count) => {
                let (start, stop) = pieces.span(piece, count as usize);
                let form = pieces.form(start, stop);
                let open = matches!(form, Form::Plain(..) | Form::Unclosed(..));
                let joined = (count > 1 && open).then_some(match columns[column].kind {
                    Kind::Text { .. } => Rule::SplitText,
                    _ => Rule::NumberMarks,
                });
                let rules = pieces.cell(form).1.into_iter().chain(joined);
                to.extend(rules.map(|rule| (rule, column)));
            }
            Step::Drop => {
                let rule = match (pieces.is_empty(piece), column == columns.len()) {
                    (true, true) => Rule::TrailingDelimiter,
                    (true, false) => Rule::ExtraDelimiter,
                    (false, _) => Rule::TooManyCells,
                };
                to.push((rule, column.min(columns.len() - 1)));
            }
            Step::Skip => to.push((Rule::TooFewCells, column)),
            Step::Part(_) => to.push((Rule::LostDelimiter, column)),
        }
    }
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

    /// Every path of a row, by its cost and what it says.
    fn paths(
        row: &Row<'_>,
        at: (usize, usize),
        path: (f32, Vec<Step>),
        to: &mut Vec<(f32, Vec<Step>)>,
    ) {
        if at == (row.pieces.count(), row.columns.len()) {
            to.push(path.clone());
        }
        row.steps(at.0, at.1, MOST_JOINED, |step, price| {
            let (pieces, columns) = step.length();
            let steps = [&path.1[..], &[step]].concat();
            paths(row, (at.0 + pieces, at.1 + columns), (path.0 + price, steps), to);
        });
    }

    /// What a path says.
    fn says(aligner: &Aligner<'_>, steps: &[Step]) -> Vec<String> {
        let (mut cells, mut piece) = (Vec::new(), 0);
        for &step in steps {
            aligner.cells(step, piece, &mut cells);
            piece += step.length().0;
        }
        let text = aligner.row.pieces.text;
        cells.iter().map(|cell| String::from_utf8_lossy(cell.bytes(text)).into_owned()).collect()
    }

    fn row<'a>(line: &'a str, dialect: &'a Dialect, columns: &'a [Column]) -> Row<'a> {
        let text = line.as_bytes();
        let mut cells = Cells::default();
        split(text, 0, dialect, &mut cells);
        let few = cells.places.len() < columns.len();
        Row { pieces: Pieces::new(text, (0, text.len()), dialect), columns, few }
    }

    #[test]
    fn doubts_are_what_all_paths_say() {
        let (dialect, columns) = (Dialect::default(), columns());
        let cells =
            ["28/01/2018", "3", "Boots", "good", "", " high", "\"Boots", "high\"", "\"ab\""];
        for number in 0..cells.len().pow(4) {
            // All of three cells, and of four every seventh.
            let count = if number < cells.len().pow(3) { 3 } else { 4 };
            if count == 4 && number % 7 > 0 {
                continue;
            }
            let cell = |at: usize| cells[number / cells.len().pow(at as u32) % cells.len()];
            let line = (0..count).map(cell).collect::<Vec<_>>().join(",");
            let found = align(line.as_bytes(), (0, line.len()), &dialect, &columns).unwrap();
            let aligner = Aligner::new(row(&line, &dialect, &columns)).unwrap();
            let mut all = Vec::new();
            paths(&aligner.row, (0, 0), (0.0, Vec::new()), &mut all);
            let least = all.iter().map(|path| path.0).fold(f32::INFINITY, f32::min);
            assert!((found.cost - least).abs() < 1e-4, "{line}");
            let text = line.as_bytes();
            let best: Vec<_> = found
                .cells
                .iter()
                .map(|cell| String::from_utf8_lossy(cell.bytes(text)).into_owned())
                .collect();
            let limit = least + margin(&found.rules, &columns);
            let doubtful =
                all.iter().any(|(cost, steps)| *cost < limit && says(&aligner, steps) != best);
            assert_eq!(found.doubtful, doubtful || least > MOST_COST, "{line}");
        }
    }

    fn doubtful(line: &str, kinds: &[(Kind, bool)]) -> bool {
        let column = |&(kind, empty): &(Kind, bool)| Column {
            shape: Shape { empty: Some(empty), filled: Some(true), ..Shape::default() },
            ..Column::new("x", kind)
        };
        let columns: Vec<Column> = kinds.iter().map(column).collect();
        align(line.as_bytes(), (0, line.len()), &Dialect::default(), &columns).unwrap().doubtful
    }

    #[test]
    fn numbers_alone_do_not_tell_which_is_missing() {
        let float = Kind::Float { form: NumberForm::default() };
        let day = Kind::Date { order: DateOrder::YearFirst };
        let numbers = [(float, false); 3];
        assert!(doubtful("1,2", &numbers));
        // The last column is often left out, if it is empty elsewhere.
        assert!(!doubtful("1,2", &[(float, false), (float, false), (float, true)]));
        assert!(!doubtful("1", &[(float, false), (float, true), (float, true)]));
        assert!(doubtful("1,2", &[(float, false), (float, true), (float, false)]));
        // Days between numbers tell.
        let told = [(float, false), (day, false), (float, false)];
        assert!(!doubtful("2026-01-01,2", &told));
        assert!(!doubtful("1,,2026-01-01,2", &told));
        let holes = [(float, true); 3];
        assert!(doubtful(",1,,2", &holes));
        assert!(!doubtful("1,2,3,", &holes));
        // Which of two empty cells is too many does not matter.
        assert!(!doubtful("1,,,2", &holes));
    }

    #[test]
    fn a_fault_beside_a_missing_cell_is_a_doubt() {
        let float = Kind::Float { form: NumberForm::default() };
        let short = [(float, false), (float, false), (float, true)];
        assert!(!doubtful("1,2", &short));
        assert!(doubtful("1,\"2", &short));
    }

    #[test]
    fn texts_are_joined_where_one_place_is_meant() {
        let texts = [(Kind::TEXT, false); 2];
        assert!(doubtful("Boots,high,good", &texts));
        assert!(!doubtful("Boots, high,good", &texts));
        assert!(!doubtful("\"Boots\",high,good", &texts));
        // An empty cell is too many, or a text begins with a delimiter: hardly.
        assert!(!doubtful("Boots,,good", &texts));
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
