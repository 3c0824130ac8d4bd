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
        let mut right = Sums { h: EPSILON, ..Sums::default() };
        let last = self.bins.len() - usize::from(apart == Apart::Last);
        let mut waiting = Waiting::new(true);
        for bin in (1..last).rev() {
            if apart == Apart::Bin(bin) {
                continue;
            }
            right = right.plus(self.bins[bin]);
            match self.sides(right) {
                Sides::TooFew => continue,
                Sides::TooMany => break,
                Sides::Enough => self.offer(&mut waiting, bin - 1, right, gain),
            }
        }
        self.compare(&mut waiting, gain);
    }

    #[inline(always)]
    fn rightwards_by(&mut self, apart: Apart, gain: impl Gain) {
        let mut left = Sums { h: EPSILON, ..Sums::default() };
        let mut waiting = Waiting::new(false);
        for bin in 0..self.bins.len() - 1 {
            if apart == Apart::Bin(bin) {
                continue;
            }
            left = left.plus(self.bins[bin]);
            match self.sides(left) {
                Sides::TooFew => continue,
                Sides::TooMany => break,
                Sides::Enough => self.offer(&mut waiting, bin, left, gain),
            }
        }
        self.compare(&mut waiting, gain);
    }

    /// Whether both sides are large enough, the scanned one having `sums`.
    #[inline(always)]
    fn sides(&self, sums: Sums) -> Sides {
        let task = self.task;
        if sums.n < task.min_rows || sums.h < task.min_hessian {
            return Sides::TooFew;
        }
        let rest = task.total.minus(sums);
        if rest.n < task.min_rows || rest.h < task.min_hessian {
            return Sides::TooMany;
        }
        Sides::Enough
    }

    #[inline(always)]
    fn offer(&mut self, waiting: &mut Waiting, bin: usize, sums: Sums, gain: impl Gain) {
        waiting.push(bin, sums);
        if waiting.count == WAITING {
            self.compare(waiting, gain);
        }
    }

    /// Compares the candidates that wait with the best so far, in order. Once one has shown that the feature
    /// beats the floor, only those that may beat other features matter.
    #[inline(always)]
    fn compare(&mut self, waiting: &mut Waiting, gain: impl Gain) {
        let (count, floor) = (std::mem::take(&mut waiting.count), self.task.floor);
        for start in (0..count).step_by(TOGETHER) {
            let beaten = self.best.map_or(floor, |best| best.gain.max(floor + self.task.rival));
            let (g, h) = (&waiting.g[start..][..TOGETHER], &waiting.h[start..][..TOGETHER]);
            if gain.may_any_beat(g, h, self.task.total, beaten) {
                for at in start..count.min(start + TOGETHER) {
                    self.try_one(waiting.at(at), waiting.is_right, gain);
                }
            }
        }
    }

    #[inline(never)]
    fn try_one(&mut self, (bin, sums): (usize, Sums), is_right: bool, gain: impl Gain) {
        let rest = self.task.total.minus(sums);
        let (left, right) = if is_right { (rest, sums) } else { (sums, rest) };
        let beaten = self.best.map_or(self.task.floor, |best| best.gain);
        let gain = gain.of(left, right);
        if gain > beaten && self.only.is_none_or(|only| only == bin) {
            *self.best = Some(Best { gain, bin, left, default_left: is_right });
        }
    }
}

/// How a threshold cuts a node.
enum Sides {
    /// The scanned side is too small.
    TooFew,
    /// The other one is.
    TooMany,
    Enough,
}

/// Candidates that wait to be compared.
const WAITING: usize = 64;

/// Candidates that are compared together.
const TOGETHER: usize = 8;

/// The sums of the scanned side of some candidates, in the order of the scan. What lies beyond `count` is
/// left from earlier ones, or nothing: it may make a comparison needless, never wrong.
struct Waiting {
    g: [f64; WAITING],
    h: [f64; WAITING],
    n: [f64; WAITING],
    bin: [u32; WAITING],
    count: usize,
    /// Whether the scanned side is the right one.
    is_right: bool,
}

impl Waiting {
    fn new(is_right: bool) -> Self {
        let zeros = [0.0; WAITING];
        Self { g: zeros, h: zeros, n: zeros, bin: [0; WAITING], count: 0, is_right }
    }

    #[inline(always)]
    fn push(&mut self, bin: usize, sums: Sums) {
        let at = self.count & (WAITING - 1);
        (self.g[at], self.h[at], self.n[at]) = (sums.g, sums.h, sums.n);
        self.bin[at] = bin as u32;
        self.count += 1;
    }

    fn at(&self, at: usize) -> (usize, Sums) {
        (self.bin[at] as usize, Sums { g: self.g[at], h: self.h[at], n: self.n[at] })
    }
}

/// What two children are worth.
trait Gain: Copy {
    fn of(self, left: Sums, right: Sums) -> f64;

    /// False only where `of` does not exceed `gain` for any candidate whose scanned sides have these sums
    /// of gradients and hessians: a cheaper question.
    fn may_any_beat(self, _g: &[f64], _h: &[f64], _total: Sums, _gain: f64) -> bool {
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
    fn may_any_beat(self, g: &[f64], h: &[f64], total: Sums, gain: f64) -> bool {
        let bar = gain * (1.0 - 1e-12);
        let may = |(&g, &h): (&f64, &f64)| {
            let (other_g, other_h) = (total.g - g, total.h - h + self.l2);
            let h = h + self.l2;
            g * g * other_h + other_g * other_g * h > bar * (h * other_h)
        };
        g.iter().zip(h).map(may).fold(false, |any, may| any | may)
    }
}
