//! One file, from its first byte to its last: waves of text to blocks, blocks to row groups, a step of the
//! journal behind each.

use std::{fs, path::Path, time::UNIX_EPOCH};

use fattail_core::Observer;
use fattail_mend::{Charset, Kind, Layout, MOST_BYTES, Reader, Seen};
use parquet::file::metadata::RowGroupMetaData;

use crate::{
    Error, Ingest, Result, footer,
    journal::{Journal, Key, Step, holds},
    output::Output,
    place::Place,
    schema::Mapping,
    settings::Sizes,
    source::{Probe, Source},
    table::{Table, group_from},
    wave::{Stretch, Wave},
};

/// A wave has to hold so much text behind the last record that begins in it.
const AHEAD: usize = 2 * MOST_BYTES;
/// Waves have at least so much text: rows that take too much memory end them earlier.
const LEAST_WAVE: usize = 1 << 20;

/// The text of a file, as far as it is in memory.
struct Text {
    source: Source,
    /// From the first record that was not read yet.
    bytes: Vec<u8>,
    /// What follows, read while a wave is.
    ahead: Vec<u8>,
    /// Bytes of the next wave, and the most that one has.
    wave: usize,
    most: usize,
    /// Whether the file may hold more.
    more: bool,
    /// Whether the text begins within a row that is too long.
    open: bool,
    /// Whether there is text before it, and whether there was a row.
    begun: bool,
    rows: bool,
    /// Lines at its end that are none of the table, where that is given.
    footer: Option<usize>,
}

impl Text {
    /// Reads the next wave, and the text behind it. A wave is the same whatever was read before it: a run
    /// taken up makes the same ones.
    fn read(&mut self, reader: &Reader<'_>) -> Result<Wave> {
        let full = self.wave + AHEAD;
        if self.more && self.bytes.len() < full {
            let missing = full - self.bytes.len();
            self.more = self.source.fill(&mut self.bytes, missing)?;
        }
        let last = !self.more && self.bytes.len() < full;
        let limit = if last { self.bytes.len() } else { self.wave };
        let footer = if last { self.footer(reader.dialect.ends.byte())? } else { None };
        let Self { source, bytes, ahead, wave, more, open, begun, rows, .. } = self;
        let (text, open, begun, rows) = (&bytes[..], *open, *begun, *rows);
        let stretch = Stretch { text, limit, last, open, footer, begun, rows };
        let behind = (*wave + full).saturating_sub(bytes.len());
        let (mut read, next) = rayon::join(
            || Wave::read(reader, stretch),
            || if *more && behind > 0 { source.fill(ahead, behind) } else { Ok(*more) },
        );
        self.more = next?;
        (self.open, self.begun) = (read.open, true);
        self.rows |= read.blocks.iter().any(|block| block.rows > 0);
        self.fit(&mut read, limit, reader.memory);
        Ok(read)
    }

    /// Where the lines below the table begin in the last text, where it is given how many they are.
    fn footer(&self, ends: u8) -> Result<Option<usize>> {
        let Some(lines) = self.footer else { return Ok(None) };
        match footer::begin(&self.bytes, ends, lines) {
            // Behind the last step of a run that was taken up there is nothing left.
            None if self.begun && !self.bytes.is_empty() => Err(Error::Setting(
                fattail_core::Error::setting("footer", lines, "lines of 1 MiB together at most"),
            )),
            begin => Ok(Some(begin.unwrap_or(0))),
        }
    }

    /// Makes the next wave smaller where the rows of one took more than `memory`, and larger where they would
    /// not.
    fn fit(&mut self, read: &mut Wave, limit: usize, memory: usize) {
        if read.end < limit {
            self.wave = (self.wave / 4).max(LEAST_WAVE);
        } else if read.memory() < memory / 3 {
            self.wave = (2 * self.wave).min(self.most);
        }
        read.next = self.wave;
    }

    /// Leaves the text of a wave behind.
    fn advance(&mut self, end: usize) {
        self.bytes.drain(..end);
        self.bytes.append(&mut self.ahead);
    }
}

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

impl Job<'_> {
    /// What a run has to be to take up another's work.
    pub(crate) fn key(&self, mapping: &Mapping) -> Result<Key> {
        let about = fs::metadata(self.input).map_err(Error::read(self.input))?;
        let changed = about.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let told = (
            env!("CARGO_PKG_VERSION"),
            self.input,
            about.len(),
            changed.map(|time| time.as_nanos().to_string()),
            self.settings,
            self.layout,
            &mapping.file,
        );
        let told =
            serde_json::to_string(&told).map_err(|error| Error::write(self.input)(error.into()))?;
        Ok(Key(told))
    }

    /// Reads the file and writes its parts, from the last step on that was written down. While a wave is
    /// written, the next one is read.
    pub(crate) fn pass(
        &self,
        mapping: &Mapping,
        journal: &mut Journal,
        steps: Vec<Step>,
    ) -> Result<Pass> {
        let reader = Reader {
            dialect: &self.layout.dialect,
            columns: &mapping.file,
            policy: self.settings.policy,
            texts: self.settings.texts,
            memory: self.sizes.values,
        };
        let (step, groups) = self.last_step(steps, mapping)?;
        let (resumed_at, open, wave) = (step.offset, step.open, step.wave);
        let rows = step.counts.written > 0;
        let begun = self.layout.body as u64 + step.offset;
        let mut output = Output::open(self, mapping, journal, step, groups)?;
        let mut text = Text {
            source: Source::open(self.input, self.probe, begun)?,
            bytes: Vec::new(),
            ahead: Vec::new(),
            wave,
            most: self.sizes.wave,
            more: true,
            open,
            begun: resumed_at > 0,
            rows,
            footer: self.settings.known.footer,
        };
        let mut wave = text.read(&reader)?;
        loop {
            if wave.last {
                let wider = output.add(&reader, wave)?;
                if !wider.is_empty() {
                    return Ok(Pass::Wider(wider));
                }
                self.expect_whole(text.source.bytes())?;
                return output.close(resumed_at).map(|done| Pass::Done(Box::new(done)));
            }
            text.advance(wave.end);
            let (wider, next) = rayon::join(|| output.add(&reader, wave), || text.read(&reader));
            let wider = wider?;
            if !wider.is_empty() {
                return Ok(Pass::Wider(wider));
            }
            wave = next?;
        }
    }

    /// Bytes before the text; of what is not UTF-8 the text is counted alone.
    pub(crate) fn mark(&self) -> u64 {
        let Charset { mark, .. } = self.probe.charset;
        if self.probe.charset.is_utf_8() { mark as u64 } else { 0 }
    }

    /// Bytes before the first row.
    pub(crate) fn above(&self) -> u64 {
        self.mark() + self.layout.body as u64
    }

    /// A file that is shorter than it was has been cut while it was read.
    fn expect_whole(&self, found: u64) -> Result<()> {
        let expected = self.probe.size;
        match found < expected {
            true => Err(Error::Shrunk { path: self.input.into(), expected, found }),
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
        let aside = fs::metadata(&self.place.quarantine_part).map_or(0, |found| found.len());
        while let Some(step) = steps.pop() {
            let whole = holds(&self.place.data_part, &step.data)
                && holds(&self.place.repairs_part, &step.repairs)
                && aside >= step.quarantine;
            let groups = told.get(..step.groups as usize).map(|told| self.groups(told));
            if let (true, Some(Ok(groups))) = (whole, groups)
                && groups[0].len() == step.data.groups
                && groups[1].len() == step.repairs.groups
            {
                return Ok((step, groups));
            }
        }
        Ok((self.fresh(mapping), [Vec::new(), Vec::new()]))
    }

    /// The step of a run that has not begun.
    pub(crate) fn fresh(&self, mapping: &Mapping) -> Step {
        let columns = mapping.file.len();
        let (seen, missing) = (vec![Seen::default(); columns], vec![0; columns]);
        Step { wave: self.sizes.wave, seen, missing, ..Step::default() }
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
}
