//! A panel made anew of another one's rows, with values changed on the way.

use std::sync::Arc;

use fattail_core::{ColumnData, ColumnView, Eras, Ids, Panel, Result, Values};

/// What is done to the values of a column: bins or numbers.
pub(crate) trait Change {
    /// Changes bins in place; `rows` tells where they stood in the panel.
    fn bins(&self, _column: Column, _values: &mut [u8]) {}

    /// Changes numbers in place.
    fn numbers(&self, _column: Column, _values: &mut [f32]) {}
}

/// Which column it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Feature(usize),
    Target(usize),
    Extra(usize),
    Weights,
}

impl Column {
    /// A number of its own for each column.
    pub(crate) fn stream(self) -> u64 {
        let (kind, at) = match self {
            Self::Feature(at) => (0, at),
            Self::Target(at) => (1, at),
            Self::Extra(at) => (2, at),
            Self::Weights => (3, 0),
        };
        (kind << 32) | at as u64
    }
}

/// The change that changes nothing.
pub(crate) struct Same;

impl Change for Same {}

/// The rows `rows` of `panel`, in this order, under `eras`; ids from `ids`, or those of the rows.
pub(crate) fn rebuild(
    panel: &Panel,
    rows: &[usize],
    eras: Eras,
    ids: Option<Ids>,
    change: &dyn Change,
) -> Result<Panel> {
    let schema = panel.schema();
    let numbers = |column: Column, view: ColumnView<'_>| {
        let mut values = take(&view.to_f32(), rows);
        change.numbers(column, &mut values);
        values
    };
    let mut builder = Panel::builder().era_runs(eras);
    for (at, name) in schema.features().iter().enumerate() {
        let column = Column::Feature(at);
        let data: ColumnData = match bins(panel.feature(at)) {
            Some(all) => {
                let mut values = take(&all, rows);
                change.bins(column, &mut values);
                values.into()
            }
            None => numbers(column, panel.feature(at)).into(),
        };
        builder = builder.feature(Arc::clone(name), data);
    }
    for (at, name) in schema.targets().iter().enumerate() {
        let values = numbers(Column::Target(at), panel.target_named(name)?);
        builder = builder.target(Arc::clone(name), values);
    }
    for (at, name) in schema.extras().iter().enumerate() {
        let values = numbers(Column::Extra(at), panel.extra(name)?);
        builder = builder.extra(Arc::clone(name), values);
    }
    if let Some(weights) = panel.weights() {
        builder = builder.weights(numbers(Column::Weights, weights));
    }
    if let Some(main) = schema.target() {
        builder = builder.main_target(main);
    }
    let own = || rows.iter().map(|&row| panel.id(row)).collect::<Option<Vec<_>>>();
    match ids.or_else(|| own().map(|ids| ids.into_iter().collect())) {
        Some(ids) => builder.ids(ids).build(),
        None => builder.build(),
    }
}

/// All bins of a column, or `None` where it holds numbers.
fn bins(view: ColumnView<'_>) -> Option<Vec<u8>> {
    let mut all = Vec::with_capacity(view.len());
    for values in view.eras() {
        match values {
            Values::U8(values) => all.extend_from_slice(values),
            Values::F32(_) => return None,
        }
    }
    Some(all)
}

fn take<T: Copy>(all: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| all[row]).collect()
}

/// The eras of a panel with other numbers of rows.
pub(crate) fn resized(eras: &Eras, rows: impl Fn(usize) -> usize) -> Result<Eras> {
    Eras::from_runs(eras.labels().enumerate().map(|(era, label)| (label.into(), rows(era))))
}
