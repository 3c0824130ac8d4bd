//! One file, from its first byte to its last: waves of text to blocks, blocks to row groups, a step of the
//! journal behind each.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

use arrow::{array::ArrayRef, datatypes::Schema as ArrowSchema, error::ArrowError};
use fattail_core::{Observer, Progress};
use fattail_mend::{Block, Column, Kind, Layout, MOST_BYTES, Reader, Seen};
use parquet::file::metadata::RowGroupMetaData;
use rayon::prelude::*;

use crate::{
    Error, Ingest, Result,
    arrays::{array, field},
    journal::{Journal, Key, Part, Step, holds},
    place::Place,
    properties::properties,
    repairs,
    schema::Mapping,
    settings::Sizes,
    source::{Probe, Source},
    summary::Counts,
    table::{Table, group_from},
    wave,
};

/// A wave has to hold so much text behind the last record that begins in it.
const AHEAD: usize = 2 * MOST_BYTES;
/// A column in which a larger share of the rows fits in no way is text.
const MISFITS: f64 = 0.05;
/// So many rows are looked at before that is judged, or all.
const JUDGED: u64 = 10_000;

/// What is known of a file before it is read.
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a Ingest,
    pub(crate) sizes: Sizes,
    pub(crate) input: &'a Path,
    pub(crate) probe: &'a Probe,
    pub(crate) layout: &'a Layout,
    pub(crate) place: &'a Place,
    pub(crate) observer: Observer<'a>,
}

/// What a pass over the file found.
pub(crate) enum Pass {
    /// All of it is written.
    Done(Box<Done>),
    /// Columns are of a wider kind: the pass has to begin again.
    Wider(Vec<(usize, Kind)>),
}

/// A written file.
pub(crate) struct Done {
    pub(crate) step: Step,
    pub(crate) resumed_at: u64,
    pub(crate) data: Table,
    pub(crate) repairs: Table,
}

/// The output, open.
struct Output {
    data: Table,
    repairs: Table,
    quarantine: File,
    groups: File,
    /// Text since the last step.
    group: u64,
}

impl Job<'_> {
    /// What a run has to be to take up another's work.
    pub(crate) fn key(&self, mapping: &Mapping) -> Result<Key> {
        let about = fs::metadata(self.input).map_err(Error::read(self.input))?;
        let changed = about.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let told = (
            env!("CARGO_PKG_VERSION"),
            self.input,
            about.len(),
            changed.map(|time| time.as_nanos().to_string()),
            self.settings,
            self.layout,
            &mapping.file,
        );
        let told = serde_json::to_string(&told).map_err(|error| Error::write(self.input)(error.into()))?;
        Ok(Key(told))
    }

    /// Reads the file and writes its parts, from the last step on that was written down.
    pub(crate) fn pass(&self, mapping: &Mapping, journal: &mut Journal, steps: Vec<Step>) -> Result<Pass> {
        let reader = Reader {
            dialect: &self.layout.dialect,
            columns: &mapping.file,
            policy: self.settings.policy,
            declared: self.settings.schema.is_some() && self.settings.evolution != crate::Evolution::Widen,
            texts: self.settings.texts,
        };
        let (mut step, groups) = self.last_step(steps, mapping)?;
        let resumed_at = step.offset;
        let mut output = self.open(&step, mapping, groups)?;
        let mut source = Source::open(self.input, self.probe, self.layout.body as u64 + step.offset)?;
        let (mut text, mut ahead) = (Vec::new(), Vec::new());
        let full = self.sizes.wave + AHEAD;
        let mut more = true;
        loop {
            // A wave is the same whatever was read before it: a run taken up makes the same ones.
            if more && text.len() < full {
                let missing = full - text.len();
                more = source.fill(&mut text, missing)?;
            }
            let last = !more && text.len() < full;
            let limit = if last { text.len() } else { self.sizes.wave };
            let begun = step.offset;
            let (wave, next) = rayon::join(
                || self.wave(&reader, &text, limit, last, &mut step, mapping, &mut output),
                || if more { source.fill(&mut ahead, self.sizes.wave) } else { Ok(false) },
            );
            if let Some(wider) = wave? {
                return Ok(Pass::Wider(wider));
            }
            more = next?;
            if last || output.group >= self.sizes.group || output.data.pending() > self.sizes.pending {
                self.commit(&mut output, journal, &mut step)?;
            }
            if last {
                self.expect_whole(&step)?;
                let Output { data, repairs, quarantine, .. } = output;
                quarantine.sync_all().map_err(Error::write(&self.place.quarantine_part))?;
                return Ok(Pass::Done(Box::new(Done { step, resumed_at, data, repairs })));
            }
            let done = usize::try_from(step.offset - begun).unwrap_or(usize::MAX);
            text.drain(..done);
            text.append(&mut ahead);
        }
    }

    /// A file that is shorter than it was has been cut while it was read.
    fn expect_whole(&self, step: &Step) -> Result<()> {
        let plain = self.probe.compression == crate::Compression::None && self.probe.charset.is_utf_8();
        let found = self.probe.charset.mark as u64 + self.layout.body as u64 + step.offset;
        match plain && found < self.probe.size {
            true => Err(Error::Shrunk { path: self.input.into(), expected: self.probe.size, found }),
            false => Ok(()),
        }
    }

    /// The last step whose bytes are there, and the row groups of the table and of the log up to it.
    fn last_step(
        &self,
        mut steps: Vec<Step>,
        mapping: &Mapping,
    ) -> Result<(Step, [Vec<RowGroupMetaData>; 2])> {
        let told = fs::read(&self.place.groups).unwrap_or_default();
        while let Some(step) = steps.pop() {
            let before = steps.last().cloned().unwrap_or_default();
            let whole = holds(&self.place.data_part, &step.data, before.data.length)
                && holds(&self.place.repairs_part, &step.repairs, before.repairs.length);
            let groups = told.get(..step.groups as usize).map(|told| self.groups(told));
            if let (true, Some(Ok(groups))) = (whole, groups)
                && groups[0].len() == step.data.groups
                && groups[1].len() == step.repairs.groups
            {
                return Ok((step, groups));
            }
        }
        let columns = mapping.file.len();
        let step = Step { seen: vec![Seen::default(); columns], missing: vec![0; columns], ..Step::default() };
        Ok((step, [Vec::new(), Vec::new()]))
    }

    fn groups(&self, mut told: &[u8]) -> Result<[Vec<RowGroupMetaData>; 2]> {
        let mut groups = [Vec::new(), Vec::new()];
        while let Some((&[which, a, b, c, d], rest)) = told.split_first_chunk() {
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            let (group, rest) = rest.split_at_checked(length).unwrap_or((&[], &[]));
            groups[usize::from(which.min(1))].push(group_from(&self.place.groups, group.to_vec())?);
            told = rest;
        }
        Ok(groups)
    }

    fn open(&self, step: &Step, mapping: &Mapping, groups: [Vec<RowGroupMetaData>; 2]) -> Result<Output> {
        let [data, repairs] = groups;
        let columns: Vec<Column> = mapping.output.iter().map(|(column, _)| column.clone()).collect();
        let texts = self.settings.texts;
        let schema = ArrowSchema::new(columns.iter().map(|column| field(column, texts)).collect::<Vec<_>>());
        let own = properties(&columns, texts, self.settings.codec);
        let log = properties(&[], true, self.settings.codec);
        let place = self.place;
        Ok(Output {
            data: Table::open(&place.data_part, Arc::new(schema), own, step.data.length, data)?,
            repairs: Table::open(&place.repairs_part, Arc::new(repairs::schema()), log, step.repairs.length, repairs)?,
            quarantine: part(&place.quarantine_part, step.quarantine)?,
            groups: part(&place.groups, step.groups)?,
            group: 0,
        })
    }

    /// Reads a wave and adds it to the output; answers columns of a wider kind, if there are any.
    #[allow(clippy::too_many_arguments, reason = "the state of one pass, in one place")]
    fn wave(
        &self,
        reader: &Reader<'_>,
        text: &[u8],
        limit: usize,
        last: bool,
        step: &mut Step,
        mapping: &Mapping,
        output: &mut Output,
    ) -> Result<Option<Vec<(usize, Kind)>>> {
        let blocks = wave::read(reader, text, limit, last);
        for block in &blocks {
            step.counts.add(block);
            for ((seen, missing), filled) in step.seen.iter_mut().zip(&mut step.missing).zip(&block.columns) {
                *seen = seen.and(filled.seen);
                *missing += filled.missing.len() as u64;
            }
        }
        let wider = wider(reader, step, last);
        if !wider.is_empty() {
            return Ok(Some(wider));
        }
        let end = blocks.last().map_or(0, |block| block.next);
        self.set_aside(text, &blocks, output, step)?;
        let mark = self.probe.charset.mark as u64 + self.layout.body as u64;
        let line = self.layout.lines as u64 + step.line;
        let log = repairs::arrays(&blocks, &mapping.file, line, mark + step.offset);
        if log.first().is_some_and(|lines| !lines.is_empty()) {
            output.repairs.write(log.into_iter().map(|array| vec![array]).collect())?;
        }
        step.line += blocks.iter().map(|block| block.lines).sum::<u64>();
        let columns = columns(blocks, mapping, self.settings.texts);
        let columns = columns.map_err(|error| Error::encode(&self.place.data_part, error.into()))?;
        if columns.first().is_some_and(|arrays| !arrays.is_empty()) {
            output.data.write(columns)?;
        }
        step.offset += end as u64;
        output.group += end as u64;
        self.tell(&step.counts, mark + step.offset);
        Ok(None)
    }

    fn tell(&self, counts: &Counts, bytes: u64) {
        let total = self.probe.size.max(bytes);
        (self.observer)(Progress { stage: "bytes", done: bytes, total });
        let rate = counts.read as f64 / bytes.max(1) as f64;
        let rows = (rate * total as f64) as u64;
        (self.observer)(Progress { stage: "rows", done: counts.read, total: rows.max(counts.read) });
    }

    /// Writes the bytes of refused rows as they are.
    fn set_aside(&self, text: &[u8], blocks: &[Block], output: &mut Output, step: &mut Step) -> Result<()> {
        for refused in blocks.iter().flat_map(|block| &block.refused) {
            let row = &text[refused.start..refused.next];
            output.quarantine.write_all(row).map_err(Error::write(&self.place.quarantine_part))?;
            step.quarantine += row.len() as u64;
        }
        Ok(())
    }

    /// Closes the row groups and writes down how far the run came.
    fn commit(&self, output: &mut Output, journal: &mut Journal, step: &mut Step) -> Result<()> {
        for (which, table, part) in
            [(0, &mut output.data, &mut step.data), (1, &mut output.repairs, &mut step.repairs)]
        {
            if let Some(told) = table.close_group()? {
                let length = u32::try_from(told.len()).unwrap_or(u32::MAX).to_le_bytes();
                let entry = [&[which][..], &length, &told].concat();
                output.groups.write_all(&entry).map_err(Error::write(&self.place.groups))?;
                step.groups += entry.len() as u64;
                *part = Part { length: table.length(), sum: table.sum(), groups: table.groups().len() };
            }
        }
        output.group = 0;
        journal.step(step)
    }
}

/// A file to which bytes are added behind those that are done.
fn part(path: &Path, length: u64) -> Result<File> {
    let failed = Error::write(path);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(false).open(path).map_err(&failed)?;
    file.set_len(length).map_err(&failed)?;
    file.seek(SeekFrom::Start(length)).map_err(&failed)?;
    Ok(file)
}

/// The columns of the output: of each its arrays.
fn columns(blocks: Vec<Block>, mapping: &Mapping, texts: bool) -> Result<Vec<Vec<ArrayRef>>, ArrowError> {
    let rows: Vec<usize> = blocks.iter().map(|block| block.rows).filter(|&rows| rows > 0).collect();
    let width = mapping.file.len();
    let mut filled: Vec<Vec<_>> = (0..width).map(|_| Vec::with_capacity(blocks.len())).collect();
    for block in blocks.into_iter().filter(|block| block.rows > 0) {
        filled.iter_mut().zip(block.columns).for_each(|(column, part)| column.push(part));
    }
    let mut found: Vec<Option<Vec<_>>> = filled.into_iter().map(Some).collect();
    let output = mapping.output.iter().map(|(column, at)| (column, at.and_then(|at| found[at].take())));
    let output: Vec<_> = output.collect();
    output
        .into_par_iter()
        .map(|(column, parts)| {
            let field = field(column, texts);
            match parts {
                Some(parts) => parts.into_iter().map(|part| array(&field, part)).collect(),
                None => Ok(rows.iter().map(|&rows| arrow::array::new_null_array(field.data_type(), rows)).collect()),
            }
        })
        .collect()
}

/// The columns whose values are of a wider kind than was thought.
fn wider(reader: &Reader<'_>, step: &Step, last: bool) -> Vec<(usize, Kind)> {
    if reader.texts || reader.declared {
        return Vec::new();
    }
    let judged = last || step.counts.read >= JUDGED;
    let kinds = reader.columns.iter().zip(&step.seen).enumerate();
    let wider = kinds.filter_map(|(at, (column, seen))| {
        let text = judged && seen.misfits as f64 > MISFITS * step.counts.read as f64;
        let kind = match column.kind {
            _ if text => Kind::TEXT,
            Kind::Integer { form, .. } if seen.fraction => Kind::Float { form },
            Kind::Integer { form, wide: false } if seen.wide => Kind::Integer { form, wide: true },
            Kind::Date { order } if seen.timed => Kind::Timestamp { order, zoned: false },
            _ => return None,
        };
        Some((at, kind))
    });
    wider.collect()
}

