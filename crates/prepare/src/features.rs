//! Works on the features of a panel, several at a time.

use fattail_core::{ColumnData, ColumnView, Panel, Result};
use rayon::prelude::*;

/// What `f` makes of each feature, in order.
pub(crate) fn each_feature<T: Send>(
    panel: &Panel,
    f: impl Fn(usize, ColumnView<'_>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    (0..panel.width()).into_par_iter().map(|at| f(at, panel.feature(at))).collect()
}

/// The panel with the features that `f` makes, under their old names; where it makes none, the feature
/// is shared with the panel given.
pub(crate) fn map_features<D: Into<ColumnData> + Send>(
    panel: Panel,
    f: impl Fn(usize, ColumnView<'_>) -> Result<Option<D>> + Sync,
) -> Result<Panel> {
    let made = each_feature(&panel, f)?;
    if made.iter().all(Option::is_none) {
        return Ok(panel);
    }
    panel.replace_features(made.into_iter().enumerate().filter_map(|(at, data)| Some((at, data?))))
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
