//! A run that is killed while its parts are given their names.

use std::{fs, path::Path};

use fattail_core::{Progress, silent};
use fattail_ingest::{Error, Ingest};

use crate::{
    files::Case,
    flow::bytes,
    pollute::{clean, polluted},
};

/// The parts, in the order in which they are given their names.
const PARTS: [(&str, &str); 4] = [
    ("quarantine", "table.quarantine"),
    ("repairs", "table.repairs.parquet"),
    ("schema", "table.schema.json"),
    ("data", "table.parquet"),
];

fn text() -> Vec<u8> {
    polluted(5, &clean(5, 3000), 3, ',', "\n").text
}

/// A work folder whose parts are whole, with older files under the names of those behind the first
/// `given`.
fn killed(case: &Case, given: usize) {
    let out = case.out();
    // Something stands in the way of the last part.
    let stop = |_: Progress<'_>| fs::create_dir_all(out.join("table.parquet")).unwrap();
    let error = Ingest::default().file(&case.input, &out, &stop).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    fs::remove_dir(out.join("table.parquet")).unwrap();
    for (at, (part, name)) in PARTS.into_iter().enumerate() {
        let (part, name) = (out.join(".ingest-table").join(part), out.join(name));
        match at < given {
            true if part.exists() => fs::rename(part, name).unwrap(),
            true => {}
            false => {
                if !part.exists() {
                    fs::rename(&name, part).unwrap();
                }
                fs::write(name, "of an older run").unwrap();
            }
        }
    }
}

fn expected(text: &[u8], settings: &Ingest) -> Vec<(String, Vec<u8>)> {
    let case = Case::new(text);
    assert!(case.run(settings).counts.quarantined > 0);
    bytes(&case.out())
}

fn expect_same(out: &Path, expected: &[(String, Vec<u8>)], given: usize) {
    assert!(bytes(out) == expected, "{given} parts had their names");
}

#[test]
fn the_next_run_goes_on_with_it() {
    let text = text();
    let alone = Case::new(&text).run(&Ingest::default());
    let expected = expected(&text, &Ingest::default());
    for given in 0..=PARTS.len() {
        let case = Case::new(&text);
        killed(&case, given);
        let summary = case.run(&Ingest::default());
        assert_eq!((&summary.counts, &summary.columns), (&alone.counts, &alone.columns));
        assert_eq!(summary.table, case.out().join("table.parquet"));
        expect_same(&case.out(), &expected, given);
    }
}

#[test]
fn another_run_ends_it_and_begins() {
    let text = text();
    let other = Ingest { texts: true, ..Ingest::default() };
    let (first, second) = (expected(&text, &Ingest::default()), expected(&text, &other));
    for given in 0..=PARTS.len() {
        let case = Case::new(&text);
        killed(&case, given);
        case.run(&other);
        expect_same(&case.out(), &second, given);
    }
    // What the other run leaves when it fails is what the first one would have left.
    let case = Case::new(&text);
    killed(&case, 2);
    let cut = |_: Progress<'_>| fs::write(&case.input, "").unwrap();
    let refused = Ingest { memory: 32 << 20, ..other };
    fs::write(&case.input, text.repeat(60)).unwrap();
    refused.file(&case.input, &case.out(), &cut).unwrap_err();
    expect_same(&case.out(), &first, 2);
}

#[test]
fn parts_that_are_gone_are_written_again() {
    let text = text();
    let case = Case::new(&text);
    killed(&case, 2);
    fs::remove_file(case.out().join("table.quarantine")).unwrap();
    Ingest::default().file(&case.input, &case.out(), &silent).unwrap();
    expect_same(&case.out(), &expected(&text, &Ingest::default()), 2);
}
