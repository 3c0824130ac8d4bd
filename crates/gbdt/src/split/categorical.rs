//! The best set of categories.
//!
//! With few categories each is tried against the rest. With more, those with `smooth` rows or more are
//! sorted by `G / (H + smooth)`, and the prefixes of that order are tried from both ends: for squared
//! error the best of all sets is among them. Bin 0 (NaN, rare, unseen) always goes right.
//! Of an extremely random tree one category, or one length of the prefix, is tried.
//! Cost: categories x log(categories). Reference: Fisher (1958); LightGBM 4.7,
//! `FeatureHistogram::FindBestThresholdCategoricalInner`.

use super::{EPSILON, Side, Split, Task};
use crate::{Categorical, histogram::Sums};

/// The best split of a categorical feature, if any beats the floor.
pub(super) fn best(task: &Task<'_>, bins: &[Sums]) -> Option<Split> {
    if task.categorical.is_onehot(bins.len()) {
        one_against_rest(task, bins)
    } else {
        prefix(task, bins)
    }
}

impl Categorical {
    fn is_onehot(&self, bins: usize) -> bool {
        bins <= self.max_to_onehot
    }

    /// The penalty on leaves that sets of categories bear beside the usual one.
    pub(crate) fn extra_l2(&self, bins: usize) -> f64 {
        if self.is_onehot(bins) { 0.0 } else { self.l2 }
    }
}

fn with_epsilon(sums: Sums) -> Sums {
    Sums { h: sums.h + EPSILON, ..sums }
}

fn one_against_rest(task: &Task<'_>, bins: &[Sums]) -> Option<Split> {
    let mut best: Option<(f64, usize)> = None;
    let only = task.random.map(|draw| 1 + draw(bins.len() - 1));
    for (bin, &sums) in bins.iter().enumerate().skip(1) {
        let rest = task.total.minus(with_epsilon(sums));
        let small = |sums: Sums| sums.n < task.min_rows || sums.h < task.min_hessian;
        if small(sums) || small(rest) || only.is_some_and(|only| only != bin) {
            continue;
        }
        let gain = task.valuer.pair_gain(rest, with_epsilon(sums));
        if gain > task.floor && best.is_none_or(|best| gain > best.0) {
            best = Some((gain, bin));
        }
    }
    let (gain, bin) = best?;
    let side = Side::Categories(vec![bin as u32]);
    Some(task.split(side, gain, with_epsilon(bins[bin]), &task.valuer))
}

fn prefix(task: &Task<'_>, bins: &[Sums]) -> Option<Split> {
    let settings = task.categorical;
    let mut valuer = task.valuer;
    valuer.l2 += settings.extra_l2(bins.len());
    let mut order: Vec<usize> = (1..bins.len()).filter(|&b| bins[b].n >= settings.smooth).collect();
    let slope = |bin: usize| bins[bin].g / (bins[bin].h + settings.smooth);
    order.sort_by(|&a, &b| slope(a).total_cmp(&slope(b)));
    let most = settings.max_threshold.min(order.len().div_ceil(2));
    let backwards: Vec<usize> = order.iter().rev().copied().collect();
    let only = task.random.map(|draw| draw(most.max(1)));
    let mut best: Option<(f64, Sums, &[usize])> = None;
    for order in [&order, &backwards] {
        let (mut left, mut group) = (with_epsilon(Sums::default()), 0.0);
        for (taken, &bin) in order.iter().take(most).enumerate() {
            left = left.plus(bins[bin]);
            group += bins[bin].n;
            if left.n < task.min_rows || left.h < task.min_hessian {
                continue;
            }
            let right = task.total.minus(left);
            let least = task.min_rows.max(settings.min_data_per_group as f64);
            if right.n < least || right.h < task.min_hessian {
                break;
            }
            if group < settings.min_data_per_group as f64 {
                continue;
            }
            group = 0.0;
            if only.is_some_and(|only| only != taken) {
                continue;
            }
            let gain = valuer.pair_gain(left, right);
            if gain > task.floor && best.is_none_or(|best| gain > best.0) {
                best = Some((gain, left, &order[..=taken]));
            }
        }
    }
    let (gain, left, set) = best?;
    let side = Side::Categories(set.iter().map(|&bin| bin as u32).collect());
    Some(task.split(side, gain, left, &valuer))
}
