//! A leaf that may still be split.

use std::ops::Range;

use super::{find::Found, forced::Forced, make::Made, monotone::Span};
use crate::{
    histogram::Sums,
    split::{Bounds, Split},
};

/// A leaf of a growing tree.
#[derive(Debug)]
pub(crate) struct Leaf<'a, C> {
    /// Its rows among those of the tree.
    pub(crate) rows: Range<usize>,
    /// Sums of its rows over all workers, of the first output.
    pub(crate) sums: Sums,
    /// Its value.
    pub(crate) output: f64,
    /// Questions between the root and the leaf.
    pub(crate) depth: usize,
    /// The least and largest value that monotone constraints leave it.
    pub(crate) bounds: Bounds,
    /// Its histogram, where it may still be needed.
    pub(crate) histogram: Option<Vec<C>>,
    /// The best split found.
    pub(crate) best: Option<Split>,
    /// What that split makes of it, where that was done before its turn.
    pub(crate) made: Option<Box<Made<'a, C>>>,
    /// The features asked about on the way, increasing.
    pub(crate) path: Vec<usize>,
    /// The bins that may reach it, where leaves bound each other by their values.
    pub(crate) spans: Vec<Span>,
    /// The features on which no split beat the floor in the leaf or above, increasing: like LightGBM,
    /// nothing below asks about them again.
    pub(crate) hopeless: Vec<u32>,
    /// The split that must be made.
    pub(crate) forced: Option<&'a Forced>,
    /// Tells the leaf's random numbers from those of others.
    pub(crate) number: usize,
    /// The parent's node and whether the leaf is its left child.
    pub(crate) parent: Option<(usize, bool)>,
}

impl<C> Leaf<'_, C> {
    /// Keeps what a search gave.
    pub(crate) fn keep(&mut self, found: Found) {
        self.best = found.best;
        self.hopeless = found.hopeless;
    }

    /// The leaf as a child of a node.
    pub(crate) fn of(self, node: usize, is_left: bool) -> Self {
        let number = 2 * node + if is_left { 1 } else { 2 };
        Self { number, parent: Some((node, is_left)), ..self }
    }

    /// Whether no split on a feature beat the floor in the leaf or above.
    pub(crate) fn is_hopeless(&self, feature: usize) -> bool {
        self.hopeless.binary_search(&(feature as u32)).is_ok()
    }
}
