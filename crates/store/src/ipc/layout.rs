//! Where the columns of a mapped panel lie.
//!
//! The file is what Arrow makes of the record batches, in a form so narrow that nothing in it can be
//! moved unseen: blocks lie end to end, the columns of a block too (at multiples of 64 bytes), each
//! as long as its rows make it, without nulls and compression.

use std::{
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    buffer::{Buffer, ScalarBuffer},
    datatypes::{ArrowNativeType, DataType, Int32Type, Schema},
    ipc::root_as_message,
};
use fattail_core::{Eras, Ids, IdsBuilder};
use rayon::prelude::*;

use super::{ALIGNMENT, MAPPED, checksum, footer::Opened};
use crate::{
    Error, Place, Result,
    map::{Pages, map_file, map_part},
};

/// What a message begins with: the mark that goes on, and its length.
const PREFIX: usize = 8;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Eras: positions in the dictionary.
    Keys,
    /// Ids.
    Text,
    Bins,
    Numbers,
}

impl Kind {
    pub(super) fn of(kind: &DataType) -> Option<Self> {
        match kind {
            DataType::UInt8 => Some(Self::Bins),
            DataType::Float32 => Some(Self::Numbers),
            DataType::LargeUtf8 => Some(Self::Text),
            DataType::Dictionary(keys, texts) => {
                (**keys == DataType::Int32 && **texts == DataType::Utf8).then_some(Self::Keys)
            }
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Text => "text",
            Self::Bins => "u8",
            Self::Numbers => "f32",
        }
    }

    /// Bytes of what has a fixed size.
    fn size(self, rows: usize) -> Option<usize> {
        match self {
            Self::Bins => Some(rows),
            Self::Keys | Self::Numbers => rows.checked_mul(4),
            Self::Text => rows.checked_add(1)?.checked_mul(8),
        }
    }
}

/// A mapped panel without its values.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) path: PathBuf,
    file: File,
    pub(super) schema: Arc<Schema>,
    kinds: Vec<Kind>,
    pub(super) eras: Eras,
    pub(super) ids: Option<Ids>,
    pub(super) blocks: Vec<Stretch>,
    checksums: Vec<Vec<u32>>,
}

/// Where a block lies, and which part of the panel it is.
#[derive(Debug)]
pub(super) struct Stretch {
    start: u64,
    /// Bytes before the columns.
    head: usize,
    length: usize,
    pub(super) eras: Range<usize>,
    pub(super) rows: Range<usize>,
}

/// A block in memory.
pub(super) struct Block {
    bytes: Buffer,
    spans: Vec<Span>,
}

/// Where a column lies in its block: its values, or where its texts end and the texts.
type Span = [Range<usize>; 2];

impl Block {
    /// Some rows of a column of fixed size, not copied.
    pub(super) fn values<T: ArrowNativeType>(
        &self,
        column: usize,
        rows: Range<usize>,
    ) -> ScalarBuffer<T> {
        let start = self.spans[column][0].start + rows.start * size_of::<T>();
        let bytes = self.bytes.slice_with_length(start, rows.len() * size_of::<T>());
        ScalarBuffer::new(bytes, 0, rows.len())
    }

    fn checksum(&self, column: usize) -> u32 {
        checksum::of_parts(self.spans[column].iter().map(|span| &self.bytes[span.clone()]))
    }
}

impl Layout {
    /// Reads what tells where columns lie, and the keys, whose checksums are compared.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let broken = |source: String| Error::format(path, Place::File, MAPPED, source);
        let file = File::open(path).map_err(Error::read(path))?;
        let map = Buffer::from(map_file(&file).map_err(Error::read(path))?);
        let opened = Opened::new(&map).map_err(|source| broken(source.to_string()))?;
        let schema = Arc::clone(&opened.schema);
        let kinds = kinds(&schema).map_err(broken)?;
        let keys = Keys::read(&opened, &kinds).map_err(broken)?;
        let eras = Eras::from_runs(keys.runs);
        let eras = eras.map_err(|source| Error::Panel { path: path.into(), source })?;
        let columns = opened.note(checksum::COLUMNS).unwrap_or_default();
        let checksums = checksum::read(columns, keys.blocks.len(), kinds.len())
            .ok_or_else(|| broken("it has no checksums".into()))?;
        let head = format!("{:08x}", checksum::of_known_head(&schema, &eras));
        if opened.note(checksum::HEAD) != Some(&head) {
            let source = "names, types, roles or eras do not have the checksum written with them";
            return Err(broken(source.into()));
        }
        let blocks = keys.blocks;
        let layout =
            Self { path: path.into(), file, schema, kinds, eras, ids: keys.ids, blocks, checksums };
        let labels = 0..1 + usize::from(layout.ids.is_some());
        for (block, found) in keys.checksums.iter().enumerate() {
            layout.compare(block, labels.clone().zip(found.iter().copied()))?;
        }
        Ok(layout)
    }

    /// The block that holds an era.
    pub(super) fn block_of(&self, era: usize) -> usize {
        self.blocks.partition_point(|block| block.eras.end <= era)
    }

    /// Maps a block, of which so many bytes will be used; it leaves memory when the last column of
    /// it is dropped.
    pub(super) fn block(&self, block: usize, used: usize) -> Result<Block> {
        let stretch = &self.blocks[block];
        let place = Place::Block { block };
        let broken = |source: String| Error::format(&self.path, place, MAPPED, source);
        let end = stretch.start + stretch.length as u64;
        let size = self.file.metadata().map_err(Error::read(&self.path))?.len();
        if size < end {
            let now = format!("it ends at byte {end} and the file now has {size}");
            return Err(broken(now));
        }
        let pages = if used >= stretch.length / 2 { Pages::AtOnce } else { Pages::WhenUsed };
        let bytes = map_part(&self.file, stretch.start, stretch.length, pages);
        let bytes = Buffer::from(bytes.map_err(Error::read(&self.path))?);
        let spans = spans(&bytes, stretch.head, &self.kinds, stretch.rows.len()).map_err(broken)?;
        Ok(Block { bytes, spans })
    }

    /// Compares the checksums of columns of a block.
    pub(super) fn check(&self, block: usize, bytes: &Block, columns: &[usize]) -> Result<()> {
        let found: Vec<u32> = columns.par_iter().map(|&at| bytes.checksum(at)).collect();
        self.compare(block, columns.iter().copied().zip(found))
    }

    /// Compares columns and the checksums of what is there.
    fn compare(&self, block: usize, found: impl Iterator<Item = (usize, u32)>) -> Result<()> {
        for (at, found) in found {
            let expected = self.checksums[block][at];
            if found != expected {
                let column = self.schema.field(at).name().clone();
                let path = self.path.as_path().into();
                return Err(Error::Checksum { path, block, column, found, expected });
            }
        }
        Ok(())
    }
}

/// What the columns hold: eras, then ids if there are any, then numbers.
fn kinds(schema: &Schema) -> Result<Vec<Kind>, String> {
    let kind = |field: &Arc<arrow::datatypes::Field>| {
        Kind::of(field.data_type())
            .filter(|_| !field.is_nullable())
            .ok_or_else(|| format!("its column '{}' is {}", field.name(), field.data_type()))
    };
    let kinds: Vec<Kind> = schema.fields().iter().map(kind).collect::<Result<_, _>>()?;
    let labels = 1 + usize::from(kinds.get(1) == Some(&Kind::Text));
    let label = |kind: &Kind| matches!(kind, Kind::Keys | Kind::Text);
    match kinds.first() == Some(&Kind::Keys) && !kinds[labels..].iter().any(label) {
        true => Ok(kinds),
        false => Err("its columns are not an era, an id and numbers".into()),
    }
}

/// What is read of every block at opening.
#[derive(Default)]
struct Keys {
    runs: Vec<(Arc<str>, usize)>,
    ids: Option<Ids>,
    blocks: Vec<Stretch>,
    /// Those of the eras and the ids in each block.
    checksums: Vec<Vec<u32>>,
}

impl Keys {
    fn read(file: &Opened<'_>, kinds: &[Kind]) -> Result<Self, String> {
        expect_tiles(file)?;
        let has_ids = kinds.get(1) == Some(&Kind::Text);
        let labels = if has_ids { vec![0, 1] } else { vec![0] };
        let decoder = file.decoder().map_err(|source| source.to_string())?;
        let decoder = decoder.with_projection(labels.clone());
        let (mut keys, mut ids) = (Self::default(), IdsBuilder::default());
        let mut row = 0;
        for block in file.blocks() {
            let bytes = file.body(block).map_err(|source| source.to_string())?;
            let batch = decoder.read_record_batch(block, &bytes);
            let batch = batch.map_err(|source| source.to_string())?.ok_or("a block is empty")?;
            let head = usize::try_from(block.metaDataLength()).unwrap_or(0);
            let spans = spans(&bytes, head, kinds, batch.num_rows())?;
            let first = keys.runs.len();
            keys.runs.extend(runs(&batch).ok_or("its eras have nulls")?);
            if has_ids {
                push_ids(&batch, &mut ids).ok_or("its ids have nulls")?;
            }
            let rows = row..row + batch.num_rows();
            row = rows.end;
            keys.blocks.push(Stretch {
                start: u64::try_from(block.offset()).unwrap_or(0),
                head,
                length: bytes.len(),
                eras: first..keys.runs.len(),
                rows,
            });
            let block = Block { bytes, spans };
            keys.checksums.push(labels.iter().map(|&column| block.checksum(column)).collect());
        }
        keys.ids = has_ids.then(|| ids.finish());
        Ok(keys)
    }
}

/// Refuses blocks that do not lie end to end up to the footer, but for the mark of the end.
fn expect_tiles(file: &Opened<'_>) -> Result<(), String> {
    let mut tiles = Vec::new();
    for block in file.dictionaries().chain(file.blocks()) {
        let length = file.body(block).map_err(|source| source.to_string())?.len();
        tiles.push((usize::try_from(block.offset()).unwrap_or(0), length));
    }
    tiles.sort_unstable();
    let end = tiles.iter().try_fold(None, |end: Option<usize>, &(start, length)| {
        (end.is_none_or(|end| end == start) && start % ALIGNMENT == 0)
            .then_some(Some(start + length))
    });
    match end.flatten().is_some_and(|end| end + PREFIX == file.end) {
        true => Ok(()),
        false => Err("its blocks do not lie end to end".into()),
    }
}

/// Where the columns of a block lie, when they lie as this room writes them.
fn spans(bytes: &[u8], head: usize, kinds: &[Kind], rows: usize) -> Result<Vec<Span>, String> {
    let message = bytes.get(PREFIX..head).ok_or("a block is too short")?;
    let message = root_as_message(message).map_err(|error| error.to_string())?;
    let batch = message.header_as_record_batch().ok_or("a block is no record batch")?;
    if usize::try_from(batch.length()) != Ok(rows) || batch.compression().is_some() {
        return Err("a block is compressed or of another length than its columns".into());
    }
    let mut buffers = batch.buffers().into_iter().flatten();
    let mut end = head;
    // The next buffer, which begins where the one before it ends.
    let mut next = |size: Option<usize>| -> Option<Range<usize>> {
        let buffer = buffers.next()?;
        let start = head.checked_add(usize::try_from(buffer.offset()).ok()?)?;
        let length = usize::try_from(buffer.length()).ok()?;
        let fits = start == end && size.is_none_or(|size| size == length);
        let span = start..start.checked_add(length)?;
        end = span.end.checked_next_multiple_of(ALIGNMENT)?;
        (fits && end <= bytes.len()).then_some(span)
    };
    let mut span = |kind: &Kind| -> Option<Span> {
        next(Some(0))?;
        let values = next(Some(kind.size(rows)?))?;
        let texts = if *kind == Kind::Text { next(None)? } else { 0..0 };
        Some([values, texts])
    };
    let spans: Option<Vec<Span>> = kinds.iter().map(&mut span).collect();
    let spans = spans.filter(|_| end == bytes.len() && head.is_multiple_of(ALIGNMENT));
    spans.ok_or_else(|| "the columns of a block do not lie end to end".into())
}

/// Labels and lengths of the eras of a block.
fn runs(batch: &RecordBatch) -> Option<Vec<(Arc<str>, usize)>> {
    let eras = batch.column(0).as_dictionary_opt::<Int32Type>()?;
    let labels = eras.values().as_string_opt::<i32>()?;
    if eras.null_count() + labels.null_count() > 0 {
        return None;
    }
    let runs = eras.keys().values().chunk_by(|a, b| a == b);
    let run = |run: &[i32]| Some((labels.value(usize::try_from(run[0]).ok()?).into(), run.len()));
    runs.map(run).collect()
}

fn push_ids(batch: &RecordBatch, ids: &mut IdsBuilder) -> Option<()> {
    let texts = batch.column(1).as_string_opt::<i64>().filter(|texts| texts.null_count() == 0)?;
    (0..texts.len()).for_each(|row| ids.push(texts.value(row)));
    Some(())
}
