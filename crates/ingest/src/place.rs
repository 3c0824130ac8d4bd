//! Where the parts of an output stand while it is written, and where when it is done.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Endings of names that say nothing of a table.
const ENDINGS: &[&str] = &["gz", "zst", "zstd", "csv", "tsv", "txt", "dat", "tab"];

/// The files of one output.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    folder: PathBuf,
    /// Whether the folder was made for this run.
    made: bool,
    pub(crate) work: PathBuf,
    /// Stands where every part is whole and they are being given their names.
    pub(crate) settled: PathBuf,
    pub(crate) data_part: PathBuf,
    pub(crate) repairs_part: PathBuf,
    pub(crate) quarantine_part: PathBuf,
    pub(crate) schema_part: PathBuf,
    pub(crate) groups: PathBuf,
    pub(crate) journal: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) repairs: PathBuf,
    pub(crate) quarantine: PathBuf,
    pub(crate) schema: PathBuf,
}

impl Place {
    /// The place of a file's output in a folder, which is made if it is not there.
    pub(crate) fn make(folder: &Path, input: &Path) -> Result<Self> {
        let made = !folder.exists();
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        let name = output_name(input);
        let work = folder.join(format!(".ingest-{name}"));
        let place = Self {
            folder: folder.into(),
            made,
            settled: work.join("settled"),
            data_part: work.join("data"),
            repairs_part: work.join("repairs"),
            quarantine_part: work.join("quarantine"),
            schema_part: work.join("schema"),
            groups: work.join("groups"),
            journal: work.join("journal"),
            work,
            data: folder.join(format!("{name}.parquet")),
            repairs: folder.join(format!("{name}.repairs.parquet")),
            quarantine: folder.join(format!("{name}.quarantine")),
            schema: folder.join(format!("{name}.schema.json")),
        };
        for name in [&place.data, &place.repairs, &place.quarantine, &place.schema] {
            if fs::metadata(name).is_ok_and(|found| !found.is_file()) {
                let said = io::Error::other("something that is not a file stands there");
                return Err(Error::write(name)(said)).inspect_err(|_| place.step_back());
            }
        }
        fs::create_dir_all(&place.work)
            .map_err(Error::write(&place.work))
            .inspect_err(|_| place.step_back())?;
        Ok(place)
    }

    /// The parts, each with its name, the table last.
    fn parts(&self) -> [(&Path, &Path); 4] {
        [
            (&self.quarantine_part, &self.quarantine),
            (&self.repairs_part, &self.repairs),
            (&self.schema_part, &self.schema),
            (&self.data_part, &self.data),
        ]
    }

    /// Writes down that every part is whole, and what has to be told of them.
    pub(crate) fn seal(&self, told: &[u8]) -> Result<()> {
        let written = self.work.join("settling");
        write_whole(&written, told).map_err(Error::write(&written))?;
        fs::rename(&written, &self.settled).map_err(Error::write(&self.settled))?;
        sync_folder(&self.work);
        Ok(())
    }

    /// Gives every sealed part its name. A run that was killed here is ended by the next one: what still
    /// stands in the work folder has not been given its name.
    pub(crate) fn settle(&self) -> Result<()> {
        for (part, name) in self.parts() {
            match fs::rename(part, name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && name.exists() => {}
                renamed => renamed.map_err(Error::write(name))?,
            }
        }
        sync_folder(&self.folder);
        fs::remove_file(&self.settled).map_err(Error::write(&self.settled))
    }

    /// Whether every part is there, under its name or not yet.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts().iter().all(|(part, name)| part.is_file() || name.is_file())
    }

    /// Removes the work folder, which this run owns.
    pub(crate) fn clear(&self) -> Result<()> {
        fs::remove_dir_all(&self.work).map_err(Error::write(&self.work))
    }

    /// Leaves the folder as it was before the run, which owns the work folder. Where some parts have their
    /// names already, the rest is kept for the next run.
    pub(crate) fn leave(&self) {
        if self.settled.exists() && !self.parts().iter().all(|(part, _)| part.exists()) {
            return;
        }
        // What cannot be removed is in nobody's way: its name begins with a dot.
        let _ = fs::remove_dir_all(&self.work);
        self.step_back();
    }

    /// Removes the folders that were made, where nobody has put anything into them.
    pub(crate) fn step_back(&self) {
        let _ = fs::remove_dir(&self.work);
        if self.made {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// A file of the work folder, to which bytes are added behind the first `length`.
pub(crate) fn take_up(path: &Path, length: u64) -> Result<File> {
    let open = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() < length {
            return Err(io::Error::other("it became shorter while it was written"));
        }
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(file)
    };
    open().map_err(Error::write(path))
}

/// Writes a file and puts it on the disk.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts the names in a folder on the disk, where the system can.
fn sync_folder(folder: &Path) {
    // A system that cannot keeps them in order itself, or not at all.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// The name that the output of a file gets: its own without the endings of text tables and of compression.
/// Files with the same one would replace each other's output.
///
/// ```
/// use fattail_ingest::output_name;
/// assert_eq!(output_name("data/prices.2026.csv.gz".as_ref()), "prices.2026");
/// ```
pub fn output_name(input: &Path) -> String {
    let mut name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    while let Some((stem, ending)) = name.rsplit_once('.') {
        if stem.is_empty() || !ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
            break;
        }
        name.truncate(stem.len());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_of_tables_are_left_out() {
        for (file, expected) in [
            ("a/prices.csv.gz", "prices"),
            ("prices.2026.CSV", "prices.2026"),
            (".csv", ".csv"),
            ("prices", "prices"),
        ] {
            assert_eq!(output_name(Path::new(file)), expected);
        }
    }
}
