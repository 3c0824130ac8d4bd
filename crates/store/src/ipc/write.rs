//! Writes panels as Arrow IPC files that are used where they lie.

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{RecordBatch, StringArray},
    datatypes::Schema,
    error::ArrowError,
    ipc::{
        MetadataVersion,
        writer::{DictionaryHandling, FileWriter, IpcWriteOptions},
    },
};
use fattail_core::{Panel, Values, natural_order};

use super::{ALIGNMENT, checksum};
use crate::{
    Error, PieceLimit, Place, Result,
    atomic::{Lasting, write_whole},
    batch::to_batch_labelled,
};

/// Writes a panel as one uncompressed record batch, for [`crate::open_ipc`]. Columns that lie end to
/// end are written from where they are.
///
/// # Errors
/// When a value is infinite, two columns have the same name or the disk refuses; nothing
/// half-written stays.
pub fn write_ipc(panel: &Panel, path: impl AsRef<Path>) -> Result<()> {
    let one = PieceLimit { eras: usize::MAX, bytes: usize::MAX };
    write_mapped([Ok(panel.clone())], path, &one)
}

/// Writes a panel for [`crate::MappedPanel`]: uncompressed record batches of whole eras, each within
/// the limit, with a checksum for each column of each. The panel is given in pieces, in order, so
/// that it may be larger than memory: a [`crate::PanelStream`] is turned into a mapped panel in one
/// line. No record batch holds rows of two pieces.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_store::{MappedPanel, PanelStream, PieceLimit, ReadOptions};
/// use fattail_store::{write_mapped, write_parquet};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let (parquet, mapped) = (folder.path().join("p.parquet"), folder.path().join("p.arrow"));
/// # let panel = Panel::builder()
/// #     .eras(&["1", "1", "2"])?.feature("feature_a", vec![3u8, 1, 0]).build()?;
/// # write_parquet(&panel, &parquet)?;
/// let options = ReadOptions { id: None, ..ReadOptions::default() };
/// let stream = PanelStream::open(&parquet, &options, &PieceLimit::default())?;
/// write_mapped(stream, &mapped, &PieceLimit::default())?;
/// assert_eq!(MappedPanel::open(&mapped)?.eras().len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first error among the pieces; when there is none or they differ in their columns, eras do not
/// increase from piece to piece, a value is infinite, two columns have the same name, a limit is 0
/// or the disk refuses; nothing half-written stays.
pub fn write_mapped(
    pieces: impl IntoIterator<Item = Result<Panel>>,
    path: impl AsRef<Path>,
    limit: &PieceLimit,
) -> Result<()> {
    write_blocks(pieces, path.as_ref(), limit, Lasting::Yes)
}

pub(crate) fn write_blocks(
    pieces: impl IntoIterator<Item = Result<Panel>>,
    path: &Path,
    limit: &PieceLimit,
    lasting: Lasting,
) -> Result<()> {
    write_whole(path, lasting, |file| {
        let mut encoder = Encoder::new(path, limit, file, Checksums::Taken);
        pieces.into_iter().try_for_each(|piece| encoder.push(&piece?))?;
        encoder.finish().map(|_| ())
    })
}

/// Bytes of the file that [`write_mapped`] would write.
pub(crate) fn mapped_size(panel: &Panel, path: &Path, limit: &PieceLimit) -> Result<u64> {
    let mut encoder = Encoder::new(path, limit, Counter(0), Checksums::LeftOut);
    encoder.push(panel)?;
    Ok(encoder.finish()?.0)
}

/// Counts what is written.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Zeros stand for checksums that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checksums {
    Taken,
    LeftOut,
}

/// Pieces wait until they have so many bytes: the labels of all of them are then one dictionary. Arrow goes
/// through all labels so far for each, which would be the most of the work where pieces are small.
const WAITING: usize = 16 << 20;
/// Bytes of an id, about.
const ID_BYTES: usize = 16;

struct Encoder<'a, W: Write> {
    path: &'a Path,
    limit: &'a PieceLimit,
    /// The sink, until the first piece tells the columns.
    sink: Option<W>,
    writer: Option<FileWriter<W>>,
    labels: Vec<Arc<str>>,
    /// Pieces that are not yet written, and where their labels begin.
    waiting: Vec<(usize, Panel)>,
    waiting_bytes: usize,
    rows: usize,
    take: Checksums,
    lines: String,
}

impl<'a, W: Write> Encoder<'a, W> {
    fn new(path: &'a Path, limit: &'a PieceLimit, sink: W, take: Checksums) -> Self {
        Self {
            path,
            limit,
            sink: Some(sink),
            writer: None,
            labels: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            rows: 0,
            take,
            lines: String::new(),
        }
    }

    fn push(&mut self, piece: &Panel) -> Result<()> {
        self.expect_later(piece)?;
        self.refuse_infinity(piece)?;
        self.waiting.push((self.labels.len(), piece.clone()));
        self.waiting_bytes += piece.bytes() + ID_BYTES * piece.rows();
        self.labels.extend(piece.eras().labels().map(Arc::from));
        self.rows += piece.rows();
        if self.waiting_bytes >= WAITING { self.write_waiting() } else { Ok(()) }
    }

    fn write_waiting(&mut self) -> Result<()> {
        let labels = Arc::new(StringArray::from_iter_values(&self.labels));
        self.waiting_bytes = 0;
        for (first, piece) in std::mem::take(&mut self.waiting) {
            for eras in self.limit.split(piece.eras(), piece.bytes() / piece.rows())? {
                let start = first + eras.start;
                let block = match eras.len() == piece.eras().len() {
                    true => piece.clone(),
                    false => {
                        piece.cut(&eras.collect::<Vec<_>>()).map_err(|source| self.panel(source))?
                    }
                };
                self.write(&to_batch_labelled(self.path, &block, &labels, start)?)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns();
        let checksums = match self.take {
            Checksums::Taken => checksum::of_columns(columns),
            Checksums::LeftOut => vec![0; columns.len()],
        };
        checksum::write(&mut self.lines, &checksums);
        let path = self.path;
        let writer = self.writer(&batch.schema())?;
        expect_same(path, writer.schema(), &batch.schema())?;
        writer.write(batch).map_err(|source| refuse(path, source))
    }

    fn writer(&mut self, schema: &Schema) -> Result<&mut FileWriter<W>> {
        if let Some(sink) = self.sink.take() {
            let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)
                .map(|options| options.with_dictionary_handling(DictionaryHandling::Delta));
            let writer = options
                .and_then(|options| FileWriter::try_new_with_options(sink, schema, options))
                .map_err(|source| refuse(self.path, source))?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().ok_or_else(|| Error::write(self.path, "it was given up before"))
    }

    fn finish(mut self) -> Result<W> {
        self.write_waiting()?;
        let Some(mut writer) = self.writer.take() else {
            let reason = " to write: it was given no piece".into();
            return Err(Error::NoRows { path: self.path.into(), reason });
        };
        let head = checksum::of_head(writer.schema(), self.labels.iter().map(|label| &**label));
        writer.write_metadata(checksum::COLUMNS, self.lines);
        writer.write_metadata(checksum::HEAD, format!("{head:08x}"));
        // Finishes, too.
        writer.into_inner().map_err(|source| refuse(self.path, source))
    }

    fn expect_later(&self, piece: &Panel) -> Result<()> {
        let (last, first) = (self.labels.last(), piece.eras().labels().next());
        match (last, first) {
            (Some(last), Some(first)) if natural_order(last, first).is_ge() => {
                Err(Error::UnsortedEras {
                    path: self.path.into(),
                    place: Place::Row(self.rows),
                    column: "era".into(),
                    era: first.to_owned(),
                    previous: last.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    fn refuse_infinity(&self, piece: &Panel) -> Result<()> {
        for (position, name) in piece.schema().features().iter().enumerate() {
            for (era, rows) in piece.feature(position).eras().zip(piece.eras().ranges()) {
                let Values::F32(values) = era else { break };
                if let Some(at) = values.iter().position(|value| value.is_infinite()) {
                    return Err(Error::Value {
                        path: self.path.into(),
                        place: Place::Row(self.rows + rows.start + at),
                        column: name.to_string(),
                        value: values[at].to_string(),
                        expected: "a finite number or NaN",
                    });
                }
            }
        }
        Ok(())
    }

    fn panel(&self, source: fattail_core::Error) -> Error {
        Error::Panel { path: self.path.into(), source }
    }
}

/// Refuses a piece whose columns are not those of the first.
fn expect_same(path: &Path, known: &Schema, given: &Schema) -> Result<()> {
    let (known, given) = (known.fields(), given.fields());
    let differs = (0..known.len().max(given.len())).find(|&at| known.get(at) != given.get(at));
    differs.map_or(Ok(()), |at| {
        let shown = |field: Option<&Arc<arrow::datatypes::Field>>| {
            field.map_or("nothing".into(), |field| {
                format!("'{}' of {}", field.name(), field.data_type())
            })
        };
        let (found, expected) = (shown(given.get(at)), shown(known.get(at)));
        let source = format!("column {at} of a piece is {found}, in the first piece {expected}");
        Err(Error::write(path, source))
    })
}

/// What the disk said, without Arrow's words around it.
fn refuse(path: &Path, source: ArrowError) -> Error {
    match source {
        ArrowError::IoError(_, source) => Error::write(path, source),
        source => Error::write(path, source),
    }
}

#[cfg(test)]
mod tests {
    use arrow::buffer::Buffer;

    use super::*;
    use crate::{MappedPanel, ipc::footer::Opened, map::map};

    #[test]
    fn the_labels_of_many_small_pieces_are_one_dictionary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.arrow");
        let piece = |era: u32| {
            let panel = Panel::builder().eras(&[format!("{era:05}")]).unwrap();
            Ok(panel.feature("a", vec![(era % 251) as u8]).build().unwrap())
        };
        write_mapped((0..500).map(piece), &path, &PieceLimit::default()).unwrap();
        let bytes = Buffer::from(map(&path).unwrap());
        let file = Opened::new(&bytes).unwrap();
        assert_eq!((file.dictionaries().count(), file.blocks().count()), (1, 500));
        let mapped = MappedPanel::open(&path).unwrap();
        mapped.verify().unwrap();
        assert_eq!(mapped.eras().labels().last(), Some("00499"));
        assert_eq!(mapped.panel(300..301).unwrap().feature(0).to_f32(), [49.0]);
    }

    #[test]
    fn a_large_piece_does_not_wait() {
        let path = Path::new("p");
        let limit = PieceLimit::default();
        let mut encoder = Encoder::new(path, &limit, Counter(0), Checksums::LeftOut);
        let piece = |era: &str, rows: usize| {
            let panel = Panel::builder().eras(&vec![era; rows]).unwrap();
            panel.feature("a", vec![0u8; rows]).build().unwrap()
        };
        encoder.push(&piece("1", 1)).unwrap();
        assert_eq!(encoder.waiting.len(), 1);
        encoder.push(&piece("2", WAITING / ID_BYTES)).unwrap();
        assert_eq!((encoder.waiting.len(), encoder.waiting_bytes), (0, 0));
        assert!(encoder.finish().unwrap().0 > (WAITING / ID_BYTES) as u64);
    }
}
