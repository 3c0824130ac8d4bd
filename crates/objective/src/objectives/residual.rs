//! Losses of the residual r = score - label that LightGBM does not have, on `fattail-descent`'s
//! `RowLoss`.
//!
//! | loss | l(r) | slope | curvature |
//! |---|---|---|---|
//! | log-cosh | ln cosh r | tanh r | tanh r / r |
//! | pseudo-Huber | d^2 (sqrt(1 + (r/d)^2) - 1) | r / sqrt(1 + (r/d)^2) | (1 + (r/d)^2)^(-3/2) |
//! | expectile | a r^2 below the label, (1 - a) r^2 above | twice the factor times r | twice the factor |
//!
//! The expectile of 1/2 is half the squared residual. Starts are the roots of the summed slope.
//! NaN labels: [`Known`]. Cost: one pass. Reference: Newey & Powell (1987); Charbonnier (1994);
//! XGBoost's `reg:pseudohubererror` has the same slopes.

use fattail_descent::{RowLoss, Truth};
use fattail_trees::Link;

use super::{
    Bind,
    rows::{Kernel, Rows},
};
use crate::known::Known;

/// Squared near the label, absolute far away, smooth in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PseudoHuber {
    pub(crate) delta: f64,
}

impl RowLoss for PseudoHuber {
    fn at(&self, residual: f64) -> f64 {
        let z = residual / self.delta;
        // The root less one, without cancellation.
        self.delta * self.delta * z * z / ((1.0 + z * z).sqrt() + 1.0)
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let z = residual / self.delta;
        let root = (1.0 + z * z).sqrt();
        (residual / root, 1.0 / (root * root * root))
    }
}

/// The asymmetric square, whose best constant is an expectile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expectile {
    pub(crate) alpha: f64,
}

impl Expectile {
    fn factor(&self, residual: f64) -> f64 {
        if residual > 0.0 { 1.0 - self.alpha } else { self.alpha }
    }
}

impl RowLoss for Expectile {
    fn at(&self, residual: f64) -> f64 {
        self.factor(residual) * residual * residual
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let curvature = 2.0 * self.factor(residual);
        (curvature * residual, curvature)
    }
}

#[derive(Debug)]
struct Residual<L>(L);

impl<L: RowLoss> Kernel for Residual<L> {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let (slope, curvature) = self.0.bend(score - f64::from(label));
        let weight = f64::from(weight);
        ((slope * weight) as f32, (curvature * weight) as f32)
    }
}

/// Binds a loss of the residual.
pub(crate) fn residual<'a, L: RowLoss + 'a>(known: Known<'a>, loss: L) -> Bind<'a> {
    let truth = Truth::new(&known.target);
    // Lengths are checked before, so that weights fit.
    let truth = match &known.weights {
        Some(weights) => truth.with_weights(weights).unwrap_or(truth),
        None => truth,
    };
    let start = loss.constant(&truth);
    let (link, text) = (Link::Identity, "custom".into());
    Ok(Box::new(Rows { kernel: Residual(loss), known, start, link, text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_expectile_is_the_square() {
        let middle = Expectile { alpha: 0.5 };
        assert_eq!((middle.at(3.0), middle.bend(-3.0)), (4.5, (-3.0, 1.0)));
        assert_eq!(Expectile { alpha: 0.9 }.bend(-1.0), (-1.8, 1.8));
    }

    #[test]
    fn pseudo_huber_by_hand() {
        let loss = PseudoHuber { delta: 3.0 };
        assert!((loss.at(4.0) - 9.0 * (5.0 / 3.0 - 1.0)).abs() < 1e-14);
        let (slope, curvature) = loss.bend(4.0);
        assert!((slope - 2.4).abs() < 1e-14 && (curvature - 0.216).abs() < 1e-14);
    }
}
