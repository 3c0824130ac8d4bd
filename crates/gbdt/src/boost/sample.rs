//! Which rows and columns a tree sees.
//!
//! Every draw is a function of a seed and the round. Rows are drawn one by one, class by class or by
//! whole eras.
//! GOSS keeps the rows with the largest `sum_k |g_k h_k|`, draws some of the others and multiplies
//! their gradients by `(1 - top) / other`; in the first `1 / learning_rate` rounds it takes all rows.
//! MVS keeps row i with chance `p_i = min(1, s_i / mu)`, `s_i = sqrt(sum_k g_k^2)`, mu being such that
//! the chances add up to the share, and multiplies its gradients by `1 / p_i`.
//! Cost: one draw a row. Reference: Ke et al. (2017), algorithm 2; Ibragimov & Gusev (2019).

use fattail_stats::{Counter, below, unit};
use rand::Rng;

use crate::{Gbdt, Rows};

/// Streams of random numbers, so that no two choices share one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Rows,
    Columns,
    Drop,
    Order,
    Sketch,
    /// The columns of the nodes of a tree.
    Tree(u32),
    /// The questions that an extremely random tree tries.
    Choice(u32),
}

/// The first stream of seeds that are a choice's own.
const OWN: u64 = 1 << 33;

impl Stream {
    /// The generator of a round.
    pub(super) fn of(self, seed: u64) -> Counter {
        Counter::new(seed).stream(self.number())
    }

    /// The generator of a round, by the seed that its choice has in the settings.
    pub(super) fn by(self, settings: &Gbdt) -> Counter {
        let seeds = &settings.seeds;
        let own = match self {
            Self::Rows => seeds.rows,
            Self::Columns | Self::Tree(_) => seeds.columns,
            Self::Choice(_) => seeds.extra,
            Self::Drop => seeds.drop,
            Self::Order | Self::Sketch => None,
        };
        match own {
            Some(own) => Counter::new(own).stream(OWN + self.number()),
            None => self.of(settings.seed),
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Rows => 1,
            Self::Columns => 2,
            Self::Drop => 3,
            Self::Order => 4,
            Self::Sketch => 5,
            // Draws of both are apart by their index.
            Self::Tree(tree) | Self::Choice(tree) => (1 << 32) + u64::from(tree),
        }
    }
}

/// `count` of the numbers below `from`, increasing, every set equally likely.
pub(super) fn choose(count: usize, from: usize, generator: &mut impl Rng) -> Vec<usize> {
    let mut left = count.min(from);
    let mut chosen = Vec::with_capacity(left);
    for at in 0..from {
        if left > 0 && below(generator, from - at) < left {
            chosen.push(at);
            left -= 1;
        }
    }
    chosen
}

/// The number that a share of `of` makes, at least one.
pub(super) fn share(of: usize, fraction: f64) -> usize {
    ((of as f64 * fraction).round() as usize).clamp(1, of.max(1))
}

/// Gradients and hessians, output-major.
#[derive(Debug)]
pub(super) struct Slopes<'a> {
    pub(super) g: &'a mut [f32],
    pub(super) h: &'a mut [f32],
    /// Rows of an output.
    pub(super) rows: usize,
}

impl Slopes<'_> {
    /// Adds up something of a row over its outputs.
    fn sum(&self, row: u32, of: impl Fn(f64, f64) -> f64) -> f64 {
        let all = (row as usize..self.g.len()).step_by(self.rows);
        all.map(|at| of(f64::from(self.g[at]), f64::from(self.h[at]))).sum()
    }

    /// Makes a row stand for `factor` rows.
    fn scale(&mut self, row: u32, factor: f64) {
        for at in (row as usize..self.g.len()).step_by(self.rows) {
            self.g[at] = (f64::from(self.g[at]) * factor) as f32;
            self.h[at] = (f64::from(self.h[at]) * factor) as f32;
        }
    }
}

/// The rows that are drawn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Their positions, increasing.
    pub(super) rows: &'a [u32],
    /// Where each era starts, and the number of all rows.
    pub(super) eras: &'a [usize],
    /// The target of all rows.
    pub(super) target: &'a [f32],
}

/// The rows of a round among the `known` ones, when they are not all; gradients of rows that stand for
/// others become larger.
pub(super) fn rows(
    settings: &Gbdt,
    round: usize,
    Known { rows: known, eras, target }: Known<'_>,
    slopes: Slopes<'_>,
) -> Option<Vec<u32>> {
    let stream = Stream::Rows.by(settings);
    let draw = |every: usize| stream.draw((round / every.max(1)) as u32);
    match settings.sampling.rows {
        Rows::All => None,
        Rows::Bag { fraction, every } => {
            let chosen = choose(share(known.len(), fraction), known.len(), &mut draw(every));
            Some(chosen.into_iter().map(|at| known[at]).collect())
        }
        Rows::BagByClass { positive, negative, every } => {
            Some(by_class((positive, negative), known, target, &mut draw(every)))
        }
        Rows::Eras { fraction, every } => Some(whole_eras(known, eras, fraction, &mut draw(every))),
        Rows::Goss { top, other } => {
            let warm = (round as f64) < 1.0 / settings.learning_rate;
            (!warm).then(|| one_sided((top, other), known, slopes, &mut draw(1)))
        }
        Rows::MinimalVariance { fraction } => {
            Some(minimal_variance(fraction, known, slopes, &mut draw(1)))
        }
    }
}

/// Some of the known rows whose label is above 0 and some of the others.
fn by_class(
    (positive, negative): (f64, f64),
    known: &[u32],
    target: &[f32],
    generator: &mut impl Rng,
) -> Vec<u32> {
    let is_positive = |row: &u32| target[*row as usize] > 0.0;
    let (above, others): (Vec<u32>, Vec<u32>) = known.iter().copied().partition(is_positive);
    let mut drawn = Vec::new();
    for (class, fraction) in [(above, positive), (others, negative)] {
        let chosen = choose(share(class.len(), fraction), class.len(), generator);
        drawn.extend(chosen.into_iter().map(|at| class[at]));
    }
    drawn.sort_unstable();
    drawn
}

/// The known rows of some of the eras.
fn whole_eras(known: &[u32], eras: &[usize], fraction: f64, generator: &mut impl Rng) -> Vec<u32> {
    let place = |row: usize| known.partition_point(|&known| (known as usize) < row);
    let parts = eras.windows(2).map(|era| &known[place(era[0])..place(era[1])]);
    let parts: Vec<&[u32]> = parts.filter(|part| !part.is_empty()).collect();
    let chosen = choose(share(parts.len(), fraction), parts.len(), generator);
    chosen.into_iter().flat_map(|era| parts[era]).copied().collect()
}

fn one_sided(
    (top, other): (f64, f64),
    known: &[u32],
    mut slopes: Slopes<'_>,
    generator: &mut impl Rng,
) -> Vec<u32> {
    let sizes: Vec<f64> = known.iter().map(|&row| slopes.sum(row, |g, h| (g * h).abs())).collect();
    let keep = share(known.len(), top);
    let mut sorted = sizes.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let least = sorted[keep - 1];
    let mut ties = keep - sorted.iter().take_while(|&&size| size > least).count();
    let (mut kept, mut small) = (Vec::new(), Vec::new());
    for (&row, &size) in known.iter().zip(&sizes) {
        let tie = size == least && ties > 0;
        ties -= usize::from(tie);
        if size > least || tie { kept.push(row) } else { small.push(row) }
    }
    let drawn = choose(share(known.len(), other), small.len(), generator);
    let factor = small.len() as f64 / drawn.len().max(1) as f64;
    for at in drawn {
        slopes.scale(small[at], factor);
        kept.push(small[at]);
    }
    kept.sort_unstable();
    kept
}

fn minimal_variance(
    fraction: f64,
    known: &[u32],
    mut slopes: Slopes<'_>,
    generator: &mut impl Rng,
) -> Vec<u32> {
    let size = |&row: &u32| slopes.sum(row, |g, _| g * g).sqrt();
    let sizes: Vec<f64> = known.iter().map(size).collect();
    let threshold = threshold(&sizes, fraction * known.len() as f64);
    let mut kept = Vec::new();
    for (&row, &size) in known.iter().zip(&sizes) {
        let chance = (size / threshold).min(1.0);
        if unit(generator) < chance {
            kept.push(row);
            slopes.scale(row, 1.0 / chance);
        }
    }
    // Nothing is drawn where no row has a gradient.
    if kept.is_empty() { known.to_vec() } else { kept }
}

/// The mu at which `sum_i min(1, s_i / mu)` is `expected`.
fn threshold(sizes: &[f64], expected: f64) -> f64 {
    let mut sorted = sizes.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut rest: f64 = sorted.iter().sum();
    for (certain, &size) in sorted.iter().enumerate() {
        let mu = rest / (expected - certain as f64).max(f64::MIN_POSITIVE);
        if mu >= size {
            return mu.max(f64::MIN_POSITIVE);
        }
        rest -= size;
    }
    f64::MIN_POSITIVE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sampling, Seeds};

    const ROWS: usize = 400;

    /// Gradients of two outputs, and the known rows: all but every seventh.
    fn slopes() -> (Vec<f32>, Vec<f32>, Vec<u32>) {
        let mut generator = Counter::new(9).draw(0);
        let g = (0..2 * ROWS).map(|_| (unit(&mut generator) - 0.3).powi(3) as f32).collect();
        let h = (0..2 * ROWS).map(|_| 0.5 + unit(&mut generator) as f32).collect();
        (g, h, (0..ROWS as u32).filter(|row| row % 7 != 0).collect())
    }

    fn eras() -> Vec<usize> {
        vec![0, 10, 50, 120, 121, 200, 280, 300, 390, ROWS]
    }

    /// A quarter of the rows is positive.
    fn target() -> Vec<f32> {
        (0..ROWS).map(|row| if row % 4 == 1 { 1.0 } else { -1.0 }).collect()
    }

    fn settings(rows: Rows, seed: u64) -> Gbdt {
        let sampling = Sampling { rows, ..Sampling::default() };
        Gbdt { sampling, seed, learning_rate: 0.5, ..Gbdt::default() }
    }

    /// The rows of a round, and the sums of their gradients and hessians.
    fn drawn(rows: Rows, seed: u64, round: usize) -> (Vec<u32>, [f64; 2]) {
        let (mut g, mut h, known) = slopes();
        let slopes = Slopes { g: &mut g, h: &mut h, rows: ROWS };
        let (eras, target) = (eras(), target());
        let of = Known { rows: &known, eras: &eras, target: &target };
        let chosen = super::rows(&settings(rows, seed), round, of, slopes).unwrap_or(known);
        let sum = |values: &[f32]| -> f64 {
            let all = chosen.iter().flat_map(|&row| [row as usize, row as usize + ROWS]);
            all.map(|at| f64::from(values[at])).sum()
        };
        let sums = [sum(&g), sum(&h)];
        (chosen, sums)
    }

    const KINDS: [Rows; 5] = [
        Rows::Bag { fraction: 0.3, every: 1 },
        Rows::Eras { fraction: 0.5, every: 1 },
        Rows::Goss { top: 0.2, other: 0.2 },
        Rows::MinimalVariance { fraction: 0.3 },
        Rows::BagByClass { positive: 0.9, negative: 0.2, every: 1 },
    ];

    #[test]
    fn draws_are_increasing_known_and_repeatable() {
        let known = slopes().2;
        for kind in KINDS {
            let (rows, _) = drawn(kind, 1, 5);
            assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "{kind:?}");
            assert!(rows.iter().all(|row| known.binary_search(row).is_ok()), "{kind:?}");
            assert_eq!(rows, drawn(kind, 1, 5).0);
            assert_ne!(rows, drawn(kind, 2, 5).0);
            assert_ne!(rows, drawn(kind, 1, 6).0);
        }
    }

    #[test]
    fn shares_hold() {
        let known = slopes().2.len();
        assert_eq!(drawn(KINDS[0], 1, 0).0.len(), share(known, 0.3));
        assert_eq!(drawn(KINDS[2], 1, 5).0.len(), share(known, 0.2) + share(known, 0.2));
        let mean =
            (0..300).map(|round| drawn(KINDS[3], 1, round).0.len()).sum::<usize>() as f64 / 300.0;
        // At most 343 draws of variance 1/4 at most: three standard deviations of the mean are 1.6.
        assert!((mean - 0.3 * known as f64).abs() < 1.6, "{mean}");
    }

    #[test]
    fn each_class_has_its_share() {
        let (target, known) = (target(), slopes().2);
        let split = |rows: &[u32]| -> (usize, usize) {
            let positive = rows.iter().filter(|&&row| target[row as usize] > 0.0).count();
            (positive, rows.len() - positive)
        };
        let (positive, negative) = split(&known);
        let mut counts = vec![0; ROWS];
        for round in 0..400 {
            let rows = drawn(KINDS[4], 1, round).0;
            assert_eq!(split(&rows), (share(positive, 0.9), share(negative, 0.2)));
            rows.into_iter().for_each(|row| counts[row as usize] += 1);
        }
        // 360 or 80 of 400 draws, with standard deviations of 6 and 8.
        for row in known {
            let (mean, most): (i32, i32) =
                if target[row as usize] > 0.0 { (360, 30) } else { (80, 40) };
            assert!((counts[row as usize] - mean).abs() < most, "row {row}");
        }
        let whole = Rows::BagByClass { positive: 1.0, negative: 0.5, every: 1 };
        assert_eq!(split(&drawn(whole, 1, 0).0), (positive, share(negative, 0.5)));
    }

    #[test]
    fn a_seed_of_the_rows_draws_others() {
        let by = |rows: Option<u64>, seed: u64| {
            let seeds = Seeds { rows, ..Seeds::default() };
            Stream::Rows.by(&Gbdt { seeds, seed, ..Gbdt::default() })
        };
        assert_eq!(by(None, 7), Stream::Rows.of(7));
        assert_eq!(by(Some(7), 1), by(Some(7), 2));
        assert!(by(Some(7), 1) != by(Some(8), 1) && by(Some(7), 7) != by(None, 7));
    }

    #[test]
    fn a_draw_holds_for_some_rounds() {
        for kind in [
            Rows::Bag { fraction: 0.3, every: 3 },
            Rows::BagByClass { positive: 0.3, negative: 0.6, every: 3 },
            Rows::Eras { fraction: 0.5, every: 3 },
        ] {
            let of = |round| drawn(kind, 1, round).0;
            assert!(of(3) == of(4) && of(4) == of(5) && of(2) != of(3));
        }
    }

    #[test]
    fn eras_are_drawn_whole() {
        let (eras, known) = (eras(), slopes().2);
        let mut counts = vec![0; eras.len() - 1];
        for round in 0..400 {
            let rows = drawn(KINDS[1], 1, round).0;
            let held = eras.windows(2).enumerate().filter(|(era, pair)| {
                let inside = |rows: &[u32]| {
                    rows.iter().filter(|&&row| (pair[0]..pair[1]).contains(&(row as usize))).count()
                };
                let (taken, all) = (inside(&rows), inside(&known));
                assert!(taken == 0 || taken == all, "a part of era {era}");
                taken > 0
            });
            let held: Vec<usize> = held.map(|(era, _)| era).collect();
            assert_eq!(held.len(), share(eras.len() - 1, 0.5));
            held.into_iter().for_each(|era| counts[era] += 1);
        }
        // 5 of 9 eras: 222 of 400, with a standard deviation of 10.
        assert!(counts.iter().all(|&count: &i32| (count - 222).abs() < 40), "{counts:?}");
    }

    #[test]
    fn sums_are_unbiased() {
        let (g, h, known) = slopes();
        let sum = |values: &[f32]| -> f64 {
            let all = known.iter().flat_map(|&row| [row as usize, row as usize + ROWS]);
            all.map(|at| f64::from(values[at])).sum()
        };
        for kind in [KINDS[2], KINDS[3]] {
            for (at, exact) in [sum(&g), sum(&h)].into_iter().enumerate() {
                let draws: Vec<f64> = (2..1002).map(|round| drawn(kind, 3, round).1[at]).collect();
                let mean = draws.iter().sum::<f64>() / 1000.0;
                let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1000.0;
                let error = (variance / 1000.0).sqrt();
                assert!(
                    (mean - exact).abs() < 4.0 * error,
                    "{kind:?} {at}: {mean} for {exact} +- {error}"
                );
            }
        }
    }

    #[test]
    fn the_largest_gradients_stay() {
        let (g, h, known) = slopes();
        let size = |row: u32| {
            let of = |at: usize| f64::from(g[at] * h[at]).abs();
            of(row as usize) + of(row as usize + ROWS)
        };
        let mut sorted = known.clone();
        sorted.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        let rows = drawn(KINDS[2], 1, 4).0;
        assert!(
            sorted[..share(known.len(), 0.2)].iter().all(|row| rows.binary_search(row).is_ok())
        );
        // The first two rounds, 1 / learning_rate, take all rows.
        assert_eq!(drawn(KINDS[2], 1, 1).0, known);
        assert_ne!(drawn(KINDS[2], 1, 2).0, known);
    }

    #[test]
    fn without_gradients_all_rows_stay() {
        let (mut g, mut h, known) = (vec![0.0; 5], vec![1.0; 5], [0, 1, 2, 3, 4]);
        let slopes = Slopes { g: &mut g, h: &mut h, rows: 5 };
        let of = Known { rows: &known, eras: &[0, 5], target: &[0.0; 5] };
        assert_eq!(super::rows(&settings(KINDS[3], 1), 0, of, slopes), Some(known.to_vec()));
    }
}
