//! Mapped panels: what was written is handed out, only what is in use is in memory, and what was
//! changed is found.

use std::{
    fs::{self, File},
    path::Path,
};

use fattail_core::{Eras, Ids, Panel, silent};
use fattail_store::{
    Error, MappedPanel, PieceLimit, ReadOptions, Result, open_ipc, read, write_ipc, write_mapped,
};
use proptest::prelude::*;

use super::{assert_same, hostile::Xorshift, laws::panels, panel, panel_options};

fn one_era() -> PieceLimit {
    PieceLimit { eras: 1, ..PieceLimit::default() }
}

/// The panel in pieces that begin at some of its eras.
fn pieces(panel: &Panel, begins: &[bool]) -> Vec<Result<Panel>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for era in 0..panel.eras().len() {
        match groups.last_mut() {
            Some(last) if !begins[era % begins.len()] => last.push(era),
            _ => groups.push(vec![era]),
        }
    }
    groups.iter().map(|eras| Ok(panel.cut(eras).unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_range_of_eras_is_a_cut(
        panel in panels(),
        begins in prop::collection::vec(any::<bool>(), 1..9),
        limit in (1usize..5, 1usize..400),
        range in (0usize..9, 1usize..9),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.arrow");
        let limit = PieceLimit { eras: limit.0, bytes: limit.1 };
        write_mapped(pieces(&panel, &begins), &path, &limit).unwrap();

        let mapped = MappedPanel::open(&path).unwrap().checked();
        mapped.verify().unwrap();
        prop_assert_eq!(mapped.eras(), panel.eras());
        prop_assert_eq!(mapped.bytes(), panel.bytes());
        prop_assert!((0..=panel.rows()).all(|row| mapped.id(row) == panel.id(row)));
        let mut next = 0;
        for (eras, piece) in mapped.blocks().zip(mapped.pieces()) {
            prop_assert_eq!(eras.start, next);
            next = eras.end;
            prop_assert!(eras.len() <= limit.eras);
            let piece = piece.unwrap();
            prop_assert!(piece.bytes() <= limit.bytes || eras.len() == 1);
            assert_same(&panel.cut(&eras.collect::<Vec<_>>()).unwrap(), &piece);
        }
        prop_assert_eq!(next, panel.eras().len());

        let start = range.0 % panel.eras().len();
        let end = panel.eras().len().min(start + range.1);
        let eras: Vec<usize> = (start..end).collect();
        let names = ["feature_numbers", "feature_bins"];
        let some = mapped.select(&names).unwrap();
        let expected = panel.cut(&eras).unwrap().select(&names).unwrap();
        assert_same(&expected, &some.panel(start..end).unwrap());

        // It is an Arrow file like any other.
        let all = ReadOptions { missing: fattail_store::Missing::Keep, ..ReadOptions::default() };
        assert_same(&panel, &read(&path, &all, &silent).unwrap());
    }
}

#[test]
fn a_panel_of_every_kind_of_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    let cut = panel().cut(&[0, 2]).unwrap();
    write_mapped([Ok(cut.clone())], &path, &one_era()).unwrap();
    let mapped = MappedPanel::open(&path).unwrap();
    let names: Vec<&str> = mapped.features().collect();
    assert_eq!(names, ["feature_bins", "feature_large", "feature_numbers"]);
    assert_eq!((mapped.rows(), mapped.id(4), mapped.id(5)), (5, Some("ccc"), None));
    assert_same(&cut, &mapped.panel(0..2).unwrap());
    assert_same(&cut.cut(&[1]).unwrap(), &mapped.panel(1..2).unwrap());
    assert_same(&cut, &read(&path, &panel_options(), &silent).unwrap());
    assert_eq!(mapped.panel(0..1).unwrap().schema().target(), Some("target"));

    // What `write_ipc` writes is one block, with checksums too.
    write_ipc(&cut, &path).unwrap();
    let whole = MappedPanel::open(&path).unwrap();
    whole.verify().unwrap();
    assert!(whole.blocks().eq(std::iter::once(0..2)));
    assert_same(&open_ipc(&path).unwrap(), &whole.panel(0..2).unwrap());
    // Replaced by renaming, the file that is open stays as it was.
    assert_same(&cut, &mapped.panel(0..2).unwrap());
}

#[test]
fn what_is_asked_for_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    write_mapped([Ok(panel())], &path, &one_era()).unwrap();
    let mapped = MappedPanel::open(&path).unwrap();
    let error = mapped.select(&["feature_bin"]).unwrap_err().to_string();
    let says = "no column 'feature_bin', asked for as feature, did you mean 'feature_bins'?";
    assert!(error.ends_with(says), "{error}");
    for (eras, says) in [
        (1..1, "the list of eras is empty"),
        (2..4, "era index 3 at position 1 is not allowed: indices increase and stay below 3"),
        (
            0..usize::MAX,
            "era index 3 at position 3 is not allowed: indices increase and stay below 3",
        ),
        (7..9, "era index 7 at position 0 is not allowed: indices increase and stay below 3"),
    ] {
        let error = mapped.panel(eras).unwrap_err().to_string();
        assert_eq!(error, format!("'{}': {says}", path.display()));
    }
}

/// Lines of this process's memory map that name the file.
#[cfg(target_os = "linux")]
fn maps(path: &Path) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.ends_with(&*path.to_string_lossy())).count()
}

#[cfg(target_os = "linux")]
#[test]
fn only_blocks_in_use_are_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    write_mapped([Ok(panel())], &path, &one_era()).unwrap();
    let mapped = MappedPanel::open(&path).unwrap();
    assert_eq!(maps(&path), 0);
    for piece in mapped.pieces() {
        let cut = piece.unwrap().cut(&[0]).unwrap();
        assert_eq!(maps(&path), 1);
        drop(cut);
        assert_eq!(maps(&path), 0);
    }
    let both = [mapped.panel(0..1).unwrap(), mapped.panel(2..3).unwrap()];
    assert_eq!(maps(&path), 2);
    drop(both);
    let copied = mapped.panel(0..3).unwrap();
    assert_eq!(maps(&path), 0);
    mapped.verify().unwrap();
    assert_same(&panel(), &copied);
}

#[test]
fn pieces_that_are_no_panel_leave_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    let write = |pieces: Vec<Result<Panel>>| write_mapped(pieces, &path, &PieceLimit::default());
    write(vec![Ok(panel())]).unwrap();
    let before = fs::read(&path).unwrap();
    let cut = |eras: &[usize]| Ok(panel().cut(eras).unwrap());
    let other = panel().cut(&[2]).unwrap();
    let numbers = other.replace_features([(0, vec![0.5f32; 3])]).unwrap();
    let infinite = other.replace_features([(2, vec![0.5, f32::NEG_INFINITY, 0.0])]).unwrap();
    let failed = MappedPanel::open(folder.path().join("none.arrow")).map(|_| panel());
    for (pieces, says) in [
        (vec![], "has no rows to write: it was given no piece"),
        (
            vec![cut(&[1]), cut(&[0])],
            ", row 1, column 'era': era '0001' follows era '0002', expected sorted eras",
        ),
        (
            vec![cut(&[0]), Ok(numbers)],
            "column 2 of a piece is 'feature_bins' of Float32, in the first piece 'feature_bins' of UInt8",
        ),
        (
            vec![cut(&[0]), Ok(other.select(&["feature_bins"]).unwrap())],
            "column 3 of a piece is 'target_60' of Float32, in the first piece 'feature_large' of UInt8",
        ),
        (
            vec![cut(&[0]), Ok(infinite)],
            ", row 3, column 'feature_numbers': found -inf, expected a finite number or NaN",
        ),
        (vec![cut(&[0]), failed], "none.arrow': No such file or directory (os error 2)"),
    ] {
        let error = write(pieces).unwrap_err().to_string();
        assert!(error.ends_with(says), "{error}");
    }
    let error = write_mapped([cut(&[0])], &path, &PieceLimit { eras: 0, bytes: 1 }).unwrap_err();
    assert_eq!(error.to_string(), "setting 'pieces.eras' is 0, allowed is 1 and above");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_same_panel_is_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, threads: usize| {
        let path = folder.path().join(name);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write_mapped([Ok(panel())], &path, &one_era())).unwrap();
        fs::read(path).unwrap()
    };
    assert!(write("a", 1) == write("b", 3));
}

#[test]
fn a_file_that_is_cut_short_is_an_error_before_it_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    write_mapped([Ok(panel())], &path, &one_era()).unwrap();
    let whole = fs::metadata(&path).unwrap().len();
    let mapped = MappedPanel::open(&path).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    let error = [mapped.verify().map(|()| panel()), mapped.panel(1..3), mapped.panel(2..3)]
        .map(|result| result.unwrap_err());
    for error in error {
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
        let error = error.to_string();
        let says = "block 2 is not readable as a mapped panel: it ends at byte ";
        assert!(error.contains(says) && error.ends_with("and the file now has 4096"), "{error}");
    }
    for length in [whole - 1, 4096, 1000, 9, 0] {
        File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        let error = MappedPanel::open(&path).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(MappedPanel::open(&path), Err(Error::Read { .. })));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_removed_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    write_mapped([Ok(panel())], &path, &one_era()).unwrap();
    let mapped = MappedPanel::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    mapped.verify().unwrap();
    assert_same(&panel(), &mapped.panel(0..3).unwrap());
}

#[test]
fn a_changed_value_is_found_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    write_mapped([Ok(panel())], &path, &one_era()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(3).position(|window| window == [3, 4, 128]).unwrap();
    bytes[at + 1] = 5;
    fs::write(&path, bytes).unwrap();
    let mapped = MappedPanel::open(&path).unwrap();
    let error = mapped.verify().unwrap_err();
    let Error::Checksum { block: 2, column, found, expected, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(column, "feature_large");
    let says = format!(
        "'{}', block 2, column 'feature_large': its checksum is {found:08x}, expected {expected:08x}",
        path.display()
    );
    assert_eq!(error.to_string(), says);

    // Handed out as it is, unless checksums are asked for; other blocks and columns are not judged.
    assert_eq!(mapped.panel(2..3).unwrap().feature(1).to_f32(), [3.0, 5.0, 128.0]);
    let checked = mapped.checked();
    assert_eq!(checked.panel(2..3).unwrap_err().to_string(), says);
    assert_eq!(checked.panel(0..3).unwrap_err().to_string(), says);
    checked.panel(0..2).unwrap();
    checked.select(&["feature_bins"]).unwrap().panel(2..3).unwrap();
}

/// One to three flipped bits, many times over: whatever opens and verifies is the panel.
#[test]
fn what_verifies_is_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    write_mapped([Ok(panel())], &path, &PieceLimit { eras: 2, ..one_era() }).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut random = Xorshift(0x5eed);
    let (mut refused, mut unharmed) = (0, 0);
    for _ in 0..6000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        let read = MappedPanel::open(&path).and_then(|mapped| {
            mapped.verify()?;
            mapped.panel(0..mapped.eras().len())
        });
        match read {
            Ok(read) => {
                unharmed += 1;
                assert_same(&panel(), &read);
            }
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
            }
        }
    }
    assert!(refused > 1000 && unharmed > 1000, "{refused} refused, {unharmed} unharmed");
}

/// Blocks whose eras are many: keys of every era, and ids that are not checked twice.
#[test]
fn many_eras_in_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    let runs = (0..3000usize).map(|era| (era.to_string().into(), 1 + era % 3));
    let eras = Eras::from_runs(runs).unwrap();
    let rows = eras.rows();
    let panel = Panel::builder()
        .era_runs(eras)
        .ids((0..rows).map(|row| format!("{row}")).collect::<Ids>())
        .feature("a", (0..rows).map(|row| (row % 251) as u8).collect::<Vec<_>>())
        .build()
        .unwrap();
    write_mapped([Ok(panel.clone())], &path, &PieceLimit { eras: 999, ..one_era() }).unwrap();
    let mapped = MappedPanel::open(&path).unwrap();
    assert_eq!(mapped.blocks().collect::<Vec<_>>(), [0..999, 999..1998, 1998..2997, 2997..3000]);
    let some: Vec<usize> = (1500..2500).collect();
    assert_same(&panel.cut(&some).unwrap(), &mapped.panel(1500..2500).unwrap());
}

#[test]
fn other_arrow_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.arrow");
    for (bytes, says) in [
        (&b""[..], "the file is too short"),
        (b"ARROW1\0\0 and then nothing ARROW1", "is not readable as a mapped panel"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = MappedPanel::open(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    // As it was written before there were checksums.
    let batch = fattail_store::panel_to_batch(&panel()).unwrap();
    let file = File::create(&path).unwrap();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    assert_same(&panel(), &open_ipc(&path).unwrap());
    let error = MappedPanel::open(&path).unwrap_err().to_string();
    assert!(error.ends_with("is not readable as a mapped panel: it has no checksums"), "{error}");
}
