//! The best threshold of a feature.
//!
//! Thresholds are tried from the right to the left with missing values on the left, and then, where
//! the feature has missing values, from the left to the right with missing values on the right. The
//! first of equal gains wins. Cost: one pass over the bins, or two.
//! Reference: LightGBM 4.7, `FeatureHistogram::FindBestThresholdSequentially`.

use fattail_trees::Missing;

use super::{EPSILON, Side, Split, Task};
use crate::histogram::Sums;

/// The best split so far: its gain, its bin, and what goes left (with epsilon in the hessian).
#[derive(Debug, Clone, Copy)]
struct Best {
    gain: f64,
    bin: usize,
    left: Sums,
    default_left: bool,
}

/// What a scan leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    Nothing,
    /// The bin of zero.
    Bin(usize),
    /// The last bin, of NaN.
    Last,
}

/// The best split of a numeric feature, if any beats the floor.
pub(super) fn best(task: &Task<'_>, bins: &[Sums]) -> Option<Split> {
    let mut best = None;
    let only = task.random.map(|draw| draw(bins.len() - 1));
    let mut scan = Scan { task, bins, only, best: &mut best };
    match task.missing {
        Missing::Zero if bins.len() > 2 => {
            scan.leftwards(Apart::Bin(task.zero_bin));
            scan.rightwards(Apart::Bin(task.zero_bin));
        }
        Missing::Nan if bins.len() > 2 => {
            scan.leftwards(Apart::Last);
            scan.rightwards(Apart::Last);
        }
        _ => scan.leftwards(Apart::Nothing),
    }
    let mut best: Best = best?;
    if task.missing == Missing::Nan && bins.len() <= 2 {
        best.default_left = false;
    }
    let side = Side::Threshold { bin: best.bin, default_left: best.default_left };
    Some(task.split(side, best.gain, best.left, &task.valuer))
}

struct Scan<'a, 't> {
    task: &'a Task<'t>,
    bins: &'a [Sums],
    /// The only threshold to try, of all there are.
    only: Option<usize>,
    best: &'a mut Option<Best>,
}

impl Scan<'_, '_> {
    fn leftwards(&mut self, apart: Apart) {
        if self.task.valuer.is_plain() {
            self.leftwards_by(apart, plain(self.task.valuer.l2));
        } else {
            let valuer = self.task.valuer;
            self.leftwards_by(apart, |left, right| valuer.pair_gain(left, right));
        }
    }

    fn rightwards(&mut self, apart: Apart) {
        if self.task.valuer.is_plain() {
            self.rightwards_by(apart, plain(self.task.valuer.l2));
        } else {
            let valuer = self.task.valuer;
            self.rightwards_by(apart, |left, right| valuer.pair_gain(left, right));
        }
    }

    #[inline(always)]
    fn leftwards_by(&mut self, apart: Apart, gain: impl Fn(Sums, Sums) -> f64) {
        let (task, total) = (self.task, self.task.total);
        let mut right = Sums { h: EPSILON, ..Sums::default() };
        let last = self.bins.len() - usize::from(apart == Apart::Last);
        for bin in (1..last).rev() {
            if apart == Apart::Bin(bin) {
                continue;
            }
            right = right.plus(self.bins[bin]);
            if right.n < task.min_rows || right.h < task.min_hessian {
                continue;
            }
            let left = total.minus(right);
            if left.n < task.min_rows || left.h < task.min_hessian {
                break;
            }
            self.offer(bin - 1, gain(left, right), left, true);
        }
    }

    #[inline(always)]
    fn rightwards_by(&mut self, apart: Apart, gain: impl Fn(Sums, Sums) -> f64) {
        let (task, total) = (self.task, self.task.total);
        let mut left = Sums { h: EPSILON, ..Sums::default() };
        for bin in 0..self.bins.len() - 1 {
            if apart == Apart::Bin(bin) {
                continue;
            }
            left = left.plus(self.bins[bin]);
            if left.n < task.min_rows || left.h < task.min_hessian {
                continue;
            }
            let right = total.minus(left);
            if right.n < task.min_rows || right.h < task.min_hessian {
                break;
            }
            self.offer(bin, gain(left, right), left, false);
        }
    }

    #[inline(always)]
    fn offer(&mut self, bin: usize, gain: f64, left: Sums, default_left: bool) {
        let better = gain > self.task.floor && self.best.is_none_or(|best| gain > best.gain);
        if better && self.only.is_none_or(|only| only == bin) {
            *self.best = Some(Best { gain, bin, left, default_left });
        }
    }
}

/// The gain of two children when nothing but l2 weighs on them.
#[inline(always)]
fn plain(l2: f64) -> impl Fn(Sums, Sums) -> f64 {
    move |left, right| left.g * left.g / (left.h + l2) + right.g * right.g / (right.h + l2)
}
