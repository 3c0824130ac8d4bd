//! Decoded columns put together to a panel.

use std::path::Path;

use fattail_core::{ColumnData, Eras, Ids, Panel, Shared};

use crate::{
    Error, Place, ReadOptions, Result,
    plan::{Plan, Role},
};

/// A column being filled.
#[derive(Debug)]
pub(crate) enum Filling {
    Bins(Vec<u8>),
    Numbers(Vec<f32>),
}

impl Filling {
    /// Bytes of a value.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Bins(_) => size_of::<u8>(),
            Self::Numbers(_) => size_of::<f32>(),
        }
    }

    /// A column without rows, with room for some.
    pub(crate) fn new(bins: bool, room: usize) -> Self {
        match bins {
            true => Self::Bins(Vec::with_capacity(room)),
            false => Self::Numbers(Vec::with_capacity(room)),
        }
    }

    /// A column of so many zeros.
    pub(crate) fn zeros(bins: bool, rows: usize) -> Self {
        match bins {
            true => Self::Bins(vec![0; rows]),
            false => Self::Numbers(vec![0.0; rows]),
        }
    }

    pub(crate) fn done(self) -> ColumnData {
        match self {
            Self::Bins(bins) => bins.into(),
            Self::Numbers(numbers) => numbers.into(),
        }
    }
}

/// What a reader has decoded: `columns` in the order of the plan.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) eras: Eras,
    pub(crate) ids: Option<Ids>,
    pub(crate) columns: Vec<ColumnData>,
}

impl Parts {
    /// Builds the panel; `place` tells where the n-th row read stands in the file.
    pub(crate) fn assemble(
        self,
        path: &Path,
        plan: &Plan,
        options: &ReadOptions,
        place: impl Fn(usize) -> Place,
    ) -> Result<Panel> {
        let mut builder = Panel::builder().era_runs(self.eras);
        if let Some(ids) = self.ids {
            builder = builder.ids(ids);
        }
        for (wanted, data) in plan.columns.iter().zip(self.columns) {
            let name = wanted.name.clone();
            builder = match wanted.role {
                Role::Feature => builder.feature(name, data),
                Role::Target => builder.target(name, numbers(data)),
                Role::Extra => builder.extra(name, numbers(data)),
                Role::Weight => builder.weights(numbers(data)),
            };
        }
        if let Some(main) = &plan.main_target {
            builder = builder.main_target(main.clone());
        }
        builder.build().map_err(|source| match source {
            fattail_core::Error::DuplicateId { id, era, row } => Error::DuplicateId {
                path: path.into(),
                place: place(row),
                column: options.id.clone().unwrap_or_default(),
                id,
                era,
            },
            source => Error::Panel { path: path.into(), source },
        })
    }
}

/// Readers decode targets, extras and weights as numbers; bins are widened.
fn numbers(data: ColumnData) -> Shared<f32> {
    match data {
        ColumnData::F32(values) => values,
        ColumnData::U8(bins) => bins.iter().map(|&bin| f32::from(bin)).collect::<Vec<_>>().into(),
    }
}
