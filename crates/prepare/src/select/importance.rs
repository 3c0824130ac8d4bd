//! Keeps the features that a learner's predictions lean on, in most eras.
//!
//! The learner is fitted on the first eras of train and predicts the last ones, with a gap between
//! them. Then a feature's values are shuffled within each era of the holdout; its importance there is
//! the correlation of prediction and target before the shuffle less the correlation after it, averaged
//! over repeats. A feature's score is the mean over the eras of its importance, divided by the
//! standard deviation: large for what helps era after era. Scores may be negative.
//!
//! Eras where a correlation is not defined do not count; a feature that never matters scores 0.
//!
//! Cost: one fit, and `features · repeats` predictions of the holdout. The same settings and panel
//! give the same selection for any number of threads.
//!
//! Reference: Breiman (2001), Random forests, Machine Learning 45, section 10; Fisher, Rudin and
//! Dominici (2019), All models are wrong, but many are useful, JMLR 20.

use std::sync::Arc;

use fattail_core::{ColumnData, Error, Fit, Panel, Predict, Result};
use fattail_stats::{Counter, below, mean, pearson, std};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{correlations::Keep, steps::Selected};
use crate::{
    check::at_least_one,
    features::{by_era, copied},
};

/// Keeps features by what shuffling them costs a learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectImportant<L> {
    /// The learner.
    pub learner: L,
    /// Eras at the end of train that the learner does not see, at least 1.
    pub holdout: usize,
    /// Eras between the two that nobody sees.
    pub gap: usize,
    /// Shuffles of each feature, at least 1.
    pub repeats: usize,
    /// The seed of the shuffles.
    pub seed: u64,
    /// Which features are kept.
    pub keep: Keep,
}

impl<L> Fit for SelectImportant<L>
where
    L: Fit,
    L::Fitted: Predict,
{
    type Fitted = Selected;

    fn fit(&self, train: &Panel) -> Result<Selected> {
        self.keep.check()?;
        at_least_one("holdout", self.holdout)?;
        at_least_one("repeats", self.repeats)?;
        let eras: Vec<usize> = (0..train.eras().len()).collect();
        let seen = eras.len().saturating_sub(self.holdout + self.gap);
        if seen == 0 {
            let given = self.holdout + self.gap;
            return Err(Error::setting("holdout", given, "with the gap fewer eras than train has"));
        }
        let held = train.cut(&eras[seen + self.gap..])?;
        let model = self.learner.fit(&train.cut(&eras[..seen])?)?;
        let whole = correlations(&model, &held)?;
        let score = |at| self.score(&model, &held, &whole, at);
        let scores: Vec<f64> =
            (0..train.width()).into_par_iter().map(score).collect::<Result<_>>()?;
        Selected::new(train, &self.keep.of(&scores))
    }
}

impl<L> SelectImportant<L> {
    fn score(&self, model: &impl Predict, held: &Panel, whole: &[f64], at: usize) -> Result<f64> {
        let mut lost = vec![0.0; whole.len()];
        for repeat in 0..self.repeats {
            let counter = Counter::new(self.seed).stream((at * self.repeats + repeat) as u64);
            let without = correlations(model, &shuffled(held, at, counter)?)?;
            let losses = whole.iter().zip(without);
            lost.iter_mut().zip(losses).for_each(|(sum, (all, less))| *sum += all - less);
        }
        lost.retain(|v| !v.is_nan());
        let centre = mean(&lost);
        Ok(if lost.is_empty() || centre == 0.0 { 0.0 } else { centre / std(&lost, 0) })
    }
}

/// The correlation of prediction and target in each era.
fn correlations(model: &impl Predict, panel: &Panel) -> Result<Vec<f64>> {
    let predictions = model.predict(&panel.without_targets())?;
    let one = |era: usize| {
        let known = |row: usize| {
            let target = panel.target().map(|column| f64::from(column.era(era).get(row)));
            target.map(|target| (!target.is_nan()).then_some(target))
        };
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (row, at) in panel.eras().range(era).enumerate() {
            if let Some(target) = known(row)? {
                x.push(f64::from(predictions[at]));
                y.push(target);
            }
        }
        pearson(&x, &y).map_err(Error::other)
    };
    (0..panel.eras().len()).map(one).collect()
}

/// The panel with the values of one feature shuffled within each era.
fn shuffled(panel: &Panel, at: usize, counter: Counter) -> Result<Panel> {
    let mixed = by_era(panel.feature(at), |era, values| {
        let mut generator = counter.draw(era as u32);
        for last in (1..values.len()).rev() {
            values.swap(last, below(&mut generator, last + 1));
        }
    });
    let column = |other: usize| match other == at {
        true => ColumnData::from(mixed.clone()),
        false => copied(panel.feature(other)),
    };
    let names = panel.schema().features().iter().map(Arc::clone);
    panel.with_features(names.zip((0..panel.width()).map(column)))
}
