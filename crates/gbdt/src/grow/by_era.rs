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
        let mut judge = Judge::new(task, bins, &pooled);
        let mut best = None;
        if task.is_categorical {
            let side = task.best(&pooled)?.side;
            (0..pooled.len())
                .filter(|&bin| side.goes_left(bin, None))
                .for_each(|bin| judge.add(bin));
            best = self.judge(&judge, side);
        } else {
            let apart = task.missing_bin.filter(|_| pooled.len() > 2);
            // Missing values on the left first, as in the pool's search; the first of equals wins.
            for default_left in [true, false].into_iter().skip(usize::from(apart.is_none())) {
                judge.clear();
                apart.filter(|_| default_left).into_iter().for_each(|bin| judge.add(bin));
                for bin in 0..pooled.len() - 1 {
                    if apart != Some(bin) {
                        judge.add(bin);
                    }
                    let split = self.judge(&judge, Side::Threshold { bin, default_left });
                    best = first_best(best, split);
                }
            }
        }
        let factor = self.allowed.factor(feature, leaf.depth);
        best.map(|split| Split { gain: split.gain * factor, ..split })
    }

    fn judge(&self, judge: &Judge<'_, '_>, side: Side) -> Option<Split> {
        let mut task = judge.task;
        let settings = &self.settings.eras;
        let (left, right) = (judge.left, task.total.minus(judge.left));
        let small = |sums: Sums| sums.n < task.min_rows || sums.h < task.min_hessian;
        if small(left) || small(right) {
            return None;
        }
        if let Some(factor) = settings.adaptive {
            let more = factor * task.total.h * era::spread(&judge.cuts, task.valuer.l2);
            task.valuer.l2 += more;
        }
        let gain = task.valuer.pair_gain(left, right);
        let outputs = task.valuer.outputs(left, right);
        let pooled = Pooled { gain: gain - task.floor, outputs, l2: task.valuer.l2 };
        let score = era::judge(settings, &judge.cuts, pooled)?;
        let split = task.split(side, gain, left, &task.valuer);
        Some(Split { gain: score, ..split })
    }
}

/// The better of two, the first of equals.
fn first_best(best: Option<Split>, split: Option<Split>) -> Option<Split> {
    match (best, split) {
        (Some(best), Some(split)) => Some(if split.gain > best.gain { split } else { best }),
        (best, split) => best.or(split),
    }
}

/// A feature of a leaf before its eras.
struct Judge<'a, 't> {
    task: Task<'t>,
    bins: &'a ByFold,
    pooled: &'a [Sums],
    /// What goes left in the pool, epsilon in its hessian.
    left: Sums,
    /// And in each fold.
    cuts: Vec<Cut>,
}

impl<'a, 't> Judge<'a, 't> {
    fn new(task: Task<'t>, bins: &'a ByFold, pooled: &'a [Sums]) -> Self {
        let mut all = vec![Sums::default(); bins.folds];
        for sums in bins.sums.chunks(bins.folds) {
            all.iter_mut().zip(sums).for_each(|(all, &sums)| *all = all.plus(sums));
        }
        let cuts = all.into_iter().map(|all| Cut { all, left: Sums::default() }).collect();
        let mut judge = Self { task, bins, pooled, left: Sums::default(), cuts };
        judge.clear();
        judge
    }

    /// Sends everything right.
    fn clear(&mut self) {
        self.left = Sums { h: EPSILON, ..Sums::default() };
        self.cuts.iter_mut().for_each(|cut| cut.left = Sums::default());
    }

    /// Sends a bin left.
    fn add(&mut self, bin: usize) {
        self.left = self.left.plus(self.pooled[bin]);
        let folds = self.bins.bin(bin);
        self.cuts.iter_mut().zip(folds).for_each(|(cut, &sums)| cut.left = cut.left.plus(sums));
    }
}
