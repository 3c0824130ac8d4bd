//! Columns: shared values, and where each era of the panel starts in them.

use std::sync::Arc;

use ndarray::ArrayView1;

use crate::{Eras, Shared};

/// The values of a column: bins or numbers.
#[derive(Debug, Clone)]
pub enum ColumnData {
    /// Bins.
    U8(Shared<u8>),
    /// Numbers; NaN is missing.
    F32(Shared<f32>),
}

impl ColumnData {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<u8>> for ColumnData {
    fn from(values: Vec<u8>) -> Self {
        Self::U8(values.into())
    }
}

impl From<Vec<f32>> for ColumnData {
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values.into())
    }
}

impl From<Shared<u8>> for ColumnData {
    fn from(values: Shared<u8>) -> Self {
        Self::U8(values)
    }
}

impl From<Shared<f32>> for ColumnData {
    fn from(values: Shared<f32>) -> Self {
        Self::F32(values)
    }
}

/// A slice of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values<'a> {
    /// Bins.
    U8(&'a [u8]),
    /// Numbers; NaN is missing.
    F32(&'a [f32]),
}

impl<'a> Values<'a> {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `row`.
    ///
    /// # Panics
    /// When `row` is not below [`Values::len`], as indexing a slice does.
    #[must_use]
    pub fn get(&self, row: usize) -> f32 {
        match self {
            Self::U8(values) => f32::from(values[row]),
            Self::F32(values) => values[row],
        }
    }

    /// The values as numbers.
    pub fn iter(self) -> impl ExactSizeIterator<Item = f32> + use<'a> {
        let values = self;
        (0..values.len()).map(move |row| values.get(row))
    }

    /// Writes the values as `f32`.
    ///
    /// # Panics
    /// When `out` has another length.
    pub fn write_f32(&self, out: &mut [f32]) {
        match self {
            Self::U8(values) => convert(values, out, f32::from),
            Self::F32(values) => out.copy_from_slice(values),
        }
    }

    /// Writes the values as `f64`.
    ///
    /// # Panics
    /// When `out` has another length.
    pub fn write_f64(&self, out: &mut [f64]) {
        match self {
            Self::U8(values) => convert(values, out, f64::from),
            Self::F32(values) => convert(values, out, f64::from),
        }
    }

    /// The values as a vector of `f64`.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.len()];
        self.write_f64(&mut out);
        out
    }
}

fn convert<T: Copy, U>(values: &[T], out: &mut [U], to: impl Fn(T) -> U) {
    assert_eq!(values.len(), out.len(), "the buffer has another length than the values");
    for (slot, &value) in out.iter_mut().zip(values) {
        *slot = to(value);
    }
}

/// Values and where each era starts in them. Columns that were cut together share the starts.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) data: ColumnData,
    pub(crate) starts: Arc<[usize]>,
}

impl Column {
    pub(crate) fn era(&self, index: usize, length: usize) -> Values<'_> {
        let start = self.starts[index];
        match &self.data {
            ColumnData::U8(values) => Values::U8(&values[start..start + length]),
            ColumnData::F32(values) => Values::F32(&values[start..start + length]),
        }
    }
}

/// A column of a panel, era by era.
#[derive(Debug, Clone, Copy)]
pub struct ColumnView<'a> {
    pub(crate) column: &'a Column,
    pub(crate) eras: &'a Eras,
}

impl<'a> ColumnView<'a> {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.eras.rows()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the values are bins.
    #[must_use]
    pub fn is_u8(&self) -> bool {
        matches!(self.column.data, ColumnData::U8(_))
    }

    /// The values of one era.
    ///
    /// # Panics
    /// When there is no era `index`, as indexing a slice does.
    #[must_use]
    pub fn era(&self, index: usize) -> Values<'a> {
        self.column.era(index, self.eras.range(index).len())
    }

    /// The values of each era, in order.
    pub fn eras(self) -> impl ExactSizeIterator<Item = Values<'a>> {
        (0..self.eras.len()).map(move |index| self.era(index))
    }

    /// All values as one slice, when the eras of the panel lie end to end in the column.
    #[must_use]
    pub fn contiguous(&self) -> Option<Values<'a>> {
        if self.eras.is_empty() {
            return Some(Values::F32(&[]));
        }
        let first = self.column.starts[0];
        let in_line =
            (0..self.eras.len()).all(|e| self.column.starts[e] - first == self.eras.range(e).start);
        in_line.then(|| self.column.era(0, self.len()))
    }

    /// The column that holds the values and where in it the panel's rows start, when they lie end
    /// to end. Whoever keeps the column keeps the values alive without copying them.
    #[must_use]
    pub fn shared(&self) -> Option<(ColumnData, usize)> {
        self.contiguous()?;
        let first = self.column.starts.first().copied().unwrap_or(0);
        Some((self.column.data.clone(), first))
    }

    /// All values as an `ndarray` view, when the column is `f32` and [contiguous](Self::contiguous).
    #[must_use]
    pub fn view(&self) -> Option<ArrayView1<'a, f32>> {
        match self.contiguous()? {
            Values::F32(values) => Some(ArrayView1::from(values)),
            Values::U8(_) => None,
        }
    }

    /// Copies all values as `f32`.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.len()];
        for (range, values) in self.eras.ranges().zip(self.eras()) {
            values.write_f32(&mut out[range]);
        }
        out
    }

    /// Copies all values as `f64`.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.len()];
        for (range, values) in self.eras.ranges().zip(self.eras()) {
            values.write_f64(&mut out[range]);
        }
        out
    }
}
