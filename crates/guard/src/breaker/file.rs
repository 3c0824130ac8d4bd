//! The files of a breaker: its state with a checksum, replaced as a whole, and its lock.
//!
//! A state is written beside its place, brought to the disk, and renamed into it: a reader sees the old
//! one or the new one. The checksum is CRC-32 of the state's JSON, so that a state in which a digit has
//! changed is corrupt, too. No file is a new breaker; an empty one is corrupt.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::state::State;
use crate::{Error, Result};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    version: u32,
    crc32: u32,
    state: State,
}

/// `state.json` with another ending after it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// What tells the jitter of one state file from that of another.
pub(super) fn salt(path: &Path) -> u64 {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    u64::from(crc32fast::hash(path.as_os_str().as_encoded_bytes()))
}

/// The lock of a state file, held until it is dropped.
pub(super) fn lock(path: &Path) -> Result<File> {
    let place = beside(path, ".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&place);
    let file = file.map_err(|error| Error::file("open", &place, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path: path.into() }),
        Err(TryLockError::Error(error)) => Err(Error::file("lock", place, error)),
    }
}

/// The state; none without a file.
pub(super) fn read(path: &Path) -> Result<Option<State>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", path, error)),
    };
    let corrupt = |reason: String| Error::Corrupt { path: path.into(), reason };
    let sealed: Sealed =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if sealed.version != VERSION {
        return Err(corrupt(format!("its version is {}, known is {VERSION}", sealed.version)));
    }
    match checksum(&sealed.state)? == sealed.crc32 {
        true => Ok(Some(sealed.state)),
        false => Err(corrupt("its checksum is another".into())),
    }
}

/// Replaces the state. Whoever calls it holds the lock.
pub(super) fn write(path: &Path, state: &State) -> Result<()> {
    let crc32 = checksum(state)?;
    let sealed = Sealed { version: VERSION, crc32, state: state.clone() };
    let text = serde_json::to_vec_pretty(&sealed)?;
    let place = beside(path, ".new");
    let put = || -> io::Result<()> {
        let mut file = File::create(&place)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&place, path)?;
        sync_folder(path)
    };
    put().map_err(|error| Error::file("write", path, error))
}

/// Moves an old state out of the way.
pub(super) fn put_aside(path: &Path) -> Result<()> {
    match fs::rename(path, beside(path, ".old")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::file("move", path, error))
        }
        _ => Ok(()),
    }
}

fn checksum(state: &State) -> Result<u32> {
    Ok(crc32fast::hash(&serde_json::to_vec(state)?))
}

/// Brings the rename to the disk, where folders can be opened.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
