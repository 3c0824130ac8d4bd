//! The model beside the constant predictor on rows that neither has seen.
//!
//! Errors of a row with rank target `y` and prediction `p`: Huber's loss of `p - y`, and `|p - y|`.
//! Gain of a row: the constant's error less the model's, so that more is better. The constant is the
//! best one of the targets that were trained on. Interval of the mean gain: rows are averaged in at most 2,000
//! stretches of at least the horizon, and stretches resampled by the stationary bootstrap with the block
//! length of Politis and White, since targets that look ahead overlap and markets have calm and wild
//! times. Rows whose target is not known do not count; no row gives NaN.
//!
//! Cost: one pass, a sort for the rank correlation, 1,000 draws of at most 2,000 numbers. Reference:
//! Huber (1964); Politis and Romano (1994); Patton, Politis and White (2009).

use fattail::{
    loss::{Huber, RowLoss},
    null,
    stats::{Blocks, Counter, bootstrap_interval, mean, optimal_block_length, spearman},
};
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// Stretches at most.
const STRETCHES: usize = 2_000;
/// Draws of the bootstrap, and the level of its interval.
const DRAWS: u32 = 1_000;
const LEVEL: f64 = 0.95;

/// Mean errors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Huber's loss.
    #[serde(with = "null")]
    pub huber: f64,
    /// The absolute error.
    #[serde(with = "null")]
    pub absolute: f64,
}

/// A mean gain and where it plausibly lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The mean.
    #[serde(with = "null")]
    pub mean: f64,
    /// The lower end of the 95 % interval.
    #[serde(with = "null")]
    pub lower: f64,
    /// The upper end.
    #[serde(with = "null")]
    pub upper: f64,
}

/// What the test part says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Rows that count.
    pub rows: usize,
    /// The constant.
    pub constant: f64,
    /// The constant's errors.
    pub constant_errors: Errors,
    /// The model's errors.
    pub model_errors: Errors,
    /// How much smaller the model's Huber loss is.
    pub huber_gain: Gain,
    /// How much smaller its absolute error is.
    pub absolute_gain: Gain,
    /// Spearman's correlation of predictions and targets.
    #[serde(with = "null")]
    pub rank_correlation: f64,
}

impl Gain {
    /// Whether the interval excludes 0 on the good side.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.lower > 0.0
    }

    /// The interval in words.
    #[must_use]
    pub fn told(&self) -> &'static str {
        match (self.lower > 0.0, self.upper < 0.0) {
            (true, _) => "better than the constant",
            (_, true) => "worse than the constant",
            _ => "not told from the constant",
        }
    }
}

impl Verdict {
    /// Judges predictions of rank targets; `horizon` rows overlap.
    ///
    /// ```
    /// use fattail_examples::robust::Verdict;
    /// let target: Vec<f32> = (0..1000).map(|row| (row * 37 % 101) as f32 / 100.0).collect();
    /// let close: Vec<f32> = target.iter().map(|target| 0.5 + 0.9 * (target - 0.5)).collect();
    /// let verdict = Verdict::new(&target, &close, 0.5, 0.1, 5)?;
    /// assert!(verdict.huber_gain.is_sure() && verdict.rank_correlation > 0.99);
    /// let flat = Verdict::new(&target, &[0.5; 1000], 0.5, 0.1, 5)?;
    /// assert_eq!(flat.huber_gain.told(), "not told from the constant");
    /// let wrong = Verdict::new(&target, &[0.9; 1000], 0.5, 0.1, 5)?;
    /// assert_eq!(wrong.huber_gain.told(), "worse than the constant");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// When there are not as many predictions as targets.
    pub fn new(
        target: &[f32],
        prediction: &[f32],
        constant: f64,
        delta: f64,
        horizon: usize,
    ) -> Outcome<Self> {
        if target.len() != prediction.len() {
            let (given, expected) = (prediction.len(), target.len());
            return Err(format!("{given} predictions for {expected} targets").into());
        }
        let known = target.iter().zip(prediction).filter(|(target, _)| target.is_finite());
        let wide = known.map(|(&target, &prediction)| (f64::from(target), f64::from(prediction)));
        let (target, prediction): (Vec<f64>, Vec<f64>) = wide.unzip();
        let huber = Huber { delta };
        let of = |error: &dyn Fn(f64) -> f64| {
            let constants = target.iter().map(|target| error(constant - target)).collect();
            let models = target.iter().zip(&prediction).map(|(t, p)| error(p - t)).collect();
            Pair { constants, models }
        };
        let (hubers, absolutes) = (of(&|residual| huber.at(residual)), of(&f64::abs));
        let errors = |pick: fn(&Pair) -> &[f64]| Errors {
            huber: mean(pick(&hubers)),
            absolute: mean(pick(&absolutes)),
        };
        Ok(Self {
            rows: target.len(),
            constant,
            constant_errors: errors(|pair| &pair.constants),
            model_errors: errors(|pair| &pair.models),
            huber_gain: hubers.gain(horizon),
            absolute_gain: absolutes.gain(horizon),
            rank_correlation: spearman(&prediction, &target)?,
        })
    }
}

/// The errors of both, row by row.
struct Pair {
    constants: Vec<f64>,
    models: Vec<f64>,
}

impl Pair {
    fn gain(&self, horizon: usize) -> Gain {
        let gains =
            self.constants.iter().zip(&self.models).map(|(constant, model)| constant - model);
        let gains: Vec<f64> = gains.collect();
        let found = interval(&stretches(&gains, horizon));
        Gain { mean: mean(&gains), lower: found.0, upper: found.1 }
    }
}

/// Means of consecutive rows, at least `horizon` together, at most `STRETCHES` means, as equally many
/// rows in each as can be.
fn stretches(values: &[f64], horizon: usize) -> Vec<f64> {
    let rows = values.len();
    let count = (rows / horizon.max(1)).clamp(1, STRETCHES).min(rows.max(1));
    let bound = |at: usize| (at as u128 * rows as u128 / count as u128) as usize;
    (0..count).map(|at| mean(&values[bound(at)..bound(at + 1)])).collect()
}

/// Where the mean of a dependent series plausibly lies; NaN for fewer than eight values.
fn interval(series: &[f64]) -> (f64, f64) {
    let Ok(length) = optimal_block_length(series) else { return (f64::NAN, f64::NAN) };
    // A constant series has no block length, and its mean is known.
    let length = length.stationary.max(1.0).min(series.len() as f64);
    let blocks = Blocks::Stationary(length);
    let found = bootstrap_interval(series, blocks, DRAWS, LEVEL, Counter::new(0), mean);
    found.map_or((f64::NAN, f64::NAN), |found| (found.lower, found.upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_by_hand_and_unknown_targets_do_not_count() {
        let target = [0.5, f32::NAN, 1.0];
        let verdict = Verdict::new(&target, &[0.5, 9.0, 0.75], 0.5, 0.1, 1).unwrap();
        assert_eq!(verdict.rows, 2);
        // Residuals of the constant 0 and -0.5, of the model 0 and -0.25.
        assert!((verdict.constant_errors.absolute - 0.25).abs() < 1e-12);
        assert!((verdict.model_errors.absolute - 0.125).abs() < 1e-12);
        assert!((verdict.constant_errors.huber - 0.0225).abs() < 1e-12);
        assert!((verdict.huber_gain.mean - 0.0125).abs() < 1e-12);
        assert!(verdict.huber_gain.lower.is_nan() && !verdict.huber_gain.is_sure());
        assert!(Verdict::new(&target, &[0.5], 0.5, 0.1, 1).is_err());
    }

    #[test]
    fn stretches_hold_every_row_once() {
        let values: Vec<f64> = (0..103).map(f64::from).collect();
        let found = stretches(&values, 5);
        assert_eq!((found.len(), found[0]), (20, 2.0));
        assert_eq!(stretches(&vec![1.0; 10_000], 1).len(), 2_000);
        assert_eq!(stretches(&[1.0, 3.0], 5), [2.0]);
    }

    #[test]
    fn gains_that_come_in_stretches_are_known_less_well() {
        // The same numbers, once well mixed, once in long runs.
        let sign = |up: bool| if up { 1.3 } else { -1.0 };
        let mixed: Vec<f64> = (0..1000).map(|at| sign(at * 7919 % 1000 < 500)).collect();
        let runs: Vec<f64> = (0..1000).map(|at| sign(at / 50 % 2 == 0)).collect();
        let width = |series: &[f64]| interval(series).1 - interval(series).0;
        assert!(width(&runs) > 2.0 * width(&mixed), "{} {}", width(&runs), width(&mixed));
    }
}
