//! A file mapped into memory: the one place of this room where the compiler has to trust us.
#![allow(unsafe_code)]

use std::{fs::File, io, path::Path};

use bytes::Bytes;
use memmap2::MmapOptions;

use crate::{Error, Result};

/// Maps a file. Its pages are read when they are first used and may leave memory again.
pub(crate) fn map(path: &Path) -> Result<Bytes> {
    let file = File::open(path).map_err(Error::read(path))?;
    map_file(&file).map_err(Error::read(path))
}

/// Maps an open file.
pub(crate) fn map_file(file: &File) -> io::Result<Bytes> {
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(Bytes::new());
    }
    map_part(file, 0, length, Pages::WhenUsed)
}

/// When the pages of a map come into memory. One by one costs more than all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    WhenUsed,
    AtOnce,
}

/// Maps some bytes of an open file, one at least; the caller has seen that the file has them. They
/// leave memory when the last part of them is dropped.
pub(crate) fn map_part(file: &File, start: u64, length: usize, pages: Pages) -> io::Result<Bytes> {
    let mut options = MmapOptions::new();
    options.offset(start).len(length);
    if pages == Pages::AtOnce {
        options.populate();
    }
    // SAFETY: the map is read-only and lives as long as the bytes do. That nobody changes or
    // shortens the file meanwhile cannot be proven; this room replaces files by renaming, which
    // leaves a mapped file as it was, and `open_ipc` and `MappedPanel` hand the condition on to
    // their callers.
    let map = unsafe { options.map(file) }?;
    Ok(Bytes::from_owner(map))
}
