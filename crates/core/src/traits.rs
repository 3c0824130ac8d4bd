//! The few traits of the house, one required method each.

use std::sync::Arc;

use crate::{Era, Panel, Result};

/// Learns from a training panel.
///
/// What is learnt has a type of its own, so nothing exists half-fitted; there is no place for a test
/// panel, so none can slip in. A learner that stops early takes its holdout, with a gap, from
/// `train`. Rows whose target is NaN teach nothing.
pub trait Fit: Send + Sync {
    /// What the fit gives: a [`Transform`] or a [`Predict`].
    type Fitted;

    /// Fits on `train`.
    ///
    /// # Errors
    /// When a setting is out of range or the panel lacks what the fit needs.
    fn fit(&self, train: &Panel) -> Result<Self::Fitted>;
}

/// Turns a panel into another one with the same rows.
pub trait Transform: Send + Sync {
    /// Transforms a panel.
    ///
    /// # Errors
    /// When the panel lacks what was seen in the fit.
    fn transform(&self, panel: Panel) -> Result<Panel>;
}

/// Predicts one number a row, in panel order.
pub trait Predict: Send + Sync {
    /// Predicts.
    ///
    /// # Errors
    /// When the panel lacks what was seen in the fit.
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>>;
}

/// Scores the predictions of one era; larger is better.
pub trait Metric: Send + Sync {
    /// The metric's name, such as `corr`.
    fn name(&self) -> &str;

    /// The score of `prediction`, one number a row of `era`.
    ///
    /// # Errors
    /// [`Error::Undefined`](crate::Error::Undefined) when the score is not defined, with the reason.
    fn score(&self, era: &Era<'_>, prediction: &[f32]) -> Result<f64>;
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<T: Transform + ?Sized> Transform for $pointer<T> {
            fn transform(&self, panel: Panel) -> Result<Panel> {
                (**self).transform(panel)
            }
        }

        impl<P: Predict + ?Sized> Predict for $pointer<P> {
            fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
                (**self).predict(panel)
            }
        }

        impl<F: Fit + ?Sized> Fit for $pointer<F> {
            type Fitted = F::Fitted;

            fn fit(&self, train: &Panel) -> Result<F::Fitted> {
                (**self).fit(train)
            }
        }
    )*};
}

forward!(Box, Arc);
