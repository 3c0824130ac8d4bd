//! From raw scores to predictions: the last step of an objective.

use serde::{Deserialize, Serialize};

/// The function between the sum of the leaves and the prediction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum Link {
    /// `x`.
    #[default]
    Identity,
    /// `sign(x) x^2`, of a regression on square roots.
    SignedSquare,
    /// `exp(x)`, of Poisson, gamma and Tweedie regression, and of survival times.
    Exp,
    /// `1 / (1 + exp(-scale x))`, each output by itself.
    Sigmoid {
        /// The factor of the raw score.
        scale: f64,
    },
    /// `exp(x_k) / sum_j exp(x_j)`.
    Softmax,
    /// `ln(1 + exp(x))`.
    Softplus,
}

impl Link {
    /// Replaces the raw scores of one row by predictions.
    ///
    /// ```
    /// use fattail_trees::Link;
    /// let mut row = [0.0, 0.0];
    /// Link::Softmax.apply(&mut row);
    /// assert_eq!(row, [0.5, 0.5]);
    /// ```
    pub fn apply(&self, row: &mut [f64]) {
        match *self {
            Self::Identity => {}
            Self::SignedSquare => each(row, |x| x.signum() * x * x),
            Self::Exp => each(row, f64::exp),
            Self::Sigmoid { scale } => each(row, |x| 1.0 / (1.0 + (-scale * x).exp())),
            Self::Softmax => softmax(row),
            Self::Softplus => each(row, |x| x.exp().ln_1p()),
        }
    }
}

fn each(row: &mut [f64], function: impl Fn(f64) -> f64) {
    row.iter_mut().for_each(|x| *x = function(*x));
}

fn softmax(row: &mut [f64]) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    each(row, |x| (x - largest).exp());
    let sum: f64 = row.iter().sum();
    each(row, |x| x / sum);
}
