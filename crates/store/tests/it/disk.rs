//! Disks that are full and folders that are not writable: one clear error, and the folder as it was.

use std::{fs, path::Path, process::Command};

use fattail_core::{Eras, Panel};
use fattail_store::{Artifacts, Error, PieceLimit, Spill, write_ipc, write_mapped, write_parquet};

/// Tells the test that fills a disk which one.
const DISK: &str = "FATTAIL_TEST_DISK";

/// About 200 kB whichever way it is written.
fn large() -> Panel {
    let rows = 50_000usize;
    let noise = |row: usize| ((row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32;
    Panel::builder()
        .era_runs(Eras::from_runs([("1".into(), rows / 2), ("2".into(), rows / 2)]).unwrap())
        .feature("feature_a", (0..rows).map(noise).collect::<Vec<_>>())
        .build()
        .unwrap()
}

/// Each way of writing is refused with an error that names the file, and leaves what there was.
fn expect_refused(folder: &Path, says: &str) {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = (names(folder), fs::read(folder.join("old.arrow")).unwrap());
    let (panel, pieces) = (large(), PieceLimit { eras: 1, ..PieceLimit::default() });
    let old = folder.join("old.arrow");
    let results = [
        write_mapped([Ok(panel.clone())], &old, &pieces),
        write_ipc(&panel, &old),
        write_parquet(&panel, &old),
        Artifacts::create(folder.join("run")).and_then(|artifacts| {
            artifacts.with("p.arrow", |path| write_ipc(&panel, path))?;
            artifacts.commit()
        }),
        Spill::create(folder, u64::MAX).and_then(|mut spill| spill.put(&panel).map(|_| ())),
    ];
    for result in results {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.starts_with("cannot write '") && error.contains(says), "{error}");
        assert!(error.contains(&*folder.to_string_lossy()) && !error.contains('\n'), "{error}");
    }
    assert_eq!((names(folder), fs::read(old).unwrap()), before);
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_not_writable() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let shut = folder.path().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::write(shut.join("old.arrow"), "old").unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o555)).unwrap();
    match fs::write(shut.join("probe"), "x") {
        Ok(()) => println!("skipped: this user may write everywhere"),
        Err(_) => expect_refused(&shut, "Permission denied"),
    }
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs [`on_a_small_disk`] where a disk of 100 kB is mounted for it alone.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=100k none \"$1\"";
    let small = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh"]).arg(folder.path());
        command
    };
    if !small(mount).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: this user may not mount a small disk");
        return;
    }
    let test = std::env::current_exe().unwrap();
    let run = format!("{mount} && exec \"$2\" --exact disk::on_a_small_disk --ignored --nocapture");
    let output = small(&run).arg(test).env(DISK, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "a_disk_that_is_full runs it on a small disk"]
fn on_a_small_disk() {
    let Some(folder) = std::env::var_os(DISK) else {
        println!("skipped: it has no small disk");
        return;
    };
    let folder = Path::new(&folder);
    fs::write(folder.join("old.arrow"), "old").unwrap();
    expect_refused(folder, "No space left on device");
}
