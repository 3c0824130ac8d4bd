//! Columns as panels.

use fattail_bins::{Binned, Binning, Mappers};
use fattail_core::{ColumnData, Panel};

/// A panel of one feature in one era.
pub(crate) fn single(values: impl Into<ColumnData>) -> Panel {
    Panel::builder().feature("x", values).build().unwrap()
}

/// The bins of a panel and the panel in bins.
pub(crate) fn binned(panel: &Panel, binning: &Binning) -> (Mappers, Binned) {
    let mappers = Mappers::learn(panel, binning).unwrap();
    let binned = mappers.apply(panel).unwrap();
    (mappers, binned)
}

/// The codes of a column.
pub(crate) fn codes(binned: &Binned, column: usize) -> Vec<usize> {
    (0..binned.rows).map(|row| binned.columns[column].codes.get(row)).collect()
}
