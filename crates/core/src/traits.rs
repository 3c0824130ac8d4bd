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

    /// Fits on each of `cuts`, lists of increasing eras of `panel`, and hands each result on, with its
    /// place in the list and in that order, before the next one need exist.
    ///
    /// A learner overrides it where fits that share eras share work, such as sums that add up over
    /// eras. Each result must be that of [`Fit::fit`] on [`Panel::cut`] with that list alone, but for
    /// rounding: nothing of an era outside a cut may come into its fit. The conformance suite of learners
    /// holds overrides to it.
    ///
    /// # Errors
    /// What a fit or `each` answers, and lists that do not increase, leave the panel or are empty.
    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, Self::Fitted) -> Result<()>,
    ) -> Result<()> {
        one_by_one(self, panel, cuts, each)
    }
}

/// Fits on each cut by itself.
pub(crate) fn one_by_one<F: Fit + ?Sized>(
    recipe: &F,
    panel: &Panel,
    cuts: &[Vec<usize>],
    each: &mut dyn FnMut(usize, F::Fitted) -> Result<()>,
) -> Result<()> {
    cuts.iter().enumerate().try_for_each(|(at, cut)| each(at, recipe.fit(&panel.cut(cut)?)?))
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

            fn fit_each(
                &self,
                panel: &Panel,
                cuts: &[Vec<usize>],
                each: &mut dyn FnMut(usize, F::Fitted) -> Result<()>,
            ) -> Result<()> {
                (**self).fit_each(panel, cuts, each)
            }
        }
    )*};
}

forward!(Box, Arc);
