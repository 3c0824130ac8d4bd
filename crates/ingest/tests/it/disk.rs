//! A disk that is full: one clear error, and the folder as it was.

use std::{fs, io::Write, path::Path};

use fattail_core::silent;
use fattail_ingest::{Codec, Error, Ingest, Policy};
use fattail_testing::{Ran, check_on_small_disk, small_disk};

use crate::{files::Case, flow::bytes};

/// About 12 MB that no encoding makes much smaller; behind its beginning, every so many rows one is too long.
fn large(every: u64) -> String {
    let mut text = String::from("id,one,two\n");
    for row in 0..300_000u64 {
        let noise = |seed: u64| (row + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let more = if row > 20_000 && row % every == 0 { ",more,and more" } else { "" };
        text.push_str(&format!("{row},x{:x},x{:x}{more}\n", noise(1), noise(1 << 40)));
    }
    text
}

fn expect_refused(settings: &Ingest, every: u64, folder: &Path) {
    let case = Case::new(large(every));
    let before = bytes(folder);
    let error = settings.file(&case.input, folder, &silent).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error:?}");
    let error = error.to_string();
    assert!(error.starts_with("cannot write '") && !error.contains('\n'), "{error}");
    assert!(error.contains("No space left on device"), "{error}");
    assert!(bytes(folder) == before);
    let below = folder.join("below");
    settings.file(&case.input, &below, &silent).unwrap_err();
    assert!(!below.exists());
}

#[test]
fn a_disk_that_is_full() {
    if check_on_small_disk("2m", "disk::on_a_small_disk").unwrap() == Ran::NotAllowed {
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
    fs::write(folder.join("table.parquet"), "of an older run").unwrap();
    let table = Ingest { memory: 32 << 20, texts: true, codec: Codec::None, ..Ingest::default() };
    expect_refused(&table, 100, folder);
    // The rows set aside take all of it.
    let aside = Ingest { policy: Policy::strict(), ..table.clone() };
    expect_refused(&aside, 1, folder);
    // Not even a journal has room.
    let mut filler = fs::File::create(folder.join("filler")).unwrap();
    while filler.write_all(&[1; 4096]).is_ok() {}
    expect_refused(&table, 100, folder);
}
