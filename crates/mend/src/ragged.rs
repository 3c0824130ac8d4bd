//! Records that do not split into as many cells as there are columns.

use crate::{
    align::{Aligned, Alignment, MOST_COST, align},
    cells::{Cell, Cells},
    column::{Column, Value},
    dialect::{DELIMITERS, Dialect},
    rule::{Policy, Rule},
    split::{MOST_BYTES, Record, split, without_return},
    value::{Meaning, meaning},
};

/// What another delimiter costs.
const OTHER: f32 = 0.5;
/// An alignment that costs less is sure; a row of many columns may cost more.
const SURE: f32 = 2.5;
/// What a column may cost.
const SURE_A_COLUMN: f32 = 0.35;
/// Below this no other reading is looked for.
const GOOD: f32 = 1.0;

/// A row that found its columns.
pub(crate) struct Mended {
    pub(crate) cells: Vec<Aligned>,
    pub(crate) rules: Vec<(Rule, usize)>,
    /// Where the next record begins.
    pub(crate) next: usize,
}

/// Why a record is refused, and where the next one begins.
pub(crate) struct Refusal {
    pub(crate) rule: Rule,
    pub(crate) next: usize,
}

/// Mends the record at `at`, which `record` tells as it splits.
pub(crate) fn mend(
    text: &[u8],
    at: usize,
    record: Record,
    dialect: &Dialect,
    columns: &[Column],
    policy: Policy,
) -> Result<Mended, Refusal> {
    let window = &text[..text.len().min(at + MOST_BYTES)];
    let found = memchr::memchr(dialect.ends.byte(), &window[at..]);
    if found.is_none() && window.len() < text.len() {
        return Err(Refusal { rule: Rule::TooLong, next: at + MOST_BYTES });
    }
    let end = found.map_or(window.len(), |end| at + end);
    let stop = without_return(window, at, end);
    let next = (end + 1).min(text.len());
    let truncated = end == text.len();
    let line = best(text, (at, stop), dialect, columns);
    let several = record.next > next && !record.unclosed && !record.long;
    let both = several.then(|| align(text, (at, record.stop), dialect, columns)).flatten();
    let sure = sure(columns.len());
    // One line that makes a row is one; else the record is as long as its quotes say.
    let (found, next) = match (line, both) {
        (Some(line), both) if line.cost <= sure || both.is_none() => (Some(line), next),
        (_, Some(both)) => (Some(both), record.next),
        (line, None) => (line, next),
    };
    let Some(mut best) = found else { return Err(Refusal { rule: Rule::Ragged, next }) };
    if truncated {
        let cut = |(rule, column)| {
            (if rule == Rule::TooFewCells { Rule::TruncatedRow } else { rule }, column)
        };
        best.rules = best.rules.into_iter().map(cut).collect();
    }
    let doubtful = best.cost > sure || best.doubtful;
    let refused = best.rules.iter().map(|(rule, _)| *rule).find(|rule| !policy.allows(*rule));
    let doubt = doubtful && !policy.allows(Rule::Doubtful);
    // Of a row with no good reading, the rules that it would need say nothing, but for cells too many.
    let reason = match refused {
        Some(rule @ Rule::TooManyCells) => Some(rule),
        _ if doubt && best.cost > sure => Some(Rule::Ragged),
        _ => refused.or(doubt.then_some(Rule::Doubtful)),
    };
    if doubtful {
        best.rules.push((Rule::Doubtful, 0));
    }
    match reason {
        Some(rule) => Err(Refusal { rule, next }),
        None => Ok(Mended { cells: best.cells, rules: best.rules, next }),
    }
}

fn sure(width: usize) -> f32 {
    SURE.max(SURE_A_COLUMN * width as f32).min(MOST_COST)
}

/// The best reading of one line, with the file's delimiter or another.
pub(crate) fn best(
    text: &[u8],
    (start, stop): (usize, usize),
    dialect: &Dialect,
    columns: &[Column],
) -> Option<Alignment> {
    let own = align(text, (start, stop), dialect, columns);
    if own.as_ref().is_some_and(|own| own.cost <= GOOD) {
        return own;
    }
    let others = others(text, (start, stop), dialect, columns);
    others.chain(own).min_by(|a, b| a.cost.total_cmp(&b.cost))
}

/// The readings of a line with other delimiters than the file's.
fn others(
    text: &[u8],
    (start, stop): (usize, usize),
    dialect: &Dialect,
    columns: &[Column],
) -> impl Iterator<Item = Alignment> {
    let others = DELIMITERS.iter().filter(move |&&other| {
        let enough = memchr::memchr_iter(other, &text[start..stop]).count() + 1 >= columns.len();
        other != dialect.delimiter && enough && columns.len() > 1
    });
    others.filter_map(move |&delimiter| {
        let dialect = Dialect { delimiter, padded: delimiter != b' ', ..*dialect };
        let mut other = align(text, (start, stop), &dialect, columns)?;
        other.cost += OTHER;
        other.rules.insert(0, (Rule::OtherDelimiter, 0));
        Some(other)
    })
}

/// Whether another delimiter parts a row, some of whose cells fit in no way, into cells that all mean something.
pub(crate) fn is_of_another(
    text: &[u8],
    (start, next): (usize, usize),
    dialect: &Dialect,
    columns: &[Column],
) -> bool {
    let mut cells = Cells::default();
    let misfit = Meaning::Mended(Value::Missing, Rule::Misfit);
    DELIMITERS.iter().filter(|&&other| other != dialect.delimiter).any(|&delimiter| {
        cells.clear();
        let padded = delimiter != b' ';
        split(&text[..next], start, &Dialect { delimiter, padded, ..*dialect }, &mut cells);
        let mut fitting = columns.iter().zip(&cells.places);
        let fits = |(column, &cell): (&Column, &Cell)| {
            column.kind.is_text() || meaning(column, cells.bytes(&text[..next], cell)) != misfit
        };
        cells.places.len() == columns.len() && fitting.all(fits)
    })
}

/// Adds the cells of a mended row.
pub(crate) fn push(mended: &[Aligned], length: usize, cells: &mut Cells) {
    for cell in mended {
        match cell {
            Aligned::Place(start, end) => cells.push(*start, *end),
            Aligned::Text(text) => cells.push_side(length, text),
            Aligned::Missing => cells.push_side(length, b""),
        }
    }
}
