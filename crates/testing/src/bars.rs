//! Minute bars whose returns have a kurtosis in the hundreds.
//!
//! Log return of bar `t`: `r_t = s_t e_t + j_t`, with `e` Student of unit variance, `j` a rare jump
//! (`+-` volatility times `jump_size` times an exponential draw) and
//! `s_t^2 = v^2 (1 - a - b) + s_{t-1}^2 (b + a min(e_{t-1}^2, 16))`. The shock that feeds back is
//! capped because the fourth moment of `e` does not exist. A bar opens at the last close; high and low
//! go beyond the body by half-normal steps.
//!
//! With a signal `d` the mean of a bar is `d s_t g_t`, where `g_t = p g_{t-1} + sqrt(1 - p^2)
//! tanh(2 e_{t-1})` and `p = 0.8`: prices go on a little as they went over the last bars, which is what
//! a learner can find. Without one nothing about the sign of a return can be known.
//!
//! No NaN; `low <= min(open, close)`, `max(open, close) <= high`, prices and volume above 0. Cost:
//! linear in bars. Reference: Bollerslev (1987), A conditionally heteroskedastic time series model for
//! speculative prices; Merton (1976), Option pricing when underlying stock returns are discontinuous.

use fattail_core::Result;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::{
    market::refuse,
    noise::UnitStudent,
    stream::{Purpose, stream},
};

/// The largest squared shock that feeds back into the volatility.
const SHOCK_CAP: f64 = 16.0;
/// How much of the trend lasts from bar to bar.
const TREND_MEMORY: f64 = 0.8;
/// Minutes of a day, and the minute at which a session opens.
const DAY: (i64, i64) = (1440, 570);

/// Settings of synthetic minute bars; [`Bars::series`] draws them.
///
/// ```
/// use fattail_testing::Bars;
///
/// let bars = Bars { bars: 1000, ..Bars::default() }.series()?;
/// assert_eq!(bars.close.len(), 1000);
/// assert!(bars.high.iter().zip(&bars.low).all(|(high, low)| high >= low));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bars {
    /// Number of bars.
    pub bars: usize,
    /// Bars of a session; a session is a day.
    pub session: usize,
    /// Price before the first bar.
    pub price: f64,
    /// Long-run standard deviation of a bar's log return, jumps aside.
    pub volatility: f64,
    /// Degrees of freedom of the shocks, above 2.
    pub tail: f64,
    /// Weight of the last squared shock in the variance.
    pub shock: f64,
    /// Weight of the last variance.
    pub memory: f64,
    /// Probability of a jump in a bar.
    pub jump_rate: f64,
    /// Mean size of a jump in units of the volatility.
    pub jump_size: f64,
    /// Mean volume of a quiet bar.
    pub volume: f64,
    /// How far the mean of a bar follows the bars before it, in units of its volatility; 0 plants
    /// nothing.
    pub signal: f64,
    /// Seed; same settings and seed, same bits.
    pub seed: u64,
}

/// Bars, oldest first; one entry a bar in every vector.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BarSeries {
    /// Minutes since midnight of the first day; nights lie between sessions.
    pub minute: Vec<i64>,
    /// First price.
    pub open: Vec<f64>,
    /// Highest price.
    pub high: Vec<f64>,
    /// Lowest price.
    pub low: Vec<f64>,
    /// Last price.
    pub close: Vec<f64>,
    /// Volume.
    pub volume: Vec<f64>,
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            bars: 20_000,
            session: 390,
            price: 100.0,
            volatility: 5e-4,
            tail: 2.5,
            shock: 0.08,
            memory: 0.9,
            jump_rate: 1e-3,
            jump_size: 12.0,
            volume: 1000.0,
            signal: 0.0,
            seed: 0,
        }
    }
}

impl Bars {
    /// Draws the bars.
    ///
    /// # Errors
    /// When a setting is out of its range; named with value and range.
    pub fn series(&self) -> Result<BarSeries> {
        self.validate()?;
        let student = UnitStudent::new(self.tail)?;
        let mut series = BarSeries::default();
        let mut state = State { price: self.price, variance: self.volatility.powi(2), trend: 0.0 };
        for first in (0..self.bars).step_by(self.session) {
            let day = first / self.session;
            let mut rng = stream(self.seed, Purpose::Bars, day);
            for at in 0..self.session.min(self.bars - first) {
                series.minute.push(day as i64 * DAY.0 + DAY.1 + at as i64);
                self.bar(&student, &mut state, &mut rng, &mut series);
            }
        }
        Ok(series)
    }

    fn bar(
        &self,
        student: &UnitStudent,
        state: &mut State,
        rng: &mut impl Rng,
        series: &mut BarSeries,
    ) {
        let shock = student.sample(rng);
        let spread = state.variance.sqrt();
        let jump: f64 = if rng.random_bool(self.jump_rate) { Exp1.sample(rng) } else { 0.0 };
        let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        let mean = self.signal * spread * state.trend;
        let step = mean + spread * shock + side * jump * self.jump_size * self.volatility;
        let (open, close) = (state.price, state.price * step.exp());
        let mut beyond = || {
            let normal: f64 = StandardNormal.sample(rng);
            (0.5 * spread * normal.abs()).exp()
        };
        series.high.push(open.max(close) * beyond());
        series.low.push(open.min(close) / beyond());
        series.open.push(open);
        series.close.push(close);
        let normal: f64 = StandardNormal.sample(rng);
        let activity = 1.0 + step.abs() / self.volatility;
        series.volume.push(self.volume * activity * (0.5 * normal - 0.125).exp());
        let fed_back = shock.powi(2).min(SHOCK_CAP);
        state.variance = self.volatility.powi(2) * (1.0 - self.shock - self.memory)
            + state.variance * (self.memory + self.shock * fed_back);
        state.trend =
            TREND_MEMORY * state.trend + (1.0 - TREND_MEMORY.powi(2)).sqrt() * (2.0 * shock).tanh();
        state.price = close;
    }

    fn validate(&self) -> Result<()> {
        refuse(self.bars == 0, "bars", self.bars, "at least 1")?;
        refuse(self.session == 0, "session", self.session, "at least 1")?;
        let above = |value: f64, limit: f64| value.is_finite() && value > limit;
        for (name, value) in
            [("price", self.price), ("volatility", self.volatility), ("volume", self.volume)]
        {
            refuse(!above(value, 0.0), name, value, "finite and above 0")?;
        }
        refuse(!above(self.tail, 2.0), "tail", self.tail, "finite and above 2")?;
        for (name, value) in [
            ("shock", self.shock),
            ("memory", self.memory),
            ("jump_size", self.jump_size),
            ("signal", self.signal),
        ] {
            refuse(!value.is_finite() || value < 0.0, name, value, "finite and at least 0")?;
        }
        let feedback = self.shock + self.memory;
        refuse(feedback >= 1.0, "shock + memory", feedback, "below 1")?;
        let rate = self.jump_rate;
        refuse(!(0.0..=1.0).contains(&rate), "jump_rate", rate, "0 to 1")
    }
}

/// What one bar hands to the next.
struct State {
    price: f64,
    variance: f64,
    trend: f64,
}
