//! One pass over a panel, in parallel over eras: bins become numbers in small blocks.
//!
//! Eras are taken in waves, so that only as many moments live at a time as a fixed budget holds (or
//! one a thread), and they are merged in the order of the panel: the sums have the same bits for any
//! number of threads. A row whose target is NaN or whose weight is 0 does not count; an era without
//! rows that count gives no moments. Cost: rows times the square of the width, half of it by symmetry.

use std::ops::Range;

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef, Par};
use fattail_core::{Era, Error as CoreError, Panel, Result, Values};
use rayon::prelude::*;

use crate::{Error, moments::Moments};

/// Rows that are turned into numbers at a time.
const BLOCK: usize = 512;
/// Bytes of moments that may live at a time.
const BUDGET: usize = 64 << 20;

/// The weight of each row of an era, 0 where the target is unknown.
pub(crate) fn weights(era: &Era<'_>) -> Result<Vec<f64>> {
    let target = era.target()?;
    let bad = |row: usize, name: &str, value: f32| CoreError::NonFinite {
        column: name.to_owned(),
        value: f64::from(value),
        era: era.label().to_owned(),
        row: era.panel().eras().range(era.index()).start + row,
    };
    let weight_of = |row: usize| -> Result<f64> {
        let weight = era.weights().map_or(1.0, |weights| weights[row]);
        if !weight.is_finite() {
            return Err(bad(row, "weights", weight));
        }
        if weight < 0.0 {
            let era = era.label().to_owned();
            return Err(Error::NegativeWeight { value: weight, era, row }.into());
        }
        if target[row].is_infinite() {
            return Err(bad(row, era.panel().schema().target().unwrap_or("target"), target[row]));
        }
        Ok(if target[row].is_nan() { 0.0 } else { f64::from(weight) })
    };
    (0..era.rows()).map(weight_of).collect()
}

/// The eras that one wave takes.
pub(crate) fn wave(columns: usize) -> usize {
    (BUDGET / (8 * columns * columns)).min(256).max(rayon::current_num_threads())
}

/// The moments of each era of a range, with weights multiplied by `factors` (one a row of the panel).
pub(crate) fn moments(
    panel: &Panel,
    eras: Range<usize>,
    factors: Option<&[f64]>,
) -> Result<Vec<Option<Moments>>> {
    eras.into_par_iter()
        .map_init(Scratch::default, |scratch, e| scratch.moments(panel, e, factors))
        .collect()
}

/// The moments of a panel.
pub(crate) fn total(panel: &Panel, factors: Option<&[f64]>) -> Result<Moments> {
    let (columns, eras) = (panel.width() + 1, panel.eras().len());
    let mut all = Moments::empty(columns);
    let step = wave(columns);
    for start in (0..eras).step_by(step) {
        let wave = moments(panel, start..eras.min(start + step), factors)?;
        wave.iter().flatten().for_each(|era| all.merge(era));
    }
    if all.weight <= 0.0 {
        return Err(Error::NothingKnown { rows: panel.rows() }.into());
    }
    Ok(all)
}

/// A thread's room to work in.
#[derive(Default)]
struct Scratch {
    block: Vec<f64>,
    roots: Vec<f64>,
}

impl Scratch {
    fn moments(
        &mut self,
        panel: &Panel,
        index: usize,
        factors: Option<&[f64]>,
    ) -> Result<Option<Moments>> {
        let era = panel.era(index);
        let mut weights = weights(&era)?;
        if let Some(factors) = factors {
            let factors = &factors[panel.eras().range(index)];
            weights.iter_mut().zip(factors).for_each(|(weight, factor)| *weight *= factor);
        }
        let weight: f64 = weights.iter().sum();
        if weight <= 0.0 {
            return Ok(None);
        }
        let target = known(era.target()?);
        let columns: Vec<Values<'_>> = era.features().chain([Values::F32(&target)]).collect();
        let mut all = Moments::empty(columns.len());
        all.rows = weights.iter().filter(|&&weight| weight > 0.0).count();
        all.weight = weight;
        for (mean, column) in all.mean.iter_mut().zip(&columns) {
            *mean = weighted_sum(column, &weights) / weight;
        }
        self.roots.clear();
        self.roots.extend(weights.iter().map(|weight| weight.sqrt()));
        for start in (0..era.rows()).step_by(BLOCK) {
            self.add(&columns, start..era.rows().min(start + BLOCK), &mut all);
        }
        Ok(Some(all))
    }

    /// Adds the scatter of some rows about the era's mean.
    fn add(&mut self, columns: &[Values<'_>], rows: Range<usize>, all: &mut Moments) {
        let (height, width) = (rows.len(), columns.len());
        self.block.resize(height * width, 0.0);
        let roots = &self.roots[rows.clone()];
        let slots = self.block.chunks_exact_mut(height);
        for ((slot, column), &mean) in slots.zip(columns).zip(&all.mean) {
            centre(column, rows.clone(), roots, mean, slot);
        }
        let block = MatRef::from_column_major_slice(&self.block[..height * width], height, width);
        matmul(
            MatMut::from_column_major_slice_mut(&mut all.scatter, width, width),
            BlockStructure::TriangularLower,
            Accum::Add,
            block.transpose(),
            BlockStructure::Rectangular,
            block,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    }
}

/// Targets with 0 for unknown, whose weight is 0.
fn known(target: &[f32]) -> Vec<f32> {
    target.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect()
}

/// The sum of the column times `factors`.
pub(crate) fn weighted_sum(column: &Values<'_>, factors: &[f64]) -> f64 {
    match column {
        Values::U8(values) => dot(values, factors),
        Values::F32(values) => dot(values, factors),
    }
}

/// The sum of products, in eight lanes.
pub(crate) fn dot<T: Copy + Into<f64>>(values: &[T], factors: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let mut add = |values: &[T], factors: &[f64]| {
        for ((lane, &value), factor) in lanes.iter_mut().zip(values).zip(factors) {
            *lane += value.into() * factor;
        }
    };
    // Whole chunks have a length that the compiler knows.
    let (whole, by) = (values.chunks_exact(8), factors.chunks_exact(8));
    let (rest, rest_by) = (whole.remainder(), by.remainder());
    whole.zip(by).for_each(|(values, factors)| add(values, factors));
    add(rest, rest_by);
    lanes.iter().sum()
}

/// Adds the column times `factor`.
pub(crate) fn add_scaled(column: &Values<'_>, factor: f64, out: &mut [f64]) {
    fn add<T: Copy + Into<f64>>(values: &[T], factor: f64, out: &mut [f64]) {
        out.iter_mut().zip(values).for_each(|(slot, &value)| *slot += factor * value.into());
    }
    match column {
        Values::U8(values) => add(values, factor, out),
        Values::F32(values) => add(values, factor, out),
    }
}

/// Adds some columns times their factors, one after the other in each row as [`add_scaled`] would, but four columns
/// of one kind are read together and the sum is written once.
pub(crate) fn add_together(columns: &[(Values<'_>, f64)], out: &mut [f64]) {
    fn add<T: Copy + Into<f64>>(columns: [&[T]; 4], factors: [f64; 4], out: &mut [f64]) {
        let [a, b, c, d] = columns;
        let rows = a.iter().zip(b).zip(c.iter().zip(d));
        for (slot, ((&a, &b), (&c, &d))) in out.iter_mut().zip(rows) {
            let sum = *slot + factors[0] * a.into();
            let sum = sum + factors[1] * b.into();
            let sum = sum + factors[2] * c.into();
            *slot = sum + factors[3] * d.into();
        }
    }
    match *columns {
        [(Values::U8(a), e), (Values::U8(b), f), (Values::U8(c), g), (Values::U8(d), h)] => {
            add([a, b, c, d], [e, f, g, h], out);
        }
        [(Values::F32(a), e), (Values::F32(b), f), (Values::F32(c), g), (Values::F32(d), h)] => {
            add([a, b, c, d], [e, f, g, h], out);
        }
        _ => columns.iter().for_each(|(column, factor)| add_scaled(column, *factor, out)),
    }
}

fn centre(column: &Values<'_>, rows: Range<usize>, roots: &[f64], mean: f64, out: &mut [f64]) {
    fn fill<T: Copy + Into<f64>>(values: &[T], roots: &[f64], mean: f64, out: &mut [f64]) {
        for ((slot, &value), root) in out.iter_mut().zip(values).zip(roots) {
            *slot = (value.into() - mean) * root;
        }
    }
    match column {
        Values::U8(values) => fill(&values[rows], roots, mean, out),
        Values::F32(values) => fill(&values[rows], roots, mean, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_together_are_columns_one_by_one() {
        let bins: Vec<Vec<u8>> =
            (0..6u8).map(|at| (0..37).map(|row| (row * 3 + at) % 5).collect()).collect();
        let numbers: Vec<Vec<f32>> = bins
            .iter()
            .map(|bins| bins.iter().map(|&bin| f32::from(bin) / 3.0).collect())
            .collect();
        let bins = bins.iter().map(|bins| Values::U8(bins));
        let all: Vec<(Values<'_>, f64)> = bins
            .chain(numbers.iter().map(|numbers| Values::F32(numbers)))
            .zip((1..).map(|at| 0.1 * f64::from(at)))
            .collect();
        for (start, end) in [(0, 4), (6, 10), (4, 8), (0, 3), (11, 12)] {
            let (mut together, mut single) = (vec![0.5; 37], vec![0.5; 37]);
            add_together(&all[start..end], &mut together);
            all[start..end].iter().for_each(|(column, by)| add_scaled(column, *by, &mut single));
            assert_eq!(together, single);
        }
    }
}
