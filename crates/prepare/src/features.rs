//! Works on the features of a panel, several at a time.

use std::sync::Arc;

use fattail_core::{ColumnData, ColumnView, Panel, Result, Values};
use rayon::prelude::*;

/// What `f` makes of each feature, in order.
pub(crate) fn each_feature<T: Send>(
    panel: &Panel,
    f: impl Fn(usize, ColumnView<'_>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    (0..panel.width()).into_par_iter().map(|at| f(at, panel.feature(at))).collect()
}

/// The panel with the features that `f` makes, under their old names.
pub(crate) fn map_features(
    panel: &Panel,
    f: impl Fn(usize, ColumnView<'_>) -> Result<ColumnData> + Sync,
) -> Result<Panel> {
    let columns = each_feature(panel, f)?;
    let names = panel.schema().features().iter().map(Arc::clone);
    panel.with_features(names.zip(columns))
}

/// A copy of the column, bins as bins.
pub(crate) fn copied(column: ColumnView<'_>) -> ColumnData {
    let mut bins = Vec::new();
    for values in column.eras() {
        match values {
            Values::U8(values) => bins.extend_from_slice(values),
            Values::F32(_) => return column.to_f32().into(),
        }
    }
    bins.into()
}

/// A copy of the column with one era after another rewritten by `f(era, values)`.
pub(crate) fn by_era(column: ColumnView<'_>, mut f: impl FnMut(usize, &mut [f32])) -> Vec<f32> {
    let mut out = column.to_f32();
    let mut rest = &mut out[..];
    for (era, values) in column.eras().enumerate() {
        let (here, later) = rest.split_at_mut(values.len());
        f(era, here);
        rest = later;
    }
    out
}
