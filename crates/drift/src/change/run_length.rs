//! How long a CUSUM of standard normals runs until it alarms falsely, and the threshold that follows.
//!
//! One side, `S_t = max(0, S_{t-1} + z_t - k)`, alarm when `S_t > h`. Siegmund's approximation of the
//! average run length is `(exp(2kb) - 2kb - 1) / (2k²)` with `b = h + 1.166`. Brook and Evans' takes
//! `S` for a Markov chain on `m` equal cells of `[0, h]`, the lowest half as wide: with `R` the moves
//! that do not alarm, the average run length from 0 is the first entry of `(I - R)⁻¹ 1`, and the
//! chance of an alarm within `n` scores 1 less the first entry of `Rⁿ 1`. With 150 cells both are
//! within a few tenths of a percent for allowances from 0.1 on.
//!
//! An allowance can be too large for a rate: a threshold of 0 already alarms only when `|z| > k`, once in
//! `1 / (2 (1 - Φ(k)))` scores. A rate above that has no threshold and is refused.
//!
//! Two sides: half the run length of one; `1 - (1 - P)²`, which is a hair above the truth, since a
//! side that stands high keeps the other low.
//!
//! Reference: Siegmund (1985), Sequential Analysis, section II.3 and X.2; Brook and Evans (1972), An
//! approach to the probability distribution of cusum run length, Biometrika 59(3).

use fattail_stats::normal_cdf;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The stated rate of false alarms, in eras.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FalseAlarms {
    /// One in so many eras on average; above 2.
    Every(f64),
    /// With this chance within so many eras.
    Within {
        /// The eras; at least 1.
        eras: usize,
        /// The chance, above 0 and below 1.
        probability: f64,
    },
    /// Not stated: this threshold, in standard deviations.
    Threshold(f64),
}

/// One false alarm in ten years of weekly eras.
impl Default for FalseAlarms {
    fn default() -> Self {
        Self::Every(520.0)
    }
}

impl FalseAlarms {
    /// The two-sided threshold for scores that come every `stride` eras.
    pub(super) fn threshold(&self, allowance: f64, stride: usize) -> Result<f64> {
        let stride = stride as f64;
        match *self {
            Self::Threshold(h) if h > 0.0 && h.is_finite() => Ok(h),
            Self::Threshold(h) => Err(Error::setting("threshold", h, "above 0 and finite")),
            Self::Every(eras) => {
                let target = eras / stride;
                if !(target > 2.0 && target <= 1e6) {
                    let allowed = "above 2 and at most a million scores, thinning counted";
                    return Err(Error::setting("every", eras, allowed));
                }
                rising(allowance, |h| average_run_length(h, allowance) >= target)
            }
            Self::Within { eras, probability } => {
                if !(probability > 0.0 && probability < 1.0) {
                    return Err(Error::setting("probability", probability, "above 0, below 1"));
                }
                let scores = (eras as f64 / stride).ceil() as usize;
                if !(1..=1_000_000).contains(&scores) {
                    return Err(Error::setting("eras", eras, "1 to a million scores"));
                }
                rising(allowance, |h| alarm_within(scores, h, allowance) <= probability)
            }
        }
    }
}

/// The least threshold that is high enough, to one part in a million, or a millionth where it is below 1.
fn rising(allowance: f64, enough: impl Fn(f64) -> bool) -> Result<f64> {
    if enough(0.0) {
        let allowed = "smaller: even a threshold of 0 alarms more seldom than stated";
        return Err(Error::setting("allowance", allowance, allowed));
    }
    let (mut low, mut high) = (0.0, 2.0);
    while !enough(high) && high < 1e4 {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-6 * high.max(1.0) {
        let middle = 0.5 * (low + high);
        if enough(middle) { high = middle } else { low = middle }
    }
    Ok(high)
}

/// The average number of standard normal scores until a two-sided CUSUM of threshold `h` and
/// allowance `k` alarms, by the Markov chain.
///
/// ```
/// // Montgomery's table: k = 1/2, h = 4 gives 168, h = 5 gives 465.
/// assert!((fattail_drift::average_run_length(4.0, 0.5) - 168.0).abs() < 1.0);
/// assert!((fattail_drift::average_run_length(5.0, 0.5) - 465.0).abs() < 2.0);
/// ```
#[must_use]
pub fn average_run_length(threshold: f64, allowance: f64) -> f64 {
    let moves = moves(threshold, allowance);
    let mut matrix = vec![0.0; CELLS * CELLS];
    for (at, slot) in matrix.iter_mut().enumerate() {
        let (from, to) = (at / CELLS, at % CELLS);
        *slot = f64::from(u8::from(from == to)) - moves.chance(from, to);
    }
    0.5 * solve_ones(matrix)
}

/// The chance that it alarms within `scores` scores.
#[must_use]
pub fn alarm_within(scores: usize, threshold: f64, allowance: f64) -> f64 {
    let moves = moves(threshold, allowance);
    let (mut quiet, mut next) = (vec![1.0; CELLS], vec![0.0; CELLS]);
    for left in (0..scores).rev() {
        for (from, slot) in next.iter_mut().enumerate() {
            *slot = (0..CELLS).map(|to| moves.chance(from, to) * quiet[to]).sum();
        }
        let share = next[0] / quiet[0];
        let settled = |(new, old): (&f64, &f64)| (new - share * old).abs() <= 1e-12 * new;
        let same = next.iter().zip(&quiet).all(settled);
        std::mem::swap(&mut quiet, &mut next);
        if same {
            // From here on every score leaves the same share quiet.
            return 1.0 - (quiet[0] * share.powf(left as f64)).powi(2);
        }
    }
    1.0 - quiet[0].powi(2)
}

/// The same as [`average_run_length`] by Siegmund's formula: no chain, and up to 7 percent off.
#[must_use]
pub fn siegmund_run_length(threshold: f64, allowance: f64) -> f64 {
    let b = threshold + 1.166;
    let one = if allowance.abs() < 1e-6 {
        b * b
    } else {
        let x = 2.0 * allowance * b;
        (x.exp() - x - 1.0) / (2.0 * allowance * allowance)
    };
    0.5 * one
}

/// States of the chain.
const CELLS: usize = 150;

/// The moves of one side that do not alarm.
struct Moves {
    /// The chance of moving up by `to - from` cells, at `to - from + CELLS - 1`.
    by: Vec<f64>,
    /// The chance of falling to the lowest cell.
    down: Vec<f64>,
}

impl Moves {
    fn chance(&self, from: usize, to: usize) -> f64 {
        if to == 0 { self.down[from] } else { self.by[to + CELLS - 1 - from] }
    }
}

fn moves(threshold: f64, allowance: f64) -> Moves {
    let width = 2.0 * threshold / (2 * CELLS - 1) as f64;
    let below = |cells: f64| normal_cdf((cells + 0.5) * width + allowance);
    let far = CELLS as i32 - 1;
    Moves {
        by: (-far..=far).map(f64::from).map(|up| below(up) - below(up - 1.0)).collect(),
        down: (0..CELLS).map(|from| below(-(from as f64))).collect(),
    }
}

/// The first entry of the solution of `matrix x = 1`, by elimination; the matrix is diagonally
/// dominant, so no rows are swapped.
fn solve_ones(mut matrix: Vec<f64>) -> f64 {
    let mut right = vec![1.0; CELLS];
    // From the last column up, so that the first entry comes out last.
    for pivot in (1..CELLS).rev() {
        let (above, rest) = matrix.split_at_mut(pivot * CELLS);
        let row = &rest[..=pivot];
        for at in 0..pivot {
            let line = &mut above[at * CELLS..=at * CELLS + pivot];
            let factor = line[pivot] / row[pivot];
            for (slot, value) in line.iter_mut().zip(row) {
                *slot -= factor * value;
            }
            right[at] -= factor * right[pivot];
        }
    }
    right[0] / matrix[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siegmund_and_the_chain_agree() {
        for (h, k) in [(3.0, 0.25), (4.0, 0.5), (5.0, 0.5), (2.5, 1.0)] {
            let (chain, formula) = (average_run_length(h, k), siegmund_run_length(h, k));
            assert!((chain / formula - 1.0).abs() < 0.07, "{h} {k}: {chain} {formula}");
        }
    }

    #[test]
    fn thresholds_keep_what_they_state() {
        let h = FalseAlarms::Every(370.0).threshold(0.5, 1).unwrap();
        assert!((average_run_length(h, 0.5) / 370.0 - 1.0).abs() < 1e-4);
        assert!((h - 4.77).abs() < 0.02, "{h}");
        let within = FalseAlarms::Within { eras: 100, probability: 0.05 };
        let h = within.threshold(0.5, 4).unwrap();
        assert!((alarm_within(25, h, 0.5) - 0.05).abs() < 1e-4);
    }

    #[test]
    fn what_is_refused() {
        let refused = |rate: FalseAlarms| rate.threshold(0.5, 4).unwrap_err().to_string();
        assert!(refused(FalseAlarms::Every(6.0)).starts_with("setting 'every' is 6"));
        assert!(refused(FalseAlarms::Threshold(0.0)).starts_with("setting 'threshold' is 0"));
        let rate = FalseAlarms::Within { eras: 0, probability: 0.05 };
        assert!(refused(rate).starts_with("setting 'eras' is 0"));
        // |z| > 4 comes once in 15,787 scores.
        let error = FalseAlarms::Every(520.0).threshold(4.0, 1).unwrap_err().to_string();
        assert!(error.starts_with("setting 'allowance' is 4, allowed is smaller"), "{error}");
        assert!((average_run_length(0.0, 4.0) / 15_787.0 - 1.0).abs() < 1e-3);
        let h = FalseAlarms::Every(16_000.0).threshold(4.0, 1).unwrap();
        assert!(h > 0.0 && h < 0.1 && average_run_length(h, 4.0) >= 16_000.0, "{h}");
        let rate = FalseAlarms::Within { eras: 100, probability: 0.05 };
        assert!(rate.threshold(4.0, 1).is_err());
    }
}
