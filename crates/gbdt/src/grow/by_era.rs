//! The best split of a leaf when eras judge.
//!
//! Rows of a node stay sorted by era, so each fold of eras is a stretch of them and has a histogram of
//! its own; the pool's is their sum. Every threshold is valued in the pool and judged by the folds, in
//! the order of the pool's search, so that the pooled criterion finds the pool's very splits. Of equal
//! scores the one that wins more in the pool comes first, for agreement alone ties often.
//! Cost: the rows of the leaf once (no histogram is taken from a parent's), and folds x bins numbers.

use std::ops::Range;

use fattail_trees::Missing;
use rayon::prelude::*;

use super::{
    Grower,
    find::{Found, Question},
    leaf::Leaf,
};
use crate::{
    Criterion, EraSettings,
    era::{self, Cut, Pooled},
    histogram::{self, Cell, Sums},
    split::{Draw, EPSILON, Side, Split, Task, Valuer},
};

/// A split with the score that eras give it as its gain, and what it wins in the pool.
struct Judged {
    split: Split,
    pooled: f64,
}

impl Judged {
    fn better(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        let (a, b) = match (a, b) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return a.or(b),
        };
        let key = |judged: &Self| (judged.split.gain, judged.pooled);
        let first =
            if key(&a) == key(&b) { a.split.feature < b.split.feature } else { key(&a) > key(&b) };
        Some(if first { a } else { b })
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
    ) -> Found {
        let question = self.question(leaf, leaf.number);
        // What eras refuse here they may want below; what the pool refuses is hopeless, as it is without them.
        let is_pooled = self.settings.eras.criterion == Criterion::Pooled;
        let parts: Vec<Range<usize>> = era::parts(folds, rows).collect();
        let mut histograms = vec![C::default(); parts.len() * self.pack.bins];
        histogram::build_parts(self.pack, rows, cells, &parts, &mut histograms);
        self.reduce(&mut histograms);
        let best = self.pack.groups.par_iter().map(|group| {
            let (mut best, mut hopeless) = (None, Vec::new());
            for member in &group.members {
                let seen = question.sees(member.feature)
                    && !leaf.is_hopeless(member.feature)
                    && self.allowed.may_follow(&leaf.path, member.feature);
                if let Some(start) = self.pack.starts[member.feature].filter(|_| seen) {
                    let bins = self.by_fold(&histograms, start..start + member.bins);
                    let judged = self.judged(leaf, &question, member.feature, &bins);
                    if judged.is_none() && is_pooled && self.tries_all() {
                        hopeless.push(member.feature as u32);
                    }
                    best = Judged::better(best, judged);
                }
            }
            (best, hopeless)
        });
        let (best, hopeless) = best.reduce(Default::default, |a, b| {
            (Judged::better(a.0, b.0), a.1.into_iter().chain(b.1).collect())
        });
        Found { best: best.map(|judged| judged.split), hopeless }.sorted(&leaf.hopeless)
    }

    fn by_fold(&self, histograms: &[C], bins: Range<usize>) -> ByFold {
        let mut sums = Vec::with_capacity(bins.len() * (histograms.len() / self.pack.bins));
        for histogram in histograms.chunks(self.pack.bins) {
            sums.extend(histogram[bins.clone()].iter().map(|cell| cell.decode(self.scale)));
        }
        ByFold { sums, bins: bins.len() }
    }

    /// The best split on a feature.
    fn judged(
        &self,
        leaf: &Leaf<'_, C>,
        question: &Question,
        feature: usize,
        bins: &ByFold,
    ) -> Option<Judged> {
        let draw = |choices: usize| self.draw_choice(question.node(), feature, choices);
        let random: Option<Draw<'_>> =
            if self.settings.limits.extra_trees { Some(&draw) } else { None };
        let task = Task { random, ..self.task(leaf, question, feature) };
        let judged = Court::new(task, &self.settings.eras, bins).best()?;
        let factor = self.allowed.factor(feature, leaf.depth);
        let split = Split { gain: judged.split.gain * factor, ..judged.split };
        Some(Judged { split, pooled: judged.pooled * factor })
    }
}

/// Sums of each bin in each fold: bin `b` of fold `f` at `f * bins + b`.
struct ByFold {
    sums: Vec<Sums>,
    bins: usize,
}

impl ByFold {
    /// A bin, fold by fold.
    fn bin(&self, bin: usize) -> impl Iterator<Item = &Sums> {
        self.sums[bin..].iter().step_by(self.bins)
    }

    fn pooled(&self) -> Vec<Sums> {
        let mut pooled = vec![Sums::default(); self.bins];
        for fold in self.sums.chunks_exact(self.bins) {
            pooled.iter_mut().zip(fold).for_each(|(sum, &bin)| *sum = sum.plus(bin));
        }
        pooled
    }

    /// Each fold with everything on the left.
    fn cuts(&self) -> Vec<Cut> {
        let all = |fold: &[Sums]| fold.iter().fold(Sums::default(), |sum, &bin| sum.plus(bin));
        let folds = self.sums.chunks_exact(self.bins).map(all);
        folds.map(|all| Cut { all, left: all }).collect()
    }
}

/// What is said of a threshold.
struct Verdict {
    score: f64,
    /// What the children are worth in the pool.
    gain: f64,
    valuer: Valuer,
}

/// The best threshold so far.
struct Best {
    verdict: Verdict,
    bin: usize,
    left: Sums,
    default_left: bool,
}

/// A feature of a leaf before its eras.
struct Court<'a> {
    task: Task<'a>,
    settings: &'a EraSettings,
    bins: &'a ByFold,
    pooled: Vec<Sums>,
    /// What goes left in each fold.
    cuts: Vec<Cut>,
    best: Option<Best>,
}

impl<'a> Court<'a> {
    fn new(task: Task<'a>, settings: &'a EraSettings, bins: &'a ByFold) -> Self {
        Self { task, settings, bins, pooled: bins.pooled(), cuts: bins.cuts(), best: None }
    }

    fn best(self) -> Option<Judged> {
        if self.task.is_categorical { self.categories() } else { self.threshold() }
    }

    fn threshold(mut self) -> Option<Judged> {
        let bins = self.pooled.len();
        let only = self.task.random.map(|draw| draw(bins - 1));
        let apart = self.task.missing_bin.filter(|_| bins > 2);
        self.leftwards(apart, only);
        if apart.is_some() {
            self.rightwards(apart, only);
        }
        let best = self.best?;
        let default_left = best.default_left && !(self.task.missing == Missing::Nan && bins <= 2);
        let side = Side::Threshold { bin: best.bin, default_left };
        let split = self.task.split(side, best.verdict.gain, best.left, &best.verdict.valuer);
        Some(Judged { pooled: split.gain, split: Split { gain: best.verdict.score, ..split } })
    }

    /// From the last threshold to the first, `apart` staying on the left.
    fn leftwards(&mut self, apart: Option<usize>, only: Option<usize>) {
        let mut right = Sums { h: EPSILON, ..Sums::default() };
        for bin in (1..self.pooled.len()).rev().filter(|&bin| apart != Some(bin)) {
            right = right.plus(self.pooled[bin]);
            let folds = self.bins.bin(bin);
            self.cuts
                .iter_mut()
                .zip(folds)
                .for_each(|(cut, &sums)| cut.left = cut.left.minus(sums));
            if only.is_none_or(|only| only == bin - 1) {
                self.offer(bin - 1, self.task.total.minus(right), right, true);
            }
        }
    }

    /// From the first threshold to the last, `apart` staying on the right.
    fn rightwards(&mut self, apart: Option<usize>, only: Option<usize>) {
        let mut left = Sums { h: EPSILON, ..Sums::default() };
        self.cuts.iter_mut().for_each(|cut| cut.left = Sums::default());
        for bin in (0..self.pooled.len() - 1).filter(|&bin| apart != Some(bin)) {
            left = left.plus(self.pooled[bin]);
            let folds = self.bins.bin(bin);
            self.cuts.iter_mut().zip(folds).for_each(|(cut, &sums)| cut.left = cut.left.plus(sums));
            if only.is_none_or(|only| only == bin) {
                self.offer(bin, left, self.task.total.minus(left), false);
            }
        }
    }

    fn offer(&mut self, bin: usize, left: Sums, right: Sums, default_left: bool) {
        let task = &self.task;
        let small = |sums: Sums| sums.n < task.min_rows || sums.h < task.min_hessian;
        if small(left) || small(right) {
            return;
        }
        let valuer = self.strengthened(task.valuer);
        let gain = valuer.pair_gain(left, right);
        if gain == f64::NEG_INFINITY {
            return;
        }
        let won = gain - task.floor;
        let least = self.best.as_ref().map_or(0.0, |best| best.verdict.score);
        if era::most(self.settings, won).is_some_and(|most| most < least) {
            return;
        }
        let pooled = Pooled { gain: won, outputs: valuer.outputs(left, right), l2: valuer.l2 };
        let Some(score) = era::judge(self.settings, &self.cuts, pooled) else { return };
        let key = |verdict: &Verdict| (verdict.score, verdict.gain);
        if self.best.as_ref().is_none_or(|best| (score, gain) > key(&best.verdict)) {
            self.best =
                Some(Best { verdict: Verdict { score, gain, valuer }, bin, left, default_left });
        }
    }

    /// The best set of categories of the pool, judged.
    fn categories(mut self) -> Option<Judged> {
        let task = self.task;
        let mut split = task.best(&self.pooled)?;
        for bin in (0..self.pooled.len()).filter(|&bin| !task.goes_left(&split.side, bin)) {
            let folds = self.bins.bin(bin);
            self.cuts
                .iter_mut()
                .zip(folds)
                .for_each(|(cut, &sums)| cut.left = cut.left.minus(sums));
        }
        let mut own = task.valuer;
        own.l2 += task.categorical.extra_l2(self.pooled.len());
        let valuer = self.strengthened(own);
        if valuer.l2 > own.l2 {
            let with_epsilon = |sums: Sums| Sums { h: sums.h + EPSILON, ..sums };
            let (left, right) = (with_epsilon(split.left), with_epsilon(split.right));
            split = task.split(split.side, valuer.pair_gain(left, right), left, &valuer);
        }
        let (gain, outputs) = (split.gain, (split.left_output, split.right_output));
        let score = era::judge(self.settings, &self.cuts, Pooled { gain, outputs, l2: valuer.l2 })?;
        Some(Judged { pooled: gain, split: Split { gain: score, ..split } })
    }

    /// More penalty where the eras of the cut differ.
    fn strengthened(&self, valuer: Valuer) -> Valuer {
        let Some(factor) = self.settings.adaptive else { return valuer };
        let more = factor * self.task.total.h * era::spread(&self.cuts, valuer.l2);
        Valuer { l2: valuer.l2 + more, ..valuer }
    }
}
