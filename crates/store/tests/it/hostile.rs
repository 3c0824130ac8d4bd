//! Broken bytes are an error or a panel, never a panic and never an abort.

use std::{fs, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray},
    ipc::{
        CompressionType,
        writer::{FileWriter, IpcWriteOptions},
    },
};
use fattail_core::{Panel, silent};
use fattail_store::{
    Missing, PanelStream, PieceLimit, ReadOptions, Result, open_ipc, panel_to_batch, read,
    write_ipc, write_mapped, write_parquet,
};
use parquet::{
    arrow::ArrowWriter,
    basic::Compression,
    file::{metadata::ParquetMetaDataReader, properties::WriterProperties},
};

use super::{assert_same, batch, panel, panel_options, parquet};

/// Numbers that look random (Marsaglia 2003).
pub(crate) struct Xorshift(pub(crate) u64);

impl Xorshift {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Whatever was read can be walked through from end to end.
fn walk(panel: &Panel) {
    let rows = panel.rows();
    assert!(rows > 0 && panel.eras().ranges().map(|era| era.len()).sum::<usize>() == rows);
    assert!((0..panel.width()).all(|at| panel.feature(at).to_f32().len() == rows));
    for name in panel.schema().targets() {
        assert_eq!(panel.target_named(name).unwrap().to_f32().len(), rows);
    }
    assert!((0..rows).all(|row| panel.id(row).is_some() == panel.has_ids()));
}

/// Flips one to three bytes of the file, many times over.
fn flip(path: &Path, times: usize, open: impl Fn() -> Result<Panel>) {
    let whole = fs::read(path).unwrap();
    let mut random = Xorshift(0x5eed);
    let mut refused = 0;
    for _ in 0..times {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        // A new file each time: an old one may still be mapped.
        fs::remove_file(path).unwrap();
        fs::write(path, &bytes).unwrap();
        match open() {
            Ok(panel) => walk(&panel),
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
            }
        }
    }
    assert!(refused > 0);
}

fn compressed_ipc(path: &Path, batch: &RecordBatch, by: CompressionType) {
    let options = IpcWriteOptions::default().try_with_compression(Some(by)).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

/// Long enough that compressed columns are smaller than plain ones.
fn long() -> RecordBatch {
    let row = || 0..2000i32;
    let texts = StringArray::from_iter_values(row().map(|row| format!("n{row}")));
    let numbers = Float64Array::from_iter_values(row().map(|row| f64::from(row % 7) / 8.0));
    batch(&[
        ("id", Arc::new(texts) as ArrayRef),
        ("era", Arc::new(Int32Array::from_iter_values(row().map(|row| row / 100)))),
        ("feature_a", Arc::new(Int32Array::from_iter_values(row().map(|row| row % 5)))),
        ("feature_b", Arc::new(numbers.clone())),
        ("target", Arc::new(numbers)),
    ])
}

const ONE_ERA: PieceLimit = PieceLimit { eras: 1, bytes: usize::MAX };

#[test]
fn flipped_ipc_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.arrow");
    write_mapped([Ok(panel())], &path, &ONE_ERA).unwrap();
    flip(&path, 1000, || read(&path, &panel_options(), &silent));
    write_ipc(&panel(), &path).unwrap();
    flip(&path, 3000, || open_ipc(&path));
    write_ipc(&panel(), &path).unwrap();
    flip(&path, 3000, || read(&path, &panel_options(), &silent));
    for by in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        compressed_ipc(&path, &panel_to_batch(&panel()).unwrap(), by);
        flip(&path, 1000, || open_ipc(&path));
        compressed_ipc(&path, &long(), by);
        flip(&path, 500, || read(&path, &ReadOptions::default(), &silent));
    }
}

#[test]
fn flipped_parquet_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.parquet");
    write_parquet(&panel(), &path).unwrap();
    flip(&path, 3000, || read(&path, &panel_options(), &silent));
    write_parquet(&panel(), &path).unwrap();
    flip(&path, 1000, || last(PanelStream::open(&path, &panel_options(), &ONE_ERA)?));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from(vec!["a", "b", "c", "d"]))),
        ("era", Arc::new(Int32Array::from(vec![1, 1, 2, 2]))),
        ("feature_a", Arc::new(Int32Array::from(vec![Some(3), None, Some(300), Some(1)]))),
        ("target", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(0.25), Some(1.0)]))),
    ];
    parquet(&path, 2, &columns);
    let keep = ReadOptions { missing: Missing::Keep, ..ReadOptions::default() };
    flip(&path, 3000, || read(&path, &keep, &silent));
    parquet(&path, 2, &columns);
    flip(&path, 1000, || last(PanelStream::open(&path, &keep, &ONE_ERA)?));
}

/// The last piece, when all can be read.
fn last(stream: PanelStream) -> Result<Panel> {
    let pieces = stream.collect::<Result<Vec<_>>>()?;
    pieces.iter().for_each(walk);
    Ok(pieces.last().unwrap().clone())
}

#[test]
fn compressed_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.feather");
    for by in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        compressed_ipc(&path, &panel_to_batch(&panel()).unwrap(), by);
        assert_same(&panel(), &open_ipc(&path).unwrap());
        assert_same(&panel(), &read(&path, &panel_options(), &silent).unwrap());
        compressed_ipc(&path, &long(), by);
        let panel = read(&path, &ReadOptions::default(), &silent).unwrap();
        assert_eq!((panel.rows(), panel.feature(0).to_f32()[1999]), (2000, 4.0));
    }
    let path = folder.path().join("panel.parquet");
    let properties = WriterProperties::builder();
    let properties = properties.set_compression(Compression::BROTLI(Default::default())).build();
    let file = fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, long().schema(), Some(properties)).unwrap();
    writer.write(&long()).unwrap();
    writer.close().unwrap();
    assert_eq!(read(&path, &ReadOptions::default(), &silent).unwrap().rows(), 2000);
}

/// The footer of a file without keys says how many rows there are.
#[test]
fn a_claim_of_too_many_rows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.parquet");
    let column: ArrayRef = Arc::new(Int32Array::from(vec![7; 7777]));
    parquet(&path, 10_000, &[("feature_a", column)]);
    let whole = fs::read(&path).unwrap();
    let options = ReadOptions { era: None, id: None, ..ReadOptions::default() };
    assert_eq!(read(&path, &options, &silent).unwrap().rows(), 7777);
    for rows in [i64::MAX, i64::MAX / 5, 1 << 50, -1] {
        fs::write(&path, with_rows(&whole, rows)).unwrap();
        let error = read(&path, &options, &silent).unwrap_err().to_string();
        assert!(error.contains("is not readable as Parquet: it"), "{error}");
    }
}

/// The same file with another number of rows in its footer.
fn with_rows(whole: &[u8], rows: i64) -> Vec<u8> {
    use parquet::file::metadata::{ParquetMetaDataBuilder, ParquetMetaDataWriter};
    let known = ParquetMetaDataReader::new().parse_and_finish(&bytes(whole)).unwrap();
    let group = known.row_group(0).clone().into_builder().set_num_rows(rows).build().unwrap();
    let known =
        ParquetMetaDataBuilder::new_from_metadata(known).set_row_groups(vec![group]).build();
    let length = u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
    let mut file = whole[..whole.len() - 8 - length].to_vec();
    ParquetMetaDataWriter::new(&mut file, &known).finish().unwrap();
    file
}

fn bytes(whole: &[u8]) -> ::bytes::Bytes {
    ::bytes::Bytes::copy_from_slice(whole)
}
