//! What the machine says of memory: limits, use, pressure.
//!
//! | limit | file | what is used of it |
//! |---|---|---|
//! | control groups | see `group` | current use without inactive files, which the kernel gives back |
//! | address space, data | `/proc/self/limits` | `VmSize`, `VmData` of `/proc/self/status` |
//! | physical memory | `/proc/meminfo` | `MemTotal - MemAvailable` |
//!
//! A file that is not there says nothing; a file that says something else than expected is an error, and so
//! is a limit of which it is not known how much is used, or a control group whose files cannot be seen.
//! Cost: a dozen small files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::group;
use crate::{Error, Result};

/// The machine that this process runs on, as its files tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    root: PathBuf,
}

/// A limit and what of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// Who sets it.
    pub source: Source,
    /// Bytes.
    pub limit: u64,
    /// Bytes used of it.
    pub used: u64,
}

/// Who sets a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// A setting.
    #[error("the setting")]
    Setting,
    /// This file of a control group.
    #[error("the control group's '{0}'")]
    Group(String),
    /// The limit of the process's address space.
    #[error("the limit of the address space")]
    AddressSpace,
    /// The limit of the process's data.
    #[error("the limit of the data size")]
    DataSize,
    /// The memory of the machine.
    #[error("the physical memory")]
    Physical,
}

/// What the process uses now; what is not known is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Usage {
    /// Bytes of the process in memory (`VmRSS`).
    pub resident: Option<u64>,
    /// The most bytes in memory so far (`VmHWM`).
    pub peak: Option<u64>,
    /// Bytes of address space (`VmSize`).
    pub address_space: Option<u64>,
    /// Bytes of data (`VmData`).
    pub data: Option<u64>,
    /// Bytes of the process's own control group without inactive files.
    pub group: Option<u64>,
    /// Bytes that the machine can give without swapping (`MemAvailable`).
    pub available: Option<u64>,
}

/// Shares of time in which tasks waited for memory, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Pressure {
    /// At least one task waited, over the last 10 seconds.
    pub some_10: f64,
    /// The same over the last 60 seconds.
    pub some_60: f64,
    /// All tasks waited, over the last 10 seconds.
    pub full_10: f64,
    /// The same over the last 60 seconds.
    pub full_60: f64,
}

impl Bound {
    /// Bytes that are left.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::here()
    }
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        Self { root: PathBuf::from("/") }
    }

    /// A machine whose `/proc` and `/sys` lie in a folder.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The limits of this process, each with what of it is used.
    ///
    /// # Errors
    /// [`Error::System`] for a file that says something else than expected, [`Error::File`] for one that
    /// cannot be read, [`Error::UsageUnknown`] for a limit without a figure of use, [`Error::GroupUnseen`]
    /// for a control group that is named and cannot be seen.
    pub fn bounds(&self) -> Result<Vec<Bound>> {
        self.bounds_seen(true)
    }

    /// The limits, those of a control group only if it can be seen, or it must be.
    pub(crate) fn bounds_seen(&self, must: bool) -> Result<Vec<Bound>> {
        let mut bounds = group::bounds(self, must)?;
        let usage = self.processes_use()?;
        let limits = self.text("proc/self/limits")?.unwrap_or_default();
        let process = [
            ("Max address space", Source::AddressSpace, usage.address_space),
            ("Max data size", Source::DataSize, usage.data),
        ];
        for (name, source, used) in process {
            if let Some(limit) = self.soft_limit(&limits, name)? {
                let used = used.ok_or_else(|| self.unused(&source, "proc/self/status"))?;
                bounds.push(Bound { source, limit, used });
            }
        }
        if let (Some(limit), available) = self.memory()? {
            let source = Source::Physical;
            let available = available.ok_or_else(|| self.unused(&source, "proc/meminfo"))?;
            bounds.push(Bound { source, limit, used: limit.saturating_sub(available) });
        }
        Ok(bounds)
    }

    /// Bytes of the process in memory; 0 where the system has no file that says so.
    pub(crate) fn resident(&self) -> Result<u64> {
        let path = "proc/self/status";
        match (self.text(path)?, self.processes_use()?.resident) {
            (None, _) => Ok(0),
            (Some(_), Some(bytes)) => Ok(bytes),
            (Some(_), None) => Err(self.unused(&Source::Setting, path)),
        }
    }

    /// A limit of which the use is not known.
    pub(crate) fn unused(&self, source: &Source, path: impl AsRef<Path>) -> Error {
        let path = self.root.join(relative(path.as_ref()));
        Error::UsageUnknown { limit: source.to_string(), path }
    }

    /// What the process uses now.
    ///
    /// # Errors
    /// As [`Machine::bounds`].
    pub fn usage(&self) -> Result<Usage> {
        let (group, (_, available)) = (group::usage(self)?, self.memory()?);
        Ok(Usage { group, available, ..self.processes_use()? })
    }

    /// How long tasks waited for memory: of the process's control group, or else of the machine.
    ///
    /// # Errors
    /// As [`Machine::bounds`].
    pub fn pressure(&self) -> Result<Option<Pressure>> {
        let mut found = group::pressure(self)?;
        if found.is_none() {
            let path = "proc/pressure/memory";
            found = self.text(path)?.map(|text| (self.root.join(path), text));
        }
        found.map(|(path, text)| pressure(&path, &text)).transpose()
    }

    /// Total and available memory.
    fn memory(&self) -> Result<(Option<u64>, Option<u64>)> {
        let path = "proc/meminfo";
        let Some(text) = self.text(path)? else { return Ok((None, None)) };
        let value = |name| self.kilobytes(path, &text, name);
        Ok((value("MemTotal:")?, value("MemAvailable:")?))
    }

    pub(crate) fn processes_use(&self) -> Result<Usage> {
        let path = "proc/self/status";
        let Some(text) = self.text(path)? else { return Ok(Usage::default()) };
        let value = |name| self.kilobytes(path, &text, name);
        Ok(Usage {
            resident: value("VmRSS:")?,
            peak: value("VmHWM:")?,
            address_space: value("VmSize:")?,
            data: value("VmData:")?,
            ..Usage::default()
        })
    }

    fn soft_limit(&self, limits: &str, name: &str) -> Result<Option<u64>> {
        let Some(rest) = limits.lines().find_map(|line| line.strip_prefix(name)) else {
            return Ok(None);
        };
        match rest.split_whitespace().next() {
            Some("unlimited") => Ok(None),
            Some(word) if word.parse::<u64>().is_ok() => Ok(word.parse().ok()),
            word => {
                let expected = "`unlimited` or a number of bytes";
                Err(self.misread("proc/self/limits", word.unwrap_or(""), expected))
            }
        }
    }

    /// The bytes of a line `Name:  123 kB`.
    fn kilobytes(&self, path: &str, text: &str, name: &str) -> Result<Option<u64>> {
        let Some(rest) = text.lines().find_map(|line| line.strip_prefix(name)) else {
            return Ok(None);
        };
        let number = rest.trim().strip_suffix("kB").and_then(|n| n.trim().parse::<u64>().ok());
        match number.and_then(|kilobytes| kilobytes.checked_mul(1024)) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(self.misread(path, rest, "a number of kB")),
        }
    }

    /// A file's text; none when there is no such file.
    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let path = self.root.join(relative(path.as_ref()));
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                // A group that went away while it was read, or a pressure file that is switched off.
                _ if matches!(error.raw_os_error(), Some(19 | 95)) => Ok(None),
                _ => Err(Error::file("read", path, error)),
            },
        }
    }

    pub(crate) fn has(&self, folder: &Path) -> bool {
        self.root.join(relative(folder)).is_dir()
    }

    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.root.join(relative(path)).is_file()
    }

    pub(crate) fn misread(
        &self,
        path: impl AsRef<Path>,
        said: &str,
        expected: &'static str,
    ) -> Error {
        let said = said.trim().chars().take(60).collect();
        Error::System { path: self.root.join(relative(path.as_ref())), said, expected }
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// Lines `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and `full ..`.
fn pressure(path: &Path, text: &str) -> Result<Pressure> {
    let value = |kind: &str, name: &str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(kind));
        let word = line.and_then(|line| line.split_whitespace().find_map(|w| w.strip_prefix(name)));
        word.and_then(|word| word.parse::<f64>().ok()).ok_or_else(|| Error::System {
            path: path.into(),
            said: text.trim().chars().take(60).collect(),
            expected: "lines of `some` and `full` with averages",
        })
    };
    Ok(Pressure {
        some_10: value("some ", "avg10=")?,
        some_60: value("some ", "avg60=")?,
        full_10: value("full ", "avg10=")?,
        full_60: value("full ", "avg60=")?,
    })
}
