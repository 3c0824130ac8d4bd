//! A folder for panels that do not fit in memory, limited in size and gone afterwards.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use fattail_core::Panel;
use tempfile::{Builder, TempDir};

use crate::{
    Error, MappedPanel, PieceLimit, Result,
    atomic::Lasting,
    ipc::{mapped_size, write_blocks},
};

/// What the folder of a spill begins with.
const PREFIX: &str = ".fattail-spill-";

/// The file in it that its process holds locked.
const LOCK: &str = "lock";

/// Panels laid aside on disk and mapped when they are needed again.
///
/// Each spill has a folder of its own in the one that it is given, so that any number of processes
/// may use that one; the limit is each spill's. Dropping the spill removes its folder, and panels
/// that were opened stay readable (on Unix). What a process leaves that was ended before is removed
/// by the next spill in the same folder, known by its lock, which no living process holds.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_store::{Error, Spill};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let panel = Panel::builder().eras(&["1", "2"])?.feature("a", vec![3u8, 1]).build()?;
/// let mut spill = Spill::create(folder.path(), 4000)?;
/// let first = spill.put(&panel)?;
/// let second = spill.put(&panel)?;
/// assert!(matches!(spill.put(&panel), Err(Error::SpillFull { limit: 4000, .. })));
///
/// assert_eq!(spill.remove_oldest()?, Some(first));
/// spill.put(&panel)?;
/// assert_eq!(spill.get(second)?.panel(1..2)?.feature(0).to_f32(), [1.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Spill {
    folder: TempDir,
    /// Held as long as the folder stands.
    _lock: Option<File>,
    limit: u64,
    used: u64,
    next: u64,
    held: BTreeMap<SpillKey, u64>,
}

/// Stands for a panel of a [`Spill`]; later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpillKey(u64);

impl fmt::Display for SpillKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Spill {
    /// Begins a spill of at most `limit` bytes of files in `folder`, which is made if need be.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn create(folder: impl AsRef<Path>, limit: u64) -> Result<Self> {
        let place = folder.as_ref();
        let refuse = |source: io::Error| Error::write(place, source);
        fs::create_dir_all(place).map_err(refuse)?;
        sweep(place);
        let folder = Builder::new().prefix(PREFIX).tempdir_in(place).map_err(refuse)?;
        let lock = lock(folder.path()).map_err(refuse)?;
        Ok(Self { folder, _lock: lock, limit, used: 0, next: 0, held: BTreeMap::new() })
    }

    /// The folder of this spill.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Bytes of files that it may hold.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes of files that it holds.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// What it holds, oldest first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = SpillKey> + '_ {
        self.held.keys().copied()
    }

    /// Lays a panel aside.
    ///
    /// # Errors
    /// [`Error::SpillFull`], before anything is written, when its file would not stay within the
    /// limit; otherwise those of [`crate::write_mapped`]. Nothing half-written stays.
    pub fn put(&mut self, panel: &Panel) -> Result<SpillKey> {
        let (key, pieces) = (SpillKey(self.next), PieceLimit::default());
        let path = self.file(key);
        let need = mapped_size(panel, &path, &pieces)?;
        if need > self.limit.saturating_sub(self.used) {
            let (folder, limit, used) = (self.path().into(), self.limit, self.used);
            return Err(Error::SpillFull { folder, limit, used, need });
        }
        write_blocks([Ok(panel.clone())], &path, &pieces, Lasting::No)?;
        self.next += 1;
        self.used += need;
        self.held.insert(key, need);
        Ok(key)
    }

    /// Opens a panel, mapped.
    ///
    /// # Errors
    /// [`Error::NotSpilled`] when it was removed; otherwise those of
    /// [`MappedPanel::open`].
    pub fn get(&self, key: SpillKey) -> Result<MappedPanel> {
        match self.held.contains_key(&key) {
            true => MappedPanel::open(self.file(key)),
            false => Err(Error::NotSpilled { folder: self.path().into(), key: key.0 }),
        }
    }

    /// Removes a panel and answers whether it was held. Where it is open it stays readable.
    ///
    /// # Errors
    /// When the disk refuses; its bytes then still count.
    pub fn remove(&mut self, key: SpillKey) -> Result<bool> {
        let Some(&bytes) = self.held.get(&key) else { return Ok(false) };
        let path = self.file(key);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::write(&path, source));
            }
            _ => {}
        }
        self.held.remove(&key);
        self.used -= bytes;
        Ok(true)
    }

    /// Removes the panel laid aside first and answers which, if there was one.
    ///
    /// # Errors
    /// As [`Spill::remove`].
    pub fn remove_oldest(&mut self) -> Result<Option<SpillKey>> {
        let Some(key) = self.keys().next() else { return Ok(None) };
        self.remove(key).map(|_| Some(key))
    }

    fn file(&self, key: SpillKey) -> PathBuf {
        self.folder.path().join(format!("{key}.arrow"))
    }
}

/// A file in the folder that is locked before it has its name: whoever finds it unlocked finds it
/// without an owner. None where the disk knows no locks; the folder is then never swept.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let unnamed = folder.join("unlocked");
    let file = File::create(&unnamed)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    fs::rename(unnamed, folder.join(LOCK))?;
    Ok(Some(file))
}

/// Removes what ended processes left. What cannot be removed stays.
fn sweep(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if let Ok(lock) = File::open(entry.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
