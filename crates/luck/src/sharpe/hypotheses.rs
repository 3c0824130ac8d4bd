//! Power, and the share of discoveries that are false, when a Sharpe ratio is one of two.
//!
//! With `S0` the Sharpe ratio without skill, `S1` the one with skill, `p` the share of strategies with
//! skill, `σ_i² = V(S_i) Var[M_K]` and `c` the critical value:
//!
//! ```text
//! critical     c = S0 + z σ_0,  z the 1 - α quantile of the normal distribution
//! power        1 - β = 1 - Φ((c - S1) / σ_1)
//! planned FDR  P[H0 | S > c] = 1 / (1 + (1 - β) p / (α (1 - p)))
//! observed FDR q0 (1 - p) / (q0 (1 - p) + q1 p),   q_i = 1 - Φ((S - S_i) / σ_i)
//! for a share  the c at which the planned FDR is q
//! ```
//!
//! `K = 1` is a single strategy; for the best of several, shift `S0` and `S1` by
//! `Trials::expected_maximum` and set `trials`. The functions that accompany the paper leave `Var[M_K]` out of
//! `c` and keep it in `σ_1`: for `K > 1` their test has not the size `α` that their planned FDR takes for
//! granted. Here it is in both, and the two agree for `K = 1`.
//!
//! What is not defined is NaN, as for a share `p` outside `[0, 1]`; a critical value is minus infinity where
//! every strategy may be taken, and NaN where no value reaches `q`.
//!
//! Cost: constant; the critical value looks at up to 1,000 points and halves the last step 60 times.
//!
//! Reference: López de Prado, Lipton and Zoonekynd (2025), How to use the Sharpe ratio; Benjamini and
//! Hochberg (1995), Controlling the false discovery rate, JRSS B 57(1); Storey (2003), The positive
//! false discovery rate, Annals of Statistics 31(6).

use fattail_stats::{normal_cdf, normal_quantile};
use serde::{Deserialize, Serialize};

use crate::sharpe::{MaximumMoments, SharpeSample};

/// Standard deviations and points on which a critical value is looked for.
const REACH: f64 = 8.0;
const POINTS: u32 = 1000;

/// A Sharpe ratio without skill, one with skill, and how common skill is.
///
/// ```
/// use fattail_luck::{Hypotheses, SharpeSample};
/// let fund = SharpeSample {
///     sharpe: 0.036 / 0.079,
///     skewness: -2.448,
///     kurtosis: 10.164,
///     observations: 24,
///     autocorrelation: 0.0,
///     span: 1,
/// };
/// let asked = Hypotheses { without: 0.0, with: 0.5, skilled: 0.1, trials: 1.0 };
/// assert!((asked.power(&fund, 0.1) - 0.7575).abs() < 1e-4);
/// assert!((asked.observed_false_discovery(&fund) - 0.1727).abs() < 1e-4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hypotheses {
    /// `S0`, per era.
    pub without: f64,
    /// `S1`, per era, such as the mean Sharpe ratio of strategies that held up.
    pub with: f64,
    /// `p`, the prior share of strategies with skill.
    pub skilled: f64,
    /// `K`, the trials of which the sample is the best; 1 for a single strategy.
    pub trials: f64,
}

impl Hypotheses {
    /// The probability that a test at `significance` finds a skill of `S1`; the sample hands in its
    /// eras, tails and autocorrelation.
    #[must_use]
    pub fn power(&self, sample: &SharpeSample, significance: f64) -> f64 {
        let far = normal_quantile(1.0 - significance);
        let critical = self.without + far * self.spread(sample, self.without);
        self.above(sample, self.with, critical)
    }

    /// The share of rejections at `significance` that are false.
    #[must_use]
    pub fn planned_false_discovery(&self, sample: &SharpeSample, significance: f64) -> f64 {
        self.posterior(significance, self.power(sample, significance))
    }

    /// The probability of no skill, given a Sharpe ratio at least as large as the sample's.
    #[must_use]
    pub fn observed_false_discovery(&self, sample: &SharpeSample) -> f64 {
        self.false_share(sample, sample.sharpe)
    }

    /// The Sharpe ratio above which a share `q` of the strategies has no skill.
    #[must_use]
    pub fn critical_for(&self, sample: &SharpeSample, q: f64) -> f64 {
        let gap = self.with - self.without;
        let (spread0, spread1) =
            (self.spread(sample, self.without), self.spread(sample, self.with));
        if !(gap > 0.0 && spread0 > 0.0 && spread1 > 0.0 && q > 0.0 && q < 1.0) {
            return f64::NAN;
        }
        // The share falls first; far out it may rise again where luck spreads wider than skill, so
        // the first crossing is the answer.
        let low = self.without - REACH * spread0.max(spread1);
        let step = (self.with + REACH * spread1 - low) / f64::from(POINTS);
        let share = |critical| self.false_share(sample, critical);
        if share(low) <= q {
            return f64::NEG_INFINITY;
        }
        let at = |point| low + step * f64::from(point);
        let Some(first) = (1..=POINTS).find(|&point| share(at(point)) <= q) else {
            return f64::NAN;
        };
        let (mut low, mut high) = (at(first - 1), at(first));
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if share(middle) > q {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// The share of strategies above `critical` that have no skill.
    fn false_share(&self, sample: &SharpeSample, critical: f64) -> f64 {
        let by_luck = self.above(sample, self.without, critical);
        self.posterior(by_luck, self.above(sample, self.with, critical))
    }

    fn posterior(&self, by_luck: f64, by_skill: f64) -> f64 {
        if !(0.0..=1.0).contains(&self.skilled) {
            return f64::NAN;
        }
        let (false_, true_) = (by_luck * (1.0 - self.skilled), by_skill * self.skilled);
        false_ / (false_ + true_)
    }

    fn above(&self, sample: &SharpeSample, centre: f64, critical: f64) -> f64 {
        normal_cdf((centre - critical) / self.spread(sample, centre))
    }

    fn spread(&self, sample: &SharpeSample, at: f64) -> f64 {
        (sample.variance(at) * MaximumMoments::of(self.trials).variance).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SharpeSample {
        let (skewness, kurtosis) = (0.0, 3.0);
        SharpeSample {
            sharpe: 0.3,
            skewness,
            kurtosis,
            observations: 60,
            autocorrelation: 0.1,
            span: 1,
        }
    }

    #[test]
    fn the_critical_value_has_its_share() {
        let asked = Hypotheses { without: 0.0, with: 0.4, skilled: 0.1, trials: 1.0 };
        for q in [0.05, 0.25, 0.5] {
            let critical = asked.critical_for(&sample(), q);
            let at = SharpeSample { sharpe: critical, ..sample() };
            assert!((asked.observed_false_discovery(&at) - q).abs() < 1e-9, "{q}");
        }
        assert_eq!(asked.critical_for(&sample(), 0.95), f64::NEG_INFINITY);
        let turned = Hypotheses { with: -0.1, ..asked };
        assert!(turned.critical_for(&sample(), 0.1).is_nan());
    }

    #[test]
    fn no_skill_to_find_is_found_at_the_level() {
        let same = Hypotheses { without: 0.1, with: 0.1, skilled: 0.2, trials: 1.0 };
        assert!((same.power(&sample(), 0.05) - 0.05).abs() < 1e-12);
        assert!((same.planned_false_discovery(&sample(), 0.05) - 0.8).abs() < 1e-12);
        // The best of many, too: the critical value knows how narrowly a maximum spreads.
        for trials in [2.0, 10.0, 500.0] {
            let best = Hypotheses { trials, ..same };
            assert!((best.power(&sample(), 0.05) - 0.05).abs() < 1e-12, "{trials}");
        }
    }

    #[test]
    fn power_and_discoveries_agree_for_the_best_of_many() {
        // The planned share at a level is the share of strategies above that level's critical value.
        let asked = Hypotheses { without: 0.2, with: 0.5, skilled: 0.1, trials: 20.0 };
        let planned = asked.planned_false_discovery(&sample(), 0.05);
        let spread = asked.spread(&sample(), 0.2);
        let critical = 0.2 + normal_quantile(0.95) * spread;
        assert!((asked.false_share(&sample(), critical) - planned).abs() < 1e-12);
        assert!((asked.critical_for(&sample(), planned) - critical).abs() < 1e-9);
    }

    #[test]
    fn a_share_that_is_none_has_no_answer() {
        let asked = Hypotheses { without: 0.0, with: 0.4, skilled: 1.5, trials: 1.0 };
        assert!(asked.observed_false_discovery(&sample()).is_nan());
        assert!(asked.planned_false_discovery(&sample(), 0.05).is_nan());
        assert!(Hypotheses { trials: 0.5, ..asked }.power(&sample(), 0.05).is_nan());
    }
}
