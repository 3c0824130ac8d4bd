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
//! a node get as far as a search: most win less than one before them. Sums of integers are exact here and in
//! the search, and hessians get their epsilon; what follows is rounded differently, by a share of [`SLACK`]
//! at most where no side is [`SMALL`]. What lies between is left open, and so are cells that are not exact.
//! Missing values: both directions are looked at; zeros as missing values stay open.
//! Cost: one pass over the bins, two where values are missing.

use fattail_trees::Missing;
use pulp::{Arch, Simd, WithSimd};

use super::{EPSILON, Task};
use crate::histogram::{Cell, Scale, Sums};

/// The share by which rounding may move what a threshold is worth.
const SLACK: f64 = 1e-9;

/// The share of a node's hessian below which differences lose too many digits.
const SMALL: f64 = 1e-4;

/// Candidates that are compared together.
const TOGETHER: usize = 16;

/// What is known without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// No threshold beats the floor.
    Hopeless,
    /// One beats the floor, none the rival.
    Beaten,
    /// A search must tell.
    Open,
}

/// What is asked about a feature of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// The node's sums, twice epsilon in the hessian.
    total: Sums,
    l2: f64,
    /// Rows of a side at least.
    min_rows: f64,
    /// Sum of hessians of a side at least.
    min_hessian: f64,
    /// What both sides must be worth more than.
    floor: f64,
    /// What another feature wins above the floor.
    rival: f64,
    missing: Missing,
}

/// What was seen of some thresholds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    may_beat_floor: bool,
    surely_beats_floor: bool,
    may_beat_rival: bool,
}

impl Screen {
    /// The question of a search, where gains are plain; `rival` is what another feature wins.
    pub(crate) fn of(task: &Task<'_>, rival: f64) -> Option<Self> {
        let &Task { total, min_rows, min_hessian, floor, missing, .. } = task;
        let is_plain = task.valuer.is_plain() && !task.is_categorical && task.random.is_none();
        let l2 = task.valuer.l2;
        is_plain.then_some(Self { total, l2, min_rows, min_hessian, floor, rival, missing })
    }

    /// Asks about the feature's bins.
    pub(crate) fn ask<C: Cell>(&self, bins: &[C], scale: &Scale) -> Outlook {
        self.ask_on(Arch::new(), bins, scale)
    }

    /// Asks by one kind of vectors.
    fn ask_on<C: Cell>(&self, processor: Arch, bins: &[C], scale: &Scale) -> Outlook {
        if !C::EXACT || (self.missing == Missing::Zero && bins.len() > 2) {
            return Outlook::Open;
        }
        let look = |bins, seen| processor.dispatch(Look { screen: self, bins, scale, seen });
        let mut seen = look(bins, Seen::default());
        if self.missing == Missing::Nan && bins.len() > 2 {
            seen = look(&bins[..bins.len() - 1], seen);
        }
        match seen {
            Seen { may_beat_floor: false, .. } => Outlook::Hopeless,
            Seen { surely_beats_floor: true, may_beat_rival: false, .. } => Outlook::Beaten,
            _ => Outlook::Open,
        }
    }

    /// The threshold number `at`.
    #[inline(always)]
    fn threshold(&self, rights: &Rights, at: usize) -> Threshold {
        let (g, n, h) = (rights.g[at], rights.n[at], rights.h[at] + EPSILON);
        let (other_g, other_n, other_h) = (self.total.g - g, self.total.n - n, self.total.h - h);
        let (rows, hessian) = (least(n, other_n), least(h, other_h));
        let (h, other_h) = (h + self.l2, other_h + self.l2);
        let worth = g * g * other_h + other_g * other_g * h;
        Threshold { rows, hessian, worth, product: h * other_h }
    }

    /// Whether one of the thresholds may beat the rival.
    #[inline(always)]
    fn may_beat_rival(&self, rights: &Rights) -> bool {
        let (small, bar) = (SMALL * self.total.h, (self.floor + self.rival) * (1.0 - SLACK));
        let mut any = false;
        for at in 0..TOGETHER {
            let one = self.threshold(rights, at);
            let wins = (one.worth > bar * one.product) | (one.hessian < small);
            any |= wins & (one.rows >= self.min_rows);
        }
        any
    }

    /// What the thresholds say of the floor and of the rival.
    #[inline(always)]
    fn see(&self, rights: &Rights, seen: &mut Seen) {
        let small = SMALL * self.total.h;
        // A hessian is what is left of the node's: rounding moves it by a share of the node's.
        let room = SLACK * small;
        let [low, high] = [1.0 - SLACK, 1.0 + SLACK].map(|share| self.floor * share);
        let (mut may, mut surely) = (false, false);
        for at in 0..TOGETHER {
            let one = self.threshold(rights, at);
            let is_small = one.hessian < small;
            let fits = one.rows >= self.min_rows;
            may |= fits
                & (one.hessian + room >= self.min_hessian)
                & (is_small | (one.worth > low * one.product));
            surely |= fits
                & (one.hessian - room >= self.min_hessian)
                & !is_small
                & (one.worth > high * one.product);
        }
        seen.may_beat_floor |= may;
        seen.surely_beats_floor |= surely;
        seen.may_beat_rival |= self.may_beat_rival(rights);
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
        // A short chunk leaves thresholds in there that were seen before, or the last one.
        let mut cells = [bins.last().copied().unwrap_or_default(); TOGETHER];
        for chunk in bins.get(1..).unwrap_or_default().rchunks(TOGETHER) {
            for (slot, &bin) in cells.iter_mut().zip(chunk.iter().rev()) {
                right.add(bin);
                *slot = right;
            }
            let rights = Rights::of(&cells, scale);
            if seen.surely_beats_floor {
                seen.may_beat_rival |= screen.may_beat_rival(&rights);
            } else {
                screen.see(&rights, &mut seen);
            }
            if seen.surely_beats_floor && seen.may_beat_rival {
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
        for (at, cell) in cells.iter().enumerate() {
            let sums = cell.decode(scale);
            (all.g[at], all.h[at], all.n[at]) = (sums.g, sums.h, sums.n);
        }
        all
    }
}

/// A threshold: rows and hessian of the smaller side, worth times the product of the hessians.
struct Threshold {
    rows: f64,
    hessian: f64,
    worth: f64,
    product: f64,
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
        Categorical, Limits,
        histogram::exponent,
        split::{Split, Valuer},
    };

    /// A feature's bins as cells.
    fn bins<C: Cell>(rows: &[(usize, f32, f32)], bins: usize) -> (Vec<C>, Scale) {
        let (g, h): (Vec<f32>, Vec<f32>) = rows.iter().map(|&(_, g, h)| (g, h)).unzip();
        let scale = Scale::new::<C>(rows.len(), exponent(&g), exponent(&h));
        let mut cells = vec![C::default(); bins];
        rows.iter().for_each(|&(bin, g, h)| cells[bin].add(C::encode(&scale, g, h)));
        (cells, scale)
    }

    /// The search of a node that holds these bins.
    fn task<'a>(
        sums: &[Sums],
        limits: &Limits,
        missing: Missing,
        categorical: &'a Categorical,
    ) -> Task<'a> {
        let all = sums.iter().fold(Sums::default(), |sum, &bin| sum.plus(bin));
        let total = Sums { h: all.h + 2.0 * EPSILON, ..all };
        let valuer = Valuer::new(limits, 0.0);
        Task {
            feature: 0,
            missing,
            zero_bin: 0,
            missing_bin: (missing == Missing::Nan).then(|| sums.len() - 1),
            is_categorical: false,
            total,
            valuer,
            min_rows: limits.min_data_in_leaf as f64,
            min_hessian: limits.min_sum_hessian_in_leaf,
            floor: valuer.leaf_gain(total) + limits.min_gain_to_split,
            categorical,
            random: None,
        }
    }

    /// Every kind of vectors that this processor has, and none.
    fn processors() -> Vec<Arch> {
        let mut all = vec![Arch::new(), Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        all.extend(pulp::x86::V3::try_new().map(Arch::V3));
        all
    }

    fn agrees<C: Cell>(
        rows: &[(usize, f32, f32)],
        count: usize,
        limits: &Limits,
        missing: Missing,
    ) {
        let (cells, scale) = bins::<C>(rows, count);
        let sums: Vec<Sums> = cells.iter().map(|cell| cell.decode(&scale)).collect();
        let categorical = Categorical::default();
        let task = task(&sums, limits, missing, &categorical);
        let best: Option<Split> = task.best(&sums);
        let gain = best.as_ref().map_or(0.0, |best| best.gain);
        for share in [0.0, 0.5, 1.0 - 1e-12, 1.0, 1.0 + 1e-12, 1.5, f64::INFINITY] {
            let rival = if gain > 0.0 { gain * share } else { share };
            let screen = Screen::of(&task, rival).unwrap();
            let plain = screen.ask_on(Arch::Scalar, &cells, &scale);
            for processor in processors() {
                assert_eq!(screen.ask_on(processor, &cells, &scale), plain, "{processor:?}");
            }
            match plain {
                Outlook::Hopeless => assert_eq!(best, None),
                Outlook::Beaten => assert!(best.is_some() && gain < rival, "{gain} {rival}"),
                Outlook::Open => {}
            }
        }
    }

    proptest! {
        #[test]
        fn a_search_agrees(
            // Eighths make ties.
            rows in prop::collection::vec((0usize..1000, -24i8..24, 0u8..16), 2..400),
            count in 2usize..70,
            whole: bool,
            min_data_in_leaf in 0usize..30,
            min_sum_hessian_in_leaf in prop::sample::select(vec![0.0, 1e-3, 1.0, 5.0]),
            lambda_l2 in prop::sample::select(vec![0.0, 0.1, 10.0]),
            min_gain_to_split in prop::sample::select(vec![0.0, 0.1, 50.0]),
            missing in prop::sample::select(vec![Missing::None, Missing::Nan, Missing::Zero]),
        ) {
            let of = |hessian: bool| -> Vec<(usize, f32, f32)> {
                let row = |&(bin, g, h): &(usize, i8, u8)| {
                    let g = if whole { f32::from(g) / 8.0 } else { f32::from(g) / 7.0 };
                    (bin % count, g, if hessian { f32::from(h) / 8.0 } else { 1.0 })
                };
                rows.iter().map(row).collect()
            };
            let limits = Limits {
                min_data_in_leaf,
                min_sum_hessian_in_leaf,
                lambda_l2,
                min_gain_to_split,
                ..Limits::default()
            };
            agrees::<[u64; 1]>(&of(false), count, &limits, missing);
            agrees::<[u64; 2]>(&of(true), count, &limits, missing);
            agrees::<[f64; 3]>(&of(true), count, &limits, missing);
        }
    }

    #[test]
    fn most_features_need_no_search() {
        // A feature that follows the gradient.
        let rows: Vec<(usize, f32, f32)> = (0..1000)
            .map(|row| (row * 7 % 40, if row % 2 == 0 { 1.0 } else { -0.5 }, 1.0))
            .collect();
        let (cells, scale) = bins::<[u64; 1]>(&rows, 40);
        let sums: Vec<Sums> = cells.iter().map(|cell| cell.decode(&scale)).collect();
        let categorical = Categorical::default();
        let ask = |limits: &Limits, rival: f64, missing: Missing| {
            let task = task(&sums, limits, missing, &categorical);
            Screen::of(&task, rival).unwrap().ask(&cells, &scale)
        };
        let limits = Limits::default();
        assert_eq!(ask(&limits, 0.0, Missing::None), Outlook::Open);
        assert_eq!(ask(&limits, 1000.0, Missing::None), Outlook::Beaten);
        assert_eq!(ask(&limits, 1000.0, Missing::Zero), Outlook::Open);
        let many = Limits { min_data_in_leaf: 501, ..limits };
        assert_eq!(ask(&many, 0.0, Missing::None), Outlook::Hopeless);
        let dear = Limits { min_gain_to_split: 1e6, ..limits };
        assert_eq!(ask(&dear, 0.0, Missing::None), Outlook::Hopeless);
        let heavy = Limits { lambda_l2: 1e9, min_gain_to_split: 1.0, ..limits };
        assert_eq!(ask(&heavy, 0.0, Missing::None), Outlook::Hopeless);
    }

    #[test]
    fn what_changes_gains_needs_a_search() {
        let categorical = Categorical::default();
        let sums = [Sums { g: 1.0, h: 1.0, n: 1.0 }; 3];
        for limits in [
            Limits { lambda_l1: 0.1, ..Limits::default() },
            Limits { max_delta_step: 1.0, ..Limits::default() },
            Limits { path_smooth: 1.0, ..Limits::default() },
        ] {
            assert!(Screen::of(&task(&sums, &limits, Missing::None, &categorical), 0.0).is_none());
        }
        let plain = task(&sums, &Limits::default(), Missing::None, &categorical);
        assert!(Screen::of(&Task { is_categorical: true, ..plain }, 0.0).is_none());
        assert!(Screen::of(&Task { random: Some(&|_| 0), ..plain }, 0.0).is_none());
        assert!(Screen::of(&plain, 0.0).is_some());
    }
}
