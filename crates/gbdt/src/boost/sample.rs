//! Which rows and columns a tree sees.
//!
//! Every draw is a function of the seed and the round. Rows are drawn one by one or by whole eras.
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
    /// The choices inside a tree.
    Tree(u32),
}

impl Stream {
    /// The generator of a round.
    pub(super) fn of(self, seed: u64) -> Counter {
        let number = match self {
            Self::Rows => 1,
            Self::Columns => 2,
            Self::Drop => 3,
            Self::Order => 4,
            Self::Tree(tree) => (1 << 32) + u64::from(tree),
        };
        Counter::new(seed).stream(number)
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

/// The rows of a round among the `known` ones, when they are not all; gradients of rows that stand for
/// others become larger.
pub(super) fn rows(
    settings: &Gbdt,
    round: usize,
    known: &[u32],
    eras: &[usize],
    slopes: Slopes<'_>,
) -> Option<Vec<u32>> {
    let draw = |every: usize| Stream::Rows.of(settings.seed).draw((round / every.max(1)) as u32);
    match settings.sampling.rows {
        Rows::All => None,
        Rows::Bag { fraction, every } => {
            let chosen = choose(share(known.len(), fraction), known.len(), &mut draw(every));
            Some(chosen.into_iter().map(|at| known[at]).collect())
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

/// The known rows of some of the eras.
fn whole_eras(known: &[u32], eras: &[usize], fraction: f64, generator: &mut impl Rng) -> Vec<u32> {
    let count = eras.len().saturating_sub(1);
    let chosen = choose(share(count, fraction), count, generator);
    let ranges = chosen.into_iter().map(|era| (eras[era] as u32, eras[era + 1] as u32));
    let part = |(start, end): (u32, u32)| {
        let place = |row: u32| known.partition_point(|&known| known < row);
        &known[place(start)..place(end)]
    };
    ranges.flat_map(part).copied().collect()
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
    kept
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
