//! The question of a level: the feature and bins that win most over all its leaves together.
//!
//! Every leaf of the level is split by the same question, even where it wins nothing there; leaves that
//! no row reaches keep their parent's value. Of categories one is asked for against the rest. A question
//! that breaks a monotone constraint in any leaf is not asked.
//! Cost of a level: leaves x bins. Reference: Kohavi & Li (1995), oblivious decision trees;
//! Prokhorenkova et al. (2018), CatBoost.

use rayon::prelude::*;

use super::{Grower, find::Question, leaf::Leaf};
use crate::{
    histogram::{Cell, Sums},
    split::{EPSILON, Side, Split, Task},
};

/// A question and what it wins over the level.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    feature: usize,
    side: Side,
    gain: f64,
}

impl<C: Cell> Grower<'_, C> {
    /// The splits of the leaves of a level by the question that wins most; none where no question wins.
    pub(super) fn find_level(&self, leaves: &[Leaf<'_, C>]) -> Option<Vec<Split>> {
        let root = leaves.first()?;
        let seen = self.question(root, root.depth);
        let members = self.pack.groups.iter().flat_map(|group| &group.members);
        let may =
            |&feature: &usize| seen.sees(feature) && self.allowed.may_follow(&root.path, feature);
        let features: Vec<usize> = members.map(|member| member.feature).filter(may).collect();
        let best = features.into_par_iter().filter_map(|feature| self.best_of(leaves, feature));
        let better = |a: Candidate, b: Candidate| {
            if b.gain > a.gain || (b.gain == a.gain && b.feature < a.feature) { b } else { a }
        };
        let best = best.reduce_with(better)?;
        Some(leaves.iter().map(|leaf| self.split_by(leaf, &best)).collect())
    }

    fn bins_of(&self, leaf: &Leaf<'_, C>, feature: usize) -> Vec<Sums> {
        let (start, bins) = (self.pack.starts[feature], self.binned.columns[feature].mapper.bins);
        match (&leaf.histogram, start) {
            (Some(histogram), Some(start)) => {
                histogram[start..start + bins].iter().map(|cell| cell.decode(self.scale)).collect()
            }
            _ => vec![Sums::default(); bins],
        }
    }

    fn best_of(&self, leaves: &[Leaf<'_, C>], feature: usize) -> Option<Candidate> {
        let mapper = &self.binned.columns[feature].mapper;
        let is_categorical = matches!(mapper.kind, fattail_bins::Kind::Categorical { .. });
        let mut sides = sides(mapper.bins, is_categorical, mapper.missing_bin());
        if self.settings.limits.extra_trees {
            let only = self.draw_choice(leaves[0].depth, feature, sides.len());
            sides = vec![sides.swap_remove(only)];
        }
        let mut gains = vec![0.0; sides.len()];
        for leaf in leaves {
            let question = self.question(leaf, leaf.number);
            let task = Level { task: self.task(leaf, &question, feature), output: leaf.output };
            let sums = self.bins_of(leaf, feature);
            let mut left = Running { task: &task.task, sums: &sums, last: None };
            sides.iter().zip(&mut gains).for_each(|(side, gain)| *gain += task.gain(left.of(side)));
        }
        let factor = self.allowed.factor(feature, leaves[0].depth);
        let floor = self.settings.limits.min_gain_to_split.max(0.0);
        let all = sides.into_iter().zip(gains).map(|(side, gain)| (side, gain * factor));
        let best = all.filter(|(_, gain)| *gain > floor);
        let (side, gain) = best.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some(Candidate { feature, side, gain })
    }

    fn split_by(&self, leaf: &Leaf<'_, C>, best: &Candidate) -> Split {
        let question: Question = self.question(leaf, leaf.number);
        let task = self.task(leaf, &question, best.feature);
        let sums = self.bins_of(leaf, best.feature);
        let left = Running { task: &task, sums: &sums, last: None }.of(&best.side);
        let mut split = task.split(best.side.clone(), 0.0, left, &task.valuer);
        (split.left_output, split.right_output) = Level { task, output: leaf.output }.outputs(left);
        Split { gain: best.gain, ..split }
    }
}

/// All questions about a feature, in an order in which neighbours share most of what goes left.
fn sides(bins: usize, is_categorical: bool, missing: Option<usize>) -> Vec<Side> {
    if is_categorical {
        return (1..bins).map(|bin| Side::Categories(vec![bin as u32])).collect();
    }
    let ways: &[bool] = if missing.is_some() { &[true, false] } else { &[true] };
    let side =
        |&default_left: &bool| (0..bins - 1).map(move |bin| Side::Threshold { bin, default_left });
    ways.iter().flat_map(side).collect()
}

/// Adds up what goes left, from one threshold to the next.
struct Running<'a, 't> {
    task: &'a Task<'t>,
    sums: &'a [Sums],
    /// The last threshold, its way for missing values, and its sums.
    last: Option<(usize, bool, Sums)>,
}

impl Running<'_, '_> {
    /// What goes left, epsilon in its hessian.
    fn of(&mut self, side: &Side) -> Sums {
        let start = Sums { h: EPSILON, ..Sums::default() };
        let Side::Threshold { bin, default_left } = *side else {
            let lefts = (0..self.sums.len()).filter(|&bin| self.task.goes_left(side, bin));
            return lefts.fold(start, |sum, bin| sum.plus(self.sums[bin]));
        };
        let (from, mut left) = match self.last {
            Some((last, way, left)) if way == default_left && last < bin => (last + 1, left),
            _ => {
                let missing = self.task.missing_bin.filter(|_| default_left);
                (0, missing.map_or(start, |missing| start.plus(self.sums[missing])))
            }
        };
        for at in (from..=bin).filter(|&at| self.task.missing_bin != Some(at)) {
            left = left.plus(self.sums[at]);
        }
        self.last = Some((bin, default_left, left));
        left
    }
}

/// A feature of one leaf of a level.
struct Level<'t> {
    task: Task<'t>,
    /// The value of the leaf.
    output: f64,
}

impl Level<'_> {
    /// What the leaf wins when `left` goes left: nothing where a side is too small, and less than
    /// anything where values break the monotone constraint.
    fn gain(&self, left: Sums) -> f64 {
        let task = &self.task;
        let right = task.total.minus(left);
        let (of_left, of_right) = self.outputs(left);
        if task.valuer.is_wrong(of_left, of_right) {
            return f64::NEG_INFINITY;
        }
        let small = |sums: Sums| sums.n < task.min_rows || sums.h < task.min_hessian;
        if small(left) || small(right) {
            return 0.0;
        }
        task.valuer.pair_gain(left, right) - task.valuer.leaf_gain(task.total)
    }

    /// The values of the children; the leaf's own where no row comes.
    fn outputs(&self, left: Sums) -> (f64, f64) {
        let right = self.task.total.minus(left);
        let (of_left, of_right) = self.task.valuer.outputs(left, right);
        let or_own = |sums: Sums, output: f64| if sums.n > 0.0 { output } else { self.output };
        (or_own(left, of_left), or_own(right, of_right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_listed_once() {
        let threshold = |bin, default_left| Side::Threshold { bin, default_left };
        assert_eq!(sides(3, false, None), [threshold(0, true), threshold(1, true)]);
        assert_eq!(
            sides(3, false, Some(2)),
            [threshold(0, true), threshold(1, true), threshold(0, false), threshold(1, false)]
        );
        assert_eq!(sides(3, true, None), [1, 2].map(|bin| Side::Categories(vec![bin])));
    }
}
