//! Reads a file in whichever format it has.

use std::{fs::File, io::Read, path::Path};

use fattail_core::{Observer, Panel};

use crate::{
    Error, ReadOptions, Result,
    csv::{csv_names, read_csv},
    ipc::{ipc_names, read_ipc},
    libsvm::{libsvm_names, looks_like_libsvm, read_libsvm},
    parquet::{parquet_names, read_parquet},
};

/// Reads a file as what its first bytes say: Parquet (`PAR1`), Arrow IPC (`ARROW1`, mapped), a number
/// and pairs with colons as LIBSVM, and anything else as CSV or TSV.
///
/// # Errors
/// Those of the format.
pub fn read(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    observer: Observer<'_>,
) -> Result<Panel> {
    let path = path.as_ref();
    match kind(path)? {
        Kind::Parquet => read_parquet(path, options, observer),
        Kind::Ipc => read_ipc(path, options),
        Kind::Libsvm => read_libsvm(path, options, observer),
        Kind::Text => read_csv(path, options, observer),
    }
}

/// The names of the columns of a file, in its order, whatever their roles; of text without a header and
/// of LIBSVM `Column_0`, `Column_1`..., the latter behind `label` and `qid`.
///
/// # Errors
/// When the file cannot be read or breaks its format.
pub fn read_names(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Vec<String>> {
    let path = path.as_ref();
    match kind(path)? {
        Kind::Parquet => parquet_names(path),
        Kind::Ipc => ipc_names(path),
        Kind::Libsvm => libsvm_names(path),
        Kind::Text => csv_names(path, options),
    }
}

/// The formats.
enum Kind {
    Parquet,
    Ipc,
    Libsvm,
    Text,
}

/// So many bytes of a file tell its format.
const START: u64 = 4096;

fn kind(path: &Path) -> Result<Kind> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(Error::read(path))?;
    file.take(START).read_to_end(&mut start).map_err(Error::read(path))?;
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| extension == *name);
    Ok(if start.starts_with(b"PAR1") || is(&["parquet"]) {
        Kind::Parquet
    } else if start.starts_with(b"ARROW1") || is(&["arrow", "feather"]) {
        Kind::Ipc
    } else if is(&["svm", "libsvm"]) || looks_like_libsvm(&String::from_utf8_lossy(&start)) {
        Kind::Libsvm
    } else {
        Kind::Text
    })
}
