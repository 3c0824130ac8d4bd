//! Leaves that bound each other by their values.
//!
//! A leaf is a box of bins. Two leaves whose boxes part on one feature only, a constrained one, are in
//! order: rows that differ in nothing else can fall into either. When a leaf is split, the values of
//! its children bound the leaves they are in order with, and leaves whose bounds have changed search
//! anew. Leaves that part on several features are kept in order by those between them.
//! Cost of a split: leaves x depth, and a search for each leaf whose bounds have changed.
//! Reference: Auguste, Malory & Smirnov (2020), a better method to enforce monotonic constraints;
//! LightGBM 4.7, `IntermediateLeafConstraints`.

use super::{Grower, find::Found, grower::Growing, leaf::Leaf};
use crate::{
    histogram::Cell,
    split::{Bounds, Side, Split},
};

/// The bins of a feature that may reach a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    feature: usize,
    low: usize,
    high: usize,
    /// Whether missing values may.
    missing: bool,
}

impl Span {
    fn meets(self, other: Self) -> bool {
        (self.low <= other.high && other.low <= self.high) || (self.missing && other.missing)
    }
}

impl<'a, C: Cell> Grower<'a, C> {
    /// The spans of the children of a leaf; none where they are not needed. Categories, which have no
    /// order, leave them as they are: leaves that part on categories count as if they met.
    pub(super) fn child_spans(&self, leaf: &Leaf<'_, C>, split: &Split) -> (Vec<Span>, Vec<Span>) {
        let Side::Threshold { bin, default_left } = split.side else {
            return (leaf.spans.clone(), leaf.spans.clone());
        };
        if !self.allowed.by_value() {
            return (Vec::new(), Vec::new());
        }
        let mapper = &self.binned.columns[split.feature].mapper;
        let (mut left, mut right) = (leaf.spans.clone(), leaf.spans.clone());
        let place = left.binary_search_by_key(&split.feature, |span| span.feature);
        let at = place.unwrap_or_else(|at| {
            let missing = mapper.missing_bin().is_some();
            let whole = Span { feature: split.feature, low: 0, high: mapper.bins - 1, missing };
            left.insert(at, whole);
            right.insert(at, whole);
            at
        });
        left[at].high = left[at].high.min(bin);
        left[at].missing &= default_left;
        right[at].low = right[at].low.max(bin + 1);
        right[at].missing &= !default_left;
        (left, right)
    }

    /// Bounds the other leaves by the values of the children that are leaf `at` and the last one.
    pub(super) fn bound_others(&self, growing: &mut Growing<'a, C>, at: usize) {
        let last = growing.leaves.len() - 1;
        for other in (0..last).filter(|&other| other != at) {
            let leaf = &growing.leaves[other];
            let bounds = [at, last].iter().fold(leaf.bounds, |bounds, &child| {
                self.bound(bounds, leaf, &growing.leaves[child])
            });
            if bounds == leaf.bounds {
                continue;
            }
            growing.leaves[other].bounds = bounds;
            if growing.leaves[other].best.is_some() {
                let found = self.find_again(growing, other);
                growing.leaves[other].keep(found);
            }
            if growing.leaves[other].best.is_none() {
                let histogram = growing.leaves[other].histogram.take();
                growing.pool.extend(histogram);
            }
        }
    }

    /// The best split of a leaf that has searched before; its histogram may be gone.
    fn find_again(&self, growing: &mut Growing<'a, C>, at: usize) -> Found {
        let Growing { rows, ordered, leaves, pool, .. } = growing;
        let leaf = &leaves[at];
        let (rows, ordered) = (&rows[leaf.rows.clone()], &mut ordered[leaf.rows.clone()]);
        if self.folds.is_some() || leaf.histogram.is_some() {
            return self.find_in_leaf(leaf, rows, ordered);
        }
        let histogram = self.build(rows, ordered, pool);
        let found = self.find(leaf, &histogram);
        pool.push(histogram);
        found
    }

    /// The bounds of a leaf beside another one.
    fn bound(&self, mut bounds: Bounds, leaf: &Leaf<'_, C>, beside: &Leaf<'_, C>) -> Bounds {
        let Some((feature, is_below)) = order(&leaf.spans, &beside.spans) else { return bounds };
        let direction = self.allowed.direction(feature);
        if direction == 0 {
            return bounds;
        }
        if is_below == (direction > 0) {
            bounds.high = bounds.high.min(beside.output);
        } else {
            bounds.low = bounds.low.max(beside.output);
        }
        bounds
    }
}

/// The only feature on which two boxes part, and whether the first is below.
fn order(a: &[Span], b: &[Span]) -> Option<(usize, bool)> {
    let mut only = None;
    for own in a {
        let other = b.binary_search_by_key(&own.feature, |span| span.feature);
        let Some(other) = other.ok().map(|at| b[at]) else { continue };
        if own.meets(other) {
            continue;
        }
        if only.is_some() {
            return None;
        }
        only = Some((own.feature, own.high < other.low));
    }
    only
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(feature: usize, low: usize, high: usize, missing: bool) -> Span {
        Span { feature, low, high, missing }
    }

    #[test]
    fn boxes_that_part_on_one_feature_are_in_order() {
        let low = [span(1, 0, 2, false), span(4, 0, 9, false)];
        let high = [span(1, 3, 7, false)];
        assert_eq!(order(&low, &high), Some((1, true)));
        assert_eq!(order(&high, &low), Some((1, false)));
        // Apart on two features: in no order of their own.
        assert_eq!(order(&low, &[span(1, 3, 7, false), span(4, 10, 12, false)]), None);
        // They meet.
        assert_eq!(order(&low, &[span(1, 2, 7, false)]), None);
        // Missing values of feature 4 reach both, so that they part on feature 1 alone.
        let (a, b) = (
            [span(1, 0, 2, false), span(4, 0, 3, true)],
            [span(1, 3, 7, false), span(4, 4, 9, true)],
        );
        assert_eq!(order(&a, &b), Some((1, true)));
    }
}
