//! The command line of `ingest`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use fattail::ingest::{
    Codec, DateOrder, Ends, Escape, Evolution, Ingest, Known, Policy, Rule, Schema, output_name,
};

use crate::{Outcome, size};

/// Endings of files that a folder is searched for; behind them `.gz`, `.zst` or `.zstd` may stand.
const ENDINGS: &[&str] = &["csv", "tsv", "txt", "dat", "tab"];

/// What to ingest, and how.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Files, folders (their .csv, .tsv, .txt, .dat and .tab files, compressed or not) and patterns such as
    /// 'data/*.csv'
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    /// The folder of the output
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which repairs may run; a row that needs another one is set aside
    #[arg(long, value_enum, default_value_t = PolicyName::Repair)]
    pub policy: PolicyName,
    /// Repairs that may run besides, by the names in the log, split by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    pub allow: Vec<Rule>,
    /// Repairs that may not run, by the names in the log, split by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    pub deny: Vec<Rule>,
    /// A schema file, as a run before wrote it, that files have to have
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// What happens where a file has other columns than the schema
    #[arg(long, value_enum, default_value_t = EvolutionName::Refuse, requires = "schema")]
    pub evolution: EvolutionName,
    /// Writes every column as text, as it stands in the file
    #[arg(long)]
    pub text: bool,
    /// Writes a page about the files, to be opened in a browser
    #[arg(long, value_name = "HTML")]
    pub report: Option<PathBuf>,
    /// Memory that a run may take, such as 512MiB
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size)]
    pub max_memory: u64,
    /// How the output is compressed
    #[arg(long, value_enum, default_value_t = CodecName::Zstd)]
    pub compression: CodecName,
    #[command(flatten)]
    dialect: DialectArgs,
}

/// What is known of the files; the rest is found from the data.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is known of the files; the rest is found from the data")]
struct DialectArgs {
    /// The encoding, such as utf-8, latin1 or utf-16le
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// What stands between cells: a character, or 'tab'
    #[arg(long, value_name = "CHAR", value_parser = byte)]
    delimiter: Option<u8>,
    /// What stands around cells: a character, or 'none'
    #[arg(long, value_name = "CHAR", value_parser = quote)]
    quote: Option<Quote>,
    /// How a quote stands inside a quoted cell
    #[arg(long, value_enum)]
    escape: Option<EscapeName>,
    /// What ends a row: a line feed, with or without a carriage return before it, or a carriage return
    #[arg(long, value_enum)]
    ends: Option<EndsName>,
    /// Rows of names; 0 for none
    #[arg(long, value_name = "ROWS")]
    header: Option<usize>,
    /// Lines before the names or the first row
    #[arg(long, value_name = "LINES")]
    preamble: Option<usize>,
    /// Lines behind the last row
    #[arg(long, value_name = "LINES")]
    footer: Option<usize>,
    /// The names of the columns, split by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    names: Option<Vec<String>>,
    /// What stands before the digits of a fraction
    #[arg(long, value_name = "CHAR", value_parser = byte)]
    decimal: Option<u8>,
    /// What stands between groups of three digits
    #[arg(long, value_name = "CHAR", value_parser = byte)]
    thousands: Option<u8>,
    /// The order of day, month and year
    #[arg(long, value_enum)]
    date_order: Option<DateOrderName>,
}

/// A quote, or none.
#[derive(Debug, Clone, Copy)]
struct Quote(Option<u8>);

/// The policies.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PolicyName {
    /// No repair.
    Strict,
    /// Every repair that gives nothing up.
    Repair,
    /// Every repair.
    Lenient,
}

/// What happens where a file differs from its schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EvolutionName {
    /// It is refused.
    Refuse,
    /// Missing columns are missing values, others are added.
    Extend,
    /// As extend, and kinds may get wider.
    Widen,
}

/// The codecs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CodecName {
    /// None at all.
    None,
    /// Snappy.
    Snappy,
    /// Zstandard.
    Zstd,
}

/// The orders of dates.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum DateOrderName {
    /// 2018-01-28.
    Ymd,
    /// 28/01/2018.
    Dmy,
    /// 1/28/2018.
    Mdy,
}

/// How a quote stands inside a quoted cell.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EscapeName {
    /// Twice.
    Doubled,
    /// Behind a backslash.
    Backslash,
}

/// What ends a row.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EndsName {
    /// A line feed.
    Lf,
    /// A carriage return.
    Cr,
}

fn rule(name: &str) -> Result<Rule, String> {
    let names = || Rule::ALL.iter().map(|rule| rule.name()).collect::<Vec<_>>().join(", ");
    Rule::named(name).ok_or_else(|| format!("allowed are {}", names()))
}

fn byte(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [byte]) if byte.is_ascii() => Ok(*byte),
        _ => Err("allowed is one ASCII character, or 'tab'".into()),
    }
}

fn quote(text: &str) -> Result<Quote, String> {
    match text {
        "none" => Ok(Quote(None)),
        _ => byte(text).map(|byte| Quote(Some(byte))),
    }
}

impl IngestArgs {
    /// The settings.
    ///
    /// # Errors
    /// When the schema file is none, or settings are not allowed.
    pub fn settings(&self) -> Outcome<Ingest> {
        let policy = match self.policy {
            PolicyName::Strict => Policy::strict(),
            PolicyName::Repair => Policy::repair(),
            PolicyName::Lenient => Policy::lenient(),
        };
        let policy = self.allow.iter().fold(policy, |policy, &rule| policy.with(rule));
        let policy = self.deny.iter().fold(policy, |policy, &rule| policy.without(rule));
        let settings = Ingest {
            policy,
            known: self.dialect.known(),
            schema: self.schema.as_ref().map(Schema::read).transpose()?,
            evolution: match self.evolution {
                EvolutionName::Refuse => Evolution::Refuse,
                EvolutionName::Extend => Evolution::Extend,
                EvolutionName::Widen => Evolution::Widen,
            },
            texts: self.text,
            memory: usize::try_from(self.max_memory).unwrap_or(usize::MAX),
            codec: match self.compression {
                CodecName::None => Codec::None,
                CodecName::Snappy => Codec::Snappy,
                CodecName::Zstd => Codec::Zstd,
            },
        };
        settings.check()?;
        Ok(settings)
    }

    /// The files, those of folders and patterns in the order of their names.
    ///
    /// # Errors
    /// When a folder or a pattern holds none, or two files would have the same output.
    pub fn files(&self) -> Outcome<Vec<PathBuf>> {
        let mut files = Vec::new();
        for input in &self.inputs {
            match () {
                () if input.is_dir() => files.extend(in_folder(input)?),
                () if is_pattern(input) => files.extend(of_pattern(input)?),
                () => files.push(input.clone()),
            }
        }
        expect_apart(&files)?;
        Ok(files)
    }
}

/// Files whose names differ in their endings alone would replace each other's output, and a file `a.repairs`
/// would replace the log of `a`.
fn expect_apart(files: &[PathBuf]) -> Outcome {
    let mut seen = HashMap::new();
    for file in files {
        let name = output_name(file);
        for output in [format!("{name}.repairs"), name] {
            if let Some(other) = seen.insert(output, file) {
                let (file, other) = (file.display(), other.display());
                return Err(format!("'{other}' and '{file}' would have the same output").into());
            }
        }
    }
    Ok(())
}

fn in_folder(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let refuse = |error| format!("cannot read '{}': {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(refuse)?.collect::<Result<Vec<_>, _>>();
    let mut files: Vec<PathBuf> =
        entries.map_err(refuse)?.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|path| path.is_file() && is_table(path));
    files.sort();
    match files.is_empty() {
        true => Err(format!("'{}' holds no text table", folder.display()).into()),
        false => Ok(files),
    }
}

fn is_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain = [".gz", ".zst", ".zstd"].iter().find_map(|ending| name.strip_suffix(ending));
    let plain = plain.unwrap_or(&name);
    plain
        .rsplit_once('.')
        .is_some_and(|(stem, ending)| !stem.is_empty() && ENDINGS.contains(&ending))
}

/// A file of that name is meant before a pattern is.
fn is_pattern(path: &Path) -> bool {
    !path.exists() && path.to_string_lossy().contains(['*', '?', '['])
}

fn of_pattern(pattern: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        glob::glob(&pattern.to_string_lossy())?.collect::<Result<_, _>>()?;
    files.retain(|path| path.is_file());
    match files.is_empty() {
        true => Err(format!("no file matches '{}'", pattern.display()).into()),
        false => Ok(files),
    }
}

impl DialectArgs {
    fn known(&self) -> Known {
        Known {
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            quote: self.quote.map(|quote| quote.0),
            escape: self.escape.map(|escape| match escape {
                EscapeName::Doubled => Escape::Doubled,
                EscapeName::Backslash => Escape::Backslash,
            }),
            ends: self.ends.map(|ends| match ends {
                EndsName::Lf => Ends::LineFeed,
                EndsName::Cr => Ends::CarriageReturn,
            }),
            header: self.header,
            preamble: self.preamble,
            footer: self.footer,
            names: self.names.clone(),
            decimal: self.decimal,
            thousands: self.thousands,
            date_order: self.date_order.map(|order| match order {
                DateOrderName::Ymd => DateOrder::YearFirst,
                DateOrderName::Dmy => DateOrder::DayFirst,
                DateOrderName::Mdy => DateOrder::MonthFirst,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        ingest: IngestArgs,
    }

    fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> IngestArgs {
        Line::parse_from(["ingest", "--out", "out"].into_iter().chain(words)).ingest
    }

    #[test]
    fn files_that_would_replace_each_other_are_refused() {
        for (one, other) in
            [("a.csv", "b/a.tsv"), ("a.csv", "a.csv.gz"), ("a.repairs.csv", "a.csv"), ("a", "a")]
        {
            let error = line([one, other]).files().unwrap_err().to_string();
            let expected = format!("'{one}' and '{other}' would have the same output");
            assert_eq!(error, expected);
        }
        assert_eq!(line(["a.csv", "a.b.csv"]).files().unwrap().len(), 2);
    }

    #[test]
    fn what_is_known_of_the_files() {
        let known = line(["a", "--escape", "backslash", "--ends", "cr"]).settings().unwrap().known;
        assert_eq!(known.escape, Some(Escape::Backslash));
        assert_eq!(known.ends, Some(Ends::CarriageReturn));
        for words in [
            ["a", "--delimiter=;", "--quote=;"],
            ["a", "--delimiter=\n", "--quote=;"],
            ["a", "--delimiter=;", "--quote=\r"],
            ["a", "--header=0", "--names="],
        ] {
            let error = line(words).settings().unwrap_err().to_string();
            assert!(error.contains("allowed"), "{words:?}: {error}");
        }
    }
}
