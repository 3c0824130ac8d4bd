//! Parquet in pieces: what is read whole, cut at ends of eras, within the limits.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::{ArrayRef, Float64Array, Int8Array, Int32Array, RecordBatch, StringArray};
use fattail_core::{Panel, silent};
use fattail_store::{
    EraChoice, Error, Features, Filter, Missing, PanelStream, PieceLimit, ReadOptions, Result,
    read_parquet,
};
use parquet::{
    arrow::ArrowWriter,
    file::properties::{EnabledStatistics, WriterProperties},
};
use proptest::prelude::*;

use super::{assert_same, batch, no_ids, parquet};

fn paged() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/paged.parquet")
}

#[derive(Debug, Clone)]
struct Row {
    live: bool,
    bins: u8,
    integer: i16,
    number: Option<f32>,
}

fn rows() -> impl Strategy<Value = Row> {
    let integer = prop_oneof![9 => 0i16..256, 1 => any::<i16>()];
    let number = prop::option::weighted(0.9, -1e6f32..1e6);
    (any::<bool>(), 0u8..128, integer, number).prop_map(|(live, bins, integer, number)| Row {
        live,
        bins,
        integer,
        number,
    })
}

fn table(eras: &[Vec<Row>]) -> RecordBatch {
    let rows: Vec<&Row> = eras.iter().flatten().collect();
    let labels = (1..).zip(eras).flat_map(|(era, rows)| vec![format!("era{era}"); rows.len()]);
    let labels: Vec<String> = labels.collect();
    let ids = (0..rows.len()).map(|row| format!("n{row}"));
    let numbers = || rows.iter().map(|row| row.number.map(f64::from));
    let kinds = rows.iter().map(|row| if row.live { "live" } else { "test" });
    let wholes = rows.iter().map(|row| i32::from(row.integer));
    batch(&[
        ("id", Arc::new(StringArray::from_iter_values(ids)) as ArrayRef),
        ("era", Arc::new(StringArray::from_iter_values(labels))),
        ("kind", Arc::new(StringArray::from_iter_values(kinds))),
        ("feature_a", Arc::new(Int8Array::from_iter_values(rows.iter().map(|r| r.bins as i8)))),
        ("feature_b", Arc::new(Int32Array::from_iter_values(wholes.clone()))),
        // Null where the number is.
        (
            "feature_c",
            Arc::new(Int32Array::from_iter(
                wholes.zip(numbers()).map(|(whole, number)| number.map(|_| whole)),
            )),
        ),
        ("feature_d", Arc::new(Float64Array::from_iter(numbers()))),
        ("target", Arc::new(Float64Array::from_iter(numbers()))),
    ])
}

/// Options of which each is one of a few.
fn options() -> impl Strategy<Value = ReadOptions> {
    let named = ["feature_d", "feature_b", "feature_c"].map(String::from).to_vec();
    let features = prop_oneof![Just(Features::default()), Just(Features::Named(named))];
    let filter = Filter { column: "kind".into(), value: "live".into() };
    let filter = prop_oneof![Just(None), Just(Some(filter))];
    (features, filter, 1usize..4, 1usize..5, any::<bool>()).prop_map(
        |(features, filter, every, first, ids)| ReadOptions {
            features,
            filter,
            eras: EraChoice { first: Some(format!("era{first}")), last: None, every },
            id: ids.then(|| "id".into()),
            missing: Missing::Keep,
            ..ReadOptions::default()
        },
    )
}

/// The pieces are cuts of the whole, each as long as the limits allow.
fn expect_cuts(whole: &Panel, pieces: &[Panel], limit: &PieceLimit) {
    let mut start = 0;
    for piece in pieces {
        let eras: Vec<usize> = (start..start + piece.eras().len()).collect();
        assert_same(&whole.cut(&eras).unwrap(), piece);
        assert!(piece.eras().len() == 1 || piece.bytes() <= limit.bytes);
        assert!(piece.eras().len() <= limit.eras);
        start += piece.eras().len();
        if start < whole.eras().len() {
            let more = piece.bytes() + whole.cut(&[start]).unwrap().bytes();
            assert!(piece.eras().len() == limit.eras || more > limit.bytes);
        }
    }
    assert_eq!(start, whole.eras().len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_end_to_end_are_the_whole(
        eras in prop::collection::vec(prop::collection::vec(rows(), 1..12), 1..9),
        group in 1usize..30,
        statistics in any::<bool>(),
        options in options(),
        limit in (1usize..5, 1usize..400),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.parquet");
        let table = table(&eras);
        let level = if statistics { EnabledStatistics::Chunk } else { EnabledStatistics::None };
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(group)).set_statistics_enabled(level).build();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, table.schema(), Some(properties)).unwrap();
        writer.write(&table).unwrap();
        writer.close().unwrap();

        let limit = PieceLimit { eras: limit.0, bytes: limit.1 };
        let stream = PanelStream::open(&path, &options, &limit);
        match read_parquet(&path, &options, &silent) {
            Err(error) => prop_assert_eq!(error.to_string(), stream.unwrap_err().to_string()),
            Ok(whole) => {
                let stream = stream.unwrap();
                let (eras, length) = (stream.eras().clone(), stream.len());
                let pieces: Vec<Panel> = stream.map(Result::unwrap).collect();
                prop_assert_eq!((&eras, length), (whole.eras(), pieces.len()));
                expect_cuts(&whole, &pieces, &limit);
            }
        }
    }
}

#[test]
fn a_wrong_value_ends_the_stream_and_tells_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.parquet");
    let numbers = vec![0.5, 0.25, 0.125, f64::INFINITY, 0.0];
    let columns: [(&str, ArrayRef); 2] = [
        ("era", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5]))),
        ("feature_a", Arc::new(Float64Array::from(numbers))),
    ];
    parquet(&path, 2, &columns);
    let limit = PieceLimit { eras: 2, ..PieceLimit::default() };
    let mut stream = PanelStream::open(&path, &no_ids(), &limit).unwrap();
    assert_eq!((stream.len(), stream.next().unwrap().unwrap().rows()), (3, 2));
    let error = stream.next().unwrap().unwrap_err().to_string();
    let says = "row group 1, row 1, column 'feature_a': found inf, expected a finite number";
    assert!(error.ends_with(says), "{error}");
    assert!(stream.next().is_none() && stream.len() == 0);
}

#[test]
fn limits_of_nothing_are_refused() {
    let limit = PieceLimit { bytes: 0, ..PieceLimit::default() };
    let error = PanelStream::open(paged(), &no_ids(), &limit).unwrap_err().to_string();
    assert_eq!(error, "setting 'pieces.bytes' is 0, allowed is 1 and above");
}

/// A copy of the file and a stream over it, an era a piece, of which the first was read.
fn begun() -> (tempfile::TempDir, PathBuf, PanelStream) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.parquet");
    fs::copy(paged(), &path).unwrap();
    let limit = PieceLimit { eras: 1, ..PieceLimit::default() };
    let mut stream = PanelStream::open(&path, &no_ids(), &limit).unwrap();
    assert_eq!(stream.next().unwrap().unwrap().rows(), 100);
    (folder, path, stream)
}

#[test]
fn a_file_that_is_cut_short_while_it_is_read_is_an_error() {
    let (_folder, path, mut stream) = begun();
    File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    let error = stream.next().unwrap().unwrap_err();
    assert!(matches!(error, Error::Format { .. } | Error::Read { .. }), "{error:?}");
    let says = "row group 0 is not readable as Parquet: column 'feature_a': ";
    let error = error.to_string();
    assert!(error.contains(says) && error.contains("1000 bytes"), "{error}");
    assert!(error.contains(&*path.to_string_lossy()) && !error.contains('\n'), "{error}");
    assert!(stream.next().is_none());
}

#[test]
fn a_file_that_is_overwritten_while_it_is_read_is_an_error() {
    let (_folder, path, mut stream) = begun();
    let size = fs::metadata(&path).unwrap().len();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    file.set_len(size).unwrap();
    let error = stream.next().unwrap().unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    assert!(stream.next().is_none());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_removed_or_replaced_is_read_on() {
    let (_folder, path, stream) = begun();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "something else").unwrap();
    let rest: Vec<Panel> = stream.map(Result::unwrap).collect();
    assert_eq!(rest.iter().map(Panel::rows).sum::<usize>(), 500);
    let error = PanelStream::open(&path, &no_ids(), &PieceLimit::default()).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    let gone = path.with_file_name("gone.parquet");
    let error = PanelStream::open(gone, &no_ids(), &PieceLimit::default()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error:?}");
}

/// Every byte of a value that pyarrow has given a checksum.
#[test]
fn pages_that_carry_a_checksum_are_held_to_it() {
    let whole = fs::read(paged()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.parquet");
    let values: Vec<u8> =
        (0..300u32).flat_map(|row| ((row * row % 5) as i32).to_le_bytes()).collect();
    let start = whole.windows(values.len()).position(|window| window == values).unwrap();
    for at in [start, start + 601, start + values.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = read_parquet(&path, &no_ids(), &silent).unwrap_err().to_string();
        let says = "row group 0 is not readable as Parquet: column 'feature_a': ";
        assert!(error.contains(says) && error.contains("checksum mismatch"), "{error}");
        let mut stream = PanelStream::open(&path, &no_ids(), &PieceLimit::default()).unwrap();
        assert_eq!(stream.next().unwrap().unwrap_err().to_string(), error);
    }
    assert_eq!(read_parquet(paged(), &no_ids(), &silent).unwrap().rows(), 600);
}
