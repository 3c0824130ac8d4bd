//! The view of one era of a panel.

use crate::{Error, Panel, Result, Values};

/// One era: the rows that share a time.
#[derive(Debug, Clone, Copy)]
pub struct Era<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) index: usize,
}

impl<'a> Era<'a> {
    /// The era's label.
    #[must_use]
    pub fn label(&self) -> &'a str {
        self.panel.eras().label(self.index)
    }

    /// The era's position in its panel.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.panel.eras().range(self.index).len()
    }

    /// The panel that the era is of.
    #[must_use]
    pub fn panel(&self) -> &'a Panel {
        self.panel
    }

    /// The values of feature `position`.
    ///
    /// # Panics
    /// When there is no such feature, as indexing a slice does.
    #[must_use]
    pub fn feature(&self, position: usize) -> Values<'a> {
        self.panel.feature(position).era(self.index)
    }

    /// The values of each feature, in order.
    pub fn features(self) -> impl ExactSizeIterator<Item = Values<'a>> {
        (0..self.panel.width()).map(move |position| self.feature(position))
    }

    /// The values of the target that learners fit; NaN is unknown.
    ///
    /// # Errors
    /// When the panel has no target.
    pub fn target(&self) -> Result<&'a [f32]> {
        Ok(numbers(self.panel.target()?.era(self.index)))
    }

    /// The weights of the rows, if there are any.
    #[must_use]
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.panel.weights().map(|column| numbers(column.era(self.index)))
    }

    /// The values of an extra column.
    ///
    /// # Errors
    /// When the panel has no such extra column.
    pub fn extra(&self, name: &str) -> Result<&'a [f32]> {
        Ok(numbers(self.panel.extra(name)?.era(self.index)))
    }

    /// The id of each row, if the panel has ids.
    pub fn ids(self) -> Option<impl ExactSizeIterator<Item = &'a str>> {
        let rows = self.panel.eras().range(self.index);
        self.panel.has_ids().then(|| rows.map(move |row| self.panel.id(row).unwrap_or_default()))
    }

    /// The error that a score is not defined here.
    pub fn undefined(&self, metric: &str, reason: impl Into<String>) -> Error {
        Error::Undefined { metric: metric.into(), era: self.label().into(), reason: reason.into() }
    }
}

/// Targets, weights and extra columns are `f32` by construction.
fn numbers(values: Values<'_>) -> &[f32] {
    match values {
        Values::F32(values) => values,
        Values::U8(_) => unreachable!("the builder stores targets, weights and extras as f32"),
    }
}
