//! Which rows a score looks at: those known on all sides, and of these all or the top and bottom.

use fattail_stats::Ranker;

use crate::error::{Error, Result, same_length};

/// The least share of rows that must be known, in percent.
const LEAST_SHARED: u8 = 80;
/// The arguments of scores, for messages.
const NAMES: [&str; 3] = ["predictions", "targets", "meta model"];

/// The rows that are known on all sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    buffers: [Vec<f64>; 3],
}

impl Known {
    /// `columns` without the rows in which one of them is NaN, or `accept` says no.
    pub(crate) fn rows<'a, const K: usize>(
        &'a mut self,
        columns: [&'a [f64]; K],
        accept: Option<&[bool]>,
    ) -> Result<[&'a [f64]; K]> {
        let rows = columns[0].len();
        for (column, name) in columns.iter().zip(NAMES) {
            same_length(name, column.len(), rows)?;
        }
        let accepted = |row: usize| accept.is_none_or(|accept| accept[row]);
        let known = |row: usize| accepted(row) && columns.iter().all(|c| !c[row].is_nan());
        let shared = (0..rows).filter(|&row| known(row)).count();
        expect_share("predictions", shared, rows)?;
        if shared < 2 {
            return Err(Error::TooFewRows { given: shared, least: 2 });
        }
        if shared == rows {
            return Ok(columns);
        }
        for (buffer, column) in self.buffers.iter_mut().zip(columns) {
            buffer.clear();
            buffer.extend((0..rows).filter(|&row| known(row)).map(|row| column[row]));
        }
        Ok(std::array::from_fn(|k| &self.buffers[k][..]))
    }
}

/// Refuses sides that share too few of `rows` rows.
pub(crate) fn expect_share(name: &'static str, shared: usize, rows: usize) -> Result<()> {
    // As numerai-tools compares: shared / rows >= 1 - 0.2, in floating point.
    if shared as f64 / rows as f64 >= 1.0 - 0.2 || rows == 0 {
        Ok(())
    } else {
        Err(Error::Overlap { name, shared, rows, least: LEAST_SHARED })
    }
}

/// The rows at both ends of an order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extremes {
    rows: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Extremes {
    /// The rows of `x` and `y` in which `x` is among its `count` lowest or highest values; all rows
    /// without a count. A row in which `x` is NaN has no place and does not count.
    pub(crate) fn of<'a>(
        &'a mut self,
        x: &'a [f64],
        y: &'a [f64],
        count: Option<usize>,
        ranker: &mut Ranker,
    ) -> Result<(&'a [f64], &'a [f64])> {
        let Some(count) = count else { return Ok((x, y)) };
        let order = ranker.order(x)?;
        let rows = order.len();
        if count == 0 || count > rows / 2 {
            return Err(Error::TopBottom { given: count, rows });
        }
        let ends = |(at, row)| (at < count || at >= rows - count).then_some(row);
        self.rows.clear();
        self.rows.extend(order.enumerate().filter_map(ends));
        self.x.clear();
        self.x.extend(self.rows.iter().map(|&row| x[row]));
        self.y.clear();
        self.y.extend(self.rows.iter().map(|&row| y[row]));
        Ok((&self.x, &self.y))
    }
}
