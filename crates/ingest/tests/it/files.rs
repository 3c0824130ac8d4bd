//! Files of tests, and tables read back as texts.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use fattail_core::silent;
use fattail_ingest::{Error, Ingest, Summary};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

/// A folder with one input, and its output.
pub(crate) struct Case {
    folder: TempDir,
    pub(crate) input: PathBuf,
}

impl Case {
    pub(crate) fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("table.csv");
        std::fs::write(&input, text).unwrap();
        Self { folder, input }
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub(crate) fn run(&self, settings: &Ingest) -> Summary {
        // A child that another test starts holds a copy of a journal's lock until it runs its own program.
        for _ in 0..1000 {
            match settings.file(&self.input, &self.out(), &silent) {
                Err(Error::Busy { .. }) => sleep(Duration::from_millis(10)),
                other => return other.unwrap(),
            }
        }
        panic!("nobody gave the lock back")
    }
}

/// A finished run, and the folder that it wrote to.
pub(crate) struct Done {
    summary: Summary,
    _case: Case,
}

impl Deref for Done {
    type Target = Summary;

    fn deref(&self) -> &Summary {
        &self.summary
    }
}

pub(crate) fn ingest(text: impl AsRef<[u8]>, settings: &Ingest) -> Done {
    let case = Case::new(text);
    Done { summary: case.run(settings), _case: case }
}

/// The rows of a Parquet file as texts; a missing value is `<null>`.
pub(crate) fn rows(path: &Path) -> Vec<Vec<String>> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let options = FormatOptions::default().with_null("<null>");
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let told =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap());
        let columns: Vec<_> = told.collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>()
        }));
    }
    rows
}

/// The names and types of a Parquet file.
pub(crate) fn types(path: &Path) -> Vec<(String, String)> {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let fields = reader.schema().fields().iter();
    fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect()
}
