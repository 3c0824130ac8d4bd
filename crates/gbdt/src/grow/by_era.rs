//! The best split of a leaf when eras judge.
//!
//! Rows of a node stay sorted by era, so each fold of eras is a stretch of them and has a histogram of
//! its own; the pool's is their sum. Every threshold is valued in the pool and judged by the folds.
//! Cost: the rows of the leaf once (no histogram is taken from a parent's), and folds x bins numbers.

use rayon::prelude::*;

use super::{Grower, find::Question, leaf::Leaf};
use crate::{
    era::{self, Cut, Pooled},
    histogram::{self, Cell, Group, Rows, Sums},
    split::{EPSILON, Side, Split, Task},
};

/// Sums of each bin in each fold: fold `f` of bin `b` at `b * folds + f`.
struct ByFold {
    sums: Vec<Sums>,
    folds: usize,
}

impl ByFold {
    fn bin(&self, bin: usize) -> &[Sums] {
        &self.sums[bin * self.folds..(bin + 1) * self.folds]
    }

    fn pooled(&self) -> Vec<Sums> {
        let sum = |sums: &[Sums]| sums.iter().fold(Sums::default(), |sum, &fold| sum.plus(fold));
        self.sums.chunks(self.folds).map(sum).collect()
    }
}

impl<C: Cell> Grower<'_, C> {
    /// The best split of a leaf by the judgement of `folds`. `rows` are its rows, `cells` theirs.
    pub(super) fn find_by_era(
        &self,
        leaf: &Leaf<'_, C>,
        folds: &[u32],
        rows: &[u32],
        cells: &[C],
        node: usize,
    ) -> Option<Split> {
        let question = self.question(leaf, node);
        let histograms = self.build_folds(folds, rows, cells);
        let mut start = 0;
        let groups: Vec<(&Group, usize)> = self
            .pack
            .groups
            .iter()
            .map(|group| {
                start += group.bins;
                (group, start - group.bins)
            })
            .collect();
        let best = groups.into_par_iter().map(|(group, start)| {
            let mut at = start;
            let mut best = None;
            for member in &group.members {
                let seen = question.sees(member.feature)
                    && self.allowed.may_follow(&leaf.path, member.feature);
                if seen {
                    let bins = self.by_fold(&histograms, at..at + member.bins);
                    best = Split::better(best, self.judged(leaf, &question, member.feature, &bins));
                }
                at += member.bins;
            }
            best
        });
        best.reduce(|| None, Split::better)
    }

    /// A histogram a fold, over all workers.
    fn build_folds(&self, folds: &[u32], rows: &[u32], cells: &[C]) -> Vec<C> {
        let bins = self.pack.bins;
        let mut all = vec![C::default(); (folds.len() - 1) * bins];
        let parts: Vec<_> = era::parts(folds, rows).collect();
        all.par_chunks_mut(bins).zip(parts).for_each(|(histogram, part)| {
            let rows = Rows::At(&rows[part.clone()]);
            histogram::build(self.pack, rows, &cells[part], histogram);
        });
        self.reduce(&mut all);
        all
    }

    fn by_fold(&self, histograms: &[C], bins: std::ops::Range<usize>) -> ByFold {
        let folds = histograms.len() / self.pack.bins;
        let cell = |bin: usize, fold: usize| histograms[fold * self.pack.bins + bin];
        let all = bins.flat_map(|bin| (0..folds).map(move |fold| (bin, fold)));
        let sums = all.map(|(bin, fold)| cell(bin, fold).decode(self.scale)).collect();
        ByFold { sums, folds }
    }

    /// The best split on a feature.
    fn judged(
        &self,
        leaf: &Leaf<'_, C>,
        question: &Question,
        feature: usize,
        bins: &ByFold,
    ) -> Option<Split> {
        let task = self.task(leaf, question, feature);
        let pooled = bins.pooled();
        let factor = self.allowed.factor(feature, leaf.depth);
        let candidates = if task.is_categorical {
            task.best(&pooled).map(|split| split.side).into_iter().collect()
        } else {
            thresholds(&task, pooled.len())
        };
        let judge = Judge { task, all: totals(bins), bins, pooled };
        let splits = candidates.into_iter().filter_map(|side| self.judge(&judge, side));
        let best = splits.fold(None, |best: Option<Split>, split| match best {
            Some(best) if best.gain >= split.gain => Some(best),
            _ => Some(split),
        });
        best.map(|split| Split { gain: split.gain * factor, ..split })
    }

    fn judge(&self, judge: &Judge<'_, '_>, side: Side) -> Option<Split> {
        let task = &judge.task;
        let settings = &self.settings.eras;
        let (left, cuts) = judge.cut(&side);
        let right = task.total.minus(left);
        let small = |sums: Sums| sums.n < task.min_rows || sums.h < task.min_hessian;
        if small(left) || small(right) {
            return None;
        }
        let mut task = *task;
        if let Some(factor) = settings.adaptive {
            let more = factor * task.total.h * era::spread(&cuts, task.valuer.l2);
            task.valuer.l2 += more;
        }
        let gain = task.valuer.pair_gain(left, right);
        let outputs = task.valuer.outputs(left, right);
        let pooled = Pooled { gain: gain - task.floor, outputs, l2: task.valuer.l2 };
        let score = era::judge(settings, &cuts, pooled)?;
        let split = task.split(side, gain, left, &task.valuer);
        Some(Split { gain: score, ..split })
    }
}

/// The thresholds of a numeric feature, missing values on either side.
fn thresholds(task: &Task<'_>, bins: usize) -> Vec<Side> {
    let both = task.missing != fattail_trees::Missing::None && bins > 2;
    let sides: &[bool] = if both { &[true, false] } else { &[true] };
    let side = |bin| sides.iter().map(move |&default_left| Side::Threshold { bin, default_left });
    (0..bins - 1).flat_map(side).collect()
}

fn totals(bins: &ByFold) -> Vec<Sums> {
    let mut all = vec![Sums::default(); bins.folds];
    for sums in bins.sums.chunks(bins.folds) {
        all.iter_mut().zip(sums).for_each(|(all, &sums)| *all = all.plus(sums));
    }
    all
}

/// A feature of a leaf before its eras.
struct Judge<'a, 't> {
    task: Task<'t>,
    bins: &'a ByFold,
    pooled: Vec<Sums>,
    all: Vec<Sums>,
}

impl Judge<'_, '_> {
    /// What goes left in the pool, epsilon in its hessian, and in each fold.
    fn cut(&self, side: &Side) -> (Sums, Vec<Cut>) {
        let mut left = Sums { h: EPSILON, ..Sums::default() };
        let mut cuts: Vec<Cut> =
            self.all.iter().map(|&all| Cut { all, left: Sums::default() }).collect();
        for bin in (0..self.pooled.len()).filter(|&bin| self.task.goes_left(side, bin)) {
            left = left.plus(self.pooled[bin]);
            cuts.iter_mut().zip(self.bins.bin(bin)).for_each(|(cut, &s)| cut.left = cut.left.plus(s));
        }
        (left, cuts)
    }
}
