//! A panel on disk of which only the eras in use are in memory.

use std::{ops::Range, path::Path, sync::Arc};

use fattail_core::{ColumnData, Eras, Ids, IdsBuilder, Panel, Shared};
use rayon::prelude::*;

use super::{
    MAPPED,
    layout::{Block, Layout},
    whole::{guarded, roles},
};
use crate::{
    Error, Features, Place, ReadOptions, Result,
    panel::{Filling, Parts},
    plan::{Plan, Role, Wanted},
};

/// A panel that [`crate::write_mapped`] or [`crate::write_ipc`] wrote, opened: eras, ids and names
/// are in memory, values stay on disk. It hands out panels of some eras. Those of one block (record
/// batch) lie in a map of that block alone, and its pages are given back when the last panel, cut or
/// column of it is dropped: a pass over [`MappedPanel::pieces`] holds one block at a time.
///
/// The file must not be changed in place while it is open; removed or replaced by renaming, as this
/// room writes, it is read on as it was. A file found shortened when a block is mapped is an error;
/// one shortened later, under a map, ends the process (SIGBUS): no check can see it coming.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_store::{MappedPanel, PieceLimit, write_mapped};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("panel.arrow");
/// let panel = Panel::builder()
///     .eras(&["1", "1", "2", "3"])?
///     .feature("a", vec![3u8, 1, 0, 2])
///     .feature("b", vec![0.5f32, 0.25, 0.0, 1.0])
///     .build()?;
/// let limit = PieceLimit { eras: 2, ..PieceLimit::default() };
/// write_mapped([Ok(panel)], &path, &limit)?;
///
/// let mapped = MappedPanel::open(&path)?.select(&["b"])?;
/// mapped.verify()?;
/// let mut sum = 0.0;
/// for piece in mapped.pieces() {
///     sum += piece?.feature(0).to_f32().iter().sum::<f32>();
/// }
/// assert_eq!(sum, 1.75);
/// assert_eq!(mapped.panel(2..3)?.eras().label(0), "3");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MappedPanel {
    layout: Arc<Layout>,
    options: ReadOptions,
    plan: Plan,
    checked: bool,
}

impl MappedPanel {
    /// Opens a file. It costs the eras and the ids, whose checksums are compared, and the names; no
    /// other column is touched.
    ///
    /// # Errors
    /// When the file cannot be read, is truncated, is not a mapped panel or does not have the
    /// checksums of its eras, ids and names.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let layout = Arc::new(guarded(path, || Layout::open(path))?);
        let options = roles(&layout.schema)
            .ok_or_else(|| Error::format(path, Place::File, MAPPED, "its columns have no roles"))?;
        let plan = plan(&layout, &options)?;
        Ok(Self { layout, options, plan, checked: false })
    }

    /// The same file with these features alone, in the order given. Others are never touched.
    ///
    /// # Errors
    /// When the file has no feature of a name.
    pub fn select<S: AsRef<str>>(&self, features: &[S]) -> Result<Self> {
        let names = features.iter().map(|name| name.as_ref().to_owned()).collect();
        let options = ReadOptions { features: Features::Named(names), ..self.options.clone() };
        let plan = plan(&self.layout, &options)?;
        Ok(Self { layout: Arc::clone(&self.layout), options, plan, checked: self.checked })
    }

    /// The same file, whose blocks are compared with their checksums, column by column, each time
    /// that eras of them are handed out.
    #[must_use]
    pub fn checked(self) -> Self {
        Self { checked: true, ..self }
    }

    /// The eras.
    #[must_use]
    pub fn eras(&self) -> &Eras {
        &self.layout.eras
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.layout.eras.rows()
    }

    /// The names of the features that panels will have.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        let features = self.plan.columns.iter().filter(|column| column.role == Role::Feature);
        features.map(|column| &*column.name)
    }

    /// The id of `row`, if the rows have ids and there is such a row.
    #[must_use]
    pub fn id(&self, row: usize) -> Option<&str> {
        let ids = self.layout.ids.as_ref()?;
        (row < ids.len()).then(|| ids.get(row))
    }

    /// Bytes of the values of all eras: what [`Panel::bytes`] of the whole panel would be.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows() * self.row_bytes()
    }

    fn row_bytes(&self) -> usize {
        let width = |column: &Wanted| if self.is_bins(column) { 1 } else { size_of::<f32>() };
        self.plan.columns.iter().map(width).sum()
    }

    /// The eras of each block.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.layout.blocks.iter().map(|block| block.eras.clone())
    }

    /// The panel of each block, in order.
    pub fn pieces(&self) -> impl ExactSizeIterator<Item = Result<Panel>> + '_ {
        self.blocks().map(|eras| self.panel(eras))
    }

    /// The panel of some eras. Those of one block are not copied; those of several are, and the
    /// panel is then in memory.
    ///
    /// # Errors
    /// When there are no such eras, the file was shortened, or a column is not what was written
    /// (found by its checksum, when [`MappedPanel::checked`]).
    pub fn panel(&self, eras: Range<usize>) -> Result<Panel> {
        let layout = &self.layout;
        let path = &layout.path;
        let refuse = |source| Error::Panel { path: path.as_path().into(), source };
        if eras.is_empty() {
            return Err(refuse(fattail_core::Error::empty("the list of eras")));
        }
        // Up to the first era that there is not: a range may be longer than memory.
        let end = eras.end.min(eras.start.max(layout.eras.len()) + 1);
        let cut = layout.eras.cut(&(eras.start..end).collect::<Vec<_>>()).map_err(refuse)?;
        let rows = layout.eras.range(eras.start).start..layout.eras.range(eras.end - 1).end;
        let (first, last) = (layout.block_of(eras.start), layout.block_of(eras.end - 1));
        let columns = match first == last {
            true => self.shared(first, &rows)?,
            false => self.copied(first..last + 1, &rows)?,
        };
        let ids = layout.ids.as_ref().map(|ids| some(ids, rows.clone()));
        Parts { eras: cut, ids, columns }
            .assemble(path, &self.plan, &self.options, |row| Place::Row(rows.start + row))
    }

    /// Reads the whole file and compares every checksum, whichever features are selected; a block
    /// is in memory at a time.
    ///
    /// # Errors
    /// Names the first block and column that is not what was written.
    pub fn verify(&self) -> Result<()> {
        let columns: Vec<usize> = (0..self.layout.schema.fields().len()).collect();
        (0..self.layout.blocks.len()).try_for_each(|block| {
            let bytes = self.layout.block(block, usize::MAX)?;
            self.layout.check(block, &bytes, &columns)
        })
    }

    /// Maps a block for some rows of it.
    fn block(&self, block: usize, rows: &Range<usize>) -> Result<Block> {
        let used = self.row_bytes() * rows.len();
        let bytes = guarded(&self.layout.path, || self.layout.block(block, used))?;
        if self.checked {
            let columns: Vec<usize> = self.plan.columns.iter().map(|column| column.at).collect();
            self.layout.check(block, &bytes, &columns)?;
        }
        Ok(bytes)
    }

    /// The part of `rows` that lies in a block, counted from its first row.
    fn local(&self, block: usize, rows: &Range<usize>) -> Range<usize> {
        let whole = &self.layout.blocks[block].rows;
        rows.start.max(whole.start) - whole.start..rows.end.min(whole.end) - whole.start
    }

    fn shared(&self, block: usize, rows: &Range<usize>) -> Result<Vec<ColumnData>> {
        let rows = self.local(block, rows);
        let bytes = self.block(block, &rows)?;
        let column = |wanted: &Wanted| match self.is_bins(wanted) {
            true => Shared::new(bytes.values::<u8>(wanted.at, rows.clone())).into(),
            false => Shared::new(bytes.values::<f32>(wanted.at, rows.clone())).into(),
        };
        Ok(self.plan.columns.iter().map(column).collect())
    }

    fn copied(&self, blocks: Range<usize>, rows: &Range<usize>) -> Result<Vec<ColumnData>> {
        let empty = |wanted: &Wanted| Filling::new(self.is_bins(wanted), rows.len());
        let mut columns: Vec<Filling> = self.plan.columns.iter().map(empty).collect();
        for block in blocks {
            let rows = self.local(block, rows);
            let bytes = self.block(block, &rows)?;
            columns.par_iter_mut().zip(&self.plan.columns).for_each(
                |(column, wanted)| match column {
                    Filling::Bins(bins) => {
                        bins.extend_from_slice(&bytes.values::<u8>(wanted.at, rows.clone()));
                    }
                    Filling::Numbers(numbers) => {
                        numbers.extend_from_slice(&bytes.values::<f32>(wanted.at, rows.clone()));
                    }
                },
            );
        }
        Ok(columns.into_iter().map(Filling::done).collect())
    }

    fn is_bins(&self, wanted: &Wanted) -> bool {
        *self.layout.schema.field(wanted.at).data_type() == arrow::datatypes::DataType::UInt8
    }
}

fn plan(layout: &Layout, options: &ReadOptions) -> Result<Plan> {
    let names: Vec<&String> = layout.schema.fields().iter().map(|field| field.name()).collect();
    Plan::new(&layout.path, &names, |_| true, options)
}

/// Some of the ids.
fn some(ids: &Ids, rows: Range<usize>) -> Ids {
    let mut some = IdsBuilder::with_capacity(rows.len(), 16 * rows.len());
    rows.for_each(|row| some.push(ids.get(row)));
    some.finish()
}
