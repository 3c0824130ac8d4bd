//! The best split of a leaf, over features.

use rayon::prelude::*;

use super::{Grower, leaf::Leaf};
use crate::{
    histogram::{Cell, Group, Sums},
    split::{Bounds, EPSILON, Split, Task, Valuer},
};

/// Bins that are worth more than one thread.
const PARALLEL_BINS: usize = 8192;

impl<C: Cell> Grower<'_, C> {
    /// The best split of a leaf whose histogram is `histogram`.
    pub(super) fn find(&self, leaf: &Leaf<'_, C>, histogram: &[C], node: usize) -> Option<Split> {
        let question = self.question(leaf, node);
        let mut groups = Vec::with_capacity(self.pack.groups.len());
        let mut rest = histogram;
        for group in &self.pack.groups {
            let (own, after) = rest.split_at(group.bins);
            groups.push((group, own));
            rest = after;
        }
        let best = |(group, bins): (&Group, &[C])| self.find_in(leaf, &question, group, bins);
        if histogram.len() < PARALLEL_BINS || rayon::current_num_threads() == 1 {
            groups.into_iter().map(best).fold(None, Split::better)
        } else {
            groups.into_par_iter().map(best).reduce(|| None, Split::better)
        }
    }

    /// The best split on a feature of a group.
    fn find_in(
        &self,
        leaf: &Leaf<'_, C>,
        question: &Question,
        group: &Group,
        mut histogram: &[C],
    ) -> Option<Split> {
        let mut sums: Vec<Sums> = Vec::with_capacity(256);
        let mut best = None;
        for member in &group.members {
            let (own, rest) = histogram.split_at(member.bins);
            histogram = rest;
            if !question.sees(member.feature)
                || !self.allowed.may_follow(&leaf.path, member.feature)
            {
                continue;
            }
            sums.clear();
            sums.extend(own.iter().map(|cell| cell.decode(self.scale)));
            best = Split::better(best, self.find_on(leaf, question, member.feature, &sums));
        }
        best
    }

    fn find_on(
        &self,
        leaf: &Leaf<'_, C>,
        question: &Question,
        feature: usize,
        sums: &[Sums],
    ) -> Option<Split> {
        let draw = |bins: usize| self.draw_threshold(question.node, feature, bins);
        let task = self.task(leaf, question, feature);
        let task = Task { random: self.settings.limits.extra_trees.then_some(&draw), ..task };
        let mut split = task.best(sums)?;
        split.gain *= self.allowed.factor(feature, leaf.depth);
        Some(split)
    }

    /// What is asked about a feature of a leaf.
    pub(super) fn task(&self, leaf: &Leaf<'_, C>, question: &Question, feature: usize) -> Task<'_> {
        let mapper = &self.binned.columns[feature].mapper;
        let monotone = self.allowed.direction(feature);
        Task {
            feature,
            missing: mapper.missing,
            zero_bin: mapper.zero_bin,
            missing_bin: mapper.missing_bin(),
            is_categorical: matches!(mapper.kind, fattail_bins::Kind::Categorical { .. }),
            total: Sums { h: leaf.sums.h + 2.0 * EPSILON, ..leaf.sums },
            valuer: Valuer { monotone, bounds: question.bounds, ..question.valuer },
            min_rows: self.settings.limits.min_data_in_leaf as f64,
            min_hessian: self.settings.limits.min_sum_hessian_in_leaf,
            floor: question.floor,
            categorical: &self.settings.categorical,
            random: None,
        }
    }

    /// What all features of a leaf share.
    pub(super) fn question(&self, leaf: &Leaf<'_, C>, node: usize) -> Question {
        let limits = &self.settings.limits;
        let valuer = Valuer::new(limits, leaf.output);
        let total = Sums { h: leaf.sums.h + 2.0 * EPSILON, ..leaf.sums };
        Question {
            node,
            valuer,
            bounds: self.allowed.is_monotone().then_some((leaf.bounds, leaf.bounds)),
            floor: valuer.leaf_gain(total) + limits.min_gain_to_split,
            columns: self.columns_of_node(node),
        }
    }
}

/// What all features of a leaf share.
#[derive(Debug, Clone)]
pub(super) struct Question {
    node: usize,
    valuer: Valuer,
    bounds: Option<(Bounds, Bounds)>,
    floor: f64,
    columns: Option<Vec<bool>>,
}

impl Question {
    /// The number of the node.
    pub(super) fn node(&self) -> usize {
        self.node
    }

    /// Whether the node may ask about a feature.
    pub(super) fn sees(&self, feature: usize) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns[feature])
    }
}
