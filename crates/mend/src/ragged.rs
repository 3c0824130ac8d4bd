//! Records that do not split into as many cells as there are columns.

use crate::{
    align::{Aligned, Alignment, align},
    cells::Cells,
    column::Column,
    dialect::Dialect,
    doubt::is_doubtful,
    rule::{Policy, Rule},
    split::{MOST_BYTES, Record, split, without_return},
};

/// Delimiters that a row may be written with in a file of another one.
const OTHERS: &[u8] = b",;\t|:^ ";
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
    let refused = best.rules.iter().map(|(rule, _)| *rule).find(|rule| !policy.allows(*rule));
    let doubtful = best.cost > sure || moved(text, at, dialect, columns, &best);
    let doubtful = doubtful && !policy.allows(Rule::TooManyCells);
    match refused.or(doubtful.then_some(Rule::Ragged)) {
        Some(rule) => Err(Refusal { rule, next }),
        None => Ok(Mended { cells: best.cells, rules: best.rules, next }),
    }
}

/// Whether cells may have moved by a column.
fn moved(text: &[u8], at: usize, dialect: &Dialect, columns: &[Column], found: &Alignment) -> bool {
    let rules = &found.rules;
    let lacking = |rule: &Rule| matches!(rule, Rule::TooFewCells | Rule::TruncatedRow);
    let missing: Vec<usize> =
        rules.iter().filter(|(rule, _)| lacking(rule)).map(|(_, column)| *column).collect();
    let moving =
        |rule: &Rule| lacking(rule) || matches!(rule, Rule::ExtraDelimiter | Rule::SplitText);
    let all = rules.iter().filter(|(rule, _)| moving(rule)).count();
    if missing.len() > 1 || !missing.is_empty() && all > missing.len() {
        // Short rows leave out the last columns, which are empty elsewhere as well.
        let last = columns.len() - missing.len();
        let short = missing.iter().all(|&at| at >= last && columns[at].shape.may_be_empty());
        return !(short && all == missing.len());
    }
    let joined = rules.iter().filter(|(rule, _)| *rule == Rule::SplitText);
    if joined.clone().any(|&(_, column)| could_join_elsewhere(column, columns, found)) {
        return true;
    }
    let alone = matches!(
        rules[..],
        [(
            Rule::TooFewCells | Rule::TruncatedRow | Rule::ExtraDelimiter | Rule::TrailingDelimiter,
            _,
        )]
    );
    if !alone {
        return !missing.is_empty();
    }
    let mut cells = Cells::default();
    let record = split(text, at, dialect, &mut cells);
    let found: Vec<&[u8]> = cells.places.iter().map(|&cell| cells.bytes(text, cell)).collect();
    record.is_clean() && is_doubtful(&found, columns)
}

/// Whether what was joined into a text could belong to the text beside it as well.
fn could_join_elsewhere(column: usize, columns: &[Column], found: &Alignment) -> bool {
    let beside = [column.checked_sub(1), Some(column + 1)].into_iter().flatten();
    let open = |at: usize| {
        let text =
            columns.get(at).is_some_and(|column| column.kind.is_text() && !column.is_telling());
        text && !found.quoted.contains(&at) && columns[at].shape.may_be_filled()
    };
    !found.spaced && beside.into_iter().any(open)
}

fn sure(width: usize) -> f32 {
    SURE.max(SURE_A_COLUMN * width as f32).min(4.0)
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
    let others = OTHERS.iter().filter(|&&other| {
        let enough = memchr::memchr_iter(other, &text[start..stop]).count() + 1 >= columns.len();
        other != dialect.delimiter && enough && columns.len() > 1
    });
    let others = others.filter_map(|&delimiter| {
        let dialect = Dialect { delimiter, padded: delimiter != b' ', ..*dialect };
        let mut other = align(text, (start, stop), &dialect, columns)?;
        other.cost += OTHER;
        other.rules.insert(0, (Rule::OtherDelimiter, 0));
        Some(other)
    });
    others.chain(own).min_by(|a, b| a.cost.total_cmp(&b.cost))
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
