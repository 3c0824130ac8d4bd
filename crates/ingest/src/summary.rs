//! What an ingest did, for people and for programs.

use std::{collections::BTreeMap, path::PathBuf};

use fattail_mend::{Block, Column, Confidence, Dialect, Rule};
use serde::{Deserialize, Serialize};

use crate::source::Compression;

/// Counts that add up: `read == written + quarantined`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows read.
    pub read: u64,
    /// Rows written.
    pub written: u64,
    /// Rows set aside.
    pub quarantined: u64,
    /// Blank lines and repeated names.
    pub skipped: u64,
    /// How often each rule mended something, or set a row aside.
    pub rules: BTreeMap<Rule, u64>,
}

impl Counts {
    pub(crate) fn add(&mut self, block: &Block) {
        self.read += block.read;
        self.written += block.rows as u64;
        self.quarantined += block.refused.len() as u64;
        self.skipped += block.skipped;
        for note in &block.notes {
            *self.rules.entry(note.rule).or_default() += 1;
        }
    }
}

/// A column of the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// Name and kind.
    #[serde(flatten)]
    pub column: Column,
    /// The type in the output.
    pub written_as: String,
    /// Values that are missing.
    pub missing: u64,
    /// Values that fitted in no way, those of rows set aside as well.
    pub misfits: u64,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The file.
    pub input: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// How it is compressed.
    pub compression: Compression,
    /// Its encoding.
    pub encoding: String,
    /// How sure the encoding is, from 0 to 1.
    pub encoding_confidence: f64,
    /// How cells and records are parted.
    pub dialect: Dialect,
    /// How sure the layout is.
    pub confidence: Confidence,
    /// Lines before the names or the first row.
    pub preamble: usize,
    /// Rows of names.
    pub header: usize,
    /// Lines behind the last row, which are set aside.
    pub footer: u64,
    /// How sure it is that they are none of the table, from 0 to 1.
    pub footer_confidence: f64,
    /// Lines of text.
    pub lines: u64,
    /// The counts.
    pub counts: Counts,
    /// The columns of the output.
    pub columns: Vec<ColumnSummary>,
    /// Why the run began again, if it did: columns that turned out to be of a wider kind.
    pub widened: Vec<String>,
    /// Bytes of text that had been done by a run before, which was killed.
    pub resumed_at: u64,
    /// The table.
    pub table: PathBuf,
    /// The log of repairs.
    pub repairs: PathBuf,
    /// The rows set aside, as they were.
    pub quarantine: PathBuf,
    /// The schema.
    pub schema: PathBuf,
}
