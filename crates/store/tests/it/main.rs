//! Tests of the door to disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arrow_forms;
mod bad_input;
mod csv_files;
mod disk;
mod hostile;
mod laws;
mod mapped;
mod parquet_files;
mod predictions;
mod roles;
mod spill;
mod streams;
mod text_files;

use std::{fs::File, path::Path, sync::Arc};

use arrow::array::{ArrayRef, RecordBatch};
use fattail_core::{Ids, Panel};
use fattail_store::ReadOptions;
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

/// Writes columns as Parquet with so many rows a row group.
fn parquet(path: &Path, group: usize, columns: &[(&str, ArrayRef)]) {
    let batch = batch(columns);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let columns = columns.iter().map(|(name, column)| (*name, Arc::clone(column), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn no_ids() -> ReadOptions {
    ReadOptions { id: None, ..ReadOptions::default() }
}

/// A panel of every kind of column: three eras of 2, 1 and 3 rows.
fn panel() -> Panel {
    Panel::builder()
        .eras(&["0001", "0001", "0002", "0010", "0010", "0010"])
        .unwrap()
        .ids(["a", "b", "a", "a", "b", "ccc"].into_iter().collect::<Ids>())
        .feature("feature_bins", vec![0u8, 1, 2, 3, 4, 127])
        .feature("feature_large", vec![0u8, 255, 2, 3, 4, 128])
        .feature("feature_numbers", vec![0.5f32, -1.5, 0.0, 1e-30, 3e30, 0.25])
        .target("target_60", vec![0.0f32, 0.25, f32::NAN, 0.5, 0.75, 1.0])
        .target("target", vec![1.0f32, 0.75, 0.5, 0.25, 0.0, 0.5])
        .main_target("target")
        .extra("meta", vec![0.1f32, f32::NAN, 0.3, 0.4, 0.5, 0.6])
        .weights(vec![1.0f32, 2.0, 1.0, 0.0, 1.0, 0.5])
        .build()
        .unwrap()
}

/// The options that read [`panel`] back.
fn panel_options() -> ReadOptions {
    ReadOptions {
        extras: vec!["meta".into()],
        weight: Some("weight".into()),
        ..ReadOptions::default()
    }
}

/// Same names, eras, ids and bits.
fn assert_same(a: &Panel, b: &Panel) {
    assert_eq!(a.schema(), b.schema());
    assert_eq!(a.eras(), b.eras());
    for row in 0..a.rows() {
        assert_eq!(a.id(row), b.id(row));
    }
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    for position in 0..a.width() {
        let (x, y) = (a.feature(position), b.feature(position));
        assert_eq!(x.is_u8(), y.is_u8(), "{}", a.schema().features()[position]);
        assert_eq!(bits(x.to_f32()), bits(y.to_f32()));
    }
    for name in a.schema().targets() {
        let values = |panel: &Panel| bits(panel.target_named(name).unwrap().to_f32());
        assert_eq!(values(a), values(b));
    }
    for name in a.schema().extras() {
        let values = |panel: &Panel| bits(panel.extra(name).unwrap().to_f32());
        assert_eq!(values(a), values(b));
    }
    let weights = |panel: &Panel| panel.weights().map(|weights| weights.to_f32());
    assert_eq!(weights(a), weights(b));
}
