//! Decodes the columns that label rows: eras, ids and the filter's.

use std::{ops::Range, slice, sync::Arc};

use arrow::temporal_conversions::{
    date32_to_datetime, timestamp_ms_to_datetime, timestamp_ns_to_datetime,
    timestamp_us_to_datetime,
};
use fattail_core::{Ids, IdsBuilder};
use parquet::data_type::{ByteArrayType, DataType, Int32Type, Int64Type};
use rayon::prelude::*;

use super::{
    file::{Chunk, ParquetFile},
    kind::{Kind, Unit},
};
use crate::{
    Error, ReadOptions, Result,
    plan::Plan,
    rows::{GroupKeys, count, push_range, push_run},
};

const LABEL: &str = "a label";

/// The keys of each row group.
pub(super) fn read(
    file: &ParquetFile,
    plan: &Plan,
    options: &ReadOptions,
) -> Result<Vec<GroupKeys>> {
    for column in [plan.era, plan.id, plan.filter].into_iter().flatten() {
        expect_key(file, column)?;
    }
    let wanted = options.filter.as_ref().map(|filter| filter.value.as_str());
    let groups: Vec<Result<GroupKeys>> = (0..file.groups())
        .into_par_iter()
        .map(|group| {
            let rows = file.rows(group);
            let runs = match plan.era {
                Some(era) => runs(file.chunk(group, era), rows)?,
                None => vec![("0".into(), rows)],
            };
            let matching = match (plan.filter, wanted) {
                (Some(column), Some(value)) => {
                    Some(matching(file.chunk(group, column), rows, value)?)
                }
                _ => None,
            };
            Ok(GroupKeys { rows, runs, matching })
        })
        .collect();
    groups.into_iter().collect()
}

/// The ids of the rows in `keep`.
pub(super) fn read_ids(
    file: &ParquetFile,
    column: usize,
    keep: &[Vec<Range<usize>>],
) -> Result<Ids> {
    let parts: Vec<Result<Ids>> = keep
        .par_iter()
        .enumerate()
        .map(|(group, keep)| {
            let mut ids = IdsBuilder::with_capacity(count(keep), 16 * count(keep));
            let chunk = file.chunk(group, column);
            texts(chunk, keep, |row, text| match text {
                Some(id) if !id.is_empty() => {
                    ids.push(id);
                    Ok(())
                }
                empty => Err(chunk.value(row, shown(empty), "an id")),
            })?;
            Ok(ids.finish())
        })
        .collect();
    let mut parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
    if parts.len() == 1 {
        return Ok(parts.swap_remove(0));
    }
    let rows = parts.iter().map(Ids::len).sum();
    let mut ids = IdsBuilder::with_capacity(rows, 16 * rows);
    for part in parts {
        (0..part.len()).for_each(|row| ids.push(part.get(row)));
    }
    Ok(ids.finish())
}

fn expect_key(file: &ParquetFile, column: usize) -> Result<()> {
    if file.kind(column).is_key() {
        return Ok(());
    }
    let leaf = file.leaf(column);
    Err(Error::WrongType {
        path: file.path.as_path().into(),
        column: leaf.path().string(),
        found: format!("{:?}", leaf.physical_type()).to_lowercase(),
        expected: "text, integers, dates or timestamps",
    })
}

fn runs(chunk: Chunk<'_>, rows: usize) -> Result<Vec<(Arc<str>, usize)>> {
    let mut runs: Vec<(Arc<str>, usize)> = Vec::new();
    texts(chunk, slice::from_ref(&(0..rows)), |row, text| {
        match text {
            Some(era) if !era.is_empty() => push_run(&mut runs, era, 1),
            empty => return Err(chunk.value(row, shown(empty), "an era")),
        }
        Ok(())
    })?;
    Ok(runs)
}

fn matching(chunk: Chunk<'_>, rows: usize, value: &str) -> Result<Vec<Range<usize>>> {
    let mut ranges = Vec::new();
    texts(chunk, slice::from_ref(&(0..rows)), |row, text| {
        if text == Some(value) {
            push_range(&mut ranges, row..row + 1);
        }
        Ok(())
    })?;
    Ok(ranges)
}

fn shown(text: Option<&str>) -> &'static str {
    if text.is_some() { "an empty text" } else { "null" }
}

/// Calls `visit` with each row and its text.
fn texts(
    chunk: Chunk<'_>,
    keep: &[Range<usize>],
    mut visit: impl FnMut(usize, Option<&str>) -> Result<()>,
) -> Result<()> {
    match chunk.file.kind(chunk.column) {
        Kind::Text => chunk.blocks::<ByteArrayType>(keep, |block| {
            for (row, value) in (block.row..).zip(block.each()) {
                let text = value.map(|value| std::str::from_utf8(value.data())).transpose();
                visit(row, text.map_err(|_| chunk.value(row, "broken UTF-8", LABEL))?)?;
            }
            Ok(true)
        }),
        Kind::I32 => printed::<Int32Type>(chunk, keep, visit, |v| Some(v.to_string())),
        Kind::U32 => printed::<Int32Type>(chunk, keep, visit, |v| Some((v as u32).to_string())),
        Kind::I64 => printed::<Int64Type>(chunk, keep, visit, |v| Some(v.to_string())),
        Kind::U64 => printed::<Int64Type>(chunk, keep, visit, |v| Some((v as u64).to_string())),
        Kind::Date => printed::<Int32Type>(chunk, keep, visit, |v| {
            Some(date32_to_datetime(v)?.date().to_string())
        }),
        Kind::Timestamp(unit) => printed::<Int64Type>(chunk, keep, visit, |v| {
            let time = match unit {
                Unit::Milli => timestamp_ms_to_datetime(v),
                Unit::Micro => timestamp_us_to_datetime(v),
                Unit::Nano => timestamp_ns_to_datetime(v),
            };
            // `Debug` of a time is its ISO 8601 form, with a `T`.
            Some(format!("{:?}", time?))
        }),
        Kind::Bool | Kind::F32 | Kind::F64 | Kind::Other => expect_key(chunk.file, chunk.column),
    }
}

/// Prints each value once a run of equal ones.
fn printed<T: DataType>(
    chunk: Chunk<'_>,
    keep: &[Range<usize>],
    mut visit: impl FnMut(usize, Option<&str>) -> Result<()>,
    print: impl Fn(T::T) -> Option<String>,
) -> Result<()>
where
    T::T: Copy + PartialEq,
{
    let mut last: Option<(T::T, String)> = None;
    chunk.blocks::<T>(keep, |block| {
        for (row, value) in (block.row..).zip(block.each()) {
            let Some(&value) = value else {
                visit(row, None)?;
                continue;
            };
            if last.as_ref().is_none_or(|(known, _)| *known != value) {
                let text =
                    print(value).ok_or_else(|| chunk.value(row, "a time out of range", LABEL))?;
                last = Some((value, text));
            }
            visit(row, last.as_ref().map(|(_, text)| text.as_str()))?;
        }
        Ok(true)
    })
}
