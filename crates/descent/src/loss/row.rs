//! Losses of the residual r = prediction - target alone.
//!
//! | loss | l(r) | slope | curvature |
//! |---|---|---|---|
//! | squared | r^2 / 2 | r | 1 |
//! | absolute | abs r | sign r | 1 |
//! | Huber | r^2 / 2, or delta (abs r - delta / 2) beyond delta | r cut to [-delta, delta] | slope / r |
//! | quantile | tau (-r) below the target, (1 - tau) r above | -tau or 1 - tau | 1 |
//! | log-cosh | ln cosh r | tanh r | slope / r |
//! | Tukey | c^2 / 6 (1 - (1 - (r/c)^2)^3), c^2 / 6 beyond c | r (1 - (r/c)^2)^2, 0 beyond | slope / r |
//!
//! The curvature `slope / r` is the weight of reweighted least squares: the parabola with it touches
//! the loss at r and lies above it everywhere, so a step never climbs. It is positive, except for
//! Tukey beyond c, where it is 0 as the slope is. Absolute and quantile have no second derivative;
//! they answer 1 and their slope at r = 0 is 0. Unknown rows as in [`Loss`]. Cost: one pass.
//! Reference: Huber (1964); Koenker & Bassett (1978); Beaton & Tukey (1974); Holland & Welsch (1977).

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{Loss, Truth, start};

/// A loss that is a sum over rows of a function of the residual; every one is a [`Loss`].
pub trait RowLoss: Send + Sync + std::fmt::Debug {
    /// The loss of a residual.
    fn at(&self, residual: f64) -> f64;

    /// Its slope and curvature.
    fn bend(&self, residual: f64) -> (f64, f64);

    /// The constant that a learner begins with.
    fn constant(&self, truth: &Truth<'_>) -> f64 {
        start::root(truth, |residual| self.bend(residual).0)
    }

    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    fn settings(&self) -> Result<()> {
        Ok(())
    }
}

impl<L: RowLoss> Loss for L {
    fn check(&self) -> Result<()> {
        self.settings()
    }

    fn start(&self, truth: &Truth<'_>) -> f64 {
        self.constant(truth)
    }

    fn value(&self, truth: &Truth<'_>, prediction: &[f64]) -> f64 {
        truth.expect(&[prediction.len()]);
        let (mut sum, mut total) = (0.0, 0.0);
        for (row, &prediction) in prediction.iter().enumerate() {
            if let Some((target, weight)) = truth.known(row) {
                sum += weight * self.at(prediction - target);
                total += weight;
            }
        }
        sum / total
    }

    fn slopes(
        &self,
        truth: &Truth<'_>,
        prediction: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        truth.expect(&[prediction.len(), gradient.len(), curvature.len()]);
        let out = gradient.iter_mut().zip(curvature);
        for (row, (&prediction, (g, h))) in prediction.iter().zip(out).enumerate() {
            (*g, *h) = truth.known(row).map_or((0.0, 0.0), |(target, weight)| {
                let (slope, curvature) = self.bend(prediction - target);
                (weight * slope, weight * curvature)
            });
        }
    }
}

fn positive(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(name, value, "positive and finite"))
}

/// Half the squared residual; starts at the mean.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Squared;

impl RowLoss for Squared {
    fn at(&self, residual: f64) -> f64 {
        0.5 * residual * residual
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        (residual, 1.0)
    }

    fn constant(&self, truth: &Truth<'_>) -> f64 {
        start::mean(truth)
    }
}

/// The absolute residual; starts at the median.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Absolute;

impl RowLoss for Absolute {
    fn at(&self, residual: f64) -> f64 {
        residual.abs()
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        (sign(residual), 1.0)
    }

    fn constant(&self, truth: &Truth<'_>) -> f64 {
        start::quantile(truth, 0.5)
    }
}

/// Squared near the target, absolute beyond `delta`.
///
/// ```
/// use fattail_descent::{Huber, Loss, Truth};
/// let loss = Huber { delta: 0.1 };
/// let truth = Truth::new(&[0.0, 1.0]);
/// assert!((loss.value(&truth, &[0.5, 0.95]) - (0.045 + 0.00125) / 2.0).abs() < 1e-12);
/// assert!(Huber { delta: 0.0 }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Huber {
    /// Where the loss turns straight.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl RowLoss for Huber {
    fn at(&self, residual: f64) -> f64 {
        let size = residual.abs();
        if size <= self.delta {
            0.5 * residual * residual
        } else {
            self.delta * (size - 0.5 * self.delta)
        }
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let size = residual.abs();
        if size <= self.delta {
            (residual, 1.0)
        } else {
            (self.delta.copysign(residual), self.delta / size)
        }
    }

    fn settings(&self) -> Result<()> {
        positive("delta", self.delta)
    }
}

/// The pinball loss, whose best constant is the quantile `tau`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// The share of targets below the prediction.
    pub tau: f64,
}

impl Default for Quantile {
    fn default() -> Self {
        Self { tau: 0.5 }
    }
}

impl RowLoss for Quantile {
    fn at(&self, residual: f64) -> f64 {
        ((1.0 - self.tau) * residual).max(-self.tau * residual)
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let up = if residual > 0.0 { 1.0 - self.tau } else { -self.tau };
        (if residual == 0.0 { 0.0 } else { up }, 1.0)
    }

    fn constant(&self, truth: &Truth<'_>) -> f64 {
        start::quantile(truth, self.tau)
    }

    fn settings(&self) -> Result<()> {
        if self.tau > 0.0 && self.tau < 1.0 {
            return Ok(());
        }
        Err(Error::setting("tau", self.tau, "between 0 and 1, both excluded"))
    }
}

/// The logarithm of the hyperbolic cosine: smooth, squared near the target, absolute far away.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LogCosh;

impl RowLoss for LogCosh {
    /// `abs r + ln(1 + exp(-2 abs r)) - ln 2` never overflows; near 0 it is taken from sinh, which
    /// keeps its digits.
    fn at(&self, residual: f64) -> f64 {
        let size = residual.abs();
        if size < 0.5 {
            let half = (0.5 * size).sinh();
            return (2.0 * half * half).ln_1p();
        }
        size + (-2.0 * size).exp().ln_1p() - std::f64::consts::LN_2
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let slope = residual.tanh();
        (slope, if residual.abs() < 1e-8 { 1.0 } else { slope / residual })
    }
}

/// Tukey's biweight: residuals beyond `c` count alike, however far.
///
/// It is not convex: the start is where reweighted means settle from the median, which is never
/// worse than the median but may not be the best constant of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tukey {
    /// Where a residual stops to matter.
    pub c: f64,
}

impl Default for Tukey {
    /// 95 % efficient on a normal of standard deviation 1.
    fn default() -> Self {
        Self { c: 4.685 }
    }
}

impl RowLoss for Tukey {
    fn at(&self, residual: f64) -> f64 {
        self.c * self.c / 6.0 * (1.0 - self.inside(residual).powi(3))
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let weight = self.inside(residual).powi(2);
        (residual * weight, weight)
    }

    fn constant(&self, truth: &Truth<'_>) -> f64 {
        let median = start::quantile(truth, 0.5);
        start::settle(truth, median, |residual| self.bend(residual).1)
    }

    fn settings(&self) -> Result<()> {
        positive("c", self.c)
    }
}

impl Tukey {
    fn inside(&self, residual: f64) -> f64 {
        (1.0 - (residual / self.c).powi(2)).max(0.0)
    }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_on_uniform_targets() {
        let n = 20_000;
        let target: Vec<f32> = (0..n).map(|i| (i as f32 + 0.5) / n as f32).collect();
        let truth = Truth::new(&target);
        let constant = vec![0.5; n];
        assert!((Huber { delta: 0.1 }.value(&truth, &constant) - 0.061 / 3.0).abs() < 1e-6);
        assert!((Absolute.value(&truth, &constant) - 0.25).abs() < 1e-6);
    }

    #[test]
    fn slopes_by_hand() {
        let truth = Truth::new(&[0.0, 0.0, f32::NAN, 0.0]);
        let truth = truth.with_weights(&[1.0, 2.0, 1.0, 0.0]).unwrap();
        let (mut g, mut h) = ([9.0; 4], [9.0; 4]);
        Huber { delta: 1.0 }.slopes(&truth, &[0.5, -4.0, 1.0, 1.0], &mut g, &mut h);
        assert_eq!((g, h), ([0.5, -2.0, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0]));
        assert!(Squared.value(&Truth::new(&[f32::NAN]), &[1.0]).is_nan());
    }

    #[test]
    fn settings_are_refused_with_their_value() {
        let error = Quantile { tau: 1.0 }.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "setting 'tau' is 1, allowed is between 0 and 1, both excluded"
        );
        assert!(Tukey { c: f64::NAN }.check().is_err());
    }
}
