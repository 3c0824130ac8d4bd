//! A Parquet file opened for many readers at once: each column chunk is read with one positioned
//! read, without a shared cursor and without the rest of the file in memory.

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Buf, Bytes, buf};
use parquet::{
    column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader},
    data_type::DataType,
    errors::{ParquetError, Result as ParquetResult},
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader},
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
    },
    schema::types::ColumnDescriptor,
};

use super::kind::Kind;
use crate::{Error, Place, Result, error::Cause, guard::guard};

/// Values decoded in one go: small enough for the fastest cache.
const BLOCK: usize = 8192;

/// An open file and its metadata.
#[derive(Debug)]
pub(super) struct ParquetFile {
    pub(super) path: PathBuf,
    file: File,
    metadata: ParquetMetaData,
}

impl ParquetFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::read(path))?;
        let broken = |source: Cause| Error::format(path, Place::File, "Parquet", source);
        let metadata = guard(
            || {
                let read = ParquetMetaDataReader::new().parse_and_finish(&file);
                read.map_err(|source| broken(source.into()))
            },
            |said| broken(said.into()),
        )?;
        let rows = metadata.row_groups().iter().map(|group| usize::try_from(group.num_rows()).ok());
        let sum = |sum: usize, rows: Option<usize>| sum.checked_add(rows?);
        if rows.into_iter().try_fold(0, sum).is_none() {
            return Err(broken("its row counts are no numbers of rows".into()));
        }
        Ok(Self { path: path.to_owned(), file, metadata })
    }

    /// Names of the leaf columns; nested ones with dots.
    pub(super) fn names(&self) -> Vec<String> {
        let leaves = self.metadata.file_metadata().schema_descr().columns();
        leaves.iter().map(|leaf| leaf.path().string()).collect()
    }

    pub(super) fn leaf(&self, column: usize) -> &ColumnDescriptor {
        &self.metadata.file_metadata().schema_descr().columns()[column]
    }

    pub(super) fn kind(&self, column: usize) -> Kind {
        Kind::of(self.leaf(column))
    }

    pub(super) fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    pub(super) fn rows(&self, group: usize) -> usize {
        usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or(0)
    }

    pub(super) fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }

    pub(super) fn chunk(&self, group: usize, column: usize) -> Chunk<'_> {
        Chunk { file: self, group, column }
    }
}

/// A column of a row group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) file: &'a ParquetFile,
    pub(super) group: usize,
    pub(super) column: usize,
}

/// Values of some rows in line. `levels` is empty, or 0 at each null and 1 elsewhere.
pub(super) struct Block<'a, T> {
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) values: &'a [T],
    pub(super) levels: &'a [i16],
}

impl<T> Block<'_, T> {
    pub(super) fn has_nulls(&self) -> bool {
        self.values.len() != self.rows
    }

    /// The value of each row, in order.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<&T>> {
        let (mut values, levels) = (self.values.iter(), self.levels);
        (0..self.rows).map(move |row| match levels.get(row) {
            Some(0) => None,
            _ => values.next(),
        })
    }
}

impl Chunk<'_> {
    /// Decodes the rows in `keep`, block by block, until `visit` answers `false`.
    pub(super) fn blocks<T: DataType>(
        &self,
        keep: &[Range<usize>],
        visit: impl FnMut(Block<'_, T::T>) -> Result<bool>,
    ) -> Result<()> {
        guard(|| self.decode::<T>(keep, visit), |said| self.broken(said))
    }

    fn decode<T: DataType>(
        &self,
        keep: &[Range<usize>],
        mut visit: impl FnMut(Block<'_, T::T>) -> Result<bool>,
    ) -> Result<()> {
        if keep.is_empty() {
            return Ok(());
        }
        let mut reader = self.reader::<T>().map_err(|source| self.broken(source))?;
        let nullable = self.file.leaf(self.column).max_def_level() > 0;
        let (mut values, mut levels) = (Vec::with_capacity(BLOCK), Vec::new());
        let mut row = 0;
        for range in keep {
            let skipped = reader.skip_records(range.start - row);
            self.expect(range.start - row, skipped)?;
            row = range.start;
            while row < range.end {
                let want = (range.end - row).min(BLOCK);
                values.clear();
                levels.clear();
                let mut nulls = nullable.then_some(&mut levels);
                let read = reader.read_records(want, nulls.take(), None, &mut values);
                self.expect(want, read.map(|(records, _, _)| records))?;
                let block = Block { row, rows: want, values: &values, levels: &levels };
                if !visit(block)? {
                    return Ok(());
                }
                row += want;
            }
        }
        Ok(())
    }

    pub(super) fn value(
        &self,
        row: usize,
        value: impl Into<String>,
        expected: &'static str,
    ) -> Error {
        Error::Value {
            path: self.file.path.as_path().into(),
            place: Place::GroupRow { group: self.group, row },
            column: self.file.leaf(self.column).name().to_owned(),
            value: value.into(),
            expected,
        }
    }

    fn expect(&self, want: usize, read: ParquetResult<usize>) -> Result<()> {
        match read {
            Ok(rows) if rows == want => Ok(()),
            Ok(_) => Err(self.broken("the column ends before the row group does")),
            Err(source) => Err(self.broken(source)),
        }
    }

    fn broken(&self, source: impl Into<Cause>) -> Error {
        let column = self.file.leaf(self.column).name();
        let source = format!("column '{column}': {}", source.into());
        let place = Place::Group { group: self.group };
        Error::format(&self.file.path, place, "Parquet", source)
    }

    fn reader<T: DataType>(&self) -> ParquetResult<ColumnReaderImpl<T>> {
        let metadata = self.file.metadata.row_group(self.group).column(self.column);
        let dictionary = metadata.dictionary_page_offset();
        let start = dictionary.unwrap_or(metadata.data_page_offset());
        let (Ok(start), Ok(length)) =
            (u64::try_from(start), usize::try_from(metadata.compressed_size()))
        else {
            return Err(ParquetError::General("its place in the file is negative".into()));
        };
        let size = self.file.file.metadata()?.len();
        if start.checked_add(length as u64).is_none_or(|end| end > size) {
            return Err(ParquetError::EOF(format!("it ends behind the file's {size} bytes")));
        }
        let mut bytes = vec![0; length];
        read_at(&self.file.file, &mut bytes, start)?;
        let bytes = Arc::new(ChunkBytes { start, bytes: bytes.into() });
        let rows = self.file.rows(self.group);
        let pages = SerializedPageReader::new(bytes, metadata, rows, None)?;
        let leaf =
            Arc::clone(&self.file.metadata.file_metadata().schema_descr().columns()[self.column]);
        Ok(get_typed_column_reader(get_column_reader(leaf, Box::new(pages))))
    }
}

/// The bytes of a column chunk, addressed as in the file.
struct ChunkBytes {
    start: u64,
    bytes: Bytes,
}

impl ChunkBytes {
    fn from(&self, start: u64) -> ParquetResult<Bytes> {
        let at = start.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        match at {
            Some(at) if at <= self.bytes.len() => Ok(self.bytes.slice(at..)),
            _ => Err(ParquetError::EOF("a page lies outside its column chunk".into())),
        }
    }
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for ChunkBytes {
    type T = buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let mut bytes = self.from(start)?;
        match length <= bytes.len() {
            true => Ok(bytes.split_to(length)),
            false => Err(ParquetError::EOF("a page ends behind its column chunk".into())),
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

/// Elsewhere readers take turns with the one cursor.
#[cfg(not(unix))]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> io::Result<()> {
    use std::{
        io::{Read, Seek, SeekFrom},
        sync::Mutex,
    };
    static ONE_CURSOR: Mutex<()> = Mutex::new(());
    let _alone = ONE_CURSOR.lock();
    let mut file = file;
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(bytes)
}
