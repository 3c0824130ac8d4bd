//! Accelerated failure time: the logarithm of a survival time is the score plus noise.
//!
//! With z = (ln t - f) / s, density g and distribution G of the noise: an exact time has the loss
//! `-ln(g(z) / (s t))`, an interval `-ln(G(z_upper) - G(z_lower))`, where an open end counts as 0 or 1.
//! Slopes are the derivatives in f, the gradient cut to [-15, 15] and the hessian to [1e-16, 15];
//! where numerator and denominator vanish, their limits stand in. Predictions are `exp f`, a time.
//! Starts at the mean of the logarithms of times, of middles of intervals, or of their one end.
//! Targets: lower and upper end (equal: exact; upper infinite: still alive; lower 0: before the first
//! look), or one for exact times. NaN in either is unknown. Cost: two distributions a row.
//! Reference: Wei (1992); Barnwal, Cho & Hocking (2022), whose `survival:aft` of XGBoost has these
//! slopes.

use fattail_trees::Link;
use serde::{Deserialize, Serialize};

use super::Bind;
use crate::{Bound, Error, Labels, chunks, known::Range};

/// The noise of the logarithm of a survival time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noise {
    /// Normal: times are log-normal.
    #[default]
    Normal,
    /// Logistic: times are log-logistic.
    Logistic,
    /// The smallest of many: times are Weibull.
    Extreme,
}

/// Density, its first two derivatives, and distribution at a point.
struct Shape {
    density: f64,
    slope: f64,
    bend: f64,
    below: f64,
}

impl Noise {
    fn at(self, z: f64) -> Shape {
        match self {
            Self::Normal => {
                let density = fattail_stats::normal_density(z);
                let below = fattail_stats::normal_cdf(z);
                Shape { density, slope: -z * density, bend: (z * z - 1.0) * density, below }
            }
            Self::Logistic => {
                // By the smaller tail, so that nothing overflows.
                let e = (-z.abs()).exp();
                let (density, tail) = (e / ((1.0 + e) * (1.0 + e)), e / (1.0 + e));
                let below = if z > 0.0 { 1.0 - tail } else { tail };
                let tilt = (1.0 - e) / (1.0 + e);
                let slope = if z > 0.0 { -density * tilt } else { density * tilt };
                let bend = density * (e * e - 4.0 * e + 1.0) / ((1.0 + e) * (1.0 + e));
                Shape { density, slope, bend, below }
            }
            Self::Extreme => {
                let e = z.exp();
                let density = if e.is_finite() { e * (-e).exp() } else { 0.0 };
                let times = |factor: f64| if density > 0.0 { factor * density } else { 0.0 };
                let (slope, bend) = (times(1.0 - e), times(e * e - 3.0 * e + 1.0));
                Shape { density, slope, bend, below: -(-e).exp_m1() }
            }
        }
    }

    /// Gradient and hessian far from the label, which lies above the score with `above`.
    fn limit(self, above: bool, ends: Ends, sigma: f64) -> (f64, f64) {
        // A side that is open pulls no more.
        if above && ends == Ends::Left || !above && ends == Ends::Right {
            return (0.0, MIN_HESSIAN);
        }
        let side = if above { -1.0 } else { 1.0 };
        match (self, above) {
            (Self::Normal, _) => (side * MAX_GRADIENT, 1.0 / (sigma * sigma)),
            (Self::Logistic, _) | (Self::Extreme, false) => (side / sigma, MIN_HESSIAN),
            (Self::Extreme, true) => (-MAX_GRADIENT, MAX_HESSIAN),
        }
    }
}

const MAX_GRADIENT: f64 = 15.0;
const MIN_HESSIAN: f64 = 1e-16;
const MAX_HESSIAN: f64 = 15.0;
/// The smallest likelihood.
const LEAST: f64 = 1e-12;

/// What is known of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Exact,
    Left,
    Right,
    Both,
}

impl Ends {
    fn of(lower: f64, upper: f64) -> Self {
        match (lower == upper, upper.is_infinite(), lower <= 0.0) {
            (true, ..) => Self::Exact,
            (_, true, _) => Self::Right,
            (_, _, true) => Self::Left,
            _ => Self::Both,
        }
    }
}

/// Settings of accelerated failure time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aft {
    /// The noise.
    pub noise: Noise,
    /// Its scale, above 0.
    pub sigma: f64,
}

impl Default for Aft {
    fn default() -> Self {
        Self { noise: Noise::Normal, sigma: 1.0 }
    }
}

impl Aft {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> fattail_core::Result<()> {
        if self.sigma > 0.0 && self.sigma.is_finite() {
            return Ok(());
        }
        Err(fattail_core::Error::setting("sigma", self.sigma, "above 0 and finite"))
    }

    /// The loss of an interval at a score.
    pub(crate) fn loss(&self, lower: f64, upper: f64, score: f64) -> f64 {
        let z = |time: f64| (time.ln() - score) / self.sigma;
        let likelihood = match Ends::of(lower, upper) {
            Ends::Exact => self.noise.at(z(lower)).density / (self.sigma * lower),
            Ends::Right => 1.0 - self.noise.at(z(lower)).below,
            Ends::Left => self.noise.at(z(upper)).below,
            Ends::Both => self.noise.at(z(upper)).below - self.noise.at(z(lower)).below,
        };
        -likelihood.max(LEAST).ln()
    }

    fn slopes(&self, lower: f64, upper: f64, score: f64) -> (f64, f64) {
        let sigma = self.sigma;
        let z = |time: f64| (time.ln() - score) / sigma;
        let ends = Ends::of(lower, upper);
        let shape = |time: f64, below: f64| {
            if time > 0.0 && time.is_finite() {
                self.noise.at(z(time))
            } else {
                Shape { density: 0.0, slope: 0.0, bend: 0.0, below }
            }
        };
        let (low, high) = (shape(lower, 0.0), shape(upper, 1.0));
        // The likelihood and its first two derivatives in z.
        let (chance, first, second) = if ends == Ends::Exact {
            (low.density, low.slope, low.bend)
        } else {
            (high.below - low.below, high.density - low.density, high.slope - low.slope)
        };
        let denominator = sigma * chance;
        let gradient = first / denominator;
        let hessian = (first * first - chance * second) / (denominator * denominator);
        let above = ends != Ends::Right && z(upper) > 0.0 || ends != Ends::Left && z(lower) > 0.0;
        let limit = self.noise.limit(above, ends, sigma);
        let gradient = if gradient.is_finite() { gradient } else { limit.0 };
        let hessian = if hessian.is_finite() { hessian } else { limit.1 };
        (gradient.clamp(-MAX_GRADIENT, MAX_GRADIENT), hessian.clamp(MIN_HESSIAN, MAX_HESSIAN))
    }

    pub(crate) fn bind<'a>(&self, labels: &Labels<'a>) -> Bind<'a> {
        let spans = Spans::new("aft", labels)?;
        let start = spans.mean_log();
        Ok(Box::new(Lives { settings: *self, spans, start }))
    }
}

/// Intervals of survival times.
#[derive(Debug)]
pub(crate) struct Spans<'a> {
    lower: &'a [f32],
    upper: &'a [f32],
    weights: Option<&'a [f32]>,
}

impl<'a> Spans<'a> {
    pub(crate) fn new(by: &'static str, labels: &Labels<'a>) -> Result<Self, Error> {
        let (lower, upper) = match *labels.targets {
            [exact] => (exact, exact),
            [lower, upper] => (lower, upper),
            _ => return Err(Error::Targets { by, given: labels.targets.len(), allowed: "1 or 2" }),
        };
        Range::not_negative(by).check(lower)?;
        for (row, (&low, &high)) in lower.iter().zip(upper).enumerate() {
            if high <= 0.0 || high < low {
                let allowed = format!("above 0 and not below the lower end {low}");
                return Err(Error::Label { by, value: high, row, allowed });
            }
        }
        let spans = Self { lower, upper, weights: labels.weights };
        if (0..lower.len()).all(|row| spans.row(row).is_none()) {
            return Err(Error::NothingKnown { rows: lower.len() });
        }
        Ok(spans)
    }

    /// Lower end, upper end and weight of a row that tells something.
    pub(crate) fn row(&self, row: usize) -> Option<(f64, f64, f64)> {
        let (lower, upper) = (f64::from(self.lower[row]), f64::from(self.upper[row]));
        let weight = f64::from(self.weights.map_or(1.0, |weights| weights[row]));
        let tells = (lower > 0.0 || upper.is_finite()) && !lower.is_nan() && !upper.is_nan();
        (tells && weight > 0.0).then_some((lower, upper, weight))
    }

    /// The weighted mean of `value(row, lower, upper)`.
    pub(crate) fn mean(&self, value: impl Fn(usize, f64, f64) -> f64 + Sync) -> f64 {
        let sum = |value: &(dyn Fn(usize, f64, f64) -> f64 + Sync)| {
            chunks::sum(self.lower.len(), |row| {
                self.row(row).map_or(0.0, |(lower, upper, w)| w * value(row, lower, upper))
            })
        };
        sum(&value) / sum(&|_, _, _| 1.0)
    }

    fn mean_log(&self) -> f64 {
        self.mean(|_, lower, upper| match Ends::of(lower, upper) {
            Ends::Exact | Ends::Right => lower.ln(),
            Ends::Left => upper.ln(),
            Ends::Both => f64::midpoint(lower.ln(), upper.ln()),
        })
    }
}

/// Survival times bound to settings.
#[derive(Debug)]
struct Lives<'a> {
    settings: Aft,
    spans: Spans<'a>,
    start: f64,
}

impl Bound for Lives<'_> {
    fn start(&self) -> Vec<f64> {
        vec![self.start]
    }

    fn slopes(&self, _: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        chunks::fill(gradient, hessian, |first, g, h| {
            for (place, (g, h)) in g.iter_mut().zip(h).enumerate() {
                let row = first + place;
                (*g, *h) = self.spans.row(row).map_or((0.0, 0.0), |(lower, upper, weight)| {
                    let (gradient, hessian) = self.settings.slopes(lower, upper, score[row]);
                    ((weight * gradient) as f32, (weight * hessian) as f32)
                });
            }
        });
    }

    fn link(&self) -> Link {
        Link::Exp
    }

    fn text(&self) -> String {
        "poisson".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_normal_times_are_squares() {
        let aft = Aft { noise: Noise::Normal, sigma: 2.0 };
        let (g, h) = aft.slopes(1.0, 1.0, 3.0);
        assert!((g - 0.75).abs() < 1e-15 && (h - 0.25).abs() < 1e-15);
    }

    #[test]
    fn far_scores_have_finite_slopes() {
        for noise in [Noise::Normal, Noise::Logistic, Noise::Extreme] {
            let aft = Aft { noise, sigma: 1.0 };
            for score in [-1e6, -800.0, -40.0, 40.0, 800.0, 1e6] {
                for (lower, upper) in [(1.0, 1.0), (0.0, 2.0), (1.0, f64::INFINITY), (1.0, 2.0)] {
                    let (g, h) = aft.slopes(lower, upper, score);
                    assert!(g.abs() <= 15.0 && (1e-16..=15.0).contains(&h), "{noise:?} {score}");
                    assert!(aft.loss(lower, upper, score).is_finite());
                }
            }
        }
    }

    #[test]
    fn impossible_spans_are_refused() {
        let refused = |lower: &[f32], upper: &[f32]| {
            let targets = [lower, upper];
            Spans::new("aft", &Labels { targets: &targets, ..Labels::default() }).unwrap_err()
        };
        let text = "label 1 at row 0 is out of range for 'aft', allowed is above 0 and not below the lower end 2";
        assert_eq!(refused(&[2.0], &[1.0]).to_string(), text);
        assert!(matches!(refused(&[-1.0], &[1.0]), Error::Label { .. }));
        assert_eq!(refused(&[0.0], &[f32::INFINITY]), Error::NothingKnown { rows: 1 });
    }
}
