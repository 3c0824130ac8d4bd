//! Deals pooled rows anew to two samples: counts of the multivariate hypergeometric distribution.
//!
//! Value `i` stands `g_i` times in `N` pooled rows of which `n` go to the reference. Walking over the
//! values, the number that goes there is hypergeometric given what went before: row by row for small
//! `g_i`, else by inversion from the mode, outward in both directions.
//!
//! Cost: `O(1)` a row for small `g_i`, about its standard deviation in steps for large ones: a deal
//! of 300,000 rows in five bins takes a few hundred steps.
//!
//! Reference: Fishman (1979), Sampling from the hypergeometric distribution, JASA 74; Knuth (1997),
//! The Art of Computer Programming 2, section 3.4.2, algorithm S.

use fattail_stats::unit;
use rand::Rng;
use statrs::function::gamma::ln_gamma;

/// Values that stand at most this often are dealt row by row.
const ROW_BY_ROW: u64 = 24;

/// Writes how many of each value go to the reference when `take` of the pooled rows do.
pub(crate) fn deal(pooled: &[u64], take: u64, generator: &mut impl Rng, reference: &mut [u64]) {
    let (mut left, mut wanted) = (pooled.iter().sum::<u64>(), take);
    for (slot, &count) in reference.iter_mut().zip(pooled) {
        *slot = if count <= ROW_BY_ROW {
            singly(left, count, wanted, generator)
        } else {
            hypergeometric(left, count, wanted, generator)
        };
        left -= count;
        wanted -= *slot;
    }
}

/// Each of `count` rows in turn goes with the chance that those still wanted have.
fn singly(mut left: u64, count: u64, mut wanted: u64, generator: &mut impl Rng) -> u64 {
    let before = wanted;
    for _ in 0..count {
        let goes = unit(generator) * (left as f64) < wanted as f64;
        wanted -= u64::from(goes);
        left -= 1;
    }
    before - wanted
}

/// How many of `marked` rows are among `drawn` of `all`.
fn hypergeometric(all: u64, marked: u64, drawn: u64, generator: &mut impl Rng) -> u64 {
    let (low, high) = ((marked + drawn).saturating_sub(all), marked.min(drawn));
    if low == high {
        return low;
    }
    let [n, k, d] = [all, marked, drawn].map(|x| x as f64);
    let mode = (((d + 1.0) * (k + 1.0) / (n + 2.0)).floor() as u64).clamp(low, high);
    let at_mode =
        log_choose(k, mode as f64) + log_choose(n - k, d - mode as f64) - log_choose(n, d);
    let peak = at_mode.exp();
    // p(x + 1) / p(x)
    let ratio = |x: f64| (k - x) * (d - x) / ((x + 1.0) * (n - k - d + x + 1.0));
    let mut rest = unit(generator) - peak;
    let (mut up, mut down) = ((mode, peak), (mode, peak));
    while rest >= 0.0 && (up.0 < high || down.0 > low) {
        if up.0 < high {
            up = (up.0 + 1, up.1 * ratio(up.0 as f64));
            rest -= up.1;
            if rest < 0.0 {
                return up.0;
            }
        }
        if down.0 > low {
            down = (down.0 - 1, down.1 / ratio(down.0 as f64 - 1.0));
            rest -= down.1;
            if rest < 0.0 {
                return down.0;
            }
        }
        // What rounding has left over.
        if up.1 < 1e-18 && down.1 < 1e-18 {
            break;
        }
    }
    mode
}

fn log_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

#[cfg(test)]
mod tests {
    use fattail_stats::Counter;

    use super::*;

    #[test]
    fn sums_and_bounds_hold() {
        let pooled = [1, 0, 200, 3, 40, 1];
        let mut out = [0; 6];
        for draw in 0..500 {
            deal(&pooled, 97, &mut Counter::new(1).draw(draw), &mut out);
            assert_eq!(out.iter().sum::<u64>(), 97);
            assert!(out.iter().zip(&pooled).all(|(got, all)| got <= all));
        }
    }

    #[test]
    fn frequencies_are_those_of_the_formula() {
        // 30 of 70 marked, 25 drawn; both ways against the probabilities.
        let log_p =
            |x: f64| log_choose(30.0, x) + log_choose(40.0, 25.0 - x) - log_choose(70.0, 25.0);
        for by_row in [false, true] {
            let (mut counts, draws) = ([0_u32; 26], 40_000);
            for i in 0..draws {
                let mut generator = Counter::new(5).draw(i);
                let drawn = if by_row {
                    singly(70, 30, 25, &mut generator)
                } else {
                    hypergeometric(70, 30, 25, &mut generator)
                };
                counts[drawn as usize] += 1;
            }
            let mut chi = 0.0;
            for (x, &count) in counts.iter().enumerate() {
                let expected = log_p(x as f64).exp() * f64::from(draws);
                if expected > 5.0 {
                    chi += (f64::from(count) - expected).powi(2) / expected;
                }
            }
            // About 16 cells; the 1e-6 point of 16 degrees is 58.
            assert!(chi < 58.0, "{chi}");
        }
    }
}
