//! Page's CUSUM, two-sided, with a threshold that follows from a stated rate of false alarms.
//!
//! With standardised scores `z_t`: `U_t = max(0, U_{t-1} + z_t - k)`, `D_t = max(0, D_{t-1} - z_t - k)`,
//! alarm when either exceeds `h`. The allowance `k` is half the shift, in standard deviations, that is
//! to be found fastest. `h` follows from [`FalseAlarms`] by the Markov chain of the run length, for
//! independent normal scores. After an alarm sums and a learnt level start anew.
//!
//! The change is dated to the score after the last at which the sum was 0.
//!
//! Cost: `O(1)` a score; a threshold about 20 ms.
//!
//! Reference: Page (1954), Continuous inspection schemes, Biometrika 41.

use serde::{Deserialize, Serialize};

use super::{
    Alarm, Baseline, Dependence, Direction, FalseAlarms, baseline::Level, dependence::Filter,
};
use crate::error::{Error, Result};

/// Settings of a CUSUM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cusum {
    /// Level and spread without a change.
    pub baseline: Baseline,
    /// `k`, in standard deviations, 0.1 to 4, and small enough for the stated rate.
    pub allowance: f64,
    /// The rate of false alarms.
    pub false_alarms: FalseAlarms,
    /// What is done about scores that depend on each other.
    pub dependence: Dependence,
}

impl Default for Cusum {
    fn default() -> Self {
        Self {
            baseline: Baseline::default(),
            allowance: 0.5,
            false_alarms: FalseAlarms::default(),
            dependence: Dependence::None,
        }
    }
}

impl Cusum {
    /// A detector that has seen nothing.
    ///
    /// ```
    /// use fattail_drift::{Baseline, Cusum, Direction};
    /// let baseline = Baseline::Known { mean: 0.02, std: 0.02 };
    /// let mut detector = Cusum { baseline, ..Cusum::default() }.detector()?;
    /// // Five good eras, and then a level two deviations lower.
    /// let scores = [0.03, 0.01, 0.02, 0.03, 0.01, -0.02, -0.02, -0.02, -0.02];
    /// let alarm = scores.iter().find_map(|&score| detector.update(score)).unwrap();
    /// assert_eq!((alarm.at, alarm.since, alarm.direction), (8, 5, Direction::Down));
    /// # Ok::<(), fattail_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, or the allowance is so large that even a threshold of 0 alarms
    /// more seldom than stated.
    pub fn detector(&self) -> Result<CusumDetector> {
        self.baseline.check()?;
        self.dependence.check()?;
        if !(0.1..=4.0).contains(&self.allowance) {
            return Err(Error::setting("allowance", self.allowance, "0.1 to 4"));
        }
        let threshold = self.false_alarms.threshold(self.allowance, self.dependence.stride())?;
        Ok(CusumDetector {
            baseline: self.baseline,
            allowance: self.allowance,
            threshold,
            filter: Filter::new(&self.dependence),
            level: Level::default(),
            up: Side::default(),
            down: Side::default(),
        })
    }

    /// The alarms of a whole series.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn alarms(&self, scores: &[f64]) -> Result<Vec<Alarm>> {
        let mut detector = self.detector()?;
        Ok(scores.iter().filter_map(|&score| detector.update(score)).collect())
    }
}

/// The state of a CUSUM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CusumDetector {
    baseline: Baseline,
    allowance: f64,
    threshold: f64,
    filter: Filter,
    level: Level,
    up: Side,
    down: Side,
}

/// One sum.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Side {
    sum: f64,
    since: u64,
}

impl Side {
    fn add(&mut self, step: f64, at: u64) {
        if self.sum == 0.0 {
            self.since = at;
        }
        self.sum = (self.sum + step).max(0.0);
    }
}

impl CusumDetector {
    /// Takes the score of the next era.
    pub fn update(&mut self, score: f64) -> Option<Alarm> {
        let seen = self.filter.take(score)?;
        let z = self.level.standardise(&self.baseline, seen)?;
        let at = self.filter.at();
        self.up.add(z - self.allowance, at);
        self.down.add(-z - self.allowance, at);
        let (side, direction) = if self.up.sum >= self.down.sum {
            (self.up, Direction::Up)
        } else {
            (self.down, Direction::Down)
        };
        if side.sum <= self.threshold {
            return None;
        }
        self.level = Level::default();
        self.up = Side::default();
        self.down = Side::default();
        let (statistic, threshold) = (side.sum, self.threshold);
        Some(Alarm { at, since: side.since, direction, statistic, threshold })
    }

    /// `h`, in standard deviations.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// `U` and `D`, in standard deviations.
    #[must_use]
    pub fn sums(&self) -> [f64; 2] {
        [self.up.sum, self.down.sum]
    }
}
