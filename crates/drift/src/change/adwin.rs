//! ADWIN2: a window that keeps as much of the past as looks like the present.
//!
//! The window is kept as buckets of `2^i` scores, at most `M` of each size, each with its sum and
//! squared deviations. After every `clock` scores, each cut between buckets into an older part of
//! `n_0` and a newer of `n_1` scores is tested: the oldest bucket goes, and an alarm is raised, while
//!
//! `|mean_0 - mean_1| > √(2 v L / m) + 2 L / (3 m)`, `L = ln(2 ln n / δ)`,
//! `1/m = 1/(n_0 - w + 1) + 1/(n_1 - w + 1)`, `v` the window's variance (divisor `n`),
//!
//! for any cut with `n_0, n_1 >= w`, `w` the least part. Scores are mapped from `range` to `[0, 1]`,
//! which the formula is for, and clipped there. `δ` is no stated rate: the paper proves its bound for a
//! simpler cut, once and with a variance that is known, while here the variance is estimated, cuts are
//! many, and the test is made again with every score. It is a heuristic, and in simulations a
//! conservative one: false alarms came far more seldom than `δ` (see the page on drift). A range that is
//! narrower finds more.
//!
//! Three choices. `w` shortens `m`, as in MOA and river, where the paper counts all of both parts: more
//! careful. The window lives on after an alarm, as in the paper; `restart` empties it, as river's
//! `ADWIN` does. `clock` is 1, since eras are few, where river's is 32.
//!
//! Cost: `O(log n)` memory and time a score.
//!
//! Reference: Bifet and Gavaldà (2007), Learning from time-changing data with adaptive windowing, SDM,
//! section 3.2 and theorem 3.1; Datar, Gionis, Indyk and Motwani (2002), Maintaining stream statistics
//! over sliding windows.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Alarm, Dependence, Direction, dependence::Filter};
use crate::error::{Error, Result};

/// Settings of ADWIN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adwin {
    /// `δ`, above 0 and below 1: how easily a cut is believed, not a rate of false alarms.
    pub delta: f64,
    /// Scores from test to test; at least 1.
    pub clock: u64,
    /// `M`, at least 1.
    pub buckets: usize,
    /// `w`, the least scores of a part; at least 1.
    pub least: u64,
    /// Scores that a window must exceed before it is tested.
    pub grace: u64,
    /// The range of the scores.
    pub range: [f64; 2],
    /// Whether the window is emptied after an alarm.
    pub restart: bool,
    /// What is done about scores that depend on each other.
    pub dependence: Dependence,
}

impl Default for Adwin {
    /// For correlations of an era: a range of ±0.1.
    fn default() -> Self {
        Self {
            delta: 0.002,
            clock: 1,
            buckets: 5,
            least: 5,
            grace: 10,
            range: [-0.1, 0.1],
            restart: false,
            dependence: Dependence::None,
        }
    }
}

impl Adwin {
    /// A detector that has seen nothing.
    ///
    /// ```
    /// use fattail_drift::{Adwin, Direction};
    /// let mut detector = Adwin::default().detector()?;
    /// let score = |era: u32| if era < 60 { 0.05 } else { -0.05 };
    /// let alarm = (0..120).find_map(|era| detector.update(score(era))).unwrap();
    /// assert_eq!(alarm.direction, Direction::Down);
    /// assert!(alarm.at > 60 && detector.width() < alarm.at + 1);
    /// # Ok::<(), fattail_drift::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn detector(&self) -> Result<AdwinDetector> {
        self.dependence.check()?;
        let refused = |name, value: f64, allowed| Err(Error::setting(name, value, allowed));
        let [low, high] = self.range;
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return refused("delta", self.delta, "above 0, below 1");
        }
        if self.clock == 0 {
            return refused("clock", 0.0, "at least 1");
        }
        if self.buckets == 0 {
            return refused("buckets", 0.0, "at least 1");
        }
        if self.least == 0 {
            return refused("least", 0.0, "at least 1");
        }
        if !(low < high && (high - low).is_finite()) {
            return refused("range", high - low, "a finite range from low to high");
        }
        let filter = Filter::new(&self.dependence);
        let (window, ticks) = (Window::default(), 0);
        Ok(AdwinDetector { settings: self.clone(), filter, window, ticks })
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

/// The state of ADWIN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdwinDetector {
    settings: Adwin,
    filter: Filter,
    window: Window,
    ticks: u64,
}

impl AdwinDetector {
    /// Takes the score of the next era.
    pub fn update(&mut self, score: f64) -> Option<Alarm> {
        let seen = self.filter.take(score)?;
        let [low, high] = self.settings.range;
        self.window.push(((seen - low) / (high - low)).clamp(0.0, 1.0), self.settings.buckets);
        self.ticks += 1;
        if !self.ticks.is_multiple_of(self.settings.clock)
            || self.window.width <= self.settings.grace
        {
            return None;
        }
        let mut first = None;
        while let Some(cut) = self.window.cut(&self.settings) {
            first = first.or(Some(cut));
            self.window.drop_oldest();
        }
        let cut = first?;
        let (at, scale) = (self.filter.at(), high - low);
        let back = (self.window.width - 1) * self.settings.dependence.stride() as u64;
        if self.settings.restart {
            self.window = Window::default();
            self.ticks = 0;
        }
        Some(Alarm {
            at,
            since: at.saturating_sub(back),
            direction: if cut.change > 0.0 { Direction::Up } else { Direction::Down },
            statistic: scale * cut.change.abs(),
            threshold: scale * cut.limit,
        })
    }

    /// Scores in the window.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.window.width
    }

    /// The mean of the window; NaN when it is empty.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let [low, high] = self.settings.range;
        low + (high - low) * self.window.sum / self.window.width as f64
    }

    /// The variance of the window, with divisor `n`; NaN when it is empty.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let [low, high] = self.settings.range;
        (high - low).powi(2) * self.window.squares / self.window.width as f64
    }
}

/// A cut that holds.
#[derive(Clone, Copy)]
struct Cut {
    /// Newer mean less older.
    change: f64,
    limit: f64,
}

/// Sum and squared deviations of `2^i` scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bucket {
    sum: f64,
    squares: f64,
}

/// The exponential histogram: row `i` holds buckets of `2^i` scores, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Window {
    rows: Vec<VecDeque<Bucket>>,
    width: u64,
    sum: f64,
    squares: f64,
}

impl Window {
    fn push(&mut self, value: f64, most: usize) {
        if self.width > 0 {
            let n = self.width as f64;
            let off = value - self.sum / n;
            self.squares += n * off * off / (n + 1.0);
        }
        self.width += 1;
        self.sum += value;
        let mut carried = Bucket { sum: value, squares: 0.0 };
        for row in 0.. {
            if row == self.rows.len() {
                self.rows.push(VecDeque::new());
            }
            self.rows[row].push_back(carried);
            if self.rows[row].len() <= most {
                return;
            }
            let two = (self.rows[row].pop_front(), self.rows[row].pop_front());
            let (Some(a), Some(b)) = two else { return };
            let n = size(row);
            let off = a.sum / n - b.sum / n;
            let squares = a.squares + b.squares + n * 0.5 * off * off;
            carried = Bucket { sum: a.sum + b.sum, squares };
        }
    }

    /// The first cut, from the oldest, that holds.
    fn cut(&self, settings: &Adwin) -> Option<Cut> {
        let (n, least) = (self.width as f64, settings.least as f64);
        let log = (2.0 * n.ln() / settings.delta).ln();
        let variance = self.squares / n;
        let (mut older, mut sum) = (0.0, 0.0);
        for (row, buckets) in self.rows.iter().enumerate().rev() {
            for bucket in buckets {
                older += size(row);
                sum += bucket.sum;
                let newer = n - older;
                if older < least || newer < least {
                    continue;
                }
                let change = (self.sum - sum) / newer - sum / older;
                let inverse = 1.0 / (older - least + 1.0) + 1.0 / (newer - least + 1.0);
                let limit = (2.0 * inverse * variance * log).sqrt() + 2.0 / 3.0 * log * inverse;
                if change.abs() > limit {
                    return Some(Cut { change, limit });
                }
            }
        }
        None
    }

    fn drop_oldest(&mut self) {
        let Some(bucket) = self.rows.last_mut().and_then(VecDeque::pop_front) else { return };
        let row = self.rows.len() - 1;
        let n = size(row);
        self.width -= 1 << row;
        self.sum -= bucket.sum;
        let left = self.width as f64;
        let off = bucket.sum / n - self.sum / left;
        self.squares -= bucket.squares + n * left * off * off / (n + left);
        // Rounding must not leave a variance below zero.
        self.squares = self.squares.max(0.0);
        while self.rows.last().is_some_and(VecDeque::is_empty) {
            self.rows.pop();
        }
    }
}

/// Scores of a bucket in a row.
fn size(row: usize) -> f64 {
    (1_u64 << row) as f64
}
