//! Parquet in and out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array,
        Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray, StringArray,
        TimestampMillisecondArray, UInt8Array, UInt32Array,
    },
    datatypes::Int32Type,
};
use fattail_core::{Panel, Progress, Values, silent};
use fattail_store::{
    EraChoice, Features, Filter, Missing, ReadOptions, Targets, read, read_parquet, write_parquet,
};

use super::{assert_same, no_ids, panel, panel_options, parquet};

#[test]
fn a_panel_comes_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.parquet");
    write_parquet(&panel(), &path).unwrap();
    let back = read(&path, &panel_options(), &silent).unwrap();
    assert_same(&panel(), &back);
    assert_eq!(back.schema().target(), Some("target"));

    // A cut whose eras do not lie end to end is written as what it shows.
    let cut = panel().cut(&[0, 2]).unwrap();
    write_parquet(&cut, &path).unwrap();
    assert_same(&cut, &read(&path, &panel_options(), &silent).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn read_one(columns: &[(&str, ArrayRef)], options: &ReadOptions) -> Panel {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.parquet");
    parquet(&path, 2, columns);
    read_parquet(&path, options, &silent).unwrap()
}

#[test]
fn eras_of_every_type() {
    let values: ArrayRef = Arc::new(Int8Array::from(vec![0, 1, 2, 3, 4]));
    let words = ["era1", "era1", "era2", "era10", "era10"];
    let dictionary: DictionaryArray<Int32Type> = words.into_iter().collect();
    let day = 24 * 3600 * 1000;
    let eras: [(ArrayRef, &str, &str); 7] = [
        (Arc::new(StringArray::from(words.to_vec())), "era2", "era10"),
        (Arc::new(LargeStringArray::from(words.to_vec())), "era2", "era10"),
        (Arc::new(dictionary), "era2", "era10"),
        (Arc::new(Int64Array::from(vec![1, 1, 2, 10, 10])), "2", "10"),
        (Arc::new(UInt32Array::from(vec![1, 1, 2, u32::MAX, u32::MAX])), "2", "4294967295"),
        (Arc::new(Date32Array::from(vec![0, 0, 1, 31, 31])), "1970-01-02", "1970-02-01"),
        (
            Arc::new(TimestampMillisecondArray::from(vec![0, 0, 1000, 31 * day, 31 * day])),
            "1970-01-01T00:00:01",
            "1970-02-01T00:00:00",
        ),
    ];
    for (era, second, third) in eras {
        let panel = read_one(&[("era", era), ("feature_a", Arc::clone(&values))], &no_ids());
        assert_eq!(panel.eras().len(), 3);
        assert_eq!((panel.eras().label(1), panel.eras().label(2)), (second, third));
        assert_eq!(panel.eras().range(2), 3..5);
    }
}

#[test]
fn features_of_every_type() {
    let columns: [(&str, ArrayRef); 11] = [
        ("era", Arc::new(Int32Array::from(vec![1; 5]))),
        ("i8", Arc::new(Int8Array::from(vec![0, 1, 2, 3, 4]))),
        ("u8", Arc::new(UInt8Array::from(vec![0, 1, 2, 3, 255]))),
        ("i64", Arc::new(Int64Array::from(vec![0, 1, 2, 3, 4]))),
        ("bool", Arc::new(BooleanArray::from(vec![true, false, true, false, true]))),
        ("negative", Arc::new(Int8Array::from(vec![0, 1, 2, 3, -4]))),
        ("large", Arc::new(Int16Array::from(vec![0, 1, 2, 3, 256]))),
        ("u32", Arc::new(UInt32Array::from(vec![0, 1, 2, 3, 3_000_000_000]))),
        ("f32", Arc::new(Float32Array::from(vec![0.0, 1.0, 2.0, 3.0, 4.0]))),
        ("f64", Arc::new(Float64Array::from(vec![0.0, 1.0, 2.0, 3.0, 0.1]))),
        ("name", Arc::new(StringArray::from(vec!["x"; 5]))),
    ];
    let options = ReadOptions { features: Features::All, ..no_ids() };
    let panel = read_one(&columns, &options);
    let names: Vec<&str> = panel.schema().features().iter().map(|name| &**name).collect();
    assert_eq!(names, ["i8", "u8", "i64", "bool", "negative", "large", "u32", "f32", "f64"]);
    let bins = [true, true, true, true, false, false, false, false, false];
    let last = [4.0, 255.0, 4.0, 1.0, -4.0, 256.0, 3e9, 4.0, 0.1];
    for (position, name) in names.iter().enumerate() {
        let column = panel.feature(position);
        assert_eq!(column.is_u8(), bins[position], "{name}");
        assert_eq!(column.to_f32()[4], last[position], "{name}");
        assert_eq!(column.to_f32()[1], if *name == "bool" { 0.0 } else { 1.0 }, "{name}");
    }
}

#[test]
fn missing_values_are_kept_when_asked() {
    let columns: [(&str, ArrayRef); 4] = [
        ("era", Arc::new(Int32Array::from(vec![1; 3]))),
        ("feature_bins", Arc::new(Int8Array::from(vec![Some(1), Some(2), None]))),
        ("feature_numbers", Arc::new(Float64Array::from(vec![None, Some(f64::NAN), Some(0.5)]))),
        ("target", Arc::new(Float64Array::from(vec![Some(0.25), None, Some(f64::NAN)]))),
    ];
    let panel = read_one(&columns, &ReadOptions { missing: Missing::Keep, ..no_ids() });
    let bins = panel.feature(0).to_f32();
    assert!(!panel.feature(0).is_u8() && bins[..2] == [1.0, 2.0] && bins[2].is_nan());
    let numbers = panel.feature(1).to_f32();
    assert!(numbers[0].is_nan() && numbers[1].is_nan() && numbers[2] == 0.5);
    let target = panel.target().unwrap().to_f32();
    assert!(target[0] == 0.25 && target[1].is_nan() && target[2].is_nan());
}

#[test]
fn a_panel_larger_than_allowed_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (parquet, csv) = (folder.path().join("a.parquet"), folder.path().join("a.csv"));
    let panel = fattail_core::Panel::builder()
        .eras(&["1", "1", "2"])
        .unwrap()
        .feature("feature_bins", vec![1u8, 2, 3])
        .feature("feature_numbers", vec![0.5f32, 1.5, 2.5])
        .target("target", vec![0.0f32, 0.5, 1.0])
        .build()
        .unwrap();
    fattail_store::write_parquet(&panel, &parquet).unwrap();
    std::fs::write(
        &csv,
        "era,feature_bins,feature_numbers,target\n1,1,0.5,0\n1,2,1.5,0\n2,3,2,1\n",
    )
    .unwrap();
    // Three rows of a byte and two numbers.
    for path in [parquet, csv] {
        let read = |most| {
            let options = ReadOptions { max_bytes: Some(most), ..no_ids() };
            fattail_store::read(&path, &options, &fattail_core::silent)
        };
        assert_eq!(read(27).unwrap().bytes(), 27);
        let refused = read(26).unwrap_err().to_string();
        assert!(refused.contains("needs 27 bytes in memory, allowed are 26"), "{refused}");
    }
}

#[test]
fn chosen_rows_and_columns_alone() {
    let columns: [(&str, ArrayRef); 7] = [
        ("id", Arc::new(StringArray::from(vec!["a", "b", "c", "d", "e", "f", "g"]))),
        ("era", Arc::new(StringArray::from(vec!["1", "1", "2", "2", "3", "4", "4"]))),
        ("data_type", Arc::new(StringArray::from(vec!["x", "v", "v", "x", "v", "v", "v"]))),
        ("feature_b", Arc::new(Int8Array::from(vec![-1, 1, 2, -1, 3, 4, 5]))),
        ("feature_a", Arc::new(Float32Array::from(vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))),
        ("target_20", Arc::new(Float32Array::from(vec![0.0; 7]))),
        ("other", Arc::new(Float64Array::from(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))),
    ];
    let options = ReadOptions {
        features: Features::Named(vec!["feature_a".into(), "feature_b".into()]),
        targets: Targets::Named(vec!["other".into()]),
        main_target: Some("target_20".into()),
        filter: Some(Filter { column: "data_type".into(), value: "v".into() }),
        eras: EraChoice { first: Some("2".into()), last: Some("4".into()), every: 2 },
        ..ReadOptions::default()
    };
    let panel = read_one(&columns, &options);
    assert_eq!(panel.eras().labels().collect::<Vec<_>>(), ["2", "4"]);
    assert_eq!((0..3).filter_map(|row| panel.id(row)).collect::<Vec<_>>(), ["c", "f", "g"]);
    assert_eq!(panel.feature(0).to_f32(), [0.2, 0.5, 0.6]);
    assert_eq!(panel.feature(1).contiguous(), Some(Values::U8(&[2, 4, 5])));
    assert_eq!(panel.schema().target(), Some("target_20"));
    assert_eq!(panel.target_named("other").unwrap().to_f32(), [2.0, 5.0, 6.0]);
}

#[test]
fn progress_is_told_and_threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.parquet");
    let rows = 30_000i32;
    let columns: [(&str, ArrayRef); 3] = [
        ("era", Arc::new(Int32Array::from_iter_values((0..rows).map(|row| row / 100)))),
        ("feature_a", Arc::new(Int32Array::from_iter_values((0..rows).map(|row| row % 7)))),
        ("feature_b", Arc::new(Float32Array::from_iter_values((0..rows).map(|row| row as f32)))),
    ];
    parquet(&path, 9_999, &columns);
    let (calls, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let count = |progress: Progress<'_>| {
        calls.fetch_add(1, Ordering::Relaxed);
        total.store(progress.total, Ordering::Relaxed);
        assert!(progress.done <= progress.total && progress.stage == "reading");
    };
    let many = read_parquet(&path, &no_ids(), &count).unwrap();
    assert_eq!((calls.into_inner(), total.into_inner()), (8, 8));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let one = one.install(|| read_parquet(&path, &no_ids(), &silent)).unwrap();
    assert_same(&many, &one);
    assert_eq!(many.feature(0).to_f32()[29_999], (29_999 % 7) as f32);
    assert_eq!(many.feature(1).to_f32()[29_999], 29_999.0);
}
