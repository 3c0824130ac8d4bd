//! How far an ingest came, a line a row group: what a killed run left is taken up from here.
//!
//! A step is written behind everything that it tells of. A line that was cut, or whose row group does not
//! have the bytes that it tells, does not count, and the step before it is the last.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use fattail_mend::{Kind, Seen};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, summary::Counts};

/// A part of the output: bytes of a file, and of what its footer will say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Bytes of row groups.
    pub(crate) length: u64,
    /// Where the last row group begins.
    pub(crate) start: u64,
    /// The checksum of the last row group.
    pub(crate) sum: u32,
    /// Row groups.
    pub(crate) groups: usize,
}

/// How far a run came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Bytes of text that are done.
    pub(crate) offset: u64,
    /// Lines that are done.
    pub(crate) line: u64,
    pub(crate) data: Part,
    pub(crate) repairs: Part,
    /// Bytes of text that the next wave has.
    pub(crate) wave: usize,
    /// Whether the text goes on with a row that is too long.
    pub(crate) open: bool,
    /// Bytes of rows set aside.
    pub(crate) quarantine: u64,
    /// Bytes that tell of row groups.
    pub(crate) groups: u64,
    pub(crate) counts: Counts,
    /// Of each column of the file.
    pub(crate) seen: Vec<Seen>,
    /// Missing values of each column of the file.
    pub(crate) missing: Vec<u64>,
}

/// What a run has to be to take this up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key(pub(crate) String);

/// Columns that turned out to be of a wider kind.
pub(crate) type Wider = Vec<(usize, Kind)>;

/// The first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    key: Key,
    wider: Wider,
}

/// The file of steps.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: Box<Path>,
}

impl Journal {
    /// Opens the journal of a work folder, which no other process may have open. Who has it open owns the
    /// folder.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = Error::write(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path: path.into() }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::Busy { path: path.parent().unwrap_or(path).into() })
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// What a run with the same key found out, and its last two steps; of another run's nothing, and it is
    /// forgotten.
    pub(crate) fn steps(&mut self, key: &Key) -> Result<(Wider, Vec<Step>)> {
        let path = self.path.clone();
        let failed = Error::write(&path);
        let (wider, steps, length) = steps(&self.file, key).map_err(Error::read(&path))?;
        if length == 0 {
            self.restart(key, &wider)?;
        } else {
            self.file.set_len(length).map_err(&failed)?;
            self.file.seek(SeekFrom::End(0)).map_err(&failed)?;
        }
        Ok((wider, steps))
    }

    /// Forgets every step, for a run with wider columns.
    pub(crate) fn restart(&mut self, key: &Key, wider: &Wider) -> Result<()> {
        let path = self.path.clone();
        let failed = Error::write(&path);
        self.file.set_len(0).map_err(&failed)?;
        self.file.seek(SeekFrom::Start(0)).map_err(&failed)?;
        self.line(&Head { key: key.clone(), wider: wider.clone() })
    }

    /// Adds a step.
    pub(crate) fn step(&mut self, step: &Step) -> Result<()> {
        self.line(step)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let failed = Error::write(&self.path);
        let mut line = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(&failed)
    }
}

/// The wider columns and the last two whole steps of a journal with the key, and the bytes that all of it takes;
/// nothing of another key's. Should the bytes of the last step be lost, the one before it counts.
fn steps(file: &File, key: &Key) -> io::Result<(Wider, Vec<Step>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut steps, mut line) = (Vec::new(), Vec::new());
    let mut length = reader.read_until(b'\n', &mut line)? as u64;
    let head = serde_json::from_slice::<Head>(&line).ok();
    let Some(Head { wider, .. }) = head.filter(|head| head.key == *key && line.ends_with(b"\n"))
    else {
        return Ok((Wider::new(), steps, 0));
    };
    loop {
        line.clear();
        let read = reader.by_ref().read_until(b'\n', &mut line)?;
        let step = serde_json::from_slice(&line).ok().filter(|_| line.ends_with(b"\n"));
        let Some(step) = step else { return Ok((wider, steps, length)) };
        steps.drain(..steps.len().saturating_sub(1));
        steps.push(step);
        length += read as u64;
    }
}

/// Whether a file holds the last row group of a part.
pub(crate) fn holds(path: &Path, part: &Part) -> bool {
    let check = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() < part.length {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(part.start))?;
        let mut sum = crc32fast::Hasher::new();
        let mut rest = file.take(part.length.saturating_sub(part.start));
        let mut piece = vec![0; 1 << 16];
        loop {
            match rest.read(&mut piece)? {
                0 => return Ok(sum.finalize() == part.sum),
                read => sum.update(&piece[..read]),
            }
        }
    };
    check().unwrap_or(false)
}
