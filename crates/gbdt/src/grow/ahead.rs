//! Splits made before their turn.
//!
//! Leaves are split one after the other, best first, and most hold too few rows to keep several
//! threads busy. But a leaf that is to be split soon can be worked on at once with the one whose turn it
//! is: its children depend on nothing but itself. They wait in the leaf until its turn comes; if it never
//! does, the leaf stays as it was. The tree is the same, split for split, for any number of threads.
//!
//! Work on leaves whose turn never comes is lost, so those that win less than any split of the tree before
//! are left alone.
//!
//! Not where a leaf's children depend on what else the tree has done: random numbers that are told apart
//! by node, monotone bounds between leaves, sums over several workers, histograms that are short of
//! memory. Nor where threads are busy anyway: leaves that eras judge, levels of oblivious trees. Waiting
//! children count as leaves: no more histograms are kept than the finished tree has leaves, and one a thread.

use rayon::prelude::*;

use super::{
    Grower,
    grower::Growing,
    leaf::Leaf,
    make::{Order, Part},
    turn::Turn,
};
use crate::{Growth, histogram::Cell};

impl<'a, C: Cell> Grower<'a, C> {
    /// Whether leaves are worked on before their turn.
    pub(super) fn may_work_ahead(&self) -> bool {
        self.settings.growth != Growth::Oblivious
            && self.settings.sampling.columns_by_node >= 1.0
            && !self.settings.limits.extra_trees
            && self.folds.is_none()
            && !self.allowed.by_value()
            && self.reduce.is_alone()
            && self.room.keeps_all()
    }

    /// The leaves that are split next, as many as there are threads, and fewer where there is no room.
    pub(super) fn next_ones(&self, leaves: &[Leaf<'a, C>], by_level: bool) -> Vec<usize> {
        let waiting = leaves.iter().filter(|leaf| leaf.made.is_some()).count();
        let room = self.settings.leaves.saturating_sub(leaves.len() + waiting);
        soonest(leaves, by_level, rayon::current_num_threads().min(room), self.worth)
    }

    /// Makes the children of some leaves by their best splits.
    pub(super) fn make_all(&self, growing: &mut Growing<'a, C>, mut chosen: Vec<usize>) {
        chosen.sort_by_key(|&at| growing.leaves[at].rows.start);
        let Growing { rows, scratch, ordered, leaves, nodes, pool, .. } = growing;
        let histograms: Vec<_> = chosen.iter().map(|&at| leaves[at].histogram.take()).collect();
        let mut rest = Part { first: 0, rows, scratch, ordered };
        let mut orders = Vec::with_capacity(chosen.len());
        for (&at, histogram) in chosen.iter().zip(histograms) {
            let leaf = &leaves[at];
            let Some(split) = leaf.best.clone() else {
                unreachable!("only leaves with a split are chosen")
            };
            let (part, after) = rest.cut(&leaf.rows);
            rest = after;
            // One child takes the leaf's own histogram, if it has any.
            let needed = if histogram.is_some() { 1 } else { 2 };
            let free = pool.split_off(pool.len().saturating_sub(needed));
            orders.push(Order { leaf, split, part, histogram, free, node: nodes.len() });
        }
        let make = |order| self.make(order);
        let all: Vec<_> = if orders.len() == 1 {
            orders.into_iter().map(make).collect()
        } else {
            orders.into_par_iter().map(make).collect()
        };
        for (at, (made, mut free)) in chosen.into_iter().zip(all) {
            pool.append(&mut free);
            leaves[at].made = Some(Box::new(made));
        }
    }
}

/// The leaf that is split next and some of those that follow, where they win enough and have no children
/// waiting.
fn soonest<C>(leaves: &[Leaf<'_, C>], by_level: bool, count: usize, worth: f64) -> Vec<usize> {
    let is_free = |turn: &Turn| leaves[turn.at].made.is_none();
    let mut all: Vec<Turn> = Turn::all(leaves).filter(is_free).collect();
    all.sort_unstable_by(|a, b| a.order(b, by_level));
    let (first, others) = all.split_at(all.len().min(1));
    let others = others.iter().filter(|turn| turn.gain >= worth).take(count.saturating_sub(1));
    first.iter().chain(others).map(|turn| turn.at).collect()
}

impl<C: Cell> Growing<'_, C> {
    /// Puts the rows of leaves whose turn never came back in order.
    pub(super) fn forget_made(&mut self) {
        for leaf in self.leaves.iter_mut().filter(|leaf| leaf.made.is_some()) {
            leaf.made = None;
            // Two runs in order: one merge.
            self.rows[leaf.rows.clone()].sort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        grow::{make::Made, table::Table},
        histogram::Sums,
        split::{Bounds, Side, Split},
    };

    /// A leaf at a depth whose best split on a feature wins `gain`.
    fn leaf(depth: usize, feature: usize, gain: f64) -> Leaf<'static, [u64; 1]> {
        let sums = Sums::default();
        let side = Side::Threshold { bin: 0, default_left: false };
        let (left, right, left_output, right_output) = (sums, sums, 0.0, 0.0);
        let best = Split { feature, side, gain, left, right, left_output, right_output };
        Leaf {
            rows: 0..0,
            sums,
            output: 0.0,
            depth,
            bounds: Bounds::default(),
            histogram: None,
            best: Some(best),
            made: None,
            path: Vec::new(),
            spans: Vec::new(),
            hopeless: Vec::new(),
            forced: None,
            number: 0,
            parent: None,
        }
    }

    #[test]
    fn the_ones_that_win_most_come_first_and_dear_ones_alone_wait_with_them() {
        let leaves = [leaf(2, 0, 1.0), leaf(3, 5, 4.0), leaf(1, 1, 3.0), leaf(3, 2, 4.0)];
        let chosen = |count, worth| soonest(&leaves, false, count, worth);
        assert_eq!(chosen(8, 0.0), [3, 1, 2, 0]);
        assert_eq!(chosen(2, 0.0), [3, 1]);
        assert_eq!(chosen(8, 2.0), [3, 1, 2]);
        // The one whose turn it is, whatever it wins and whether there is room or not.
        assert_eq!(chosen(0, 9.0), [3]);
        assert_eq!(soonest(&leaves, true, 3, 0.0), [2, 0, 3]);
        let hopeless = [leaf(0, 0, 0.0)];
        assert!(soonest(&hopeless, false, 2, 0.0).is_empty());
    }

    #[test]
    fn leaves_whose_turn_never_came_get_their_rows_back_in_order() {
        let made = |feature| {
            let of = || leaf(1, feature, 1.0);
            let Some(split) = of().best else { unreachable!() };
            Some(Box::new(Made {
                split,
                table: Table::Wide(Box::new([])),
                left: of(),
                right: of(),
            }))
        };
        let (mut waiting, mut split) = (leaf(0, 0, 1.0), leaf(0, 1, 1.0));
        (waiting.rows, waiting.made) = (1..6, made(0));
        split.rows = 6..8;
        let rows = vec![9, 2, 7, 8, 1, 5, 4, 3];
        let mut growing = Growing {
            scratch: vec![0; rows.len()],
            ordered: vec![[0]; rows.len()],
            rows,
            leaves: vec![waiting, split],
            nodes: Vec::new(),
            pool: Vec::new(),
            least_gain: 0.0,
        };
        growing.forget_made();
        assert_eq!(growing.rows, [9, 1, 2, 5, 7, 8, 4, 3]);
        assert!(growing.leaves.iter().all(|leaf| leaf.made.is_none()));
    }
}
