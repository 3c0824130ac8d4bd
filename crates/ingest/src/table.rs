//! A Parquet file that grows by row groups and can be taken up again behind any of them.
//!
//! The bytes of the row groups stand in the file, what the footer will say of them is handed out to be
//! kept beside it. Taken up again, the file goes on behind the last row group that is known, and it ends
//! as if nothing had happened, byte for byte.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::ArrayRef,
    datatypes::{Field, Schema, SchemaRef},
};
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowSchemaConverter,
        arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves},
    },
    errors::ParquetError,
    file::{
        metadata::{
            FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
            RowGroupMetaData,
        },
        properties::WriterPropertiesPtr,
        writer::SerializedFileWriter,
    },
    schema::types::SchemaDescPtr,
};
use rayon::prelude::*;

use crate::{Error, Result, place::take_up};

/// Zeros that stand for what a file already holds.
const ZEROS: &[u8] = &[0; 1 << 16];

/// Where bytes go: those that the file already holds are not written again.
#[derive(Debug)]
struct Sink {
    file: File,
    held: u64,
    /// Of the bytes written since it was asked for last.
    sum: crc32fast::Hasher,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let held = usize::try_from(self.held).unwrap_or(usize::MAX).min(bytes.len());
        self.held -= held as u64;
        match bytes.len() - held {
            0 => Ok(held),
            _ => {
                let written = self.file.write(&bytes[held..])?;
                self.sum.update(&bytes[held..held + written]);
                Ok(held + written)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A Parquet file being written.
pub(crate) struct Table {
    path: PathBuf,
    schema: SchemaRef,
    parquet: SchemaDescPtr,
    writer: SerializedFileWriter<Sink>,
    properties: WriterPropertiesPtr,
    /// The open row group: of each column its arrays, one behind the other.
    open: Vec<Vec<ArrayRef>>,
    groups: Vec<RowGroupMetaData>,
}

impl Table {
    /// Takes up the file behind its first `length` bytes, which hold `groups`; 0 begins anew.
    pub(crate) fn open(
        path: &Path,
        schema: SchemaRef,
        properties: WriterPropertiesPtr,
        length: u64,
        groups: Vec<RowGroupMetaData>,
    ) -> Result<Self> {
        let failed = Error::write(path);
        let file = take_up(path, length)?;
        let encode = |error| Error::encode(path, error);
        let parquet = Arc::new(ArrowSchemaConverter::new().convert(&schema).map_err(encode)?);
        let root = parquet.root_schema_ptr();
        let sink = Sink { file, held: length, sum: crc32fast::Hasher::new() };
        let mut writer =
            SerializedFileWriter::new(sink, root, Arc::clone(&properties)).map_err(encode)?;
        let mut held = length.saturating_sub(writer.bytes_written() as u64);
        while held > 0 {
            let piece = held.min(ZEROS.len() as u64);
            writer.write_all(&ZEROS[..piece as usize]).map_err(&failed)?;
            held -= piece;
        }
        writer.flush().map_err(&failed)?;
        Ok(Self {
            path: path.into(),
            schema,
            parquet,
            writer,
            properties,
            open: Vec::new(),
            groups,
        })
    }

    /// Adds rows to the open row group: of each column its arrays, one behind the other.
    pub(crate) fn write(&mut self, columns: Vec<Vec<ArrayRef>>) {
        self.open.resize_with(columns.len(), Vec::new);
        self.open.iter_mut().zip(columns).for_each(|(open, more)| open.extend(more));
    }

    /// Closes the open row group, if it has rows, and answers what the footer will say of it. Columns are encoded
    /// in parallel.
    pub(crate) fn close_group(&mut self) -> Result<Option<Vec<u8>>> {
        let open = std::mem::take(&mut self.open);
        if open.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let path = self.path.clone();
        // Asked first: the writer would tell it in words of its own.
        let ordinal = i16::try_from(self.groups.len())
            .map_err(|_| Error::TooManyGroups { path: path.clone().into() })?;
        let encode = |error| Error::encode(&path, error);
        let columns = self.schema.fields().par_iter().zip(open).with_max_len(1);
        let chunks = columns.map(|(field, arrays)| chunk(field, &self.properties, arrays));
        let chunks: Vec<_> = chunks.collect::<Result<_, ParquetError>>().map_err(encode)?;
        let mut group = self.writer.next_row_group().map_err(encode)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group).map_err(encode)?;
        }
        let closed = group.close().map_err(encode)?;
        self.writer.flush().map_err(Error::write(&self.path))?;
        let closed =
            (*closed).clone().into_builder().set_ordinal(ordinal).build().map_err(encode)?;
        let told = self.told(&closed)?;
        // What is read back is what a later run would know, so that both write the same footer.
        self.groups.push(group_from(&self.path, told.clone())?);
        Ok(Some(told))
    }

    /// The checksum of what was written since it was asked for last.
    pub(crate) fn sum(&mut self) -> u32 {
        let sum = &mut self.writer.inner_mut().sum;
        std::mem::replace(sum, crc32fast::Hasher::new()).finalize()
    }

    /// Bytes in the file.
    pub(crate) fn length(&self) -> u64 {
        self.writer.bytes_written() as u64
    }

    /// What the footer says of the row groups so far.
    pub(crate) fn groups(&self) -> &[RowGroupMetaData] {
        &self.groups
    }

    /// A row group as bytes that [`groups_from`] reads.
    fn told(&self, group: &RowGroupMetaData) -> Result<Vec<u8>> {
        let file =
            FileMetaData::new(2, group.num_rows(), None, None, Arc::clone(&self.parquet), None);
        let mut bytes = Vec::new();
        let metadata = ParquetMetaData::new(file, vec![group.clone()]);
        let written = ParquetMetaDataWriter::new(&mut bytes, &metadata).finish();
        written.map_err(|error| Error::encode(&self.path, error))?;
        Ok(bytes)
    }

    /// Writes the footer, with a schema of the same physical types, and puts the file on the disk.
    pub(crate) fn finish(mut self, schema: &Schema, about: Vec<KeyValue>) -> Result<()> {
        self.close_group()?;
        let Self { path, writer, groups, .. } = self;
        let encode = |error| Error::encode(&path, error);
        let failed = Error::write(&path);
        let length = writer.bytes_written() as u64;
        let mut file = {
            let mut writer = writer;
            writer.flush().map_err(&failed)?;
            writer.inner_mut().file.try_clone().map_err(&failed)?
        };
        file.seek(SeekFrom::Start(length)).map_err(&failed)?;
        let parquet = ArrowSchemaConverter::new().convert(schema).map_err(encode)?;
        let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
        let mut keys = vec![KeyValue::new(
            parquet::arrow::ARROW_SCHEMA_META_KEY.into(),
            parquet::arrow::encode_arrow_schema(schema),
        )];
        keys.extend(about);
        let created = Some(format!("fattail-ingest {}", env!("CARGO_PKG_VERSION")));
        let told = FileMetaData::new(2, rows, created, Some(keys), Arc::new(parquet), None);
        let metadata = ParquetMetaData::new(told, groups);
        let mut footer = Vec::new();
        // Offsets in the footer count from the beginning of the file.
        ParquetMetaDataWriter::new(&mut footer, &metadata).finish().map_err(encode)?;
        file.write_all(&footer).map_err(&failed)?;
        file.sync_all().map_err(&failed)
    }
}

/// Encodes a column of a row group. An encoder takes some 100 KiB, so there are never more than threads: each has a
/// table of one column, because those of a wide one come all at once.
fn chunk(
    field: &Arc<Field>,
    properties: &WriterPropertiesPtr,
    arrays: Vec<ArrayRef>,
) -> Result<ArrowColumnChunk, ParquetError> {
    let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
    let root = ArrowSchemaConverter::new().convert(&schema)?.root_schema_ptr();
    let table = SerializedFileWriter::new(io::sink(), root, Arc::clone(properties))?;
    let writers = ArrowRowGroupWriterFactory::new(&table, schema).create_column_writers(0)?;
    let lost = || ParquetError::General("a column has no encoder".into());
    let mut writer = writers.into_iter().next().ok_or_else(lost)?;
    for array in arrays {
        for leaf in compute_leaves(field, &array)? {
            writer.write(&leaf)?;
        }
    }
    writer.close()
}

/// Reads what [`Table::close_group`] answered.
pub(crate) fn group_from(path: &Path, bytes: Vec<u8>) -> Result<RowGroupMetaData> {
    let read = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes));
    let metadata = read.map_err(|error| Error::encode(path, error))?;
    let group = metadata.row_groups().first().cloned();
    group.ok_or_else(|| Error::encode(path, ParquetError::General("a row group is lost".into())))
}
