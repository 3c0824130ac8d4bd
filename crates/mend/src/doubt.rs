//! Whether a row with one cell too few or too many could as well be read another way.
//!
//! With one cell missing of w, column c is the one without a cell; with one too many, empty cell c is the
//! one that does not belong. Each c costs what its reading looks like:
//!
//! ```text
//! missing:  cost(c) = sum_{j < c} s(x_j, j) + sum_{j > c} s(x_{j-1}, j) + e(c)
//! too many: cost(c) = sum_{j < c} s(x_j, j) + sum_{j >= c} s(x_{j+1}, j)     x_c is empty
//! ```
//!
//! where s is how strange a cell would stand in a column, and e(c) is more where a column was never empty.
//! A second reading that costs hardly more than the best one, and says something else, is a doubt: a row
//! whose numbers may have moved by a column is worse than none.

use crate::column::Column;

/// A reading that costs so much more is not meant.
const CLEAR: f32 = 0.3;
/// What it costs that a column has no cell, where it was never empty.
const NEVER_EMPTY: f32 = 0.5;
/// What it costs more that a column in the middle has no cell than the last one, which short rows leave out.
const MIDDLE: f32 = 0.8;

/// Whether there is such a reading; rows with other faults are not looked at.
pub(crate) fn is_doubtful(cells: &[&[u8]], columns: &[Column]) -> bool {
    let width = columns.len();
    let costs: Vec<(usize, f32)> = match cells.len() {
        count if count + 1 == width => missing(cells, columns),
        count if count == width + 1 => too_many(cells, columns),
        _ => return false,
    };
    let Some(&(best, cost)) = costs.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else { return false };
    let other = |&&(at, other): &&(usize, f32)| at != best && other < cost + CLEAR;
    costs.iter().filter(other).any(|&(at, _)| !same(cells, best.min(at), best.max(at)))
}

/// Whether leaving out the one says the same as leaving out the other.
fn same(cells: &[&[u8]], from: usize, to: usize) -> bool {
    cells[from..to.min(cells.len())].iter().all(|cell| cell.trim_ascii().is_empty())
}

fn missing(cells: &[&[u8]], columns: &[Column]) -> Vec<(usize, f32)> {
    let strange =
        |cell: usize, column: usize| columns[column].strangeness(cells[cell].trim_ascii());
    let mut behind: f32 = (1..columns.len()).map(|column| strange(column - 1, column)).sum();
    let mut before = 0.0;
    let mut costs = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let never = if column.shape.may_be_empty() { 0.0 } else { NEVER_EMPTY };
        let last = at + 1 == columns.len() && column.shape.may_be_empty();
        costs.push((at, before + behind + never + if last { 0.0 } else { MIDDLE }));
        if at + 1 < columns.len() {
            behind -= strange(at, at + 1);
            before += strange(at, at);
        }
    }
    costs
}

fn too_many(cells: &[&[u8]], columns: &[Column]) -> Vec<(usize, f32)> {
    let strange =
        |cell: usize, column: usize| columns[column].strangeness(cells[cell].trim_ascii());
    let mut behind: f32 = (0..columns.len()).map(|column| strange(column + 1, column)).sum();
    let mut before = 0.0;
    let mut costs = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        if cell.trim_ascii().is_empty() {
            // Behind the last column an empty cell is the usual slip.
            let last = at == columns.len();
            costs.push((at, before + behind + if last { 0.0 } else { CLEAR }));
        }
        if at < columns.len() {
            behind -= strange(at + 1, at);
            before += strange(at, at);
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, NumberForm, Shape};

    fn columns(kinds: &[(Kind, bool)]) -> Vec<Column> {
        let column = |&(kind, empty): &(Kind, bool)| Column {
            shape: Shape { empty: Some(empty), filled: Some(true), ..Shape::default() },
            ..Column::new("x", kind)
        };
        kinds.iter().map(column).collect()
    }

    fn doubtful(cells: &[&str], columns: &[Column]) -> bool {
        let cells: Vec<&[u8]> = cells.iter().map(|cell| cell.as_bytes()).collect();
        is_doubtful(&cells, columns)
    }

    #[test]
    fn numbers_alone_do_not_tell_which_is_missing() {
        let float = Kind::Float { form: NumberForm::default() };
        let day = Kind::Date { order: crate::DateOrder::YearFirst };
        let numbers = columns(&[(float, false), (float, false), (float, false)]);
        assert!(doubtful(&["1", "2"], &numbers));
        // The last column is often left out.
        let short = columns(&[(float, false), (float, false), (float, true)]);
        assert!(!doubtful(&["1", "2"], &short));
        // Days between numbers tell.
        let told = columns(&[(float, false), (day, false), (float, false)]);
        assert!(!doubtful(&["2026-01-01", "2"], &told));
        assert!(!doubtful(&["1", "", "2026-01-01", "2"], &told));
        let holes = columns(&[(float, true), (float, true), (float, true)]);
        assert!(doubtful(&["", "1", "", "2"], &holes));
        assert!(!doubtful(&["1", "2", "3", ""], &holes));
    }
}
