//! One minus the Pearson correlation, averaged over eras.
//!
//! With p~ and t~ centred by the weighted means of an era, `r = sum w p~ t~ / sqrt(P T)`,
//! `P = sum w p~^2`, `T = sum w t~^2`, and E the number of eras that count:
//! `V = mean over eras of (1 - r)`, `g_i = -(W / E) w_i (t~_i / sqrt(P T) - r p~_i / P)`.
//! The loss is not convex; the curvature is `h_i = (W / E) w_i / P`, with which `-g / h` is
//! `sqrt(P / T) t~_i - r p~_i`: the residual of the target in the scale of the prediction.
//! An era with no two different known targets does not count. Where the prediction is constant r is
//! 0 and P is replaced by T, so that the step leads to the centred target. Without an era that
//! counts the value is NaN, as with a prediction that is not finite. Ties need nothing. Cost: four passes. Reference: Pearson (1895); the
//! gradient is a derivative by hand, tested against differences.

use fattail_core::Result;
use serde::{Deserialize, Serialize};
use std::ops::Range;

use super::{Loss, Truth, start};

/// One minus the correlation of prediction and target, era by era. Blind to the level and scale of
/// predictions; starts at the mean of the targets.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pearson;

impl Loss for Pearson {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn start(&self, truth: &Truth<'_>) -> f64 {
        start::mean(truth)
    }

    fn value(&self, truth: &Truth<'_>, prediction: &[f64]) -> f64 {
        truth.expect(&[prediction.len()]);
        let eras = truth.eras().filter_map(|rows| Comoments::of(truth, prediction, rows));
        let (sum, count) = eras.fold((0.0, 0.0), |(s, n), m| (s + 1.0 - m.correlation(), n + 1.0));
        sum / count
    }

    fn slopes(
        &self,
        truth: &Truth<'_>,
        prediction: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        truth.expect(&[prediction.len(), gradient.len(), curvature.len()]);
        let counts = |rows: Range<usize>| Comoments::of(truth, prediction, rows).is_some();
        let eras = truth.eras().filter(|rows| counts(rows.clone())).count();
        let share = truth.total_weight() / eras as f64;
        for rows in truth.eras() {
            let moments = Comoments::of(truth, prediction, rows.clone());
            for row in rows {
                let slopes = moments
                    .as_ref()
                    .zip(truth.known(row))
                    .map(|(m, (target, weight))| m.slopes(prediction[row], target, share * weight));
                (gradient[row], curvature[row]) = slopes.unwrap_or_default();
            }
        }
    }
}

/// Weighted moments of an era.
struct Comoments {
    mean_p: f64,
    mean_t: f64,
    pp: f64,
    tt: f64,
    pt: f64,
}

impl Comoments {
    fn of(truth: &Truth<'_>, prediction: &[f64], rows: Range<usize>) -> Option<Self> {
        let known = |row| truth.known(row).map(|(t, w): (f64, f64)| (prediction[row], t, w));
        let (mut weight, mut sum_p, mut sum_t) = (0.0, 0.0, 0.0);
        for (p, t, w) in rows.clone().filter_map(known) {
            (weight, sum_p, sum_t) = (weight + w, sum_p + w * p, sum_t + w * t);
        }
        let (mean_p, mean_t) = (sum_p / weight, sum_t / weight);
        let (mut pp, mut tt, mut pt) = (0.0, 0.0, 0.0);
        for (p, t, w) in rows.filter_map(known) {
            let (p, t) = (p - mean_p, t - mean_t);
            (pp, tt, pt) = (pp + w * p * p, tt + w * t * t, pt + w * p * t);
        }
        // What is left of a constant after centring is rounding.
        let noise = |mean: f64| weight * (1e-14 * mean) * (1e-14 * mean);
        if tt <= noise(mean_t) || weight <= 0.0 {
            return None;
        }
        if pp <= noise(mean_p) {
            (pp, pt) = (0.0, 0.0);
        }
        Some(Self { mean_p, mean_t, pp, tt, pt })
    }

    fn correlation(&self) -> f64 {
        if self.pp == 0.0 { 0.0 } else { self.pt / (self.pp * self.tt).sqrt() }
    }

    fn slopes(&self, prediction: f64, target: f64, weight: f64) -> (f64, f64) {
        let spread = if self.pp == 0.0 { self.tt } else { self.pp };
        let (p, t) = (prediction - self.mean_p, target - self.mean_t);
        let pull = t / (spread * self.tt).sqrt() - self.correlation() * p / spread;
        (-weight * pull, weight / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_by_hand() {
        // Correlation 1 in the first era, -1 in the second; the third has a constant target.
        let target = [0.0, 1.0, 0.0, 1.0, 0.5, 0.5];
        let truth = Truth::new(&target).with_eras(&[0, 2, 4, 6]).unwrap();
        let value = Pearson.value(&truth, &[1.0, 2.0, 2.0, 1.0, 0.0, 9.0]);
        assert!((value - 1.0).abs() < 1e-15);
        assert!(Pearson.value(&Truth::new(&[1.0, 1.0]), &[0.0, 1.0]).is_nan());
    }

    #[test]
    fn a_constant_prediction_steps_to_the_centred_target() {
        let truth = Truth::new(&[0.0, 1.0, 2.0]);
        let (mut g, mut h) = ([0.0; 3], [0.0; 3]);
        Pearson.slopes(&truth, &[1.0; 3], &mut g, &mut h);
        let steps: Vec<f64> = g.iter().zip(&h).map(|(g, h)| -g / h).collect();
        assert_eq!(steps, [-1.0, 0.0, 1.0]);
        assert_eq!(Pearson.value(&truth, &[1.0; 3]), 1.0);
    }

    #[test]
    fn a_prediction_that_is_not_finite_is_not_taken_for_a_constant() {
        let truth = Truth::new(&[0.0, 1.0, 2.0]);
        for wrong in [f64::NAN, f64::INFINITY] {
            assert!(Pearson.value(&truth, &[0.0, wrong, 1.0]).is_nan());
        }
    }
}
