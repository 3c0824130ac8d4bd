//! A file mapped into memory: the one place of this room where the compiler has to trust us.
#![allow(unsafe_code)]

use std::{fs::File, path::Path};

use bytes::Bytes;
use memmap2::Mmap;

use crate::{Error, Result};

/// Maps a file. Its pages are read when they are first used and may leave memory again.
pub(crate) fn map(path: &Path) -> Result<Bytes> {
    let file = File::open(path).map_err(Error::read(path))?;
    if file.metadata().map_err(Error::read(path))?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is read-only and lives as long as the bytes do. That nobody changes or
    // shortens the file meanwhile cannot be proven; this room replaces files by renaming, which
    // leaves a mapped file as it was, and `open_ipc` hands the condition on to its caller.
    let map = unsafe { Mmap::map(&file) }.map_err(Error::read(path))?;
    Ok(Bytes::from_owner(map))
}
