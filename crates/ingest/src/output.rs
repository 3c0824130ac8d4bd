//! The output of a pass: row groups, repairs, rows set aside, and a step of the journal behind each group.

use std::{fs::File, io::Write, sync::Arc};

use arrow::{array::ArrayRef, datatypes::Schema as ArrowSchema, error::ArrowError};
use fattail_core::Progress;
use fattail_mend::{Block, Column, Kind, Note, Reader, Rule};
use parquet::file::metadata::RowGroupMetaData;
use rayon::prelude::*;

use crate::{
    Error, Result,
    arrays::{array, field},
    journal::{Journal, Part, Step},
    place::take_up,
    properties::properties,
    repairs,
    run::{Done, Job},
    schema::Mapping,
    table::Table,
    wave::Wave,
};

/// A column in which a larger share of the rows fits in no way is text.
const MISFITS: f64 = 0.05;
/// So many rows are looked at before that is judged, or all.
const JUDGED: u64 = 10_000;

/// The output, open.
pub(crate) struct Output<'a> {
    job: &'a Job<'a>,
    mapping: &'a Mapping,
    journal: &'a mut Journal,
    step: Step,
    data: Table,
    repairs: Table,
    quarantine: File,
    groups: File,
    /// Bytes of memory that rows and notes since the last step take, and bytes of text.
    group: usize,
    text: usize,
}

impl<'a> Output<'a> {
    /// Takes up the files behind a step, whose row groups are those of the table and of the log.
    pub(crate) fn open(
        job: &'a Job<'a>,
        mapping: &'a Mapping,
        journal: &'a mut Journal,
        step: Step,
        [data, log]: [Vec<RowGroupMetaData>; 2],
    ) -> Result<Self> {
        let columns: Vec<Column> =
            mapping.output.iter().map(|(column, _)| column.clone()).collect();
        let (texts, codec, place) = (job.settings.texts, job.settings.codec, job.place);
        let fields: Vec<_> = columns.iter().map(|column| field(column, texts)).collect();
        let schema = Arc::new(ArrowSchema::new(fields));
        let own = properties(&columns, texts, codec);
        let plain = properties(&[], true, codec);
        let told = Arc::new(repairs::schema());
        let begun = step == job.fresh(mapping);
        let mut output = Self {
            data: Table::open(&place.data_part, schema, own, step.data.length, data)?,
            repairs: Table::open(&place.repairs_part, told, plain, step.repairs.length, log)?,
            quarantine: take_up(&place.quarantine_part, step.quarantine)?,
            groups: take_up(&place.groups, step.groups)?,
            group: 0,
            text: 0,
            job,
            mapping,
            journal,
            step,
        };
        if begun {
            output.preamble()?;
        }
        Ok(output)
    }

    /// Sets aside the lines above the names or the first row.
    fn preamble(&mut self) -> Result<()> {
        let job = self.job;
        let ends = job.layout.dialect.ends.byte();
        let lines = job.probe.start.split_inclusive(|&byte| byte == ends).take(job.layout.preamble);
        let (mut notes, mut offset) = (Vec::new(), 0);
        for (line, text) in (0..).zip(lines) {
            notes.push(Note::whole(Rule::Preamble, line, offset, text));
            offset += text.len() as u64;
        }
        if notes.is_empty() {
            return Ok(());
        }
        let above = &job.probe.start[..usize::try_from(offset).unwrap_or(usize::MAX)];
        self.quarantine.write_all(above).map_err(Error::write(&job.place.quarantine_part))?;
        self.step.quarantine += offset;
        *self.step.counts.rules.entry(Rule::Preamble).or_default() += notes.len() as u64;
        let log = repairs::arrays([(&notes[..], 0)], &[], 0, job.mark());
        self.repairs.write(log.into_iter().map(|array| vec![array]).collect());
        Ok(())
    }

    /// Adds a wave; answers columns that turned out to be of a wider kind, and then the pass is over.
    pub(crate) fn add(&mut self, reader: &Reader<'_>, wave: Wave) -> Result<Vec<(usize, Kind)>> {
        self.count(&wave.blocks);
        let wider = wider(reader, &self.step, wave.last);
        if !wider.is_empty() {
            return Ok(wider);
        }
        let place = self.job.place;
        let aside = self.quarantine.write_all(&wave.aside);
        aside.map_err(Error::write(&place.quarantine_part))?;
        self.step.quarantine += wave.aside.len() as u64;
        let memory = wave.memory();
        self.log(&wave.blocks);
        self.step.line += wave.blocks.iter().map(|block| block.lines).sum::<u64>();
        let columns = columns(wave.blocks, self.mapping, self.job.settings.texts);
        let columns = columns.map_err(|error| Error::encode(&place.data_part, error.into()))?;
        if columns.first().is_some_and(|arrays| !arrays.is_empty()) {
            self.data.write(columns);
        }
        self.step.offset += wave.end as u64;
        self.step.open = wave.open;
        self.step.wave = wave.next;
        self.group += memory;
        self.text += wave.end;
        self.tell();
        let sizes = self.job.sizes;
        if wave.last || self.group >= sizes.group || self.text >= sizes.text {
            self.commit()?;
        }
        Ok(wider)
    }

    fn count(&mut self, blocks: &[Block]) {
        let Step { counts, seen, missing, .. } = &mut self.step;
        for block in blocks {
            counts.add(block);
            for ((seen, missing), filled) in
                seen.iter_mut().zip(missing.iter_mut()).zip(&block.columns)
            {
                *seen = seen.and(filled.seen);
                *missing += filled.missing.len() as u64;
            }
        }
    }

    fn log(&mut self, blocks: &[Block]) {
        let line = self.job.layout.lines as u64 + self.step.line;
        let notes = blocks.iter().map(|block| (&block.notes[..], block.lines));
        let log =
            repairs::arrays(notes, &self.mapping.file, line, self.job.above() + self.step.offset);
        if log.first().is_some_and(|lines| !lines.is_empty()) {
            self.repairs.write(log.into_iter().map(|array| vec![array]).collect());
        }
    }

    fn tell(&self) {
        let (rows, bytes) = (self.step.counts.read, self.job.above() + self.step.offset);
        // Of a compressed file the text is longer than the file.
        let total = self.job.probe.size.max(bytes);
        let all = (rows as f64 / bytes.max(1) as f64 * total as f64) as u64;
        (self.job.observer)(Progress { stage: "bytes", done: bytes, total });
        (self.job.observer)(Progress { stage: "rows", done: rows, total: all.max(rows) });
    }

    /// Closes the row groups and writes down how far the run came.
    fn commit(&mut self) -> Result<()> {
        let Self { data, repairs, step, groups, .. } = self;
        let path = &self.job.place.groups;
        for (which, table, part) in [(0, data, &mut step.data), (1, repairs, &mut step.repairs)] {
            if let Some(told) = table.close_group()? {
                let length = u32::try_from(told.len()).unwrap_or(u32::MAX).to_le_bytes();
                let entry = [&[which][..], &length, &told].concat();
                groups.write_all(&entry).map_err(Error::write(path))?;
                step.groups += entry.len() as u64;
                *part = Part {
                    length: table.length(),
                    start: part.length,
                    sum: table.sum(),
                    groups: table.groups().len(),
                };
            }
        }
        (self.group, self.text) = (0, 0);
        self.journal.step(step)
    }

    /// Everything is written but the footers.
    pub(crate) fn close(self, resumed_at: u64) -> Result<Done> {
        let synced = self.quarantine.sync_all();
        synced.map_err(Error::write(&self.job.place.quarantine_part))?;
        Ok(Done { step: self.step, resumed_at, data: self.data, repairs: self.repairs })
    }
}

/// The columns of the output: of each its arrays.
fn columns(
    blocks: Vec<Block>,
    mapping: &Mapping,
    texts: bool,
) -> Result<Vec<Vec<ArrayRef>>, ArrowError> {
    let rows: Vec<usize> = blocks.iter().map(|block| block.rows).filter(|&rows| rows > 0).collect();
    let width = mapping.file.len();
    let mut filled: Vec<Vec<_>> = (0..width).map(|_| Vec::with_capacity(blocks.len())).collect();
    for block in blocks.into_iter().filter(|block| block.rows > 0) {
        filled.iter_mut().zip(block.columns).for_each(|(column, part)| column.push(part));
    }
    let mut found: Vec<Option<Vec<_>>> = filled.into_iter().map(Some).collect();
    let output =
        mapping.output.iter().map(|(column, at)| (column, at.and_then(|at| found[at].take())));
    let output: Vec<_> = output.collect();
    output
        .into_par_iter()
        .map(|(column, parts)| {
            let field = field(column, texts);
            match parts {
                Some(parts) => parts.into_iter().map(|part| array(&field, part)).collect(),
                None => Ok(rows
                    .iter()
                    .map(|&rows| arrow::array::new_null_array(field.data_type(), rows))
                    .collect()),
            }
        })
        .collect()
}

/// The columns whose values are of a wider kind than was thought.
fn wider(reader: &Reader<'_>, step: &Step, last: bool) -> Vec<(usize, Kind)> {
    if reader.texts {
        return Vec::new();
    }
    let judged = last || step.counts.read >= JUDGED;
    let kinds = reader.columns.iter().zip(&step.seen).enumerate();
    let wider = kinds.filter_map(|(at, (column, seen))| {
        let text = judged && seen.misfits as f64 > MISFITS * step.counts.read as f64;
        let kind = match column.kind {
            _ if column.declared => return None,
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
