//! Whether a numeric feature can win at all, asked of its histogram before any search.
//!
//! With G and H the node's sums, g and h those of the right side, both sides of a threshold are worth more
//! than w where
//!
//! ```text
//! g^2 (H - h + l2) + (G - g)^2 (h + l2) > w (h + l2) (H - h + l2)
//! ```
//!
//! That needs no division and no order, so the compiler compares candidates by vectors, and few features of
//! a node get as far as a search: most win less than one before them. Here and in the search sums are
//! rounded differently, by a share of [`SLACK`] at most where no side is [`SMALL`]; what lies between is
//! left open. Missing values: both directions are looked at; zeros as missing values stay open.
//! Cost: one pass over the bins, two where values are missing.

use fattail_trees::Missing;
use pulp::{Arch, Simd, WithSimd};

use super::EPSILON;
use crate::histogram::{Cell, Scale, Sums};

/// The share by which rounding may move what a threshold is worth.
const SLACK: f64 = 1e-9;

/// The share of a node's hessian below which differences lose too many digits.
const SMALL: f64 = 1e-4;

/// Candidates that are compared together.
const TOGETHER: usize = 16;

/// What is known without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No threshold beats the floor.
    Hopeless,
    /// One beats the floor, none the rival.
    Beaten,
    /// A search must tell.
    Open,
}

/// What is asked about the features of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// The node's sums, twice epsilon in the hessian.
    pub(crate) total: Sums,
    pub(crate) l2: f64,
    /// Rows of a side at least.
    pub(crate) min_rows: f64,
    /// Sum of hessians of a side at least.
    pub(crate) min_hessian: f64,
    /// What both sides must be worth more than.
    pub(crate) floor: f64,
    /// What another feature wins above the floor.
    pub(crate) rival: f64,
}

/// What was seen of some thresholds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    /// One may beat the floor.
    may: bool,
    /// One surely does.
    surely: bool,
    /// One may beat the rival.
    may_win: bool,
}

impl Screen {
    /// Asks about a feature with these bins.
    pub(crate) fn ask<C: Cell>(&self, bins: &[C], scale: &Scale, missing: Missing) -> Verdict {
        self.ask_on(Arch::new(), bins, scale, missing)
    }

    fn ask_on<C: Cell>(
        &self,
        processor: Arch,
        bins: &[C],
        scale: &Scale,
        missing: Missing,
    ) -> Verdict {
        if missing == Missing::Zero && bins.len() > 2 {
            return Verdict::Open;
        }
        let look = |bins, seen| processor.dispatch(Look { screen: self, bins, scale, seen });
        let mut seen = look(bins, Seen::default());
        if missing == Missing::Nan && bins.len() > 2 {
            seen = look(&bins[..bins.len() - 1], seen);
        }
        match seen {
            Seen { may: false, .. } => Verdict::Hopeless,
            Seen { surely: true, may_win: false, .. } => Verdict::Beaten,
            _ => Verdict::Open,
        }
    }
}

/// A look at all thresholds between some bins, compiled for each kind of vectors.
struct Look<'a, C> {
    screen: &'a Screen,
    bins: &'a [C],
    scale: &'a Scale,
    seen: Seen,
}

impl<C: Cell> WithSimd for Look<'_, C> {
    type Output = Seen;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Seen {
        let Self { screen, bins, scale, mut seen } = self;
        let mut right = C::default();
        // What a short chunk leaves in there are thresholds seen before, or none, which no limit of rows
        // lets pass.
        let mut cells = [C::default(); TOGETHER];
        for chunk in bins.get(1..).unwrap_or_default().rchunks(TOGETHER) {
            for (slot, &bin) in cells.iter_mut().zip(chunk.iter().rev()) {
                right.add(bin);
                *slot = right;
            }
            let rights = Rights::of(&cells, scale);
            if seen.surely {
                seen.may_win |= screen.may_win(&rights);
            } else {
                screen.see(&rights, &mut seen);
            }
            if seen.surely && seen.may_win {
                break;
            }
        }
        seen
    }
}

/// The right sides of some thresholds: gradients, hessians, rows.
struct Rights {
    g: [f64; TOGETHER],
    h: [f64; TOGETHER],
    n: [f64; TOGETHER],
}

impl Rights {
    #[inline(always)]
    fn of<C: Cell>(cells: &[C; TOGETHER], scale: &Scale) -> Self {
        let zeros = [0.0; TOGETHER];
        let mut all = Self { g: zeros, h: zeros, n: zeros };
        for at in 0..TOGETHER {
            let sums = cells[at].decode(scale);
            (all.g[at], all.h[at], all.n[at]) = (sums.g, sums.h, sums.n);
        }
        all
    }
}

/// A threshold: rows and hessian of the smaller side, worth times the product of the hessians.
struct One {
    rows: f64,
    hessian: f64,
    worth: f64,
    product: f64,
}

impl Screen {
    #[inline(always)]
    fn one(&self, rights: &Rights, at: usize) -> One {
        let (g, n, h) = (rights.g[at], rights.n[at], rights.h[at] + EPSILON);
        let (other_g, other_n, other_h) = (self.total.g - g, self.total.n - n, self.total.h - h);
        let (rows, hessian) = (least(n, other_n), least(h, other_h));
        let (h, other_h) = (h + self.l2, other_h + self.l2);
        let worth = g * g * other_h + other_g * other_g * h;
        One { rows, hessian, worth, product: h * other_h }
    }

    /// Whether one of the thresholds may beat the rival.
    #[inline(always)]
    fn may_win(&self, rights: &Rights) -> bool {
        let (small, bar) = (SMALL * self.total.h, (self.floor + self.rival) * (1.0 - SLACK));
        let mut any = false;
        for at in 0..TOGETHER {
            let one = self.one(rights, at);
            let wins = (one.worth > bar * one.product) | (one.hessian < small);
            any |= wins & (one.rows >= self.min_rows);
        }
        any
    }

    #[inline(always)]
    fn see(&self, rights: &Rights, seen: &mut Seen) {
        let small = SMALL * self.total.h;
        let [low, high] = [1.0 - SLACK, 1.0 + SLACK].map(|share| self.floor * share);
        let (mut may, mut surely) = (false, false);
        for at in 0..TOGETHER {
            let one = self.one(rights, at);
            let is_small = one.hessian < small;
            let fits = one.rows >= self.min_rows;
            may |= fits
                & (one.hessian * (1.0 + SLACK) >= self.min_hessian)
                & (is_small | (one.worth > low * one.product));
            surely |= fits
                & (one.hessian * (1.0 - SLACK) >= self.min_hessian)
                & !is_small
                & (one.worth > high * one.product);
        }
        seen.may |= may;
        seen.surely |= surely;
        seen.may_win |= self.may_win(rights);
    }
}

/// The lesser of two numbers, as one instruction.
#[inline(always)]
fn least(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Categorical,
        histogram::exponent,
        split::{Split, Task, Valuer},
    };

    /// A feature's bins as cells and as sums, and what is asked about it.
    fn bins<C: Cell>(rows: &[(usize, f32, f32)], bins: usize) -> (Vec<C>, Scale) {
        let (g, h): (Vec<f32>, Vec<f32>) = rows.iter().map(|&(_, g, h)| (g, h)).unzip();
        let scale = Scale::new::<C>(rows.len(), exponent(&g), exponent(&h));
        let mut cells = vec![C::default(); bins];
        rows.iter().for_each(|&(bin, g, h)| cells[bin].add(C::encode(&scale, g, h)));
        (cells, scale)
    }

    fn screen<C: Cell>(cells: &[C], scale: &Scale, min_rows: f64, min_hessian: f64) -> Screen {
        let all = cells.iter().fold(Sums::default(), |sum, cell| sum.plus(cell.decode(scale)));
        let floor = all.g * all.g / (all.h + 2.0 * EPSILON);
        let total = Sums { h: all.h + 2.0 * EPSILON, ..all };
        Screen { total, l2: 0.0, min_rows, min_hessian, floor, rival: 0.0 }
    }

    /// The best split of the feature by a search.
    fn searched<C: Cell>(
        screen: &Screen,
        cells: &[C],
        scale: &Scale,
        missing: Missing,
    ) -> Option<Split> {
        let sums: Vec<Sums> = cells.iter().map(|cell| cell.decode(scale)).collect();
        let task = Task {
            feature: 0,
            missing,
            zero_bin: 0,
            missing_bin: (missing == Missing::Nan).then(|| cells.len() - 1),
            is_categorical: false,
            total: screen.total,
            valuer: Valuer::new(&crate::Limits::default(), 0.0),
            min_rows: screen.min_rows,
            min_hessian: screen.min_hessian,
            floor: screen.floor,
            categorical: &Categorical::default(),
            random: None,
        };
        task.best(&sums)
    }

    fn agrees<C: Cell>(rows: &[(usize, f32, f32)], count: usize, limits: (f64, f64), nan: bool) {
        let (cells, scale) = bins::<C>(rows, count);
        let missing = if nan { Missing::Nan } else { Missing::None };
        let screen = screen(&cells, &scale, limits.0, limits.1);
        let best = searched(&screen, &cells, &scale, missing);
        let gain = best.as_ref().map_or(0.0, |best| best.gain);
        for rival in [0.0, 0.5 * gain, gain, 1.5 * gain, f64::INFINITY] {
            let screen = Screen { rival, ..screen };
            let verdict = screen.ask(&cells, &scale, missing);
            let plain = screen.ask_on(Arch::Scalar, &cells, &scale, missing);
            assert_eq!(verdict, plain, "vectors and scalars");
            match verdict {
                Verdict::Hopeless => assert_eq!(best, None),
                Verdict::Beaten => assert!(best.is_some() && gain < rival, "{gain} {rival}"),
                Verdict::Open => {}
            }
        }
    }

    proptest! {
        #[test]
        fn a_search_agrees(
            rows in prop::collection::vec((0usize..1000, -3f32..3.0, 0f32..2.0), 2..400),
            count in 2usize..70,
            min_rows in 0u8..30,
            min_hessian in prop::sample::select(vec![0.0, 1e-3, 5.0]),
            nan: bool,
        ) {
            let of = |hessian: bool| -> Vec<(usize, f32, f32)> {
                let row = |&(bin, g, h): &(usize, f32, f32)| (bin % count, g, if hessian { h } else { 1.0 });
                rows.iter().map(row).collect()
            };
            let limits = (f64::from(min_rows), min_hessian);
            agrees::<[u64; 1]>(&of(false), count, limits, nan);
            agrees::<[u64; 2]>(&of(true), count, limits, nan);
            agrees::<[f64; 3]>(&of(true), count, limits, nan);
        }
    }

    #[test]
    fn most_features_need_no_search() {
        // One feature that follows the gradient, and what is seen of one that does not.
        let rows: Vec<(usize, f32, f32)> = (0..1000)
            .map(|row| (row * 7 % 40, if row % 2 == 0 { 1.0 } else { -0.5 }, 1.0))
            .collect();
        let (cells, scale) = bins::<[u64; 1]>(&rows, 40);
        let screen = screen(&cells, &scale, 20.0, 1e-3);
        assert_eq!(screen.ask(&cells, &scale, Missing::None), Verdict::Open);
        let beaten = Screen { rival: 1000.0, ..screen };
        assert_eq!(beaten.ask(&cells, &scale, Missing::None), Verdict::Beaten);
        let few = Screen { min_rows: 501.0, ..screen };
        assert_eq!(few.ask(&cells, &scale, Missing::None), Verdict::Hopeless);
        assert_eq!(beaten.ask(&cells, &scale, Missing::Zero), Verdict::Open);
    }
}
