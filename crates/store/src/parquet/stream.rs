//! A Parquet file as pieces of whole eras, for panels larger than memory.
//!
//! The keys of all rows are read once, at opening; each piece then decodes the rows it holds. A
//! column chunk is read anew for every piece that needs rows of it, and pages before those rows are
//! skipped without decoding: pieces of about a row group read each byte once.
//!
//! Memory: one piece, plus one compressed column chunk a thread, plus eras and row ranges.

use std::{iter::FusedIterator, ops::Range, path::Path, vec};

use fattail_core::{Eras, Panel, silent};

use super::{columns::Decoder, file::ParquetFile, keys, read::expect_room};
use crate::{
    PieceLimit, Place, ReadOptions, Result,
    panel::Parts,
    plan::{Plan, Role},
    rows::{Part, locate, select, split},
};

/// The panel of a Parquet file, piece by piece: what [`crate::read_parquet`] reads, cut at ends of
/// eras. A column is bins in every piece or in none, as it would be in the whole; to know it at
/// opening, columns of integers of whose values the file's statistics do not tell are decoded once
/// more. Ends after the first error.
///
/// The file stays open: removed or replaced by renaming, it is read on. One that is cut short or
/// overwritten meanwhile is an error.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_store::{PanelStream, PieceLimit, ReadOptions, write_parquet};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("train.parquet");
/// let panel = Panel::builder()
///     .eras(&["0001", "0001", "0002", "0003"])?
///     .feature("feature_value", vec![0u8, 4, 2, 3])
///     .build()?;
/// write_parquet(&panel, &path)?;
///
/// let options = ReadOptions { id: None, ..ReadOptions::default() };
/// let limit = PieceLimit { bytes: 3, ..PieceLimit::default() };
/// let mut rows = Vec::new();
/// for piece in PanelStream::open(&path, &options, &limit)? {
///     rows.push(piece?.rows());
/// }
/// assert_eq!(rows, [3, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PanelStream {
    file: ParquetFile,
    plan: Plan,
    options: ReadOptions,
    eras: Eras,
    /// Which columns are bins.
    bins: Vec<bool>,
    rest: vec::IntoIter<(Range<usize>, Part)>,
}

impl PanelStream {
    /// Opens a file and reads its keys.
    ///
    /// # Errors
    /// Those of [`crate::read_parquet`] but for values, which are judged piece by piece; and when a
    /// limit is 0.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions, limit: &PieceLimit) -> Result<Self> {
        let path = path.as_ref();
        let file = ParquetFile::open(path)?;
        let plan = Plan::new(path, &file.names(), |at| file.kind(at).is_number(), options)?;
        let keys = keys::read(&file, &plan, options)?;
        let (eras, keep) =
            select(path, options, &keys, |group, row| Place::GroupRow { group, row })?;
        // Before anything is decoded: columns of one byte make the longest pieces.
        let longest = limit.split(&eras, plan.columns.len())?;
        let rows = |piece: &Range<usize>| piece.clone().map(|era| eras.range(era).len()).sum();
        expect_room(&file, &plan, options, longest.iter().map(rows).max().unwrap_or(0))?;
        let bins = Decoder { file: &file, keep: &keep, observer: &silent }.decide(&plan.columns)?;
        let pieces = limit.split(&eras, row_bytes(&plan, &bins))?;
        let parts = split(&keep, pieces.iter().map(rows));
        let rest = pieces.into_iter().zip(parts).collect::<Vec<_>>().into_iter();
        Ok(Self { file, plan, options: options.clone(), eras, bins, rest })
    }

    /// The eras of all pieces.
    #[must_use]
    pub fn eras(&self) -> &Eras {
        &self.eras
    }

    fn read(&self, eras: Range<usize>, part: Part) -> Result<Panel> {
        let mut keep = vec![Vec::new(); self.file.groups()];
        for (group, rows) in part {
            keep[group] = rows;
        }
        let eras = self.eras.cut(&eras.collect::<Vec<_>>()).map_err(|source| {
            crate::Error::Panel { path: self.file.path.as_path().into(), source }
        })?;
        let ids = self.plan.id.map(|id| keys::read_ids(&self.file, id, &keep)).transpose()?;
        let decoder = Decoder { file: &self.file, keep: &keep, observer: &silent };
        let columns = decoder.decided(&self.plan.columns, &self.bins)?;
        Parts { eras, ids, columns }.assemble(&self.file.path, &self.plan, &self.options, |row| {
            locate(&keep, row).map_or(Place::File, |(group, row)| Place::GroupRow { group, row })
        })
    }
}

impl Iterator for PanelStream {
    type Item = Result<Panel>;

    fn next(&mut self) -> Option<Self::Item> {
        let (eras, part) = self.rest.next()?;
        let piece = self.read(eras, part);
        if piece.is_err() {
            self.rest = Vec::new().into_iter();
        }
        Some(piece)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl ExactSizeIterator for PanelStream {}
impl FusedIterator for PanelStream {}

/// Bytes of the values of a row.
fn row_bytes(plan: &Plan, bins: &[bool]) -> usize {
    let width = |(column, &bins): (&crate::plan::Wanted, &bool)| match column.role {
        Role::Feature if bins => size_of::<u8>(),
        _ => size_of::<f32>(),
    };
    plan.columns.iter().zip(bins).map(width).sum()
}
