//! Files that are written whole or not at all.
//!
//! A file is written under a temporary name in its own folder, synced and then renamed, so that a
//! reader sees the old file or the new one and a failure leaves nothing behind.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use tempfile::Builder;

use crate::{Error, Result};

/// Writes a file whole or not at all.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("scores.txt");
/// fattail_store::write_atomic(&path, |file| file.write_all(b"0.02"))?;
/// assert_eq!(std::fs::read(&path)?, b"0.02");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the folder does not exist or cannot be written, the disk refuses, `content` fails, or
/// something that is not a file stands under the name.
pub fn write_atomic<E>(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), E>,
) -> Result<()>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = path.as_ref();
    write_whole(path, Lasting::Yes, |file| {
        content(file).map_err(|source| Error::write(path, source))
    })
}

/// Whether a file outlives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    Yes,
    No,
}

/// [`write_atomic`] with the errors of `content` as they are.
pub(crate) fn write_whole(
    path: &Path,
    lasting: Lasting,
    content: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(Error::write(path, "something that is not a file stands there"));
    }
    let refuse = |source: io::Error| Error::write(path, plain(source));
    let file = temporary(0o666).tempfile_in(parent(path)).map_err(refuse)?;
    let mut file = Chunks { file, chunk: Vec::new() };
    content(&mut file)?;
    file.flush().map_err(refuse)?;
    let file = file.file;
    if lasting == Lasting::Yes {
        file.as_file().sync_all().map_err(refuse)?;
    }
    file.persist(path).map_err(|error| refuse(error.error))?;
    Ok(())
}

/// Bytes that are written in one go. The system keeps a file in large pages when it comes in large
/// pieces that begin at multiples of their size, and maps those much faster than small ones.
const CHUNK: usize = 4 << 20;

/// Passes on what is written in chunks.
struct Chunks<W> {
    file: W,
    chunk: Vec<u8>,
}

impl<W: Write> Write for Chunks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        self.file.write_all(&chunk)?;
        self.chunk = chunk;
        self.chunk.clear();
        self.file.flush()
    }
}

/// Writes a value as JSON, whole or not at all.
///
/// # Errors
/// As [`write_atomic`], or when the value has no JSON form.
pub fn write_json(path: impl AsRef<Path>, value: &impl Serialize) -> Result<()> {
    write_atomic(path, |file| -> Result<(), serde_json::Error> {
        serde_json::to_writer_pretty(&mut *file, value)?;
        file.write_all(b"\n").map_err(serde_json::Error::io)
    })
}

/// The error without the temporary path that `tempfile` adds.
fn plain(source: io::Error) -> io::Error {
    match source.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(source.kind(), said.to_owned()),
        None => source,
    }
}

/// Names for what is not finished, readable as `mode` and the mask of the process allow.
pub(crate) fn temporary(mode: u32) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".unfinished-");
    #[cfg(unix)]
    {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt};
        builder.permissions(Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_json(&path, &[1, 2]).unwrap();
        let full = |file: &mut (dyn Write + Send)| {
            file.write_all(b"half")?;
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        };
        let error = write_atomic(&path, full).unwrap_err().to_string();
        assert_eq!(error, format!("cannot write '{}': no storage space", path.display()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Counts the bytes of each write.
    #[derive(Default)]
    struct Lengths(Vec<usize>);

    impl Write for Lengths {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn chunks_are_full_but_for_the_last() {
        let mut chunks = Chunks { file: Lengths::default(), chunk: Vec::new() };
        for length in [1, 2 * CHUNK, CHUNK - 1, 7] {
            chunks.write_all(&vec![0; length]).unwrap();
        }
        chunks.flush().unwrap();
        assert_eq!(chunks.file.0, [CHUNK, CHUNK, CHUNK, 7]);
    }

    #[test]
    fn impossible_places_are_one_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").unwrap();
        for path in
            [file.join("below.json"), folder.path().join("none/a.json"), folder.path().into()]
        {
            let error = write_json(&path, &1).unwrap_err().to_string();
            assert!(error.starts_with(&format!("cannot write '{}': ", path.display())), "{error}");
        }
    }
}
