//! Bad input is refused in one line that names the place; nothing is left behind.

use crate::workshop::Workshop;

const HEADER: &str = "id,era,feature_a,feature_b,target";

/// A CSV panel of `eras` x 8 rows, with one line replaced.
fn csv(eras: usize, line: usize, with: &str) -> String {
    let mut text = vec![HEADER.to_owned()];
    for row in 0..eras * 8 {
        let (era, a, b) = (row / 8 + 1, row % 5, row * 7 % 5);
        text.push(format!("n{row},{era:04},{a},{b},{}", (a as f64 + b as f64) / 8.0));
    }
    text[line] = with.to_owned();
    text.join("\n") + "\n"
}

#[track_caller]
fn refused(line: usize, with: &str, parts: &[&str]) {
    let shop = Workshop::new();
    shop.write("p.csv", csv(40, line, with));
    let told = shop.refusal(&["--data", "@p.csv", "--out", "@out"]);
    for part in parts.iter().chain(&["p.csv"]) {
        assert!(told.contains(part), "'{part}' is not in: {told}");
    }
}

#[test]
fn text_in_a_column_of_numbers() {
    refused(9, "n8,0002,NaN,1,0.5", &["line 10", "feature_a", "NaN"]);
    refused(9, "n8,0002,1,x,0.5", &["line 10", "feature_b", "'x'"]);
}

#[test]
fn infinity_in_a_feature() {
    refused(12, "n11,0002,1,inf,0.5", &["line 13", "feature_b", "inf"]);
}

#[test]
fn an_empty_cell_in_a_feature() {
    refused(12, "n11,0002,,1,0.5", &["line 13", "feature_a"]);
}

#[test]
fn unsorted_eras() {
    refused(20, "n19,0001,1,1,0.5", &["line 21", "era '0001'"]);
}

#[test]
fn an_empty_era() {
    refused(20, "n19,,1,1,0.5", &["line 21", "era"]);
}

#[test]
fn an_id_twice_in_an_era() {
    refused(10, "n8,0002,1,1,0.5", &["n8", "0002", "line 11"]);
}

#[test]
fn columns_that_are_not_there() {
    refused(0, "id,era,feature_a,feature_b,tarqet", &["target"]);
    refused(0, "id,week,feature_a,feature_b,target", &["era"]);
    let shop = Workshop::new();
    shop.write("p.csv", csv(40, 0, HEADER));
    let told = shop.refusal(&["--data", "@p.csv", "--target", "targe", "--out", "@out"]);
    assert!(told.contains("'targe'") && told.contains("'target'"), "{told}");
}

#[test]
fn no_rows_and_one_row_eras() {
    let shop = Workshop::new();
    shop.write("p.csv", format!("{HEADER}\n"));
    let told = shop.refusal(&["--data", "@p.csv", "--out", "@out"]);
    assert!(told.contains("p.csv") && told.contains("no rows"), "{told}");
    let rows: String = (1..60).map(|era| format!("n{era},{era:04},{},1,0.5\n", era % 5)).collect();
    shop.write("one.csv", format!("{HEADER}\n{rows}"));
    let output = shop.run(
        env!("CARGO_BIN_EXE_numerai"),
        &["--data", "@one.csv", "--out", "@out", "--json", "@out.json"],
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "a submission of one row is constant: {told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(!shop.path("out").exists() && !shop.path("out.json").exists());
}

#[test]
fn files_that_are_none() {
    let shop = Workshop::new();
    let told = shop.refusal(&["--data", "@missing.parquet", "--out", "@out"]);
    assert!(told.contains("missing.parquet"), "{told}");
    let panel =
        fattail_testing::Market { eras: 40, rows: 30, ..Default::default() }.panel().unwrap();
    fattail::store::write_parquet(&panel, shop.path("m.parquet")).unwrap();
    let bytes = std::fs::read(shop.path("m.parquet")).unwrap();
    shop.write("cut.parquet", &bytes[..bytes.len() / 2]);
    let told = shop.refusal(&["--data", "@cut.parquet", "--out", "@out"]);
    assert!(told.contains("cut.parquet"), "{told}");
}

#[test]
fn a_place_that_cannot_be_written() {
    let shop = Workshop::new();
    shop.write("file", "x");
    let told = shop.refusal(&["--out", "@file/below"]);
    assert!(told.contains("cannot write") && told.contains("below"), "{told}");
    shop.write("mine.txt", "keep");
    let told = shop.refusal(&["--out", "."]);
    assert!(told.contains("cannot write") || told.contains("not replaced"), "{told}");
}

#[test]
fn a_disk_that_is_full() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let shop = Workshop::new();
    let output = shop.run(env!("CARGO_BIN_EXE_numerai"), &["--out", "@out", "--json", "/dev/full"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("cannot write '/dev/full'"), "{told}");
    assert!(!shop.path("out").exists(), "the folder was left although the run failed");
}
