//! The question of a level: the feature and bins that win most over all its leaves together.
//!
//! Every leaf of the level is split by the same question, even where it wins nothing there; leaves that
//! no row reaches keep their parent's value. Reference: Kohavi & Li (1995), oblivious decision trees;
//! Prokhorenkova et al. (2018), CatBoost.

use rayon::prelude::*;

use super::{Grower, leaf::Leaf};
use crate::{
    histogram::{Cell, Member, Sums},
    split::{EPSILON, Side, Split, Valuer},
};

/// A question and what it wins over the level.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    feature: usize,
    bin: usize,
    default_left: bool,
    gain: f64,
}

impl<C: Cell> Grower<'_, C> {
    /// The splits of the leaves of a level by the question that wins most; none where no question wins.
    pub(super) fn find_level(&self, leaves: &[Leaf<'_, C>]) -> Option<Vec<Split>> {
        let members: Vec<Member> =
            self.pack.groups.iter().flat_map(|g| g.members.clone()).collect();
        let best = members.into_par_iter().filter_map(|member| self.best_of(leaves, member));
        let better = |a: Candidate, b: Candidate| {
            if b.gain > a.gain || (b.gain == a.gain && b.feature < a.feature) { b } else { a }
        };
        let best = best.reduce_with(better)?;
        let sums = |leaf: &Leaf<'_, C>| self.bins_of(leaf, best.feature);
        Some(leaves.iter().map(|leaf| self.split_by(leaf, &sums(leaf), best)).collect())
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

    fn best_of(&self, leaves: &[Leaf<'_, C>], member: Member) -> Option<Candidate> {
        let mapper = &self.binned.columns[member.feature].mapper;
        if matches!(mapper.kind, fattail_bins::Kind::Categorical { .. }) {
            return None;
        }
        let missing = mapper.missing_bin();
        let mut gains = vec![[0.0; 2]; member.bins];
        for leaf in leaves.iter().filter(|leaf| leaf.histogram.is_some()) {
            let sums = self.bins_of(leaf, member.feature);
            for default_left in [true, false].into_iter().take(1 + usize::from(missing.is_some())) {
                let mut left = Sums { h: EPSILON, ..Sums::default() };
                if let Some(bin) = missing.filter(|_| default_left) {
                    left = left.plus(sums[bin]);
                }
                for bin in 0..member.bins - 1 {
                    if missing != Some(bin) {
                        left = left.plus(sums[bin]);
                    }
                    gains[bin][usize::from(default_left)] += self.gain(leaf, left);
                }
            }
        }
        let floor = self.settings.limits.min_gain_to_split.max(0.0);
        let all = gains.iter().enumerate().flat_map(|(bin, gains)| {
            [1, 0].map(|side| Candidate {
                feature: member.feature,
                bin,
                default_left: side == 1,
                gain: gains[side],
            })
        });
        all.filter(|c| c.gain > floor).reduce(|a, b| if b.gain > a.gain { b } else { a })
    }

    /// What a leaf wins when `left` goes left; nothing where a side is too small.
    fn gain(&self, leaf: &Leaf<'_, C>, left: Sums) -> f64 {
        let total = Sums { h: leaf.sums.h + 2.0 * EPSILON, ..leaf.sums };
        let right = total.minus(left);
        let limits = &self.settings.limits;
        let small = |sums: Sums| {
            sums.n < limits.min_data_in_leaf as f64 || sums.h < limits.min_sum_hessian_in_leaf
        };
        if small(left) || small(right) {
            return 0.0;
        }
        let valuer = Valuer::new(limits, leaf.output);
        valuer.pair_gain(left, right) - valuer.leaf_gain(total)
    }

    fn split_by(&self, leaf: &Leaf<'_, C>, sums: &[Sums], question: Candidate) -> Split {
        let missing = self.binned.columns[question.feature].mapper.missing_bin();
        let side = Side::Threshold { bin: question.bin, default_left: question.default_left };
        let of_left = sums.iter().enumerate().filter(|(bin, _)| side.goes_left(*bin, missing));
        let left = of_left.fold(Sums::default(), |sum, (_, &bin)| sum.plus(bin));
        let right = leaf.sums.minus(left);
        let valuer = Valuer::new(&self.settings.limits, leaf.output);
        let output = |sums: Sums| {
            if sums.n > 0.0 {
                valuer.free_output(Sums { h: sums.h + EPSILON, ..sums })
            } else {
                leaf.output
            }
        };
        Split {
            feature: question.feature,
            side,
            gain: question.gain,
            left,
            right,
            left_output: output(left),
            right_output: output(right),
        }
    }
}
