//! Every bad input is refused with file, row group or line, column and value.

use std::{fs, path::PathBuf, sync::Arc};

use arrow::array::{ArrayRef, Float32Array, Float64Array, Int8Array, ListArray, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use fattail_core::silent;
use fattail_store::{
    Artifacts, EraChoice, Features, Filter, ReadOptions, open_ipc, panel_from_batches, read,
    read_feature_sets, write_ipc, write_parquet,
};
use tempfile::TempDir;

use super::{batch, no_ids, panel, parquet};

struct Place {
    _folder: TempDir,
    path: PathBuf,
}

fn place(name: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    Place { _folder: folder, path }
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn bins(values: &[i8]) -> ArrayRef {
    Arc::new(Int8Array::from(values.to_vec()))
}

/// Five rows, two a row group.
fn good() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("id", text(&["a", "b", "c", "d", "e"])),
        ("era", text(&["1", "1", "1", "2", "2"])),
        ("feature_a", bins(&[0, 1, 2, 3, 4])),
        ("target_20", Arc::new(Float32Array::from(vec![0.0, 0.25, 0.5, 0.75, 1.0]))),
    ]
}

fn with(name: &'static str, column: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut columns = good();
    match columns.iter_mut().find(|known| known.0 == name) {
        Some(known) => known.1 = column,
        None => columns.push((name, column)),
    }
    columns
}

/// The Parquet file and the record batch are refused with the same words but for the place.
#[track_caller]
fn refused(
    columns: &[(&str, ArrayRef)],
    options: &ReadOptions,
    group_row: &str,
    row: &str,
    says: &str,
) {
    let at = place("f.parquet");
    parquet(&at.path, 2, columns);
    let error = read(&at.path, options, &silent).unwrap_err().to_string();
    assert_eq!(error, format!("'{}'{group_row}{says}", at.path.display()));
    let error = panel_from_batches(&[batch(columns)], options).unwrap_err().to_string();
    assert_eq!(error, format!("'record batches'{row}{says}"));
}

#[track_caller]
fn refused_csv(content: &str, options: &ReadOptions, says: &str) {
    let at = place("f.csv");
    fs::write(&at.path, content).unwrap();
    let error = read(&at.path, options, &silent).unwrap_err().to_string();
    assert_eq!(error, format!("'{}'{says}", at.path.display()));
}

#[test]
fn missing_column_and_unknown_target() {
    let named = ReadOptions { features: Features::Named(vec!["feature_b".into()]), ..no_ids() };
    let says = " has no column 'feature_b', asked for as feature, did you mean 'feature_a'?";
    refused(&good(), &named, "", "", says);
    refused_csv("era,feature_a\n1,2\n", &named, says);
    let target = ReadOptions { main_target: Some("target20".into()), ..no_ids() };
    let says = " has no column 'target20', asked for as target, did you mean 'target_20'?";
    refused(&good(), &target, "", "", says);
    let era = ReadOptions { era: Some("week".into()), ..no_ids() };
    refused(&good(), &era, "", "", " has no column 'week', asked for as era");
    let prefix = ReadOptions { features: Features::Prefix("x_".into()), ..no_ids() };
    refused(&good(), &prefix, "", "", " has no feature: no column begins with 'x_'");
}

#[test]
fn unsorted_empty_and_missing_eras() {
    let options = ReadOptions::default();
    let says = ", column 'era': era '1' follows era '2', expected sorted eras";
    let columns = with("era", text(&["1", "2", "2", "1", "1"]));
    refused(&columns, &options, ", row group 1, row 1", ", row 3", says);
    refused_csv("id,era,feature_a\na,2,0\nb,1,0\n", &options, &format!(", line 3{says}"));
    let says = ", column 'era': found an empty text, expected an era";
    let columns = with("era", text(&["1", "1", "1", "1", ""]));
    refused(&columns, &options, ", row group 2, row 0", ", row 4", says);
    let says = ", line 2, column 'era': found an empty cell, expected an era";
    refused_csv("id,era,feature_a\na,,0\n", &options, says);
    let null: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), None, None, None, None]));
    let says = ", column 'era': found null, expected an era";
    refused(&with("era", null), &options, ", row group 0, row 1", ", row 1", says);
}

#[test]
fn missing_and_infinite_features() {
    let options = ReadOptions::default();
    let null: ArrayRef = Arc::new(Int8Array::from(vec![Some(0), Some(1), Some(2), None, Some(4)]));
    let says = ", column 'feature_a': found null, expected a finite number";
    refused(&with("feature_a", null), &options, ", row group 1, row 1", ", row 3", says);
    let numbers =
        |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![0.5, 0.5, 0.5, 0.5, value])) };
    let says = ", column 'feature_a': found NaN, expected a finite number";
    refused(
        &with("feature_a", numbers(f64::NAN)),
        &options,
        ", row group 2, row 0",
        ", row 4",
        says,
    );
    let keep = ReadOptions { missing: fattail_store::Missing::Keep, ..ReadOptions::default() };
    for options in [&options, &keep] {
        let says = ", column 'feature_a': found inf, expected a finite number";
        let columns = with("feature_a", numbers(f64::INFINITY));
        refused(&columns, options, ", row group 2, row 0", ", row 4", says);
    }
    let says = ", column 'target_20': found inf, expected a finite number";
    refused(
        &with("target_20", numbers(f64::INFINITY)),
        &options,
        ", row group 2, row 0",
        ", row 4",
        says,
    );
    let weight = ReadOptions { weight: Some("w".into()), ..ReadOptions::default() };
    let says = ", column 'w': found NaN, expected a finite number";
    refused(&with("w", numbers(f64::NAN)), &weight, ", row group 2, row 0", ", row 4", says);
    let says = ", line 3, column 'feature_a': found an empty cell, expected a finite number";
    refused_csv("id,era,feature_a\na,1,0\nb,1,\n", &options, says);
    let says = ", line 2, column 'feature_a': found '1e39', expected a number that fits f32";
    refused_csv("id,era,feature_a\na,1,1e39\n", &keep, says);
}

#[test]
fn numbers_too_large_and_types_too_small() {
    let options = ReadOptions::default();
    let large: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 1e30, 0.5, -1e300, 0.5]));
    let says = ", column 'feature_a': found -1e300, expected a number that fits f32";
    let columns = with("feature_a", large);
    refused(&columns, &options, ", row group 1, row 1", ", row 3", says);
    let says = ", line 2, column 'feature_a': found '1e300', expected a number that fits f32";
    let all = ReadOptions { features: Features::All, ..ReadOptions::default() };
    refused_csv("id,era,feature_a\na,1,1e300\n", &all, says);
    let half = arrow::compute::cast(&bins(&[0, 1, 2, 3, 4]), &DataType::Float16).unwrap();
    let at = place("f.parquet");
    parquet(&at.path, 2, &with("feature_a", half));
    let error = read(&at.path, &options, &silent).unwrap_err().to_string();
    assert!(error.ends_with("column 'feature_a': found type float16, expected numbers"), "{error}");
}

#[test]
fn what_a_file_says_stays_on_one_line() {
    let options = ReadOptions::default();
    let says = r", line 2, column 'feature_a': found '1\n\u{1b}[2J', expected a finite number or an empty cell";
    refused_csv("id,era,feature_a\na,1,\"1\n\u{1b}[2J\"\n", &options, says);
    let says =
        format!(r", line 4, column 'id': id 'a\n{}...' stands twice in era '1'", "b".repeat(58));
    let id = format!("\"a\n{}\"", "b".repeat(999));
    refused_csv(&format!("id,era,feature_a\n{id},1,0\n{id},1,0\n"), &options, &says);
    let says = r", column 'era': era '1\t' follows era '2\t', expected sorted eras";
    let columns = with("era", text(&["2\t", "2\t", "2\t", "1\t", "1\t"]));
    refused(&columns, &options, ", row group 1, row 1", ", row 3", says);
}

#[test]
fn text_where_numbers_are_needed() {
    let options = ReadOptions::default();
    let says = ", column 'feature_a': found the text 'NaN', expected numbers, not text";
    let columns = with("feature_a", text(&["1", "2", "NaN", "4", "5"]));
    refused(&columns, &options, ", row group 1, row 0", ", row 2", says);
    let says = ", column 'feature_a': found the text '1', expected numbers, not text";
    let columns = with("feature_a", text(&["1", "2", "3", "4", "5"]));
    refused(&columns, &options, ", row group 0, row 0", ", row 0", says);
    let expected = "expected a finite number or an empty cell";
    for word in ["NaN", "inf", "NULL", " 1", "1.5.2"] {
        let says = format!(", line 3, column 'feature_a': found '{word}', {expected}");
        refused_csv(&format!("id,era,feature_a\na,1,1\nb,1,{word}\n"), &options, &says);
    }
    let says = format!(", line 2, column 'target': found 'NaN', {expected}");
    refused_csv("id,era,feature_a,target\na,1,1,NaN\n", &options, &says);
}

#[test]
fn wrong_types() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)]); 5]);
    let at = place("f.parquet");
    parquet(&at.path, 2, &with("feature_b", Arc::new(lists)));
    let error = read(&at.path, &ReadOptions::default(), &silent).unwrap_err().to_string();
    assert!(error.contains("column 'feature_b.list"), "{error}");
    let floats: ArrayRef = Arc::new(Float32Array::from(vec![1.0; 5]));
    let at = place("g.parquet");
    parquet(&at.path, 2, &with("era", floats));
    let error = read(&at.path, &ReadOptions::default(), &silent).unwrap_err().to_string();
    let says = "column 'era': found type float, expected text, integers, dates or timestamps";
    assert!(error.ends_with(says), "{error}");
}

#[test]
fn duplicate_ids_and_names() {
    let options = ReadOptions::default();
    let says = ", column 'id': id 'd' stands twice in era '2'";
    let columns = with("id", text(&["a", "b", "c", "d", "d"]));
    refused(&columns, &options, ", row group 2, row 0", ", row 4", says);
    let says = ", line 4, column 'id': id 'a' stands twice in era '1'";
    refused_csv("id,era,feature_a\na,1,0\nb,1,0\na,1,0\n", &options, says);
    refused_csv("id,era,era\na,1,0\n", &options, " has column 'era' twice");
    let says = ", line 2, column 'id': found an empty cell, expected an id";
    refused_csv("id,era,feature_a\n,1,0\n", &options, says);
}

#[test]
fn no_rows() {
    let options = ReadOptions::default();
    let empty: Vec<(&str, ArrayRef)> =
        good().into_iter().map(|(name, column)| (name, column.slice(0, 0))).collect();
    refused(&empty, &options, "", "", " has no rows");
    refused_csv("id,era,feature_a\n", &options, " has no rows");
    refused_csv("", &options, " has no rows: it is empty, without a header");
    let live = Filter { column: "id".into(), value: "live".into() };
    let options = ReadOptions { filter: Some(live), ..ReadOptions::default() };
    refused(&good(), &options, "", "", " has no rows whose 'id' is 'live', of 5 rows");
    let eras = EraChoice { first: Some("7".into()), ..EraChoice::default() };
    let options = ReadOptions { eras, ..ReadOptions::default() };
    refused(&good(), &options, "", "", " has no rows in the eras asked for, of 5 rows");
    let eras = EraChoice { every: 0, ..EraChoice::default() };
    let error =
        panel_from_batches(&[batch(&good())], &ReadOptions { eras, ..options }).unwrap_err();
    assert_eq!(error.to_string(), "setting 'eras.every' is 0, allowed is 1 and above");
    assert!(panel_from_batches(&[], &ReadOptions::default()).is_err());
}

#[test]
fn truncated_and_foreign_files() {
    let at = place("panel.parquet");
    write_parquet(&panel(), &at.path).unwrap();
    let whole = fs::read(&at.path).unwrap();
    for length in [0, 3, 4, 11, whole.len() / 2, whole.len() - 1] {
        fs::write(&at.path, &whole[..length]).unwrap();
        let error = read(&at.path, &ReadOptions::default(), &silent).unwrap_err().to_string();
        let says = format!("'{}' is not readable as Parquet: ", at.path.display());
        assert!(error.starts_with(&says), "{length}: {error}");
    }
    // The footer stands, the pages before it are gone.
    let mut holed = whole.clone();
    holed[4..200].fill(0);
    fs::write(&at.path, &holed).unwrap();
    let error = read(&at.path, &ReadOptions::default(), &silent).unwrap_err().to_string();
    assert!(error.contains(", row group 0 is not readable as Parquet: column 'era'"), "{error}");

    let at = place("panel.arrow");
    write_ipc(&panel(), &at.path).unwrap();
    let whole = fs::read(&at.path).unwrap();
    for length in [0, 7, whole.len() / 2, whole.len() - 1] {
        fs::write(&at.path, &whole[..length]).unwrap();
        let error = open_ipc(&at.path).unwrap_err().to_string();
        let says = format!("'{}' is not readable as Arrow IPC: ", at.path.display());
        assert!(error.starts_with(&says), "{length}: {error}");
    }
    let error = open_ipc("no/such.arrow").unwrap_err().to_string();
    assert!(error.starts_with("cannot read 'no/such.arrow': "), "{error}");
    let says = ", line 3 is not readable as CSV: it has 2 cells, the header has 3";
    refused_csv("id,era,feature_a\na,1,0\nb,1\n", &ReadOptions::default(), says);
    let at = place("features.json");
    fs::write(&at.path, "{\"targets\": []}").unwrap();
    let error = read_feature_sets(&at.path).unwrap_err().to_string();
    assert!(error.contains("features.json' is not readable as a feature file: missing field"));
}

#[test]
fn a_disk_that_refuses() {
    let at = place("file");
    fs::write(&at.path, "x").unwrap();
    let below = at.path.join("panel");
    let says = format!("cannot write '{}': ", below.display());
    for error in [
        write_parquet(&panel(), &below).unwrap_err(),
        write_ipc(&panel(), &below).unwrap_err(),
        Artifacts::create(&below).map(|_| ()).unwrap_err(),
    ] {
        assert!(error.to_string().starts_with(&says), "{error}");
    }
    let infinite = panel().with_features([("f", vec![f32::INFINITY; 6])]).unwrap();
    let path = at.path.with_extension("arrow");
    let error = write_ipc(&infinite, &path).unwrap_err().to_string();
    assert!(error.ends_with(", row 0, column 'f': found inf, expected a finite number or NaN"));
    assert!(!path.exists());
}
