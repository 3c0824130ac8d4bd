//! A leaf that may still be split.

use std::ops::Range;

use crate::{
    ForcedSplit,
    histogram::Sums,
    split::{Bounds, Split},
};

/// A leaf of a growing tree.
#[derive(Debug, Clone)]
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
    /// The features asked about on the way, increasing.
    pub(crate) path: Vec<usize>,
    /// The split that must be made.
    pub(crate) forced: Option<&'a ForcedSplit>,
    /// The parent's node and whether the leaf is its left child.
    pub(crate) parent: Option<(usize, bool)>,
}

/// The order of splitting: the index of the next leaf.
pub(crate) fn next<C>(leaves: &[Leaf<'_, C>], by_level: bool) -> Option<usize> {
    let splittable = leaves.iter().enumerate().filter_map(|(at, leaf)| {
        let best = leaf.best.as_ref()?;
        (best.gain > 0.0).then_some((at, leaf.depth, best))
    });
    let first = splittable.reduce(|a, b| {
        let sooner = by_level && b.1 < a.1;
        let level = !by_level || b.1 == a.1;
        if sooner || (level && b.2.beats(a.2)) { b } else { a }
    });
    first.map(|(at, ..)| at)
}
