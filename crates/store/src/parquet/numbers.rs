//! Decodes a column chunk straight into its part of the panel's column.

use std::{fmt::Debug, ops::Range};

use parquet::{
    basic::LogicalType,
    data_type::{BoolType, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type},
    schema::types::ColumnDescriptor,
};

use super::{
    file::{Block, Chunk, ParquetFile},
    kind::Kind,
};
use crate::{
    Error, Missing, Result,
    error::{NUMBER, TOO_LARGE},
    shown::shown,
};

/// A part of a column, not yet filled.
#[derive(Debug)]
pub(super) enum Slots<'a> {
    Bins(&'a mut [u8]),
    Numbers(&'a mut [f32]),
}

/// Whether the values fitted into the slots. Bins do not hold nulls, negative or large numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    NotBins,
}

/// Decodes the rows in `keep`.
pub(super) fn decode(
    chunk: Chunk<'_>,
    keep: &[Range<usize>],
    missing: Missing,
    slots: Slots<'_>,
) -> Result<Outcome> {
    let work = Work { chunk, keep, missing };
    // A bin and whether the value is not one.
    let int = |v: i32| (v as u8, v as u32 > 255);
    let long = |v: i64| (v as u8, v as u64 > 255);
    match chunk.file.kind(chunk.column) {
        Kind::Bool => {
            work.run::<BoolType>(slots, |v| (u8::from(v), false), |v| f32::from(u8::from(v)))
        }
        Kind::I32 => work.run::<Int32Type>(slots, int, |v| v as f32),
        Kind::U32 => work.run::<Int32Type>(slots, int, |v| v as u32 as f32),
        Kind::I64 => work.run::<Int64Type>(slots, long, |v| v as f32),
        Kind::U64 => work.run::<Int64Type>(slots, long, |v| v as u64 as f32),
        Kind::F32 => work.run::<FloatType>(slots, |_| (0, true), |v| v),
        Kind::F64 => work.run::<DoubleType>(slots, |_| (0, true), |v| v as f32),
        Kind::Text | Kind::Date | Kind::Timestamp(_) | Kind::Other => {
            Err(refuse_type(chunk.file, chunk.column))
        }
    }
}

/// Refuses a column that holds no numbers. Text names the first that is no number, else the first.
pub(super) fn expect_numbers(
    file: &ParquetFile,
    column: usize,
    keep: &[Vec<Range<usize>>],
) -> Result<()> {
    if file.kind(column).is_number() {
        return Ok(());
    }
    if file.kind(column) != Kind::Text {
        return Err(refuse_type(file, column));
    }
    let mut first = None;
    for (group, keep) in keep.iter().enumerate() {
        let chunk = file.chunk(group, column);
        chunk.blocks::<ByteArrayType>(keep, |block| {
            for (row, value) in (block.row..).zip(block.each()) {
                let Some(value) = value else { continue };
                let text = String::from_utf8_lossy(value.data());
                let refuse = || {
                    chunk.value(row, format!("the text '{}'", shown(&text)), "numbers, not text")
                };
                if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                    return Err(refuse());
                }
                first.get_or_insert_with(refuse);
            }
            Ok(true)
        })?;
    }
    Err(first.unwrap_or_else(|| refuse_type(file, column)))
}

fn refuse_type(file: &ParquetFile, column: usize) -> Error {
    let leaf = file.leaf(column);
    Error::WrongType {
        path: file.path.as_path().into(),
        column: leaf.path().string(),
        found: match file.kind(column) {
            Kind::Text => "text".into(),
            Kind::Date => "date".into(),
            Kind::Timestamp(_) => "timestamp".into(),
            _ if is_half(leaf) => "float16".into(),
            _ => format!("{:?}", leaf.physical_type()).to_lowercase(),
        },
        expected: "numbers",
    }
}

fn is_half(leaf: &ColumnDescriptor) -> bool {
    matches!(leaf.logical_type_ref(), Some(LogicalType::Float16))
}

struct Work<'a> {
    chunk: Chunk<'a>,
    keep: &'a [Range<usize>],
    missing: Missing,
}

impl Work<'_> {
    fn run<T: DataType>(
        &self,
        slots: Slots<'_>,
        bin: impl Fn(T::T) -> (u8, bool),
        number: impl Fn(T::T) -> f32,
    ) -> Result<Outcome>
    where
        T::T: Copy + Debug,
    {
        match slots {
            Slots::Bins(slots) => self.bins::<T>(slots, bin),
            Slots::Numbers(slots) => self.numbers::<T>(slots, number).map(|()| Outcome::Done),
        }
    }

    fn bins<T: DataType>(
        &self,
        mut slots: &mut [u8],
        bin: impl Fn(T::T) -> (u8, bool),
    ) -> Result<Outcome>
    where
        T::T: Copy,
    {
        let mut outcome = Outcome::Done;
        self.chunk.blocks::<T>(self.keep, |block| {
            if block.has_nulls() {
                self.allow_nulls(&block)?;
                outcome = Outcome::NotBins;
                return Ok(false);
            }
            let mut wrong = false;
            for (slot, &value) in take(&mut slots, block.rows).iter_mut().zip(block.values) {
                let (bin, bad) = bin(value);
                *slot = bin;
                wrong |= bad;
            }
            if wrong {
                outcome = Outcome::NotBins;
            }
            Ok(!wrong)
        })?;
        Ok(outcome)
    }

    fn numbers<T: DataType>(
        &self,
        mut slots: &mut [f32],
        number: impl Fn(T::T) -> f32,
    ) -> Result<()>
    where
        T::T: Copy + Debug,
    {
        let nan = self.missing == Missing::Keep;
        self.chunk.blocks::<T>(self.keep, |block| {
            let part = take(&mut slots, block.rows);
            if block.has_nulls() {
                self.allow_nulls(&block)?;
                for (slot, value) in part.iter_mut().zip(block.each()) {
                    *slot = value.map_or(f32::NAN, |&value| number(value));
                }
            } else {
                for (slot, &value) in part.iter_mut().zip(block.values) {
                    *slot = number(value);
                }
            }
            match part.iter().position(|v| !(v.is_finite() || nan && v.is_nan())) {
                None => Ok(true),
                Some(at) => {
                    let value = block.each().nth(at).flatten();
                    let value = value.map_or_else(|| "null".into(), |v| format!("{v:?}"));
                    let finite = value.parse::<f64>().is_ok_and(f64::is_finite);
                    let expected = if finite { TOO_LARGE } else { NUMBER };
                    Err(self.chunk.value(block.row + at, value, expected))
                }
            }
        })
    }

    fn allow_nulls<T>(&self, block: &Block<'_, T>) -> Result<()> {
        match block.levels.iter().position(|&level| level == 0) {
            Some(at) if self.missing == Missing::Refuse => {
                Err(self.chunk.value(block.row + at, "null", NUMBER))
            }
            _ => Ok(()),
        }
    }
}

/// The first `rows` slots, which leave `slots`.
pub(super) fn take<'a, T>(slots: &mut &'a mut [T], rows: usize) -> &'a mut [T] {
    let (part, rest) = std::mem::take(slots).split_at_mut(rows);
    *slots = rest;
    part
}
