//! Reads a file in whichever format it has.

use std::{fs::File, io::Read, path::Path};

use fattail_core::{Observer, Panel};

use crate::{Error, ReadOptions, Result, csv::read_csv, ipc::read_ipc, parquet::read_parquet};

/// Reads a file as what its first bytes say: Parquet (`PAR1`), Arrow IPC (`ARROW1`, mapped), and
/// anything else as CSV.
///
/// # Errors
/// Those of the format.
pub fn read(
    path: impl AsRef<Path>,
    options: &ReadOptions,
    observer: Observer<'_>,
) -> Result<Panel> {
    let path = path.as_ref();
    let magic = first_bytes(path)?;
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if magic.starts_with(b"PAR1") || extension == "parquet" {
        read_parquet(path, options, observer)
    } else if magic.starts_with(b"ARROW1") || extension == "arrow" || extension == "feather" {
        read_ipc(path, options)
    } else {
        read_csv(path, options, observer)
    }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::read(path))?;
    file.take(6).read_to_end(&mut bytes).map_err(Error::read(path))?;
    Ok(bytes)
}
