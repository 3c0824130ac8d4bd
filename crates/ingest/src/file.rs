//! A file to its output.

use std::{fs, path::Path};

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema};
use fattail_core::Observer;
use fattail_mend::{Column, Kind, Layout, detect};
use parquet::file::{
    metadata::{KeyValue, RowGroupMetaData},
    statistics::Statistics,
};

use crate::{
    Error, Ingest, Result, Schema, Summary,
    arrays::field,
    journal::Journal,
    place::Place,
    repairs,
    run::{Done, Job, Pass},
    schema::Mapping,
    source::{Probe, probe},
    summary::ColumnSummary,
};

impl Ingest {
    /// Turns a text table into Parquet in a folder: `name.parquet`, `name.repairs.parquet` with a row for
    /// each repair, `name.quarantine` with the rows set aside as they were, and `name.schema.json`.
    ///
    /// A run that was killed left its work in the folder; the next one with the same settings and the same
    /// file takes it up, and its output is the same, byte for byte.
    ///
    /// # Errors
    /// When the file cannot be read, becomes shorter while it is read or does not have the columns of the
    /// schema, when the folder cannot be written or the disk is full, and when another process writes the
    /// same output. The folder is then as it was before.
    pub fn file(&self, input: &Path, folder: &Path, observer: Observer<'_>) -> Result<Summary> {
        let sizes = self.sizes()?;
        let probe = probe(input, &self.known)?;
        let elsewhere: Vec<&[u8]> = probe.elsewhere.iter().map(Vec::as_slice).collect();
        let layout = detect(&probe.start, &elsewhere, &self.known);
        let mapping = match &self.schema {
            None => Mapping::whole(layout.columns.clone()),
            Some(schema) => Mapping::new(
                input,
                schema,
                layout.columns.clone(),
                layout.header > 0,
                self.evolution,
            )?,
        };
        let place = Place::make(folder, input)?;
        let job = Job {
            settings: self,
            sizes,
            input,
            probe: &probe,
            layout: &layout,
            place: &place,
            observer,
        };
        let done = write(&job, mapping);
        if !matches!(done, Err(Error::Busy { .. })) && done.is_err() {
            place.leave();
        }
        done
    }
}

fn write(job: &Job<'_>, mut mapping: Mapping) -> Result<Summary> {
    let first = job.key(&mapping)?;
    let (mut journal, mut steps) = Journal::open(&job.place.journal, &first)?;
    let mut widened = Vec::new();
    loop {
        match job.pass(&mapping, &mut journal, steps)? {
            Pass::Done(done) => return finish(job, &mapping, *done, widened),
            Pass::Wider(columns) => {
                for (at, kind) in columns {
                    widened.push(mapping.file[at].name.clone());
                    mapping.widen(at, kind);
                }
                steps = Vec::new();
                journal.restart(&job.key(&mapping)?)?;
            }
        }
    }
}

/// Writes the footers and the schema, and gives all of it its name.
fn finish(job: &Job<'_>, mapping: &Mapping, done: Done, widened: Vec<String>) -> Result<Summary> {
    let place = job.place;
    let texts = job.settings.texts;
    let Done { step, resumed_at, data, repairs: log } = done;
    let columns = mapping.output.iter().enumerate();
    let fields: Vec<Field> = columns
        .map(|(at, (column, _))| narrowed(column, field(column, texts), data.groups(), at))
        .collect();
    let told = mapping.output.iter().zip(&fields).map(|((column, at), field)| ColumnSummary {
        column: column.clone(),
        written_as: field.data_type().to_string(),
        missing: at.map_or(step.counts.written, |at| step.missing[at]),
        misfits: at.map_or(0, |at| step.seen[at].misfits),
    });
    let summary = summary(job, told.collect(), step, resumed_at, widened);
    let about = KeyValue::new("fattail.ingest".into(), serde_json::to_string(&summary.counts).ok());
    data.finish(&ArrowSchema::new(fields), vec![about])?;
    log.finish(&repairs::schema(), Vec::new())?;
    let schema =
        Schema { columns: mapping.output.iter().map(|(column, _)| column.clone()).collect() };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Error::write(&place.schema)(error.into()))?;
    fs::write(&place.schema_part, text + "\n").map_err(Error::write(&place.schema))?;
    place.settle()?;
    Ok(summary)
}

fn summary(
    job: &Job<'_>,
    columns: Vec<ColumnSummary>,
    step: crate::journal::Step,
    resumed_at: u64,
    widened: Vec<String>,
) -> Summary {
    let Probe { size, compression, charset, .. } = job.probe;
    let Layout { dialect, confidence, preamble, header, lines, .. } = job.layout;
    Summary {
        input: job.input.into(),
        bytes: *size,
        compression: *compression,
        encoding: charset.name().into(),
        encoding_confidence: charset.confidence,
        dialect: *dialect,
        confidence: *confidence,
        preamble: *preamble,
        header: *header,
        lines: *lines as u64 + step.line,
        counts: step.counts,
        columns,
        widened,
        resumed_at,
        table: job.place.data.clone(),
        repairs: job.place.repairs.clone(),
        quarantine: job.place.quarantine.clone(),
        schema: job.place.schema.clone(),
    }
}

/// The field with the narrowest type of the same physical one: integers by their range, categories as
/// dictionaries.
fn narrowed(column: &Column, field: Field, groups: &[RowGroupMetaData], at: usize) -> Field {
    let kind = match (column.kind, field.data_type()) {
        (Kind::Integer { .. }, DataType::Int32) => integer(range(groups, at)),
        (Kind::Text { category: true }, DataType::Utf8) => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        (_, kind) => kind.clone(),
    };
    field.with_data_type(kind)
}

fn range(groups: &[RowGroupMetaData], at: usize) -> Option<(i32, i32)> {
    let ranges = groups.iter().filter_map(|group| match group.column(at).statistics() {
        Some(Statistics::Int32(known)) => Some((*known.min_opt()?, *known.max_opt()?)),
        _ => None,
    });
    ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

fn integer(range: Option<(i32, i32)>) -> DataType {
    match range {
        Some((low, high)) if low >= i8::MIN.into() && high <= i8::MAX.into() => DataType::Int8,
        Some((low, high)) if low >= i16::MIN.into() && high <= i16::MAX.into() => DataType::Int16,
        _ => DataType::Int32,
    }
}
