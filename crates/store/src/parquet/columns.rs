//! Decodes the columns of a panel out of the column chunks of a Parquet file, in parallel.

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use fattail_core::{ColumnData, Observer, Progress};
use parquet::file::statistics::Statistics;
use rayon::prelude::*;

use super::{
    file::ParquetFile,
    numbers::{Outcome, Slots, decode, expect_numbers, take},
};
use crate::{
    Error, Missing, Place, Result,
    panel::Filling,
    plan::{Role, Wanted},
    rows::count,
};

/// Decodes the rows in `keep`, which holds the ranges of every row group.
pub(super) struct Decoder<'a> {
    pub(super) file: &'a ParquetFile,
    pub(super) keep: &'a [Vec<Range<usize>>],
    pub(super) observer: Observer<'a>,
}

/// A part of a column and the chunk that fills it.
struct Task<'a> {
    column: usize,
    group: usize,
    slots: Slots<'a>,
}

impl Decoder<'_> {
    /// The columns; those whose values all fit are bins.
    pub(super) fn columns(&self, wanted: &[Wanted]) -> Result<Vec<ColumnData>> {
        self.expect_numbers(wanted)?;
        let bins: Vec<bool> = wanted.iter().map(|column| self.may_be_bins(column)).collect();
        let mut buffers = self.buffers(&bins);
        let mut again = self.fill(wanted, buffers.iter_mut().enumerate(), "reading")?;
        again.dedup();
        for &column in &again {
            buffers[column] = Filling::zeros(false, self.rows());
        }
        let numbers = buffers.iter_mut().enumerate().filter(|(at, _)| again.contains(at));
        self.fill(wanted, numbers, "reading again as numbers")?;
        Ok(buffers.into_iter().map(Filling::done).collect())
    }

    /// The columns, bins where `bins` says so, as [`Decoder::decide`] found.
    pub(super) fn decided(&self, wanted: &[Wanted], bins: &[bool]) -> Result<Vec<ColumnData>> {
        let mut buffers = self.buffers(bins);
        match self.fill(wanted, buffers.iter_mut().enumerate(), "reading")?.first() {
            None => Ok(buffers.into_iter().map(Filling::done).collect()),
            Some(&column) => {
                let name = &wanted[column].name;
                let source = format!("column '{name}' holds values that its statistics exclude");
                Err(Error::format(&self.file.path, Place::File, "Parquet", source))
            }
        }
    }

    /// Which columns [`Decoder::columns`] would make bins. Those of which the statistics of the file
    /// do not tell are decoded for it, and nothing of them is kept.
    pub(super) fn decide(&self, wanted: &[Wanted]) -> Result<Vec<bool>> {
        self.expect_numbers(wanted)?;
        let fit = |column: &Wanted| -> Result<bool> {
            let parts = self.keep.iter().enumerate().filter(|(_, keep)| count(keep) > 0);
            for (group, keep) in parts {
                let mut scratch = vec![0; count(keep)];
                let chunk = self.file.chunk(group, column.at);
                if decode(chunk, keep, column.missing, Slots::Bins(&mut scratch))?
                    == Outcome::NotBins
                {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let decisions: Vec<Result<bool>> = wanted
            .par_iter()
            .map(|column| match self.may_be_bins(column) {
                true if !self.must_be_bins(column) => fit(column),
                decided => Ok(decided),
            })
            .collect();
        decisions.into_iter().collect()
    }

    fn expect_numbers(&self, wanted: &[Wanted]) -> Result<()> {
        wanted.iter().try_for_each(|column| expect_numbers(self.file, column.at, self.keep))
    }

    fn rows(&self) -> usize {
        self.keep.iter().map(|keep| count(keep)).sum()
    }

    fn buffers(&self, bins: &[bool]) -> Vec<Filling> {
        let rows = self.rows();
        bins.iter().map(|&bins| Filling::zeros(bins, rows)).collect()
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
            self.statistics(group, wanted).is_none_or(|known| {
                let nulls = known.null_count_opt().unwrap_or(0) > 0;
                bins_fit(known) && !(nulls && wanted.missing == Missing::Keep)
            })
        })
    }

    /// Whether the statistics of a column that may be bins leave no doubt.
    fn must_be_bins(&self, wanted: &Wanted) -> bool {
        let nullable = self.file.leaf(wanted.at).max_def_level() > 0;
        let kept = (0..self.file.groups()).filter(|&group| count(&self.keep[group]) > 0);
        kept.map(|group| self.statistics(group, wanted)).all(|known| {
            known.is_some_and(|known| {
                let nulls = nullable && known.null_count_opt() != Some(0);
                bounded(known) && bins_fit(known) && !(nulls && wanted.missing == Missing::Keep)
            })
        })
    }

    fn statistics(&self, group: usize, wanted: &Wanted) -> Option<&Statistics> {
        self.file.metadata().row_group(group).column(wanted.at).statistics()
    }

    /// Fills the columns and answers which, in increasing order, do not fit into bins.
    fn fill<'b>(
        &self,
        wanted: &[Wanted],
        buffers: impl Iterator<Item = (usize, &'b mut Filling)>,
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

    fn split<'b>(&self, column: usize, buffer: &'b mut Filling, tasks: &mut Vec<Task<'b>>) {
        let parts = self.keep.iter().map(|keep| count(keep)).enumerate();
        let parts = parts.filter(|&(_, rows)| rows > 0);
        let mut push = |group, slots| tasks.push(Task { column, group, slots });
        match buffer {
            Filling::Bins(bins) => {
                let mut rest = bins.as_mut_slice();
                parts.for_each(|(group, rows)| push(group, Slots::Bins(take(&mut rest, rows))));
            }
            Filling::Numbers(numbers) => {
                let mut rest = numbers.as_mut_slice();
                parts.for_each(|(group, rows)| push(group, Slots::Numbers(take(&mut rest, rows))));
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

/// Whether both ends are known.
fn bounded(known: &Statistics) -> bool {
    match known {
        Statistics::Int32(known) => known.min_opt().is_some() && known.max_opt().is_some(),
        Statistics::Int64(known) => known.min_opt().is_some() && known.max_opt().is_some(),
        known => matches!(known, Statistics::Boolean(_)),
    }
}
