//! Reads a Parquet file into a panel.
//!
//! Keys first, then every column chunk of the rows that stay, in parallel, each decoded in small
//! blocks straight into its part of the panel's column: nothing is concatenated or copied again.
//! Integers whose values all lie in 0..=255 become `u8` bins, other numbers `f32`.
//!
//! Nulls and NaN: by [`ReadOptions::missing`] in features, NaN in targets and extras, refused in
//! weights. Infinity is refused. Cost: rows x columns; memory: the panel, plus one compressed column
//! chunk a thread.

use std::{
    ops::Range,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use fattail_core::{ColumnData, Observer, Panel, Progress};
use parquet::file::statistics::Statistics;
use rayon::prelude::*;

use super::{
    file::ParquetFile,
    keys,
    numbers::{Outcome, Slots, decode, expect_numbers},
};
use crate::{
    Error, Missing, Place, ReadOptions, Result,
    panel::Parts,
    plan::{Plan, Role, Wanted},
    rows::{count, locate, select},
};

/// Reads a Parquet file, its row groups and columns in parallel.
///
/// ```
/// use fattail_core::{Panel, silent};
/// use fattail_store::{ReadOptions, read_parquet, write_parquet};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("train.parquet");
/// let panel = Panel::builder()
///     .eras(&["0001", "0001", "0002"])?
///     .feature("feature_value", vec![0u8, 4, 2])
///     .target("target", vec![0.25f32, 0.75, f32::NAN])
///     .build()?;
/// write_parquet(&panel, &path)?;
///
/// let options = ReadOptions { id: None, ..ReadOptions::default() };
/// let read = read_parquet(&path, &options, &silent)?;
/// assert_eq!(read.feature(0).to_f32(), [0.0, 4.0, 2.0]);
/// assert!(read.feature(0).is_u8());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read or is not Parquet, a column is missing or of a wrong type, a value
/// is refused, eras are not sorted, an id stands twice in an era, or no row is left; each with file,
/// row group, row, column and value.
pub fn read_parquet(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    observer: Observer<'_>,
) -> Result<Panel> {
    let path = path.as_ref();
    let file = ParquetFile::open(path)?;
    let plan = Plan::new(path, &file.names(), |at| file.kind(at).is_number(), options)?;
    let place = |group, row| Place::GroupRow { group, row };
    let (eras, keep) = select(path, options, &keys::read(&file, &plan, options)?, place)?;
    expect_room(path, &plan, eras.rows())?;
    let ids = plan.id.map(|id| keys::read_ids(&file, id, &keep)).transpose()?;
    let columns = Decoder { file: &file, keep: &keep, observer }.columns(&plan.columns)?;
    Parts { eras, ids, columns }.assemble(path, &plan, options, |row| {
        locate(&keep, row).map_or(Place::File, |(group, row)| place(group, row))
    })
}

/// The names of the columns of a Parquet file.
pub(crate) fn parquet_names(path: &Path) -> Result<Vec<String>> {
    Ok(ParquetFile::open(path)?.names())
}

/// Refuses a file that claims more rows than memory could hold, before room is made for them.
fn expect_room(path: &Path, plan: &Plan, rows: usize) -> Result<()> {
    let ids = if plan.id.is_some() { 3 * size_of::<usize>() } else { 0 };
    let width = |wanted: &Wanted| if wanted.role == Role::Feature { 1 } else { size_of::<f32>() };
    let bytes = rows.checked_mul(ids + plan.columns.iter().map(width).sum::<usize>());
    let room = |bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok();
    match bytes.is_some_and(room) {
        true => Ok(()),
        false => {
            let source = format!("it claims {rows} rows, more than memory holds");
            Err(Error::format(path, Place::File, "Parquet", source))
        }
    }
}

struct Decoder<'a> {
    file: &'a ParquetFile,
    keep: &'a [Vec<Range<usize>>],
    observer: Observer<'a>,
}

/// A column being filled.
enum Buffer {
    Bins(Vec<u8>),
    Numbers(Vec<f32>),
}

/// A part of a column and the chunk that fills it.
struct Task<'a> {
    column: usize,
    group: usize,
    slots: Slots<'a>,
}

impl Decoder<'_> {
    fn columns(&self, wanted: &[Wanted]) -> Result<Vec<ColumnData>> {
        for column in wanted {
            expect_numbers(self.file, column.at, self.keep)?;
        }
        let rows = self.keep.iter().map(|keep| count(keep)).sum();
        let mut buffers: Vec<Buffer> = wanted
            .iter()
            .map(|column| match self.may_be_bins(column) {
                true => Buffer::Bins(vec![0; rows]),
                false => Buffer::Numbers(vec![0.0; rows]),
            })
            .collect();
        let mut again = self.fill(wanted, buffers.iter_mut().enumerate(), "reading")?;
        again.dedup();
        for &column in &again {
            buffers[column] = Buffer::Numbers(vec![0.0; rows]);
        }
        let numbers = buffers.iter_mut().enumerate().filter(|(at, _)| again.contains(at));
        self.fill(wanted, numbers, "reading again as numbers")?;
        let done = buffers.into_iter().map(|buffer| match buffer {
            Buffer::Bins(bins) => bins.into(),
            Buffer::Numbers(numbers) => numbers.into(),
        });
        Ok(done.collect())
    }

    /// What the file tells about the column before it is decoded; decoding checks.
    fn may_be_bins(&self, wanted: &Wanted) -> bool {
        if wanted.role != Role::Feature || !self.file.kind(wanted.at).is_discrete() {
            return false;
        }
        // Statistics speak for whole row groups.
        let mut whole = (0..self.file.groups())
            .filter(|&group| count(&self.keep[group]) == self.file.rows(group));
        whole.all(|group| {
            let known = self.file.metadata().row_group(group).column(wanted.at).statistics();
            known.is_none_or(|known| {
                let nulls = known.null_count_opt().unwrap_or(0) > 0;
                bins_fit(known) && !(nulls && wanted.missing == Missing::Keep)
            })
        })
    }

    /// Fills the columns and answers which, in increasing order, do not fit into bins.
    fn fill<'b>(
        &self,
        wanted: &[Wanted],
        buffers: impl Iterator<Item = (usize, &'b mut Buffer)>,
        stage: &str,
    ) -> Result<Vec<usize>> {
        let mut tasks = Vec::new();
        for (column, buffer) in buffers {
            self.split(column, buffer, &mut tasks);
        }
        // Neighbours in the file are read one after the other.
        tasks.sort_by_key(|task| (task.group, task.column));
        let (total, done) = (tasks.len() as u64, AtomicU64::new(0));
        let outcomes: Vec<Result<(usize, Outcome)>> = tasks
            .into_par_iter()
            .map(|Task { column, group, slots }| {
                let Wanted { at, missing, .. } = wanted[column];
                let outcome =
                    decode(self.file.chunk(group, at), &self.keep[group], missing, slots)?;
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                (self.observer)(Progress { stage, done, total });
                Ok((column, outcome))
            })
            .collect();
        let mut again = Vec::new();
        for outcome in outcomes {
            let (column, outcome) = outcome?;
            if outcome == Outcome::NotBins {
                again.push(column);
            }
        }
        again.sort_unstable();
        Ok(again)
    }

    fn split<'b>(&self, column: usize, buffer: &'b mut Buffer, tasks: &mut Vec<Task<'b>>) {
        let parts = self.keep.iter().map(|keep| count(keep)).enumerate();
        let parts = parts.filter(|&(_, rows)| rows > 0);
        match buffer {
            Buffer::Bins(bins) => {
                let mut rest = bins.as_mut_slice();
                for (group, rows) in parts {
                    let (part, others) = rest.split_at_mut(rows);
                    tasks.push(Task { column, group, slots: Slots::Bins(part) });
                    rest = others;
                }
            }
            Buffer::Numbers(numbers) => {
                let mut rest = numbers.as_mut_slice();
                for (group, rows) in parts {
                    let (part, others) = rest.split_at_mut(rows);
                    tasks.push(Task { column, group, slots: Slots::Numbers(part) });
                    rest = others;
                }
            }
        }
    }
}

fn bins_fit(known: &Statistics) -> bool {
    match known {
        Statistics::Int32(known) => {
            let outside = |value: &i32| !(0..=255).contains(value);
            !known.min_opt().is_some_and(outside) && !known.max_opt().is_some_and(outside)
        }
        Statistics::Int64(known) => {
            let outside = |value: &i64| !(0..=255).contains(value);
            !known.min_opt().is_some_and(outside) && !known.max_opt().is_some_and(outside)
        }
        _ => true,
    }
}
