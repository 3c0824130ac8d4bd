//! Disks that are full and folders that are not writable: one clear error, and the folder as it was.

use std::{fs, path::Path};

use fattail_core::{Eras, Panel};
use fattail_store::{Artifacts, Error, PieceLimit, Spill, write_ipc, write_mapped, write_parquet};
use fattail_testing::{Ran, check_on_small_disk, small_disk, while_shut};

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

#[test]
fn a_folder_that_is_not_writable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.arrow"), "old").unwrap();
    let work = || expect_refused(folder.path(), "Permission denied");
    if while_shut(folder.path(), work).unwrap() == Ran::NotAllowed {
        println!("skipped: this user may write everywhere");
    }
}

#[test]
fn a_disk_that_is_full() {
    if check_on_small_disk("100k", "disk::on_a_small_disk").unwrap() == Ran::NotAllowed {
        println!("skipped: this user may not mount a small disk");
    }
}

#[test]
#[ignore = "a_disk_that_is_full runs it on a small disk"]
fn on_a_small_disk() {
    let Some(folder) = &small_disk() else {
        println!("skipped: it has no small disk");
        return;
    };
    fs::write(folder.join("old.arrow"), "old").unwrap();
    expect_refused(folder, "No space left on device");
}
