//! The spill folder: its limit, its order, and that nothing of it stays.

use std::{
    fs::{self, File},
    path::Path,
};

use fattail_core::Panel;
use fattail_store::{Error, Spill};

use super::{assert_same, panel};

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Bytes of the panel's file.
fn size(panel: &Panel) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let mut spill = Spill::create(folder.path(), u64::MAX).unwrap();
    let key = spill.put(panel).unwrap();
    let file = spill.path().join(format!("{key}.arrow"));
    assert_eq!(fs::metadata(file).unwrap().len(), spill.used());
    spill.used()
}

#[test]
fn the_limit_holds_to_the_byte_and_nothing_is_written_above_it() {
    let (panel, need) = (panel(), size(&panel()));
    let folder = tempfile::tempdir().unwrap();
    let mut spill = Spill::create(folder.path(), 2 * need).unwrap();
    spill.put(&panel).unwrap();
    spill.put(&panel).unwrap();
    let before = entries(spill.path());
    let error = spill.put(&panel).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "spill folder '{}' is limited to {} bytes: {need} more do not fit beside the {} in use",
            spill.path().display(),
            2 * need,
            2 * need
        )
    );
    assert_eq!((entries(spill.path()), spill.used()), (before, 2 * need));

    let mut short = Spill::create(folder.path(), need - 1).unwrap();
    assert!(matches!(short.put(&panel), Err(Error::SpillFull { used: 0, .. })));
    assert_eq!((short.used(), short.limit(), short.keys().len()), (0, need - 1, 0));
}

#[test]
fn the_oldest_goes_first_and_what_went_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut spill = Spill::create(folder.path(), 1 << 20).unwrap();
    let keys: Vec<_> =
        (0..3).map(|era| spill.put(&panel().cut(&[era]).unwrap()).unwrap()).collect();
    assert_eq!(spill.keys().collect::<Vec<_>>(), keys);
    for (era, &key) in keys.iter().enumerate() {
        let mapped = spill.get(key).unwrap();
        mapped.verify().unwrap();
        assert_same(&panel().cut(&[era]).unwrap(), &mapped.panel(0..1).unwrap());
    }
    assert!(spill.remove(keys[1]).unwrap() && !spill.remove(keys[1]).unwrap());
    let open = spill.get(keys[0]).unwrap();
    assert_eq!(spill.remove_oldest().unwrap(), Some(keys[0]));
    assert_eq!(spill.remove_oldest().unwrap(), Some(keys[2]));
    assert_eq!(spill.remove_oldest().unwrap(), None);
    assert_eq!(spill.used(), 0);
    let error = spill.get(keys[2]).unwrap_err().to_string();
    assert_eq!(error, format!("spill folder '{}' holds no panel 2", spill.path().display()));
    #[cfg(unix)]
    assert_same(&panel().cut(&[0]).unwrap(), &open.panel(0..1).unwrap());
    drop(open);
}

#[test]
fn spills_in_one_folder_do_not_meet_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("made/on/the/way");
    let mut spills: Vec<Spill> = (0..4).map(|_| Spill::create(&place, 1 << 20).unwrap()).collect();
    let keys: Vec<_> = spills.iter_mut().map(|spill| spill.put(&panel()).unwrap()).collect();
    assert_eq!(entries(&place), 4);
    spills.truncate(1);
    assert_eq!(entries(&place), 1);
    assert_same(&panel(), &spills[0].get(keys[0]).unwrap().panel(0..3).unwrap());
    let open = spills[0].get(keys[0]).unwrap();
    drop(spills);
    assert_eq!(entries(&place), 0);
    #[cfg(unix)]
    assert_same(&panel(), &open.panel(0..3).unwrap());
    drop(open);
}

/// A folder as a process leaves it that was ended, and two that look like it and are not.
#[test]
fn what_ended_processes_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let dead = place.join(".fattail-spill-dead");
    let unlocked = place.join(".fattail-spill-begun");
    let foreign = place.join("thesis");
    for (path, file) in [(&dead, "lock"), (&unlocked, "unlocked"), (&foreign, "lock")] {
        fs::create_dir(path).unwrap();
        File::create(path.join(file)).unwrap();
    }
    fs::write(dead.join("0.arrow"), "left").unwrap();
    let living = Spill::create(place, 1 << 20).unwrap();
    let _other = Spill::create(place, 1 << 20).unwrap();
    assert!(!dead.exists() && unlocked.exists() && foreign.exists() && living.path().exists());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for place in [file.clone(), file.join("below")] {
        let error = Spill::create(&place, 1).unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error:?}");
        assert!(error.to_string().contains(&*place.to_string_lossy()), "{error}");
    }
}

#[test]
fn a_panel_whose_file_was_taken_away_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut spill = Spill::create(folder.path(), 1 << 20).unwrap();
    let key = spill.put(&panel()).unwrap();
    fs::remove_file(spill.path().join("0.arrow")).unwrap();
    assert!(matches!(spill.get(key), Err(Error::Read { .. })));
    assert!(spill.remove(key).unwrap());
    fs::remove_dir_all(spill.path()).unwrap();
    let error = spill.put(&panel()).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error:?}");
    assert_eq!(spill.used(), 0);
}
