//! A folder of results that appears whole or not at all.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use serde::Serialize;
use tempfile::TempDir;

use crate::{
    Error, Result,
    atomic::{parent, temporary, write_atomic, write_json},
};

/// Marks a folder as made here, and so replaceable.
const MARK: &str = ".fattail-artifacts";

/// A folder that is filled under a temporary name beside its place and takes its place with
/// [`Artifacts::commit`]. Dropped before, it leaves nothing.
///
/// ```
/// use fattail_store::Artifacts;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let out = folder.path().join("run");
/// let artifacts = Artifacts::create(&out)?;
/// artifacts.write("model/notes.txt", b"ridge")?;
/// artifacts.write_json("scores.json", &[0.02, 0.03])?;
/// assert!(!out.exists());
/// artifacts.commit()?;
/// assert_eq!(std::fs::read(out.join("model/notes.txt"))?, b"ridge");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Artifacts {
    target: PathBuf,
    folder: TempDir,
}

impl Artifacts {
    /// Begins a folder that will stand at `target`. Folders above it are made.
    ///
    /// # Errors
    /// When the disk refuses, or something stands at `target` that was not made here.
    pub fn create(target: impl AsRef<Path>) -> Result<Self> {
        let target = target.as_ref().to_owned();
        expect_replaceable(&target)?;
        let parent = parent(&target);
        let refuse = |source: std::io::Error| Error::write(&target, source);
        fs::create_dir_all(&parent).map_err(refuse)?;
        let folder = temporary(0o777).tempdir_in(&parent).map_err(refuse)?;
        write_atomic(folder.path().join(MARK), |file| {
            file.write_all(b"This folder is replaced whole by the next run that writes to it.\n")
        })?;
        Ok(Self { target, folder })
    }

    /// Writes a file of the folder with `write`, which is given a path for the time being; folders
    /// within the folder are made.
    ///
    /// # Errors
    /// When the name leaves the folder, the disk refuses or `write` fails. They name the place that
    /// the file would have had.
    pub fn with<T>(
        &self,
        name: impl AsRef<Path>,
        write: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<T> {
        let name = name.as_ref();
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        if name.as_os_str().is_empty() || !name.components().all(inside) {
            return Err(Error::write(name, "the name leaves the artifact folder"));
        }
        let (path, place) = (self.folder.path().join(name), self.target.join(name));
        fs::create_dir_all(parent(&path)).map_err(|source| Error::write(&place, source))?;
        write(&path).map_err(|error| error.told_of(&place))
    }

    /// Writes a file of the folder.
    ///
    /// # Errors
    /// When the name leaves the folder or the disk refuses.
    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.with(name, |path| write_atomic(path, |file| file.write_all(bytes.as_ref())))
    }

    /// Writes a value as JSON into a file of the folder.
    ///
    /// # Errors
    /// As [`Artifacts::write`], or when the value has no JSON form.
    pub fn write_json(&self, name: impl AsRef<Path>, value: &impl Serialize) -> Result<()> {
        self.with(name, |path| write_json(path, value))
    }

    /// Puts the folder in its place; an artifact folder that stands there goes away.
    ///
    /// # Errors
    /// When the disk refuses, or something stands there that was not made here. The folder that
    /// stood there then stays.
    pub fn commit(self) -> Result<()> {
        let Self { target, folder } = self;
        expect_replaceable(&target)?;
        let refuse = |source: std::io::Error| Error::write(&target, source);
        let old = temporary(0o777).tempdir_in(parent(&target)).map_err(refuse)?;
        let aside = old.path().join("old");
        let stood = target.exists();
        if stood {
            fs::rename(&target, &aside).map_err(refuse)?;
        }
        if let Err(source) = fs::rename(folder.path(), &target) {
            if stood {
                fs::rename(&aside, &target).map_err(refuse)?;
            }
            return Err(refuse(source));
        }
        // It stands under its own name now, and is no longer there to be dropped.
        let _ = folder.keep();
        Ok(())
    }
}

/// Nothing, an empty folder, or a folder made here.
fn expect_replaceable(target: &Path) -> Result<()> {
    let refuse = |source: std::io::Error| Error::write(target, source);
    match fs::read_dir(target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refuse(error)),
        Ok(mut entries) => match entries.next().is_none() || target.join(MARK).is_file() {
            true => Ok(()),
            false => Err(Error::ForeignFolder { path: target.into() }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_submission;

    #[test]
    fn a_folder_made_here_is_replaced_and_a_foreign_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        for text in ["first", "second"] {
            let artifacts = Artifacts::create(&out).unwrap();
            artifacts.write(format!("{text}.txt"), text).unwrap();
            artifacts.commit().unwrap();
        }
        assert!(out.join("second.txt").exists() && !out.join("first.txt").exists());

        let foreign = place.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        Artifacts::create(&foreign).unwrap();
        fs::write(foreign.join("thesis.txt"), "years").unwrap();
        let error = Artifacts::create(&foreign).unwrap_err();
        assert!(matches!(error, Error::ForeignFolder { .. }), "{error}");
        assert!(foreign.join("thesis.txt").exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn errors_name_the_place_of_the_file_not_the_one_for_the_time_being() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let artifacts = Artifacts::create(&out).unwrap();
        artifacts.write("a", "b").unwrap();
        artifacts.write("folder/a", "b").unwrap();
        for (name, result) in [
            ("a/below", artifacts.write("a/below", "b")),
            ("folder", artifacts.write_json("folder", &1)),
            ("s.csv", artifacts.with("s.csv", |path| write_submission(path, &["n"], &[0.5]))),
            ("x", artifacts.with("x", |path| write_atomic(path.join("y"), |_| Ok::<_, Error>(())))),
        ] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(&format!("'{}'", out.join(name).display())), "{error}");
            assert!(!error.contains("unfinished"), "{error}");
        }
    }

    #[test]
    fn nothing_stays_without_a_commit_and_no_name_leaves_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::create(place.path().join("out")).unwrap();
        artifacts.write("a", "b").unwrap();
        for name in ["../a", "/a", "", "x/../../a"] {
            assert!(artifacts.write(name, "b").is_err(), "{name}");
        }
        drop(artifacts);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);

        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        for target in [file.clone(), file.join("below")] {
            let error = Artifacts::create(&target).unwrap_err().to_string();
            assert!(error.contains(&*target.to_string_lossy()), "{error}");
        }
    }
}
