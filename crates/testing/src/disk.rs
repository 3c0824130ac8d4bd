//! Disks that are full and folders that may not be written to, for tests of what writes files.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Tells the process that was started for a small disk where it is mounted.
const DISK: &str = "FATTAIL_TEST_DISK";

/// Whether a test was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// It was, and passed.
    Passed,
    /// It was not: this system or this user does not allow what it needs.
    NotAllowed,
}

/// A test that failed on a small disk, or could not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("test '{test}' does not pass on a disk of {size}: {said}")]
pub struct FailedOnDisk {
    /// The test.
    pub test: String,
    /// The size of the disk.
    pub size: String,
    /// What was said.
    pub said: String,
}

/// Runs one test of the calling binary alone, in a process for which a disk of `size` (as `mount` takes it: `100k`,
/// `2m`) is mounted. The test is an ignored one that asks for [`small_disk`].
///
/// ```no_run
/// use fattail_testing::{check_on_small_disk, small_disk};
///
/// // The test:
/// check_on_small_disk("100k", "disk::on_a_small_disk").unwrap();
///
/// // `on_a_small_disk` in the module `disk`, which the run of all tests ignores:
/// if let Some(folder) = small_disk() {
///     assert!(std::fs::write(folder.join("large"), vec![1; 1 << 20]).is_err());
/// }
/// ```
///
/// # Errors
/// When the test fails, there is none of this name, or it cannot be started.
pub fn check_on_small_disk(size: &str, test: &str) -> Result<Ran, FailedOnDisk> {
    let failed = |said: String| FailedOnDisk { test: test.into(), size: size.into(), said };
    run(size, test).map_err(|error| failed(error.to_string()))?.map_err(failed)
}

/// The small disk that was mounted for this process, if one was.
pub fn small_disk() -> Option<PathBuf> {
    env::var_os(DISK).map(PathBuf::from)
}

fn run(size: &str, test: &str) -> io::Result<Result<Ran, String>> {
    let folder = tempfile::tempdir()?;
    let mount = "mount -t tmpfs -o size=\"$1\" none \"$2\"";
    // In a name space of its own the mount is seen by nobody else and gone with the process.
    let apart = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh", size]).arg(folder.path());
        command
    };
    if !apart(mount).output().is_ok_and(|output| output.status.success()) {
        return Ok(Ok(Ran::NotAllowed));
    }
    let script = format!("{mount} && exec \"$3\" --exact \"$4\" --ignored --nocapture");
    let mut command = apart(&script);
    let output = command.arg(env::current_exe()?).arg(test).env(DISK, folder.path()).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let passed = output.status.success() && said.contains("1 passed");
    Ok(if passed { Ok(Ran::Passed) } else { Err(said) })
}

/// Calls `work` while nobody may write to `folder`. A user who may write everywhere does all the same: `work` is then
/// not called.
///
/// ```
/// use fattail_testing::while_shut;
///
/// # fn main() -> std::io::Result<()> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("file");
/// while_shut(folder.path(), || assert!(std::fs::write(&path, "x").is_err()))?;
/// std::fs::write(&path, "x")
/// # }
/// ```
///
/// # Errors
/// When the folder's permissions cannot be read or set.
pub fn while_shut(folder: &Path, work: impl FnOnce()) -> io::Result<Ran> {
    let open = fs::metadata(folder)?.permissions();
    let mut shut = open.clone();
    shut.set_readonly(true);
    fs::set_permissions(folder, shut)?;
    let ran = match tempfile::tempfile_in(folder) {
        Ok(_) => Ran::NotAllowed,
        Err(_) => {
            work();
            Ran::Passed
        }
    };
    fs::set_permissions(folder, open)?;
    Ok(ran)
}
