//! All the files, one behind the other: one that fails does not hold the others up.

use std::path::{Path, PathBuf};

use fattail::{
    Progress,
    ingest::{Ingest, Summary},
};

use crate::{
    Outcome,
    shell::{Bars, caught, one_line},
};

/// What became of the files.
#[derive(Debug)]
pub struct All {
    /// The files that were written.
    pub summaries: Vec<Summary>,
    /// The first file that failed.
    first: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// How many failed.
    failed: usize,
}

/// Ingests files into a folder. Each that fails is told on standard error when it does.
pub fn all(settings: &Ingest, files: &[PathBuf], folder: &Path, bars: &Bars) -> All {
    let mut all = All { summaries: Vec::new(), first: None, failed: 0 };
    for file in files {
        let observer = |progress: Progress<'_>| bars.show(progress);
        let outcome = caught(|| Ok(settings.file(file, folder, &observer)?));
        bars.clear_stages();
        match outcome {
            Ok(summary) => all.summaries.push(summary),
            Err(error) => {
                if files.len() > 1 {
                    tell(&one_line(&*error));
                }
                all.first.get_or_insert(error);
                all.failed += 1;
            }
        }
    }
    all
}

#[allow(clippy::print_stderr, reason = "this is the surface of a binary")]
fn tell(line: &str) {
    eprintln!("error: {line}");
}

impl All {
    /// Whether every file was written.
    ///
    /// # Errors
    /// When some were not; of a file alone, why.
    pub fn outcome(self) -> Outcome {
        match (self.first, self.failed, self.summaries.len()) {
            (None, ..) => Ok(()),
            (Some(error), 1, 0) => Err(error),
            (Some(_), failed, written) => {
                Err(format!("{failed} of {} files failed", failed + written).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_fails_does_not_hold_the_others_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("a.csv"), "id,price\n1,2.5\n").unwrap();
        std::fs::write(file("b.csv.gz"), b"\x1f\x8b\x08cut").unwrap();
        std::fs::write(file("c.csv"), "id,price\n1,2.5\n").unwrap();
        let files = ["a.csv", "b.csv.gz", "c.csv"].map(file);
        let bars = Bars::default();
        let done = all(&Ingest::default(), &files, &file("out"), &bars);
        let written: Vec<_> = done.summaries.iter().map(|summary| summary.input.clone()).collect();
        assert_eq!(written, [file("a.csv"), file("c.csv")]);
        assert_eq!(done.outcome().unwrap_err().to_string(), "1 of 3 files failed");

        let alone = all(&Ingest::default(), &files[1..2], &file("out"), &bars);
        let error = alone.outcome().unwrap_err().to_string();
        assert!(error.starts_with("cannot read '") && error.contains("b.csv.gz"), "{error}");
    }
}
