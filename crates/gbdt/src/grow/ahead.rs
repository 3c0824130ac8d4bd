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
//! memory. Waiting children count as leaves: no more histograms are kept than the finished tree's leaves.

use rayon::prelude::*;

use super::{
    Grower,
    grower::Growing,
    leaf::{self, Leaf},
    make::{Order, Part},
};
use crate::{Growth, histogram::Cell};

/// Histograms that splitting one leaf takes.
const HISTOGRAMS: usize = 2;

impl<'a, C: Cell> Grower<'a, C> {
    /// Whether the children of a leaf depend on nothing but the leaf.
    pub(super) fn may_work_ahead(&self) -> bool {
        self.settings.growth != Growth::Oblivious
            && self.settings.sampling.columns_by_node >= 1.0
            && self.tries_all()
            && self.folds.is_none()
            && !self.allowed.by_value()
            && self.reduce.is_alone()
            && self.histograms >= self.settings.leaves
    }

    /// The leaves that are split next after `at`, as many as there are threads that would be idle.
    pub(super) fn next_ones(
        &self,
        leaves: &[Leaf<'a, C>],
        at: usize,
        by_level: bool,
    ) -> Vec<usize> {
        let waiting = leaves.iter().filter(|leaf| leaf.made.is_some()).count();
        let room = self.settings.leaves.saturating_sub(leaves.len() + 1 + waiting);
        let count = (rayon::current_num_threads() - 1).min(room);
        let mut chosen = vec![at];
        for _ in 0..count {
            let is_worth =
                |at: usize| leaves[at].best.as_ref().is_some_and(|b| b.gain >= self.worth);
            let is_free =
                |at: usize| leaves[at].made.is_none() && !chosen.contains(&at) && is_worth(at);
            let Some(next) = leaf::next(leaves, by_level, is_free) else { break };
            chosen.push(next);
        }
        chosen
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
            let Some(split) = leaf.best.clone() else { continue };
            let (part, after) = rest.cut(&leaf.rows);
            rest = after;
            let free = pool.split_off(pool.len().saturating_sub(HISTOGRAMS));
            orders.push(Order { leaf, split, part, histogram, free, node: nodes.len() });
        }
        let make = |order| self.make(order);
        let all: Vec<_> = if orders.len() == 1 {
            orders.into_iter().map(make).collect()
        } else {
            orders.into_par_iter().map(make).collect()
        };
        for (at, mut made) in chosen.into_iter().zip(all) {
            pool.append(&mut made.free);
            leaves[at].made = Some(Box::new(made));
        }
    }
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
