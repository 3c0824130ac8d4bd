//! Kolmogorov and Smirnov's two-sample test, exact with ties.
//!
//! `D = max |F(x) - G(x)|` over the pooled distinct values; missing values rank above every number,
//! so a missing share that moves is drift. `D n m` is a whole number and is compared as one.
//!
//! Exact: with every order of the pooled rows equally likely, a walk of `n` steps up and `m` to the
//! right passes `(i, j)`; `u(i, j)`, the chance that a walk to `(i, j)` has touched
//! `|i/n - j/m| >= D` at the end of a run of equal values, is 1 where it does and else
//! `i/(i+j) u(i-1, j) + j/(i+j) u(i, j-1)`. Ties are thereby conditioned on, not broken: the p-value
//! is that of all deals, and rejects more often than the one that takes ties for untied.
//! Limit: `Q(D √(nm/(n+m)))`, which is conservative when values tie, for five bins by a factor of
//! about two. `Auto` is exact up to a million cells `n m`, the limit above.
//!
//! Cost: one pass, exact p-values `n m` cells.
//!
//! Reference: Hodges (1958), The significance probability of the Smirnov two-sample test, Arkiv för
//! Matematik 3; Schröer and Trenkler (1995), Exact and randomization distributions of
//! Kolmogorov-Smirnov tests two or three samples, Computational Statistics and Data Analysis 20.

use fattail_stats::Counter;

use super::{Tally, deal::deal};
use crate::{
    error::Result,
    null::{Method, Null, Outcome, permutation_p},
    special::kolmogorov_tail,
};

/// Above this many cells the exact p-value gives way to the limit.
const CELLS: u64 = 1_000_000;

/// Kolmogorov and Smirnov's distance between the two samples' distribution functions.
///
/// ```
/// use fattail_drift::{Method, Null, Tally, kolmogorov_smirnov};
/// let tally = Tally::of_values(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0])?;
/// let found = kolmogorov_smirnov(&tally, &Null::default())?;
/// // Two of the 20 orders keep the samples apart.
/// assert_eq!((found.statistic, found.method), (1.0, Method::Exact));
/// assert!((found.p - 0.1).abs() < 1e-15);
/// # Ok::<(), fattail_drift::Error>(())
/// ```
///
/// # Errors
/// When there are no draws to make.
pub fn kolmogorov_smirnov(tally: &Tally, null: &Null) -> Result<Outcome> {
    let pooled = tally.pooled();
    let mut reference = tally.reference().to_vec();
    reference.resize(pooled.len(), tally.missing()[0]);
    let [n, m] = tally.rows();
    let observed = whole_distance(&reference, &pooled, [n, m]);
    let cells = n as f64 * m as f64;
    let statistic = observed as f64 / cells;
    match *null {
        Null::Auto { .. } if cells <= CELLS as f64 => {
            let p = exact(observed, &pooled, [n as usize, m as usize]);
            Ok(Outcome { statistic, p, method: Method::Exact })
        }
        Null::Asymptotic | Null::Auto { .. } => {
            let p = kolmogorov_tail(statistic * (cells / (n + m) as f64).sqrt());
            Ok(Outcome { statistic, p, method: Method::Asymptotic })
        }
        Null::Permutation { draws, seed } => {
            let counter = Counter::new(seed);
            let p = permutation_p(observed as f64, draws, |draw| {
                deal(&pooled, n, &mut counter.draw(draw), &mut reference);
                whole_distance(&reference, &pooled, [n, m]) as f64
            })?;
            Ok(Outcome { statistic, p, method: Method::Permutation })
        }
    }
}

/// `D n m`.
fn whole_distance(reference: &[u64], pooled: &[u64], [n, m]: [u64; 2]) -> u128 {
    let (mut here, mut there, mut most) = (0_u128, 0_u128, 0);
    for (&a, &all) in reference.iter().zip(pooled) {
        here += u128::from(a);
        there += u128::from(all - a);
        most = most.max((here * u128::from(m)).abs_diff(there * u128::from(n)));
    }
    most
}

/// The chance of a distance of at least `observed / (n m)` over all deals.
fn exact(observed: u128, pooled: &[u64], [n, m]: [usize; 2]) -> f64 {
    if observed == 0 {
        return 1.0;
    }
    let mut ends = vec![false; n + m + 1];
    let mut at = 0;
    for &count in pooled {
        at += count as usize;
        ends[at] = true;
    }
    let observed = observed as u64;
    let out = |i: usize, j: usize| ends[i + j] && (i * m).abs_diff(j * n) as u64 >= observed;
    let mut touched = vec![0.0; m + 1];
    for j in 1..=m {
        touched[j] = if out(0, j) { 1.0 } else { touched[j - 1] };
    }
    for i in 1..=n {
        if out(i, 0) {
            touched[0] = 1.0;
        }
        for j in 1..=m {
            touched[j] = if out(i, j) {
                1.0
            } else {
                (i as f64 * touched[j] + j as f64 * touched[j - 1]) / (i + j) as f64
            };
        }
    }
    touched[m]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_with_ties_counts_all_deals() {
        // Values 1 1 2 3 3 3, three to each sample: all 20 deals by hand of the machine.
        let values = [1.0, 1.0, 2.0, 3.0, 3.0, 3.0];
        let distance = |deal: u32| {
            let side =
                |bit| (0..6).filter(|i| deal >> i & 1 == bit).map(|i| values[i as usize]).collect();
            let (a, b): (Vec<f64>, Vec<f64>) = (side(1), side(0));
            let tally = Tally::of_values(&a, &b).unwrap();
            kolmogorov_smirnov(&tally, &Null::Auto { draws: 1, seed: 0 }).unwrap()
        };
        let deals: Vec<u32> = (0..64_u32).filter(|deal| deal.count_ones() == 3).collect();
        for &deal in &deals {
            let found = distance(deal);
            let at_least = |&&other: &&u32| distance(other).statistic >= found.statistic - 1e-12;
            let share = deals.iter().filter(at_least).count() as f64 / 20.0;
            assert!((found.p - share).abs() < 1e-14, "{deal:b}: {found:?} {share}");
        }
    }

    #[test]
    fn a_missing_share_that_moves_is_drift() {
        let whole: Vec<f64> = (0..50).map(f64::from).collect();
        let holed: Vec<f64> =
            (0..50).map(|i| if i % 2 == 0 { f64::NAN } else { f64::from(i) }).collect();
        let tally = Tally::of_values(&whole, &holed).unwrap();
        let found = kolmogorov_smirnov(&tally, &Null::default()).unwrap();
        assert!(found.statistic >= 0.5 && found.p < 1e-4);
    }
}
