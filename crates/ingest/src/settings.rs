//! How to ingest.

use fattail_mend::{Known, Policy};
use serde::{Deserialize, Serialize};

use crate::{Error, Evolution, Result, Schema};

/// More lines below a table are not looked for: they have to lie in the last wave.
const MOST_FOOTER: usize = 1000;
/// Row groups of a large file, about: a fourth of what Parquet counts, because values take more than their text.
const MOST_GROUPS: u64 = 8192;
/// The least memory that a run can do with.
const LEAST_MEMORY: usize = 32 << 20;

/// Turns text tables into Parquet.
///
/// ```
/// use fattail_core::silent;
/// use fattail_ingest::Ingest;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let file = folder.path().join("prices.csv");
/// std::fs::write(&file, "day;price\n2026-05-01;12,5\n2026-05-02;n/a\n2026-05-03;13,0;\n")?;
/// let summary = Ingest::default().file(&file, &folder.path().join("out"), &silent)?;
/// assert_eq!((summary.counts.read, summary.counts.written), (3, 3));
/// assert!(summary.table.ends_with("prices.parquet"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ingest {
    /// Which repairs may run.
    pub policy: Policy,
    /// What is known of the dialect; the rest is found from the data.
    pub known: Known,
    /// The columns that files have to have.
    pub schema: Option<Schema>,
    /// What happens where a file has others.
    pub evolution: Evolution,
    /// Whether every column is written as text, as it stands in the file.
    pub texts: bool,
    /// Bytes of memory that a run may take, 32 MiB and above.
    pub memory: usize,
    /// How the output is compressed.
    pub codec: Codec,
}

/// How the output is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// Not at all.
    None,
    /// Fast.
    Snappy,
    /// Fast, and smaller.
    #[default]
    Zstd,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            policy: Policy::repair(),
            known: Known::default(),
            schema: None,
            evolution: Evolution::Refuse,
            texts: false,
            memory: 512 << 20,
            codec: Codec::Zstd,
        }
    }
}

/// How much is in memory at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Bytes of text of a wave.
    pub(crate) wave: usize,
    /// Bytes that the rows and notes of a wave may take.
    pub(crate) values: usize,
    /// Bytes of the rows and notes that make a row group, and bytes of text that do.
    pub(crate) group: usize,
    pub(crate) text: usize,
}

impl Ingest {
    /// Checks the settings, as every run does first.
    ///
    /// # Errors
    /// When the memory is too little, when a delimiter or a quote is a line end, no character of ASCII or both are
    /// the same, when names are given and all of them are empty, and when a footer has 1000 lines and more.
    pub fn check(&self) -> Result<()> {
        let Known { delimiter, quote, names, footer, .. } = &self.known;
        let quote = quote.flatten();
        let refuse = |name: &'static str, value: String, allowed: &'static str| {
            Err(Error::Setting(fattail_core::Error::setting(name, value, allowed)))
        };
        for (name, byte) in [("delimiter", *delimiter), ("quote", quote)] {
            if let Some(byte @ (b'\n' | b'\r' | 0x80..)) = byte {
                return refuse(name, shown(byte), "a character of ASCII but a line end");
            }
        }
        if let (Some(byte), true) = (*delimiter, *delimiter == quote) {
            return refuse("quote", shown(byte), "another byte than the delimiter");
        }
        if names.as_ref().is_some_and(|names| names.iter().all(|name| name.trim().is_empty())) {
            return refuse("names", "empty".into(), "the names of the columns");
        }
        if let Some(lines @ MOST_FOOTER..) = *footer {
            return refuse("footer", lines.to_string(), "less than 1000 lines");
        }
        self.sizes().map(|_| ())
    }

    /// The sizes that keep a run within its memory: two waves of text, the values of two, and those of
    /// a row group.
    pub(crate) fn sizes(&self) -> Result<Sizes> {
        if self.memory < LEAST_MEMORY {
            let allowed = "32 MiB and above";
            return Err(Error::Setting(fattail_core::Error::setting(
                "memory",
                self.memory,
                allowed,
            )));
        }
        let part = self.memory / 16;
        let wave = part.clamp(2 << 20, 32 << 20);
        let part = part.max(wave);
        Ok(Sizes { wave, values: 3 * wave, group: 3 * part, text: 4 * part })
    }
}

impl Sizes {
    /// The sizes for a file of so many bytes of text: Parquet counts 32,767 row groups, so those of files of
    /// 250 GB and more grow with the file.
    pub(crate) fn of(self, bytes: u64) -> Self {
        let least = usize::try_from(bytes / MOST_GROUPS).unwrap_or(usize::MAX);
        let group = self.group.max(least.saturating_mul(3));
        Self { group, text: self.text.max(least), ..self }
    }
}

/// A byte as a person would write it.
fn shown(byte: u8) -> String {
    format!("'{}'", byte.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_groups_of_very_large_files_are_larger() {
        let usual = Ingest::default().sizes().unwrap();
        let same = usual.of(1 << 37);
        assert_eq!((same.group, same.text), (96 << 20, 128 << 20));
        let large = usual.of(4 << 40);
        assert_eq!((large.group, large.text), (3 << 29, 512 << 20));
        assert_eq!((large.wave, large.values), (usual.wave, usual.values));
        let memory = Ingest { memory: 4 << 30, ..Ingest::default() }.sizes().unwrap();
        assert_eq!((memory.wave, memory.group), (32 << 20, 768 << 20));
    }
}
