//! The best threshold of a feature.
//!
//! Thresholds are tried from the right to the left with missing values on the left, and then, where
//! the feature has missing values, from the left to the right with missing values on the right. The
//! first of equal gains wins. Cost: one pass over the bins, or two.
//! Reference: LightGBM 4.7, `FeatureHistogram::FindBestThresholdSequentially`.

use fattail_trees::Missing;

use super::{EPSILON, Side, Split, Task, Valuer};
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
        let valuer = self.task.valuer;
        if valuer.is_plain() {
            self.leftwards_by(apart, Plain { l2: valuer.l2 });
        } else {
            self.leftwards_by(apart, valuer);
        }
    }

    fn rightwards(&mut self, apart: Apart) {
        let valuer = self.task.valuer;
        if valuer.is_plain() {
            self.rightwards_by(apart, Plain { l2: valuer.l2 });
        } else {
            self.rightwards_by(apart, valuer);
        }
    }

    #[inline(always)]
    fn leftwards_by(&mut self, apart: Apart, gain: impl Gain) {
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
            self.offer(bin - 1, gain, (left, right), true);
        }
    }

    #[inline(always)]
    fn rightwards_by(&mut self, apart: Apart, gain: impl Gain) {
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
            self.offer(bin, gain, (left, right), false);
        }
    }

    #[inline(always)]
    fn offer(
        &mut self,
        bin: usize,
        gain: impl Gain,
        (left, right): (Sums, Sums),
        default_left: bool,
    ) {
        let beaten = self.best.map_or(self.task.floor, |best| best.gain);
        if !gain.may_beat(left, right, beaten) {
            return;
        }
        let gain = gain.of(left, right);
        if gain > beaten && self.only.is_none_or(|only| only == bin) {
            *self.best = Some(Best { gain, bin, left, default_left });
        }
    }
}

/// What two children are worth.
trait Gain: Copy {
    fn of(self, left: Sums, right: Sums) -> f64;

    /// False only where `of` does not exceed `gain`: a cheaper question.
    fn may_beat(self, _: Sums, _: Sums, _: f64) -> bool {
        true
    }
}

impl Gain for Valuer {
    fn of(self, left: Sums, right: Sums) -> f64 {
        self.pair_gain(left, right)
    }
}

/// Nothing but l2 weighs on the children.
#[derive(Debug, Clone, Copy)]
struct Plain {
    l2: f64,
}

impl Gain for Plain {
    #[inline(always)]
    fn of(self, left: Sums, right: Sums) -> f64 {
        left.g * left.g / (left.h + self.l2) + right.g * right.g / (right.h + self.l2)
    }

    /// The comparison without its two divisions, with room for what rounding may do.
    #[inline(always)]
    fn may_beat(self, left: Sums, right: Sums, gain: f64) -> bool {
        let (h_left, h_right) = (left.h + self.l2, right.h + self.l2);
        let worth = left.g * left.g * h_right + right.g * right.g * h_left;
        worth > gain * (h_left * h_right) * (1.0 - 1e-12)
    }
}
