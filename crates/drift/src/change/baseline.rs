//! The level and spread that scores are measured against.
//!
//! Known: `z = (s - μ) / σ`. Learnt: from the scores themselves, as they come. With `s̄`, `d` the mean
//! and standard deviation (divisor one less) of the `n - 1` scores before,
//! `z_n = Φ⁻¹(F_{n-2}(√((n-1)/n) (s_n - s̄) / d))`, `F_ν` Student's: for normal scores without a change
//! the `z` are exactly independent standard normals, so that estimated levels cost nothing in false
//! alarms. A change is learnt as well if it comes early, and fades.
//!
//! Scores that were all equal so far give 0 for the same score again and ±8 for another. `z` is kept
//! within ±8.
//!
//! Reference: Hawkins (1987), Self-starting CUSUM charts for location and scale, The Statistician 36(4).

use fattail_stats::normal_quantile;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    special::student_cdf,
};

/// The level and spread that scores are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Baseline {
    /// Of scores without a change; estimates count as known here, and too few of them raise the rate
    /// of false alarms.
    Known {
        /// `μ`.
        mean: f64,
        /// `σ`, above 0.
        std: f64,
    },
    /// Learnt on the way.
    Learnt {
        /// Scores that only teach; at least 3.
        warm_up: usize,
    },
}

/// Learns on 12 scores first.
impl Default for Baseline {
    fn default() -> Self {
        Self::Learnt { warm_up: 12 }
    }
}

impl Baseline {
    pub(super) fn check(&self) -> Result<()> {
        match *self {
            Self::Known { mean, std } => {
                if !mean.is_finite() {
                    return Err(Error::setting("mean", mean, "finite"));
                }
                if !(std > 0.0 && std.is_finite()) {
                    return Err(Error::setting("std", std, "above 0 and finite"));
                }
            }
            Self::Learnt { warm_up } if warm_up < 3 => {
                return Err(Error::setting("warm_up", warm_up, "at least 3"));
            }
            Self::Learnt { .. } => {}
        }
        Ok(())
    }
}

/// Standardised scores are kept within this.
const FAR: f64 = 8.0;

/// The state of a [`Baseline`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Level {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Level {
    /// The standardised score, once there is a level to measure against.
    pub(super) fn standardise(&mut self, baseline: &Baseline, score: f64) -> Option<f64> {
        match *baseline {
            Baseline::Known { mean, std } => Some(((score - mean) / std).clamp(-FAR, FAR)),
            Baseline::Learnt { warm_up } => {
                let z = (self.count >= warm_up as u64).then(|| self.against(score));
                self.learn(score);
                z
            }
        }
    }

    fn learn(&mut self, score: f64) {
        self.count += 1;
        let off = score - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (score - self.mean);
    }

    fn against(&self, score: f64) -> f64 {
        let before = self.count as f64;
        let spread = (self.squares / (before - 1.0)).sqrt();
        let off = (score - self.mean) * (before / (before + 1.0)).sqrt();
        if spread <= 1e-12 * self.mean.abs() {
            return if off.abs() <= 1e-12 * self.mean.abs() { 0.0 } else { FAR.copysign(off) };
        }
        // By the lower tail, which keeps its digits.
        let size = normal_quantile(student_cdf(-(off / spread).abs(), before - 1.0));
        (-size).copysign(off).clamp(-FAR, FAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learnt_by_hand() {
        let baseline = Baseline::Learnt { warm_up: 3 };
        let mut level = Level::default();
        let first: Vec<_> = [1.0, 2.0, 3.0].map(|score| level.standardise(&baseline, score)).into();
        assert_eq!(first, [None; 3]);
        // Mean 2, deviation 1: t = √(3/4) * 2, two degrees: F(t) = (1 + t / √(2 + t²)) / 2.
        let t = 0.75_f64.sqrt() * 2.0;
        let share = 0.5 * (1.0 + t / (2.0 + t * t).sqrt());
        let z = level.standardise(&baseline, 4.0).unwrap();
        assert!((z - normal_quantile(share)).abs() < 1e-12);
    }

    #[test]
    fn a_constant_start() {
        let baseline = Baseline::Learnt { warm_up: 3 };
        let mut level = Level::default();
        let seen: Vec<_> =
            [0.1, 0.1, 0.1, 0.1, 0.2].map(|score| level.standardise(&baseline, score)).into();
        assert_eq!(seen[3..], [Some(0.0), Some(8.0)]);
    }
}
