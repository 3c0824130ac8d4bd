//! A run that ends too early, and one that must not begin.

use std::{
    fs,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use fattail_core::{Progress, silent};
use fattail_ingest::{Error, Ingest, Known, Rule, Summary};

use crate::{
    files::{Case, rows},
    pollute::{clean, polluted},
};

/// The least memory, so that a small file takes several waves and row groups.
pub(crate) fn small() -> Ingest {
    Ingest { memory: 32 << 20, ..Ingest::default() }
}

pub(crate) fn bytes(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

pub(crate) fn large(seed: u64) -> Vec<u8> {
    let rows = clean(seed, 60_000);
    let mut text = polluted(seed, &rows, 50, ',', "\n").text;
    let names = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let body = text[names..].to_vec();
    while text.len() < 26 << 20 {
        text.extend_from_slice(&body);
    }
    text
}

/// A run that dies behind a wave, counted from 1.
pub(crate) fn killed(case: &Case, settings: &Ingest, wave: u64) {
    let left = AtomicU64::new(wave);
    let die = |progress: Progress<'_>| {
        if progress.stage == "bytes" && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::panic::resume_unwind(Box::new("killed"));
        }
    };
    let died = catch_unwind(AssertUnwindSafe(|| settings.file(&case.input, &case.out(), &die)));
    assert!(died.is_err());
}

#[test]
fn a_run_that_died_is_taken_up_and_ends_the_same() {
    let text = large(7);
    let whole = Case::new(&text);
    let waves = AtomicU64::new(0);
    let count = |progress: Progress<'_>| {
        waves.fetch_add(u64::from(progress.stage == "bytes"), Ordering::Relaxed);
    };
    small().file(&whole.input, &whole.out(), &count).unwrap();
    let expected = bytes(&whole.out());
    let waves = waves.into_inner();
    assert!(waves >= 8, "{waves}");

    for last in 1..=waves {
        let out = whole.out().with_file_name("again");
        let left = AtomicU64::new(last);
        let die = |progress: Progress<'_>| {
            if progress.stage == "bytes" && left.fetch_sub(1, Ordering::Relaxed) == 1 {
                std::panic::resume_unwind(Box::new("killed"));
            }
        };
        let died = catch_unwind(AssertUnwindSafe(|| small().file(&whole.input, &out, &die)));
        assert!(died.is_err());
        // Nothing stands under a final name.
        assert!(
            fs::read_dir(&out).unwrap().all(|entry| entry.unwrap().file_name() == ".ingest-table")
        );
        let summary = small().file(&whole.input, &out, &silent).unwrap();
        // Where it died before the first step it begins anew.
        assert!(summary.resumed_at > 0 || last <= 4, "died after wave {last}");
        for ((name, found), (_, expected)) in bytes(&out).iter().zip(&expected) {
            let same = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
            assert!(
                found == expected,
                "{name} differs at {same} of {}, died after wave {last}",
                found.len()
            );
        }
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn what_a_run_left_is_not_taken_up_by_another_one() {
    let case = Case::new(large(3));
    let die = |_: Progress<'_>| std::panic::resume_unwind(Box::new("killed"));
    catch_unwind(AssertUnwindSafe(|| small().file(&case.input, &case.out(), &die))).unwrap_err();
    let other = Ingest { texts: true, ..small() };
    let summary = case.run(&other);
    assert_eq!(summary.resumed_at, 0);
    let alone = Case::new(fs::read(&case.input).unwrap());
    alone.run(&other);
    assert!(bytes(&case.out()) == bytes(&alone.out()));
}

#[test]
fn a_run_whose_tail_needs_no_repair_is_taken_up_there() {
    let mut text = String::from("id,price\n1,n/a\n");
    (2..1_900_000).for_each(|row| text.push_str(&format!("{row},{}.5\n", row % 9999)));
    let case = Case::new(&text);
    killed(&case, &small(), text.len() as u64 >> 21);
    let summary = case.run(&small());
    assert_eq!(summary.counts.rules.values().sum::<u64>(), 1);
    assert!(summary.resumed_at > text.len() as u64 / 2, "{}", summary.resumed_at);
    let alone = Case::new(&text);
    alone.run(&small());
    assert!(bytes(&case.out()) == bytes(&alone.out()));
}

#[test]
fn a_run_that_had_to_widen_is_taken_up_with_the_wider_columns() {
    let mut text = String::from("id,price\n");
    let price = |row| if row == 1_500_000 { "2.5" } else { "2" };
    (0..1_900_000).for_each(|row| text.push_str(&format!("{row},{}\n", price(row))));
    let case = Case::new(&text);
    let waves = text.len() as u64 >> 21;
    // The first pass ends where the first fraction is, and the second one dies near the end.
    killed(&case, &small(), waves * 3 / 4 + waves * 3 / 4);
    let summary = case.run(&small());
    assert_eq!(summary.widened, ["price"]);
    assert!(summary.resumed_at > 0);
    let alone = Case::new(&text);
    alone.run(&small());
    assert!(bytes(&case.out()) == bytes(&alone.out()));
}

#[test]
fn a_run_without_a_row_is_taken_up_as_well() {
    let known =
        Known { delimiter: Some(b';'), preamble: Some(1), header: Some(1), ..Known::default() };
    let settings = Ingest { known, ..small() };
    let text = "report of May\nday;price\n";
    let case = Case::new(text);
    // It dies where its parts get their names: a folder stands in the place of one.
    fs::create_dir_all(case.out().join("table.schema.json/old")).unwrap();
    settings.file(&case.input, &case.out(), &silent).unwrap_err();
    fs::remove_dir_all(case.out().join("table.schema.json")).unwrap();
    let summary = case.run(&settings);
    assert_eq!(summary.counts.rules[&Rule::Preamble], 1);
    let alone = Case::new(text);
    alone.run(&settings);
    assert!(bytes(&case.out()) == bytes(&alone.out()));

    // And one whose footer is given, which has no text left.
    let known = Known { footer: Some(2), ..Known::default() };
    let settings = Ingest { known, ..small() };
    let case = Case::new("id,price\n".to_owned() + &"7,2.5\n".repeat(3_000) + "total\nend\n");
    fs::create_dir_all(case.out().join("table.schema.json/old")).unwrap();
    settings.file(&case.input, &case.out(), &silent).unwrap_err();
    fs::remove_dir_all(case.out().join("table.schema.json")).unwrap();
    let summary = case.run(&settings);
    assert_eq!((summary.counts.written, summary.footer), (3_000, 2));
}

#[test]
fn rows_set_aside_that_were_lost_are_set_aside_again() {
    let case = Case::new(large(13));
    killed(&case, &small(), 9);
    let part = case.out().join(".ingest-table/quarantine");
    let aside = fs::OpenOptions::new().write(true).open(part).unwrap();
    assert!(aside.metadata().unwrap().len() > 0);
    aside.set_len(1).unwrap();
    assert_eq!(case.run(&small()).resumed_at, 0);
    let alone = Case::new(fs::read(&case.input).unwrap());
    alone.run(&small());
    assert!(bytes(&case.out()) == bytes(&alone.out()));
}

#[test]
fn the_work_of_another_process_stays() {
    let case = Case::new("a,b\n1,2\n");
    let work = case.out().join(".ingest-table");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join("data"), "data").unwrap();
    let journal = fs::File::create(work.join("journal")).unwrap();
    journal.try_lock().unwrap();
    let error = small().file(&case.input, &case.out(), &silent).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    fs::create_dir(case.out().join("table.parquet")).unwrap();
    let error = small().file(&case.input, &case.out(), &silent).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    assert_eq!(fs::read(work.join("data")).unwrap(), b"data");
}

#[test]
fn a_compressed_file_cut_in_half_is_one_error_and_leaves_nothing() {
    let large = large(17);
    for text in [&large[..100_000], &large[..]] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        for whole in [gzip.finish().unwrap(), zstd::encode_all(text, 1).unwrap()] {
            let case = Case::new(&whole[..whole.len() / 2]);
            let error = small().file(&case.input, &case.out(), &silent).unwrap_err();
            assert!(matches!(error, Error::Read { .. }), "{error}");
            assert!(!case.out().exists());
        }
    }
}

#[test]
fn a_file_cut_while_it_is_read_is_one_error_and_leaves_nothing() {
    let text = large(5);
    let wide = String::from_utf8_lossy(&text).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (text, left) in [(text, 9 << 20), (wide, 18 << 20)] {
        let case = Case::new(text);
        let cut = |_: Progress<'_>| {
            let file = fs::OpenOptions::new().write(true).open(&case.input).unwrap();
            file.set_len(left).unwrap();
        };
        let error = small().file(&case.input, &case.out(), &cut).unwrap_err();
        assert!(matches!(error, Error::Shrunk { .. }), "{error}");
        assert!(error.to_string().contains("became shorter while it was read"), "{error}");
        assert!(!case.out().exists());
    }
}

#[test]
fn impossible_places_are_one_error_and_stay_as_they_were() {
    let case = Case::new("a,b\n1,2\n");
    let below = case.input.join("out");
    let error = small().file(&case.input, &below, &silent).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write '{}", below.display())), "{error}");

    let missing = case.input.with_file_name("none.csv");
    let error = small().file(&missing, &case.out(), &silent).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot read '{}'", missing.display())), "{error}");
    assert!(!case.out().exists());

    // A folder in the place of the table: what was there is still there.
    fs::create_dir_all(case.out().join("table.parquet/old")).unwrap();
    small().file(&case.input, &case.out(), &silent).unwrap_err();
    assert_eq!(fs::read_dir(case.out()).unwrap().count(), 1);
    assert!(case.out().join("table.parquet/old").exists());
}

#[test]
fn the_same_for_any_number_of_threads_and_any_memory() {
    let text = large(11);
    let case = Case::new(&text);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let written = |summary: &Summary| {
        [&summary.table, &summary.repairs, &summary.quarantine].map(|path| fs::read(path).unwrap())
    };
    // Waves of 2 MiB, and of 16 MiB, which have many chunks.
    let [small, large] = [small(), Ingest { memory: 256 << 20, ..Ingest::default() }];
    let told = [&small, &large].map(|settings| {
        let one = pool(1).install(|| case.run(settings));
        let bytes = written(&one);
        for threads in [2, 3, 7] {
            let more = pool(threads).install(|| case.run(settings));
            assert!(written(&more) == bytes, "{threads} threads, memory {}", settings.memory);
        }
        (rows(&one.table), one.counts)
    });
    assert!(told[0] == told[1]);
}
