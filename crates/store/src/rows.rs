//! Which rows of a file are read: filter, era range and every n-th era, era by era in file order.

use std::{iter, ops::Range, path::Path, slice, sync::Arc};

use fattail_core::{Eras, natural_order};

use crate::{Error, Place, ReadOptions, Result};

/// Decides era by era, in file order, and collects the eras that stay.
#[derive(Debug)]
pub(crate) struct EraGate<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    runs: Vec<(Arc<str>, usize)>,
    current: Option<(Arc<str>, bool)>,
    /// Eras within the range so far.
    seen: usize,
    /// Rows offered so far.
    offered: usize,
}

impl<'a> EraGate<'a> {
    pub(crate) fn new(path: &'a Path, options: &'a ReadOptions) -> Self {
        Self { path, options, runs: Vec::new(), current: None, seen: 0, offered: 0 }
    }

    /// Whether `rows` rows of an era are read.
    pub(crate) fn admit(
        &mut self,
        era: &str,
        rows: usize,
        place: impl FnOnce() -> Place,
    ) -> Result<bool> {
        self.offered += rows;
        match &self.current {
            Some((current, admitted)) if **current == *era => {
                if let (true, Some(last)) = (*admitted, self.runs.last_mut()) {
                    last.1 += rows;
                }
                return Ok(*admitted);
            }
            Some((current, _)) if natural_order(current, era).is_ge() => {
                return Err(Error::UnsortedEras {
                    path: self.path.into(),
                    place: place(),
                    column: self.options.era.clone().unwrap_or_default(),
                    era: era.into(),
                    previous: current.to_string(),
                });
            }
            _ => {}
        }
        let label: Arc<str> = era.into();
        let admitted = self.chosen(era);
        if admitted {
            self.runs.push((Arc::clone(&label), rows));
        }
        self.current = Some((label, admitted));
        Ok(admitted)
    }

    /// Adds the rows of the next group that are read, those before an error as well; `place` tells where a row of it
    /// stands and is asked for an error alone.
    pub(crate) fn keep(
        &mut self,
        keys: &GroupKeys,
        place: impl Fn(usize) -> Place,
        kept: &mut Vec<Range<usize>>,
    ) -> Result<()> {
        let all = 0..keys.rows;
        let matching = keys.matching.as_deref().unwrap_or(slice::from_ref(&all));
        let mut start = 0;
        for (era, length) in &keys.runs {
            let run = start..start + length;
            start = run.end;
            let parts = overlaps(matching, &run);
            let rows = parts.iter().map(ExactSizeIterator::len).sum();
            if rows > 0 && self.admit(era, rows, || place(parts[0].start))? {
                parts.into_iter().for_each(|part| push_range(kept, part));
            }
        }
        Ok(())
    }

    fn chosen(&mut self, era: &str) -> bool {
        let choice = &self.options.eras;
        let early = choice.first.as_ref().is_some_and(|first| natural_order(era, first).is_lt());
        let late = choice.last.as_ref().is_some_and(|last| natural_order(era, last).is_gt());
        if early || late {
            return false;
        }
        self.seen += 1;
        (self.seen - 1).is_multiple_of(choice.every)
    }

    /// The eras that stay; `rows` is the number of rows in the file.
    pub(crate) fn finish(self, rows: usize) -> Result<Eras> {
        if self.runs.is_empty() {
            let reason = match &self.options.filter {
                _ if rows == 0 => String::new(),
                Some(filter) if self.offered == 0 => {
                    format!(" whose '{}' is '{}', of {rows} rows", filter.column, filter.value)
                }
                _ => format!(" in the eras asked for, of {rows} rows"),
            };
            return Err(Error::NoRows { path: self.path.into(), reason });
        }
        Eras::from_runs(self.runs).map_err(|source| Error::Panel { path: self.path.into(), source })
    }
}

/// The keys of a row group or of a record batch.
#[derive(Debug)]
pub(crate) struct GroupKeys {
    pub(crate) rows: usize,
    /// Labels and lengths of the eras.
    pub(crate) runs: Vec<(Arc<str>, usize)>,
    /// The rows that pass the filter, if there is one.
    pub(crate) matching: Option<Vec<Range<usize>>>,
}

/// The eras that are read, and which rows of each group they are.
pub(crate) fn select(
    path: &Path,
    options: &ReadOptions,
    groups: &[GroupKeys],
    place: impl Fn(usize, usize) -> Place,
) -> Result<(Eras, Vec<Vec<Range<usize>>>)> {
    let mut gate = EraGate::new(path, options);
    let mut keep = vec![Vec::new(); groups.len()];
    for (group, (keys, kept)) in groups.iter().zip(&mut keep).enumerate() {
        gate.keep(keys, |row| place(group, row), kept)?;
    }
    let rows = groups.iter().map(|keys| keys.rows).sum();
    Ok((gate.finish(rows)?, keep))
}

/// Adds rows of an era, joined to the last run where it is the same.
pub(crate) fn push_run(runs: &mut Vec<(Arc<str>, usize)>, era: &str, rows: usize) {
    match runs.last_mut() {
        Some((last, length)) if **last == *era => *length += rows,
        _ => runs.push((era.into(), rows)),
    }
}

/// The runs of the eras of rows.
pub(crate) fn runs<'t>(eras: impl Iterator<Item = &'t str>) -> Vec<(Arc<str>, usize)> {
    let mut runs = Vec::new();
    eras.for_each(|era| push_run(&mut runs, era, 1));
    runs
}

/// The rows that match.
pub(crate) fn matching(rows: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let rows = rows.enumerate().filter(|(_, matches)| *matches);
    rows.for_each(|(row, _)| push_range(&mut ranges, row..row + 1));
    ranges
}

/// Adds a range, joined to the last one where they touch.
pub(crate) fn push_range(ranges: &mut Vec<Range<usize>>, next: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == next.start => last.end = next.end,
        _ => ranges.push(next),
    }
}

/// The number of rows in ranges.
pub(crate) fn count(ranges: &[Range<usize>]) -> usize {
    ranges.iter().map(ExactSizeIterator::len).sum()
}

/// Rows of some groups.
pub(crate) type Part = Vec<(usize, Vec<Range<usize>>)>;

/// The rows kept, cut into parts of so many rows, which add up to all of them.
pub(crate) fn split(
    keep: &[Vec<Range<usize>>],
    lengths: impl IntoIterator<Item = usize>,
) -> Vec<Part> {
    let groups = keep.iter().enumerate();
    let mut ranges = groups.flat_map(|(group, kept)| kept.iter().map(move |r| (group, r.clone())));
    let mut rest = None;
    let part = |mut length: usize| {
        let mut part = Part::new();
        while length > 0 {
            let Some((group, range)) = rest.take().or_else(|| ranges.next()) else { break };
            let cut = range.start + range.len().min(length);
            length -= cut - range.start;
            match part.last_mut() {
                Some((last, kept)) if *last == group => kept.push(range.start..cut),
                _ => part.push((group, iter::once(range.start..cut).collect())),
            }
            rest = (cut < range.end).then_some((group, cut..range.end));
        }
        part
    };
    lengths.into_iter().map(part).collect()
}

/// The group and the row in it of the `row`-th row kept.
pub(crate) fn locate(keep: &[Vec<Range<usize>>], mut row: usize) -> Option<(usize, usize)> {
    for (group, ranges) in keep.iter().enumerate() {
        for range in ranges {
            if row < range.len() {
                return Some((group, range.start + row));
            }
            row -= range.len();
        }
    }
    None
}

fn overlaps(ranges: &[Range<usize>], run: &Range<usize>) -> Vec<Range<usize>> {
    let first = ranges.partition_point(|range| range.end <= run.start);
    ranges[first..]
        .iter()
        .take_while(|range| range.start < run.end)
        .map(|range| range.start.max(run.start)..range.end.min(run.end))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EraChoice, Filter};

    fn keys(runs: &[(&str, usize)]) -> GroupKeys {
        let runs: Vec<(Arc<str>, usize)> =
            runs.iter().map(|&(era, rows)| (era.into(), rows)).collect();
        GroupKeys { rows: runs.iter().map(|run| run.1).sum(), runs, matching: None }
    }

    fn place(group: usize, row: usize) -> Place {
        Place::GroupRow { group, row }
    }

    #[test]
    fn every_second_era_from_the_second() {
        let eras = EraChoice { first: Some("era2".into()), last: None, every: 2 };
        let options = ReadOptions { eras, ..ReadOptions::default() };
        let groups =
            [keys(&[("era1", 2), ("era2", 1)]), keys(&[("era2", 2), ("era3", 1), ("era10", 3)])];
        let (eras, keep) = select(Path::new("f"), &options, &groups, place).unwrap();
        assert_eq!(eras.labels().collect::<Vec<_>>(), ["era2", "era10"]);
        assert_eq!(keep.concat(), [2..3, 0..2, 3..6]);
        assert_eq!(locate(&keep, 3), Some((1, 3)));
        assert_eq!(locate(&keep, 6), None);
    }

    #[test]
    fn parts_cut_ranges_and_reach_over_groups() {
        let keep = [vec![2..5, 7..9], vec![], vec![0..2, 2..4]];
        let parts = split(&keep, [2, 4, 3]);
        let shown = parts.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>();
        assert_eq!(
            shown,
            ["[(0, [2..4])]", "[(0, [4..5, 7..9]), (2, [0..1])]", "[(2, [1..2, 2..4])]"]
        );
    }

    #[test]
    fn a_filter_cuts_runs() {
        let mut group = keys(&[("1", 4), ("2", 4)]);
        group.matching = Some(vec![1..2, 3..5, 6..7]);
        let filter = Some(Filter { column: "kind".into(), value: "live".into() });
        let options = ReadOptions { filter, ..ReadOptions::default() };
        let (eras, keep) = select(Path::new("f"), &options, &[group], place).unwrap();
        assert_eq!((eras.range(0), eras.range(1)), (0..2, 2..4));
        assert_eq!(keep, [vec![1..2, 3..5, 6..7]]);
    }

    #[test]
    fn unsorted_and_empty_are_refused_with_place() {
        let options = ReadOptions::default();
        let groups = [keys(&[("1", 2), ("2", 2)]), keys(&[("1", 1)])];
        let error = select(Path::new("f"), &options, &groups, place).unwrap_err().to_string();
        assert_eq!(
            error,
            "'f', row group 1, row 0, column 'era': era '1' follows era '2', expected sorted eras"
        );
        let error = select(Path::new("f"), &options, &[], place).unwrap_err().to_string();
        assert_eq!(error, "'f' has no rows");
    }
}
