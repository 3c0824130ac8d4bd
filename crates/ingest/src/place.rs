//! Where the parts of an output stand while it is written, and where when it is done.

use std::{
    fs, io,
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
        let name = name(input);
        let work = folder.join(format!(".ingest-{name}"));
        let place = Self {
            folder: folder.into(),
            made,
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
                return Err(Error::write(name)(said)).inspect_err(|_| place.leave());
            }
        }
        fs::create_dir_all(&place.work)
            .map_err(Error::write(&place.work))
            .inspect_err(|_| place.leave())?;
        Ok(place)
    }

    /// Gives every part its name, the table last: where it stands, all stands. Done again it is done.
    pub(crate) fn settle(&self) -> Result<()> {
        for (part, name) in [
            (&self.quarantine_part, &self.quarantine),
            (&self.repairs_part, &self.repairs),
            (&self.schema_part, &self.schema),
            (&self.data_part, &self.data),
        ] {
            match fs::rename(part, name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && name.exists() => {}
                renamed => renamed.map_err(Error::write(name))?,
            }
        }
        fs::remove_dir_all(&self.work).map_err(Error::write(&self.work))
    }

    /// Leaves the folder as it was before the run.
    pub(crate) fn leave(&self) {
        // What cannot be removed is in nobody's way: its name begins with a dot.
        let _ = fs::remove_dir_all(&self.work);
        if self.made {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// The name of a file without the endings of text tables.
fn name(input: &Path) -> String {
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
            assert_eq!(name(Path::new(file)), expected);
        }
    }
}
