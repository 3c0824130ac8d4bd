//! A file to its output.

use std::{fs, io, path::Path};

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema};
use fattail_core::Observer;
use fattail_mend::{Column, Kind, Layout, Rule, detect};
use parquet::file::{
    metadata::{KeyValue, RowGroupMetaData},
    statistics::Statistics,
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Ingest, Result, Schema, Summary,
    arrays::field,
    journal::{Journal, Key, Wider},
    place::{Place, write_whole},
    repairs,
    run::{Done, Job, Pass},
    schema::Mapping,
    source::{Probe, probe},
    summary::{ColumnSummary, Counts},
};

impl Ingest {
    /// Turns a text table into Parquet in a folder: `name.parquet`, `name.repairs.parquet` with a row for
    /// each repair, `name.quarantine` with the rows set aside as they were, and `name.schema.json`.
    ///
    /// A run that was killed left its work in the folder; the next one with the same settings and the same
    /// file takes it up, and its output is the same, byte for byte.
    ///
    /// # Errors
    /// When the settings are not allowed, when the file cannot be read, becomes shorter while it is read, has more
    /// columns than [`fattail_mend::MOST_COLUMNS`] or not those of the schema, when the folder cannot be written or
    /// the disk is full, and when another process writes the same output. The folder is then as it was before.
    pub fn file(&self, input: &Path, folder: &Path, observer: Observer<'_>) -> Result<Summary> {
        self.check()?;
        let sizes = self.sizes()?;
        let probe = probe(input, &self.known)?;
        let sizes = sizes.of(probe.text());
        let elsewhere: Vec<&[u8]> = probe.elsewhere.iter().map(Vec::as_slice).collect();
        let layout = detect(&probe.start, &elsewhere, &self.known);
        let layout = layout.map_err(|source| Error::Wide { path: input.into(), source })?;
        let above = self.known.preamble.unwrap_or(0);
        let beyond = above > layout.preamble || above > 0 && layout.body >= probe.start.len();
        if beyond && !probe.whole {
            let allowed = "lines of the first MiB";
            let error = fattail_core::Error::setting("preamble", above, allowed);
            return Err(Error::Setting(error));
        }
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
        let opened = Journal::open(&place.journal).inspect_err(|_| place.step_back());
        // The journal is open until the work folder is gone: nobody else may take it up before.
        let mut journal = opened?;
        write(&job, mapping, &mut journal).inspect_err(|_| place.leave())
    }
}

/// What is told of parts that are whole, until all of them have their names.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    key: Key,
    summary: Summary,
}

/// Ends what a run began that was killed while it gave parts their names; its summary, if it was the same
/// run.
fn settled(place: &Place, key: &Key) -> Result<Option<Summary>> {
    let told = match fs::read(&place.settled) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        told => told.map_err(Error::read(&place.settled))?,
    };
    if !place.is_whole() {
        fs::remove_file(&place.settled).map_err(Error::write(&place.settled))?;
        return Ok(None);
    }
    place.settle()?;
    let sealed = serde_json::from_slice::<Sealed>(&told).ok();
    Ok(sealed.filter(|sealed| sealed.key == *key).map(|sealed| sealed.summary))
}

fn write(job: &Job<'_>, mut mapping: Mapping, journal: &mut Journal) -> Result<Summary> {
    let first = job.key(&mapping)?;
    if let Some(summary) = settled(job.place, &first)? {
        job.place.clear()?;
        return Ok(summary);
    }
    let (mut wider, mut steps) = journal.steps(&first)?;
    wider.iter().for_each(|&(at, kind)| mapping.widen(at, kind));
    loop {
        match job.pass(&mapping, journal, steps)? {
            Pass::Done(done) => {
                let summary = finish(job, &mapping, *done, &wider)?;
                return settle(job.place, first, summary);
            }
            Pass::Wider(columns) => {
                columns.iter().for_each(|&(at, kind)| mapping.widen(at, kind));
                wider.extend(columns);
                steps = Vec::new();
                journal.restart(&first, &wider)?;
            }
        }
    }
}

/// Gives all that is written its name.
fn settle(place: &Place, key: Key, summary: Summary) -> Result<Summary> {
    let sealed = Sealed { key, summary };
    let told = serde_json::to_vec(&sealed);
    place.seal(&told.map_err(|error| Error::write(&place.settled)(error.into()))?)?;
    place.settle()?;
    place.clear()?;
    Ok(sealed.summary)
}

/// Writes the footers and the schema.
fn finish(job: &Job<'_>, mapping: &Mapping, done: Done, wider: &Wider) -> Result<Summary> {
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
    let mut widened: Vec<usize> = wider.iter().map(|(at, _)| *at).collect();
    widened.sort_unstable();
    widened.dedup();
    let widened = widened.into_iter().map(|at| mapping.file[at].name.clone()).collect();
    let summary = summary(job, told.collect(), step, resumed_at, widened);
    let about = KeyValue::new("fattail.ingest".into(), serde_json::to_string(&summary.counts).ok());
    data.finish(&ArrowSchema::new(fields), vec![about])?;
    log.finish(&repairs::schema(), Vec::new())?;
    let schema =
        Schema { columns: mapping.output.iter().map(|(column, _)| column.clone()).collect() };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Error::write(&place.schema)(error.into()))?;
    write_whole(&place.schema_part, (text + "\n").as_bytes())
        .map_err(Error::write(&place.schema))?;
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
    let footer = step.counts.rules.get(&Rule::Footer).copied().unwrap_or(0);
    let footer_confidence = match job.settings.known.footer {
        Some(_) => 1.0,
        None => footer_confidence(&step.counts, footer),
    };
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
        footer,
        footer_confidence,
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

/// How sure it is that refused lines at the end are a footer: 1 less the chance that so many rows in a row are
/// refused, where rows are refused as often as elsewhere in the file.
fn footer_confidence(counts: &Counts, lines: u64) -> f64 {
    let rate = (counts.quarantined + 1) as f64 / (counts.read + 2) as f64;
    1.0 - if lines == 0 { 0.0 } else { rate.powf(lines as f64) }
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
