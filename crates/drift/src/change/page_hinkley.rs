//! Page and Hinkley's test: a CUSUM against the mean of all scores so far.
//!
//! With `s̄_t` the mean of the first `t` scores: `U_t = α U_{t-1} + s_t - s̄_t - δ`, alarm upward when
//! `U_t - min U > λ`; `D_t = α D_{t-1} + s_t - s̄_t + δ`, alarm downward when `max D - D_t > λ`; none
//! before `min_scores`. After an alarm everything starts anew. `δ` and `λ` are in the scores' unit.
//!
//! No formula gives the rate of false alarms, since the mean is learnt on the way:
//! [`PageHinkley::calibrated`] sets `λ` to the quantile of the largest statistic over seeded series of
//! independent normal scores of the stated spread.
//!
//! The same answers as river's `PageHinkley` in mode `both`.
//!
//! Cost: `O(1)` a score; a calibration `paths · eras`.
//!
//! Reference: Page (1954), Biometrika 41; Hinkley (1971), Inference about the change-point from
//! cumulative sum tests, Biometrika 58; Gama, Sebastião and Rodrigues (2013), On evaluating stream
//! learning algorithms, Machine Learning 90, section 5 (forgetting).

use fattail_stats::{Counter, normal_quantile, quantile, unit};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Alarm, Dependence, Direction, dependence::Filter};
use crate::error::{Error, Result};

/// Settings of Page and Hinkley's test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageHinkley {
    /// `δ`, half the change to be found fastest; at least 0.
    pub delta: f64,
    /// `λ`, above 0.
    pub threshold: f64,
    /// `α`, what a score keeps of the sum before it; above 0, at most 1.
    pub alpha: f64,
    /// Scores before the first alarm.
    pub min_scores: u64,
    /// What is done about scores that depend on each other.
    pub dependence: Dependence,
}

impl Default for PageHinkley {
    /// For scores of about ±0.02: a change of 0.01, and 0.3 in all.
    fn default() -> Self {
        Self {
            delta: 0.005,
            threshold: 0.3,
            alpha: 1.0,
            min_scores: 12,
            dependence: Dependence::None,
        }
    }
}

impl PageHinkley {
    /// The same settings with the threshold at which a false alarm comes within `eras` with
    /// `probability`, for independent normal scores of standard deviation `std`.
    ///
    /// ```
    /// use fattail_drift::PageHinkley;
    /// let settings = PageHinkley { delta: 0.01, ..PageHinkley::default() };
    /// let settings = settings.calibrated(0.02, 104, 0.05, 7)?;
    /// assert!(settings.threshold > 0.1 && settings.threshold < 0.2);
    /// # Ok::<(), fattail_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn calibrated(self, std: f64, eras: usize, probability: f64, seed: u64) -> Result<Self> {
        self.check()?;
        if !(std > 0.0 && std.is_finite()) {
            return Err(Error::setting("std", std, "above 0 and finite"));
        }
        if !(probability > 0.0 && probability < 1.0) {
            return Err(Error::setting("probability", probability, "above 0, below 1"));
        }
        let scores = eras.div_ceil(self.dependence.stride());
        if scores as u64 <= self.min_scores {
            let allowed = "more scores than 'min_scores', thinning counted";
            return Err(Error::setting("eras", eras, allowed));
        }
        let counter = Counter::new(seed).stream(STREAM);
        let largest = |path: u32| {
            let mut generator = counter.draw(path);
            let mut state = State::default();
            let mut most = 0.0_f64;
            for _ in 0..scores {
                // The centre of one of 2^53 cells: never 0.
                let share = unit(&mut generator) + 0.5 / (1_u64 << 53) as f64;
                state.add(std * normal_quantile(share), 0, &self);
                if state.count >= self.min_scores {
                    let (up, down) = state.statistics();
                    most = most.max(up.max(down));
                }
            }
            most
        };
        let found: Vec<f64> = (0..PATHS).into_par_iter().map(largest).collect();
        Ok(Self { threshold: quantile(&found, 1.0 - probability)?, ..self })
    }

    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn detector(&self) -> Result<PageHinkleyDetector> {
        self.check()?;
        let filter = Filter::new(&self.dependence);
        Ok(PageHinkleyDetector { settings: self.clone(), filter, state: State::default() })
    }

    /// The alarms of a whole series.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn alarms(&self, scores: &[f64]) -> Result<Vec<Alarm>> {
        let mut detector = self.detector()?;
        Ok(scores.iter().filter_map(|&score| detector.update(score)).collect())
    }

    fn check(&self) -> Result<()> {
        self.dependence.check()?;
        if !(self.delta >= 0.0 && self.delta.is_finite()) {
            return Err(Error::setting("delta", self.delta, "at least 0 and finite"));
        }
        if !(self.threshold > 0.0 && self.threshold.is_finite()) {
            return Err(Error::setting("threshold", self.threshold, "above 0 and finite"));
        }
        if !(self.alpha > 0.0 && self.alpha <= 1.0) {
            return Err(Error::setting("alpha", self.alpha, "above 0, at most 1"));
        }
        Ok(())
    }
}

/// Series of a calibration: the stated 5 % are met within about 0.15 %.
const PATHS: u32 = 20_000;
/// Keeps the series of a calibration apart from other draws.
const STREAM: u64 = 0x94;

/// The state of Page and Hinkley's test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkleyDetector {
    settings: PageHinkley,
    filter: Filter,
    state: State,
}

/// Sums and their ends since the start or the last alarm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct State {
    count: u64,
    mean: f64,
    up: f64,
    down: f64,
    least: f64,
    most: f64,
    /// The scores after the ends.
    since: [u64; 2],
}

impl State {
    fn add(&mut self, score: f64, at: u64, settings: &PageHinkley) {
        self.count += 1;
        self.mean += (score - self.mean) / self.count as f64;
        let off = score - self.mean;
        self.up = settings.alpha * self.up + off - settings.delta;
        self.down = settings.alpha * self.down + off + settings.delta;
        if self.up < self.least || self.count == 1 {
            self.least = self.up;
            self.since[0] = at + 1;
        }
        if self.down > self.most || self.count == 1 {
            self.most = self.down;
            self.since[1] = at + 1;
        }
    }

    fn statistics(&self) -> (f64, f64) {
        (self.up - self.least, self.most - self.down)
    }
}

impl PageHinkleyDetector {
    /// Takes the score of the next era.
    pub fn update(&mut self, score: f64) -> Option<Alarm> {
        let seen = self.filter.take(score)?;
        let at = self.filter.at();
        self.state.add(seen, at, &self.settings);
        if self.state.count < self.settings.min_scores {
            return None;
        }
        let (up, down) = self.state.statistics();
        let threshold = self.settings.threshold;
        let (statistic, direction, since) = if up >= down {
            (up, Direction::Up, self.state.since[0])
        } else {
            (down, Direction::Down, self.state.since[1])
        };
        if statistic <= threshold {
            return None;
        }
        self.state = State::default();
        Some(Alarm { at, since: since.min(at), direction, statistic, threshold })
    }
}
