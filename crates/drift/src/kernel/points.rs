//! Rows of many features, standardised over both samples, without missing values.

use fattail_core::Panel;
use fattail_stats::{Counter, below};
use rand::Rng;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows, one after another.
pub(super) struct Points {
    values: Vec<f64>,
    width: usize,
}

impl Points {
    /// The chosen rows of two samples, the reference first.
    pub(super) fn of_columns(
        reference: &[&[f64]],
        here: &[usize],
        current: &[&[f64]],
        there: &[usize],
    ) -> Result<Self> {
        let picked = |(a, b): (&&[f64], &&[f64])| {
            let first = here.iter().map(|&row| a[row]);
            first.chain(there.iter().map(|&row| b[row])).collect()
        };
        let columns: Vec<Vec<f64>> = reference.iter().zip(current).map(picked).collect();
        Self::standardised(columns, here.len() + there.len())
    }

    /// As many rows of each block, at most `each`; and how many.
    pub(super) fn of_blocks(
        panel: &Panel,
        blocks: &[Vec<usize>],
        each: usize,
        seed: u64,
    ) -> Result<(Self, usize)> {
        let eras = panel.eras();
        let rows_of = |block: &Vec<usize>| block.iter().map(|&era| eras.range(era).len()).sum();
        let least: usize = blocks.iter().map(rows_of).min().unwrap_or(0);
        let each = each.min(least);
        let counter = Counter::new(seed).stream(BLOCKS);
        let mut rows: Vec<(usize, usize)> = Vec::with_capacity(blocks.len() * each);
        for (block, at) in blocks.iter().zip(0..) {
            let all: Vec<(usize, usize)> = block
                .iter()
                .flat_map(|&era| (0..eras.range(era).len()).map(move |row| (era, row)))
                .collect();
            let kept = some_of(all.len(), each, &mut counter.draw(at));
            rows.extend(kept.into_iter().map(|at| all[at]));
        }
        let column = |feature: usize| {
            let view = panel.feature(feature);
            rows.iter().map(|&(era, row)| f64::from(view.era(era).get(row))).collect()
        };
        let columns: Vec<Vec<f64>> = (0..panel.width()).map(column).collect();
        Ok((Self::standardised(columns, rows.len())?, each))
    }

    /// Some of the rows.
    pub(super) fn some(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect();
        Self { values, width: self.width }
    }

    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// In eight running sums, so that the loop is wide.
    pub(super) fn squared_distance(&self, a: usize, b: usize) -> f64 {
        let (x, y) = (self.row(a), self.row(b));
        let mut lanes = [0.0; 8];
        let (wide, other) = (x.chunks_exact(8), y.chunks_exact(8));
        let rest = wide.remainder().iter().zip(other.remainder());
        let rest: f64 = rest.map(|(x, y)| (x - y) * (x - y)).sum();
        for (x, y) in wide.zip(other) {
            for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
                *lane += (x - y) * (x - y);
            }
        }
        lanes.iter().sum::<f64>() + rest
    }

    /// Squared distances of each row to those before it, row after row.
    pub(super) fn apart(&self) -> Vec<f64> {
        let row = |a: usize| (0..a).map(move |b| self.squared_distance(a, b));
        (0..self.rows()).into_par_iter().flat_map_iter(row).collect()
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    fn standardised(columns: Vec<Vec<f64>>, rows: usize) -> Result<Self> {
        let mut kept = Vec::with_capacity(columns.len());
        for (column, values) in columns.into_iter().enumerate() {
            if let Some(row) = values.iter().position(|value| value.is_infinite()) {
                let name = "values";
                return Err(fattail_stats::Error::NotFinite { name, column, row }.into());
            }
            let holes: Vec<f64> = values.iter().map(|v| f64::from(u8::from(v.is_nan()))).collect();
            let scaled = [values, holes].into_iter().filter_map(centred);
            kept.extend(scaled);
        }
        // Without a feature that varies, all rows are one point.
        let width = kept.len().max(1);
        let mut out = vec![0.0; rows * width];
        for (at, column) in kept.iter().enumerate() {
            for (row, value) in column.iter().enumerate() {
                out[row * width + at] = *value;
            }
        }
        Ok(Self { values: out, width })
    }
}

/// Keeps the rows of blocks apart from other draws.
const BLOCKS: u64 = 0xB10C;

/// Mean 0, variance 1, missing values at the mean; nothing for a column that does not vary.
fn centred(values: Vec<f64>) -> Option<Vec<f64>> {
    let present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let (mean, std) = (fattail_stats::mean(&present), fattail_stats::std(&present, 0));
    let scale = |value: f64| if value.is_nan() { 0.0 } else { (value - mean) / std };
    (std > 0.0).then(|| values.into_iter().map(scale).collect())
}

/// Rows of both samples, whose columns must fit together.
pub(super) fn rows_of(reference: &[&[f64]], current: &[&[f64]]) -> Result<[usize; 2]> {
    if reference.len() != current.len() {
        let (given, expected) = (current.len(), reference.len());
        return Err(Error::Length { name: "current", given, expected });
    }
    let height = |name, columns: &[&[f64]]| {
        let expected = columns.first().map_or(0, |column| column.len());
        match columns.iter().find(|column| column.len() != expected) {
            Some(odd) => Err(Error::Length { name, given: odd.len(), expected }),
            None => Ok(expected),
        }
    };
    Ok([height("reference", reference)?, height("current", current)?])
}

/// `some` of `all` numbers in rising order, each set equally likely.
pub(crate) fn some_of(all: usize, some: usize, generator: &mut impl Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all).collect();
    for at in 0..some.min(all) {
        let other = at + below(generator, all - at);
        order.swap(at, other);
    }
    order.truncate(some);
    order.sort_unstable();
    order
}
