//! Record batches and mapped files: the same values, and the same memory.

use std::{fs, sync::Arc};

use arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Int8Array, Int32Array, RecordBatch, StringArray,
    UInt8Array,
};
use arrow::datatypes::{Float32Type, UInt8Type};
use fattail_core::{Panel, Values, silent};
use fattail_store::{
    ReadOptions, Targets, open_ipc, panel_from_batches, panel_to_batch, read, write_ipc,
};

use super::{assert_same, batch, no_ids, panel, panel_options};

fn address(values: Option<Values<'_>>) -> usize {
    match values.unwrap() {
        Values::U8(values) => values.as_ptr() as usize,
        Values::F32(values) => values.as_ptr() as usize,
    }
}

#[test]
fn a_batch_is_shared_with_the_panel() {
    let (signed, unsigned) = (Int8Array::from(vec![0, 1, 4]), UInt8Array::from(vec![9, 200, 4]));
    let numbers = Float32Array::from(vec![0.5, 1.5, 2.5]);
    let addresses = [
        signed.values().as_ptr() as usize,
        unsigned.values().as_ptr() as usize,
        numbers.values().as_ptr() as usize,
    ];
    let target = numbers.clone();
    let batch = batch(&[
        ("era", Arc::new(Int32Array::from(vec![1, 1, 2]))),
        ("feature_signed", Arc::new(signed)),
        ("feature_unsigned", Arc::new(unsigned)),
        ("feature_numbers", Arc::new(numbers)),
        ("target", Arc::new(target)),
    ]);
    let panel = panel_from_batches(&[batch], &no_ids()).unwrap();
    for (position, known) in addresses.into_iter().enumerate() {
        assert_eq!(address(panel.feature(position).contiguous()), known);
    }
    assert_eq!(address(panel.target().unwrap().contiguous()), addresses[2]);
    assert_eq!(panel.feature(0).contiguous(), Some(Values::U8(&[0, 1, 4])));
}

#[test]
fn a_panel_is_shared_with_its_batch() {
    let panel = panel();
    let late = panel.cut(&[1, 2]).unwrap();
    let batch = panel_to_batch(&late).unwrap();
    let bins = batch.column_by_name("feature_bins").unwrap().as_primitive::<UInt8Type>();
    assert_eq!(bins.values().as_ptr() as usize, address(late.feature(0).contiguous()));
    let numbers = batch.column_by_name("feature_numbers").unwrap().as_primitive::<Float32Type>();
    assert_eq!(numbers.values().as_ptr() as usize, address(late.feature(2).contiguous()));
    assert_same(&late, &panel_from_batches(&[batch], &panel_options()).unwrap());

    let gaps = panel.cut(&[0, 2]).unwrap();
    let batch = panel_to_batch(&gaps).unwrap();
    assert_same(&gaps, &panel_from_batches(&[batch], &panel_options()).unwrap());
}

#[test]
fn several_batches_are_one_panel() {
    let whole = panel_to_batch(&panel()).unwrap();
    let parts: Vec<RecordBatch> = [(0, 1), (1, 3), (4, 2)]
        .into_iter()
        .map(|(start, rows)| whole.slice(start, rows))
        .collect();
    assert_same(&panel(), &panel_from_batches(&parts, &panel_options()).unwrap());
    let other = batch(&[("era", Arc::new(StringArray::from(vec!["1"])) as ArrayRef)]);
    let error = panel_from_batches(&[whole, other], &panel_options()).unwrap_err().to_string();
    assert!(error.contains("schemas of its batches differ"), "{error}");
}

#[test]
fn rows_are_counted_over_all_batches() {
    let eras = |labels: [Option<&str>; 2]| -> RecordBatch {
        batch(&[
            ("era", Arc::new(StringArray::from(labels.to_vec()))),
            ("feature_a", Arc::new(Int8Array::from(vec![1, 2]))),
        ])
    };
    for (second, says) in [
        ([Some("2"), None], "found null, expected an era"),
        ([Some("2"), Some("")], "found an empty text, expected an era"),
        ([Some("2"), Some("1")], "era '1' follows era '2', expected sorted eras"),
    ] {
        let batches = [eras([Some("1"); 2]), eras(second)];
        let error = panel_from_batches(&batches, &no_ids()).unwrap_err().to_string();
        assert_eq!(error, format!("'record batches', row 3, column 'era': {says}"));
    }
}

#[test]
fn a_mapped_panel_lies_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.arrow");
    write_ipc(&panel(), &path).unwrap();
    let mapped = open_ipc(&path).unwrap();
    assert_same(&panel(), &mapped);
    assert_eq!(mapped.schema().target(), Some("target"));

    // Every column lies between the first byte of the map and its last.
    let size = fs::metadata(&path).unwrap().len() as usize;
    let columns = (0..mapped.width())
        .map(|position| mapped.feature(position))
        .chain(mapped.schema().targets().iter().map(|name| mapped.target_named(name).unwrap()))
        .chain(mapped.weights());
    let addresses: Vec<usize> = columns.map(|column| address(column.contiguous())).collect();
    let (first, last) = (*addresses.iter().min().unwrap(), *addresses.iter().max().unwrap());
    assert!(last - first < size && addresses.iter().all(|address| address % 64 == first % 64));
    // What is read from the file at the column's offset is the column.
    let bytes = fs::read(&path).unwrap();
    let start = bytes.windows(6).position(|window| window == [0, 255, 2, 3, 4, 128]).unwrap();
    let page = address(mapped.feature(1).contiguous()) - start;
    assert_eq!(page % 4096, 0, "the map begins at a page");
    assert!(addresses.iter().all(|address| (page..page + size).contains(address)));

    // Replaced by renaming, the mapped file stays as it was; a cut shares it too.
    let cut = mapped.cut(&[2]).unwrap();
    drop(mapped);
    write_ipc(&panel().cut(&[0]).unwrap(), &path).unwrap();
    assert_eq!(cut.feature(1).to_f32(), [3.0, 4.0, 128.0]);
    assert_eq!(open_ipc(&path).unwrap().rows(), 2);
}

#[test]
fn a_mapped_file_is_read_by_names_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.arrow");
    write_ipc(&panel(), &path).unwrap();
    let options = ReadOptions { targets: Targets::Named(vec!["target_60".into()]), ..no_ids() };
    let read = read(&path, &options, &silent).unwrap();
    assert_eq!((read.width(), read.schema().target()), (3, Some("target_60")));
    assert!(!read.has_ids());
}

#[test]
fn a_file_that_is_no_mapped_panel_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.arrow");
    let batch = batch(&[
        ("era", Arc::new(Int32Array::from(vec![1, 2]))),
        ("feature_a", Arc::new(Int8Array::from(vec![1, 2]))),
    ]);
    let write = |batches: &[RecordBatch]| {
        let file = fs::File::create(&path).unwrap();
        let mut writer = arrow::ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
    };
    write(std::slice::from_ref(&batch));
    let error = open_ipc(&path).unwrap_err().to_string();
    assert!(error.ends_with("is not readable as a mapped panel: its columns have no roles"));
    write(&[batch.slice(0, 1), batch.slice(1, 1)]);
    let error = open_ipc(&path).unwrap_err().to_string();
    assert!(error.ends_with("a mapped panel: it holds 2 record batches, not one"), "{error}");
    assert_eq!(read(&path, &no_ids(), &silent).unwrap().rows(), 2);
}

#[test]
fn two_columns_of_one_name_are_not_written() {
    let panel = Panel::builder().feature("era", vec![1u8]).build().unwrap();
    let error = panel_to_batch(&panel).unwrap_err().to_string();
    assert_eq!(error, "'record batch' has column 'era' twice");
    assert_eq!(panel_to_batch(&super::panel()).unwrap().column(0).null_count(), 0);
}
