//! The two children that a split makes of a leaf: their rows, their histograms, their best splits.
//!
//! Nothing here touches the tree, so several leaves can be worked on at once.

use std::ops::Range;

use super::{
    Grower,
    find::Found,
    grower::{gather, subtract, take},
    leaf::Leaf,
    partition::partition,
    table::Table,
};
use crate::{
    Growth,
    histogram::{self, Cell, Rows},
    split::Split,
};

/// The rows of a leaf in a growing tree, their cells in the same order, and room to sort rows.
pub(super) struct Part<'p, C> {
    /// How many rows of the tree lie before these.
    pub(super) first: usize,
    pub(super) rows: &'p mut [u32],
    pub(super) scratch: &'p mut [u32],
    pub(super) ordered: &'p mut [C],
}

impl<C> Part<'_, C> {
    /// The rows before `middle`, counted in the tree, and those from it on.
    fn split_at(self, middle: usize) -> (Self, Self) {
        let at = middle - self.first;
        let (rows, rows_after) = self.rows.split_at_mut(at);
        let (scratch, scratch_after) = self.scratch.split_at_mut(at);
        let (ordered, ordered_after) = self.ordered.split_at_mut(at);
        let after = Self {
            first: middle,
            rows: rows_after,
            scratch: scratch_after,
            ordered: ordered_after,
        };
        (Self { first: self.first, rows, scratch, ordered }, after)
    }

    /// Those of a range of the tree's rows, and those after it.
    pub(super) fn cut(self, range: &Range<usize>) -> (Self, Self) {
        self.split_at(range.start).1.split_at(range.end)
    }
}

/// What a split makes of a leaf, before the tree has it.
#[derive(Debug)]
pub(crate) struct Made<'a, C> {
    pub(super) split: Split,
    pub(super) table: Table,
    pub(super) left: Leaf<'a, C>,
    pub(super) right: Leaf<'a, C>,
}

/// What is known of a leaf that is about to be split.
pub(super) struct Order<'l, 'p, 'a, C> {
    pub(super) leaf: &'l Leaf<'a, C>,
    pub(super) split: Split,
    pub(super) part: Part<'p, C>,
    pub(super) histogram: Option<Vec<C>>,
    /// Histograms that are free.
    pub(super) free: Vec<Vec<C>>,
    /// The number of the node that the leaf becomes, as far as known.
    pub(super) node: usize,
}

impl<'a, C: Cell> Grower<'a, C> {
    /// Sorts the rows of a leaf and makes its children; besides, the histograms that nobody needs any more.
    pub(super) fn make(&self, order: Order<'_, '_, 'a, C>) -> (Made<'a, C>, Vec<Vec<C>>) {
        let Order { leaf, split, part, histogram, mut free, node } = order;
        let column = &self.binned.columns[split.feature];
        let table = Table::new(column, &split.side);
        let middle = part.first + partition(part.rows, part.scratch, table.ask(column));
        let (mut left, mut right) = self.children(leaf, &split, node, middle);
        let (mut of_left, mut of_right) = part.split_at(middle);
        (left.histogram, right.histogram) =
            self.histograms((&left, &mut of_left), (&right, &mut of_right), histogram, &mut free);
        if self.settings.growth != Growth::Oblivious {
            self.judge((&mut left, &of_left), (&mut right, &of_right));
            for leaf in [&mut left, &mut right].into_iter().filter(|leaf| leaf.best.is_none()) {
                free.extend(leaf.histogram.take());
            }
        }
        (Made { split, table, left, right }, free)
    }

    /// Finds the best splits of two children.
    fn judge(
        &self,
        (left, of_left): (&mut Leaf<'_, C>, &Part<'_, C>),
        (right, of_right): (&mut Leaf<'_, C>, &Part<'_, C>),
    ) {
        let find = |leaf: &Leaf<'_, C>, part: &Part<'_, C>| {
            self.find_in_leaf(leaf, part.rows, part.ordered)
        };
        // The workers' sums are taken inside where eras judge, so the children come one after the other.
        let (found_left, found_right) = if self.folds.is_some() {
            (find(left, of_left), find(right, of_right))
        } else {
            rayon::join(|| find(left, of_left), || find(right, of_right))
        };
        left.keep(found_left);
        right.keep(found_right);
    }

    /// The best split of a leaf, from its histogram or from its eras. `rows` are its rows, `cells` theirs.
    pub(super) fn find_in_leaf(&self, leaf: &Leaf<'_, C>, rows: &[u32], cells: &[C]) -> Found {
        if !self.may_split(leaf) {
            return Found::default();
        }
        if let Some(folds) = self.folds {
            return self.find_by_era(leaf, folds, rows, cells);
        }
        leaf.histogram.as_ref().map_or_else(Found::default, |histogram| self.find(leaf, histogram))
    }

    /// The children of a leaf, without histograms.
    fn children(
        &self,
        leaf: &Leaf<'a, C>,
        split: &Split,
        node: usize,
        middle: usize,
    ) -> (Leaf<'a, C>, Leaf<'a, C>) {
        let mut path = leaf.path.clone();
        if let Err(place) = path.binary_search(&split.feature) {
            path.insert(place, split.feature);
        }
        let bounds = self.allowed.children(leaf.bounds, split);
        let spans = self.child_spans(leaf, split);
        let child = |is_left: bool| Leaf {
            rows: if is_left { leaf.rows.start..middle } else { middle..leaf.rows.end },
            sums: if is_left { split.left } else { split.right },
            output: if is_left { split.left_output } else { split.right_output },
            depth: leaf.depth + 1,
            bounds: if is_left { bounds.0 } else { bounds.1 },
            histogram: None,
            best: None,
            made: None,
            path: path.clone(),
            spans: if is_left { spans.0.clone() } else { spans.1.clone() },
            hopeless: leaf.hopeless.clone(),
            forced: leaf.forced.and_then(|forced| forced.child(is_left)),
            number: 0,
            parent: None,
        };
        (child(true).of(node, true), child(false).of(node, false))
    }

    /// The histograms of two children, where either may be split.
    fn histograms<'p>(
        &self,
        (left, of_left): (&Leaf<'_, C>, &mut Part<'p, C>),
        (right, of_right): (&Leaf<'_, C>, &mut Part<'p, C>),
        parent: Option<Vec<C>>,
        free: &mut Vec<Vec<C>>,
    ) -> (Option<Vec<C>>, Option<Vec<C>>) {
        if self.folds.is_some() {
            for (leaf, part) in [(left, of_left), (right, of_right)] {
                if self.may_split(leaf) {
                    gather(self.cells, part.rows, part.ordered);
                }
            }
            return (None, None);
        }
        if !self.may_split(left) && !self.may_split(right) {
            free.extend(parent);
            return (None, None);
        }
        let left_is_smaller = left.sums.n < right.sums.n;
        let (small, large) =
            if left_is_smaller { (of_left, of_right) } else { (of_right, of_left) };
        let smaller = self.build(small.rows, small.ordered, free);
        let larger = match parent {
            Some(mut parent) => {
                subtract(&mut parent, &smaller);
                parent
            }
            None => self.build(large.rows, large.ordered, free),
        };
        if left_is_smaller { (Some(smaller), Some(larger)) } else { (Some(larger), Some(smaller)) }
    }

    /// The histogram of some rows over all workers; their cells are put in order.
    pub(super) fn build(&self, rows: &[u32], ordered: &mut [C], free: &mut Vec<Vec<C>>) -> Vec<C> {
        let mut histogram = take(free, self.pack.bins);
        gather(self.cells, rows, ordered);
        histogram::build(self.pack, Rows::At(rows), ordered, &mut histogram);
        self.reduce(&mut histogram);
        histogram
    }
}
