//! Keeps the features that a learner's predictions lean on, in most eras.
//!
//! The learner is fitted on the first eras of train and predicts the last ones, with a gap between
//! them. Then a feature's values are shuffled within each era of the holdout; its importance there is
//! the correlation of prediction and target before the shuffle less the correlation after it, averaged
//! over repeats. A feature's score is the mean over the eras of its importance, divided by the
//! standard deviation: large for what helps era after era. Scores may be negative.
//!
//! Eras where a correlation is not defined do not count; a feature that never matters, or whose
//! importance is defined in fewer than two eras, scores 0. The standard deviation counts as no less
//! than 1e-9 of the mean, so no score is larger than 1e9.
//!
//! Cost: one fit, and `features · repeats` predictions of the holdout. The same settings and panel
//! give the same selection for any number of threads.
//!
//! Reference: Breiman (2001), Random forests, Machine Learning 45, section 10; Fisher, Rudin and
//! Dominici (2019), All models are wrong, but many are useful, JMLR 20.

use fattail_core::{ColumnData, Error, Fit, Panel, Predict, Result, Values};
use fattail_stats::{Counter, below, pearson};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    correlations::{Keep, steadiness},
    steps::Selected,
};
use crate::check::at_least_one;

/// Keeps features by what shuffling them costs a learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectImportant<L> {
    /// The learner.
    pub learner: L,
    /// Eras at the end of train that the learner does not see, at least 2.
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
        if self.holdout < 2 {
            return Err(Error::setting("holdout", self.holdout, "at least 2"));
        }
        at_least_one("repeats", self.repeats)?;
        let eras: Vec<usize> = (0..train.eras().len()).collect();
        let given = self.holdout.saturating_add(self.gap);
        let seen = eras.len().saturating_sub(given);
        if seen == 0 {
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
        Ok(steadiness(&lost))
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

/// The panel with the values of one feature shuffled within each era; the other features are shared.
fn shuffled(panel: &Panel, at: usize, counter: Counter) -> Result<Panel> {
    let (mut bins, mut numbers) = (Vec::new(), Vec::new());
    for (era, values) in panel.feature(at).eras().enumerate() {
        match values {
            Values::U8(values) => push_shuffled(&mut bins, values, counter, era),
            Values::F32(values) => push_shuffled(&mut numbers, values, counter, era),
        }
    }
    let is_bins = panel.feature(at).is_u8();
    let mixed = if is_bins { ColumnData::from(bins) } else { numbers.into() };
    panel.replace_features([(at, mixed)])
}

/// Appends the values of an era in another order (Fisher and Yates 1938).
fn push_shuffled<T: Copy>(out: &mut Vec<T>, values: &[T], counter: Counter, era: usize) {
    let start = out.len();
    out.extend_from_slice(values);
    let mut generator = counter.draw(era as u32);
    for last in (1..values.len()).rev() {
        out[start..].swap(last, below(&mut generator, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_is_shuffled_and_the_others_are_shared() {
        let panel = Panel::builder()
            .eras(&["1", "1", "1", "2", "2", "2"])
            .unwrap()
            .feature("bins", vec![0u8, 1, 2, 3, 4, 5])
            .feature("numbers", vec![0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0])
            .build()
            .unwrap();
        let [a, b] = [0, 1].map(|at| shuffled(&panel, at, Counter::new(3)).unwrap());
        assert!(a.feature(0).is_u8());
        assert_eq!(a.feature(0).to_f32(), b.feature(1).to_f32());
        assert_ne!(a.feature(0).to_f32(), panel.feature(0).to_f32());
        for era in a.iter() {
            let mut sorted = era.feature(0).to_f64();
            sorted.sort_by(f64::total_cmp);
            assert_eq!(sorted, panel.era(era.index()).feature(0).to_f64());
        }
        let place = |panel: &Panel| panel.feature(1).view().unwrap().as_ptr();
        assert_eq!(place(&a), place(&panel));
    }
}
