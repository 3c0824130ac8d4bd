//! What a loss is: the best constant, a value, and slopes, on slices.
//!
//! With predictions p, targets t, weights w and W = sum of w over the known rows, a loss is
//! `V(p) = sum_i w_i l(p_i, t_i) / W`, and its slopes are those of W V: `g_i = d(W V)/dp_i` and a
//! curvature `h_i >= 0`, so that a learner steps by `-sum g / sum h` over the rows that move
//! together. A row is known when its target is finite and its weight is positive and finite; an
//! unknown row counts nowhere and has gradient and curvature 0. Without a known row values are NaN.

mod era;
mod objective;
mod row;
mod start;
mod truth;

pub use era::Pearson;
pub use objective::Objective;
pub use row::{Absolute, Huber, LogCosh, Quantile, RowLoss, Squared, Tukey};
pub use truth::Truth;

use fattail_core::Result;

/// A loss that a learner walks down.
///
/// Predictions, gradients and curvatures are `f64`: learners add up many of them. A learner that
/// wants them smaller asks for them in blocks of rows (of eras, for a loss by eras).
pub trait Loss: Send + Sync + std::fmt::Debug {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    fn check(&self) -> Result<()>;

    /// The constant prediction that a learner begins with: the one with the smallest value.
    fn start(&self, truth: &Truth<'_>) -> f64;

    /// The weighted mean loss.
    ///
    /// # Panics
    /// When `prediction` has another length than the truth; [`Truth::check`] answers without.
    fn value(&self, truth: &Truth<'_>, prediction: &[f64]) -> f64;

    /// Writes the gradient and the curvature of the weighted sum, one of each a row. Allocates
    /// nothing.
    ///
    /// # Panics
    /// When a slice has another length than the truth; [`Truth::check`] answers without.
    fn slopes(
        &self,
        truth: &Truth<'_>,
        prediction: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    );
}
