//! The running scale of gradient norms, which single long gradients do not move.
//!
//! With x_t = ln norm, its mean m and the mean size s of its changes, both exponential with weight
//! `a = max(1 / n, 0.01)`: `m <- m + a (x_t - m)`, `s <- s + a (|x_t - x_{t-1}| - s)`. Changes from
//! step to step tell noise from the trend that norms have as training goes on. A norm explodes when
//! `x > max(m + ln(exploding), m + deviations s, peak)`, peak being the largest m so far: gradients
//! that grow again after a minimum are not an explosion. A norm beyond the limit enters as the limit
//! (winsorised), so that one outlier cannot raise the scale, but a new regime is accepted in time.
//! NaN and infinities never enter. Cost: a logarithm and an exponential a step; logarithms of
//! thresholds are taken once a run, as [`Bounds`]. Reference: Huber and
//! Ronchetti (2009), Robust Statistics, 1.7 (winsorising).

use serde::{Deserialize, Serialize};

use super::Thresholds;

/// The least norm that is told from zero.
const FLOOR: f64 = 1e-30;

/// The thresholds of norms, as logarithms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    exploding: f64,
    vanishing: f64,
    deviations: f64,
    settle: u64,
}

impl Bounds {
    pub(crate) fn new(thresholds: &Thresholds) -> Self {
        let (exploding, vanishing) = (thresholds.exploding.ln(), thresholds.vanishing.ln());
        Self { exploding, vanishing, deviations: thresholds.deviations, settle: thresholds.settle }
    }
}

/// Norms so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Norms {
    mean: f64,
    deviation: f64,
    last: f64,
    peak: f64,
    seen: u64,
}

impl Default for Norms {
    fn default() -> Self {
        Self { mean: 0.0, deviation: 0.0, last: 0.0, peak: f64::MIN, seen: 0 }
    }
}

impl Norms {
    /// The norm beyond which a gradient explodes.
    pub(crate) fn limit(&self, bounds: &Bounds) -> f64 {
        self.bound(bounds).exp()
    }

    /// Its logarithm; infinite until the scale has settled.
    fn bound(&self, bounds: &Bounds) -> f64 {
        if self.seen < bounds.settle {
            return f64::INFINITY;
        }
        let far = self.mean + bounds.exploding;
        far.max(self.mean + bounds.deviations * self.deviation).max(self.peak)
    }

    /// Takes a norm in.
    pub(crate) fn add(&mut self, norm: f64, bounds: &Bounds) {
        if !norm.is_finite() {
            return;
        }
        let x = norm.max(FLOOR).ln().min(self.bound(bounds));
        self.seen = self.seen.saturating_add(1);
        let weight = (1.0 / self.seen as f64).max(0.01);
        if self.seen > 1 {
            self.deviation += weight * ((x - self.last).abs() - self.deviation);
        }
        self.last = x;
        self.mean += weight * (x - self.mean);
        if self.seen >= bounds.settle {
            self.peak = self.peak.max(self.mean);
        }
    }

    /// The typical norm.
    pub(crate) fn typical(&self) -> f64 {
        if self.seen == 0 { f64::NAN } else { self.mean.exp() }
    }

    /// The typical norm and its peak, when it has vanished.
    pub(crate) fn vanished(&self, bounds: &Bounds) -> Option<(f64, f64)> {
        let low = self.seen > 0 && self.mean < self.peak + bounds.vanishing;
        low.then(|| (self.mean.exp(), self.peak.exp()))
    }

    /// Whether these are numbers that norms can have left.
    pub(crate) fn is_sound(&self) -> bool {
        [self.mean, self.deviation, self.last, self.peak].iter().all(|number| number.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_move_the_scale_and_falling_norms_vanish() {
        let bounds = Bounds::new(&Thresholds::default());
        let mut norms = Norms::default();
        assert_eq!(norms.limit(&bounds), f64::INFINITY);
        for step in 0..200 {
            norms.add(if step % 2 == 0 { 1.0 } else { 2.0 }, &bounds);
        }
        let (typical, limit) = (norms.typical(), norms.limit(&bounds));
        assert!((typical - 2f64.sqrt()).abs() < 0.05, "{typical}");
        assert!((100.0..250.0).contains(&limit), "{limit}");
        norms.add(1e30, &bounds);
        norms.add(f64::NAN, &bounds);
        assert!(norms.typical() < 1.1 * typical);
        assert_eq!(norms.vanished(&bounds), None);
        (0..2000).for_each(|_| norms.add(1e-9, &bounds));
        let (now, peak) = norms.vanished(&bounds).unwrap();
        assert!(now < 2e-9 && peak > 1.0);
        // What was normal once is no explosion.
        assert!(norms.limit(&bounds) >= peak);
    }
}
