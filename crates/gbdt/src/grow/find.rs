//! The best split of a leaf, over features.

use rayon::prelude::*;

use super::{Grower, leaf::Leaf};
use crate::{
    histogram::{Cell, Group, Sums},
    split::{Bounds, EPSILON, Outlook, Screen, Split, Task, Valuer},
};

/// What a search gives.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The best split.
    pub(super) best: Option<Split>,
    /// The features on which none beats the floor.
    pub(super) hopeless: Vec<u32>,
}

impl Found {
    fn with(mut self, other: Self) -> Self {
        self.best = Split::better(self.best, other.best);
        self.hopeless.extend(other.hopeless);
        self
    }

    pub(super) fn sorted(mut self, inherited: &[u32]) -> Self {
        self.hopeless.extend(inherited);
        self.hopeless.sort_unstable();
        self
    }
}

/// Bins that are worth more than one thread.
const PARALLEL_BINS: usize = 8192;

impl<C: Cell> Grower<'_, C> {
    /// The best split of a leaf whose histogram is `histogram`.
    pub(super) fn find(&self, leaf: &Leaf<'_, C>, histogram: &[C]) -> Found {
        let question = self.question(leaf, leaf.number);
        let mut groups = Vec::with_capacity(self.pack.groups.len());
        let mut rest = histogram;
        for group in &self.pack.groups {
            let (own, after) = rest.split_at(group.bins);
            groups.push((group, own));
            rest = after;
        }
        let best = |found: Found, (group, bins): (&Group, &[C])| {
            self.find_in(leaf, &question, group, bins, found)
        };
        if histogram.len() < PARALLEL_BINS || rayon::current_num_threads() == 1 {
            groups.into_iter().fold(Found::default(), best)
        } else {
            groups.into_par_iter().fold(Found::default, best).reduce(Found::default, Found::with)
        }
        .sorted(&leaf.hopeless)
    }

    /// What was found before and the best split on a feature of a group.
    fn find_in(
        &self,
        leaf: &Leaf<'_, C>,
        question: &Question,
        group: &Group,
        mut histogram: &[C],
        mut found: Found,
    ) -> Found {
        let mut sums: Vec<Sums> = Vec::new();
        for member in &group.members {
            let (own, rest) = histogram.split_at(member.bins);
            histogram = rest;
            if !question.sees(member.feature)
                || leaf.is_hopeless(member.feature)
                || !self.allowed.may_follow(&leaf.path, member.feature)
            {
                continue;
            }
            let draw = |choices: usize| self.draw_choice(question.node, member.feature, choices);
            let task = self.task(leaf, question, member.feature);
            let task = Task { random: self.settings.limits.extra_trees.then_some(&draw), ..task };
            let factor = self.allowed.factor(member.feature, leaf.depth);
            match self.outlook(&task, factor, own, found.best.as_ref()) {
                Outlook::Hopeless => {
                    found.hopeless.push(member.feature as u32);
                    continue;
                }
                Outlook::Beaten => continue,
                Outlook::Open => {}
            }
            sums.clear();
            sums.extend(own.iter().map(|cell| cell.decode(self.scale)));
            let split = task.best(&sums).map(|split| Split { gain: split.gain * factor, ..split });
            if split.is_none() && self.tries_all() {
                found.hopeless.push(member.feature as u32);
            }
            found.best = Split::better(found.best, split);
        }
        found
    }

    /// What the histogram tells of a feature whose gain is multiplied by `factor`, without a search.
    fn outlook(&self, task: &Task<'_>, factor: f64, bins: &[C], best: Option<&Split>) -> Outlook {
        let rival = best.map_or(0.0, |best| best.gain);
        let screen = Screen::of(task, rival).filter(|_| factor == 1.0);
        screen.map_or(Outlook::Open, |screen| screen.ask(bins, self.scale))
    }

    /// Whether every question about a feature is tried, so that where none wins none ever may: one drawn at
    /// random says nothing of the others.
    pub(super) fn tries_all(&self) -> bool {
        !self.settings.limits.extra_trees
    }

    /// What is asked about a feature of a leaf.
    pub(super) fn task(&self, leaf: &Leaf<'_, C>, question: &Question, feature: usize) -> Task<'_> {
        let mapper = &self.binned.columns[feature].mapper;
        let monotone = self.allowed.direction(feature);
        let is_categorical = matches!(mapper.kind, fattail_bins::Kind::Categorical { .. });
        Task {
            feature,
            missing: mapper.missing,
            zero_bin: mapper.zero_bin,
            missing_bin: mapper.missing_bin(),
            is_categorical,
            total: Sums { h: leaf.sums.h + 2.0 * EPSILON, ..leaf.sums },
            valuer: Valuer { monotone, bounds: question.bounds, ..question.valuer },
            min_rows: self.settings.limits.min_data_in_leaf as f64,
            min_hessian: self.settings.limits.min_sum_hessian_in_leaf,
            floor: if is_categorical { question.floor_of_sets } else { question.floor },
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
            floor_of_sets: limits.min_gain_to_split
                + if limits.path_smooth > 0.0 {
                    valuer.gain_of(total, leaf.output)
                } else {
                    valuer.leaf_gain(total)
                },
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
    /// The floor of sets of categories: like LightGBM's, it takes a smoothed node at its value.
    floor_of_sets: f64,
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
