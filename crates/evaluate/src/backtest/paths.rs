//! The backtest of a combinatorial cross-validation: one result a path.
//!
//! Each split is fitted and predicts once, and each era that it tests is scored once; paths are put together
//! from what the splits answered. One model is alive at a time. What the splits predict is kept: `f32` a row
//! for each of the φ paths, which is 4 φ bytes a row, 144 for 10 groups of which 3 are tested.
//!
//! Paths share models and labels, so they are far from independent: their spread tells how much a result owes
//! to the arrangement of history and is no confidence interval. Era series of several learners, path by path,
//! are what the probability of backtest overfitting is computed from.
//!
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, section 12.4.

use fattail_core::{Fit, Metric, Observer, Panel, Predict, Result};
use fattail_stats as stats;
use serde::{Deserialize, Serialize};

use super::run::{Runner, Tested, append, empty};
use crate::{Combinations, EraScore, Error, FoldRun, Predictions, Scores};

/// A learner refitted in every split of a combinatorial cross-validation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PathBacktest {
    /// The splits, in the published order.
    pub splits: Vec<FoldRun>,
    /// The paths, each of which predicts every era once.
    pub paths: Vec<PathRun>,
}

/// One path: predictions of every era, each by a model that was not trained near it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PathRun {
    /// The split that predicted each group of eras.
    pub splits: Vec<usize>,
    /// The predictions of all eras.
    pub predictions: Predictions,
    /// The scores of the predictions, one entry a metric.
    pub scores: Vec<Scores>,
    /// The scores of predicting the mean of the split's training target, in the same order.
    pub constant: Vec<Scores>,
}

/// A number of each path, as a distribution. Paths where it is not defined are left out and counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PathSpread {
    /// Paths where the number is defined.
    pub paths: usize,
    /// Paths where it is not.
    pub undefined: usize,
    /// The mean.
    #[serde(with = "fattail_core::null")]
    pub mean: f64,
    /// The standard deviation, divisor n - 1; NaN for one path.
    #[serde(with = "fattail_core::null")]
    pub std: f64,
    /// The worst path.
    #[serde(with = "fattail_core::null")]
    pub least: f64,
    /// The first quartile.
    #[serde(with = "fattail_core::null")]
    pub lower: f64,
    /// The median.
    #[serde(with = "fattail_core::null")]
    pub median: f64,
    /// The third quartile.
    #[serde(with = "fattail_core::null")]
    pub upper: f64,
    /// The best path.
    #[serde(with = "fattail_core::null")]
    pub most: f64,
    /// The share of paths below zero.
    #[serde(with = "fattail_core::null")]
    pub below_zero: f64,
}

/// Refits `learner` in every split and puts the paths together.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict, Result, silent};
/// use fattail_evaluate::{Cpcv, PearsonCorr, backtest_paths};
///
/// /// Predicts its first feature.
/// struct First;
/// impl Fit for First {
///     type Fitted = Self;
///     fn fit(&self, _: &Panel) -> Result<Self> {
///         Ok(Self)
///     }
/// }
/// impl Predict for First {
///     fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
///         Ok(panel.feature(0).to_f32())
///     }
/// }
///
/// let eras: Vec<String> = (0..600).map(|row| format!("{:03}", row / 10)).collect();
/// let feature: Vec<u8> = (0..600).map(|row| (row * 7 % 13) as u8).collect();
/// let target: Vec<f32> = (0..600).map(|row| (row * 7 % 13 + row % 5) as f32).collect();
/// let panel = Panel::builder().eras(&eras)?.feature("x", feature).target("y", target).build()?;
/// let splits = Cpcv { groups: 6, tests: 2, ..Cpcv::default() }.splits(panel.eras())?;
/// let result = backtest_paths(&First, &panel, &splits, &[&PearsonCorr], &silent)?;
/// assert_eq!((result.splits.len(), result.paths.len()), (15, 5));
/// let sharpe = result.sharpe("pearson")?;
/// assert!(sharpe.median > 1.0 && sharpe.below_zero == 0.0);
/// // Five series of sixty scores.
/// assert_eq!(result.matrix("pearson")?[4].len(), 60);
/// # Ok::<(), fattail_core::Error>(())
/// ```
///
/// # Errors
/// When the splits are not of the panel's eras, a fit or prediction fails, a model answers with a wrong
/// number of predictions or one that is not finite, or a metric needs a column that is not there.
pub fn backtest_paths<L>(
    learner: &L,
    panel: &Panel,
    splits: &Combinations,
    metrics: &[&dyn Metric],
    observer: Observer<'_>,
) -> Result<PathBacktest>
where
    L: Fit + ?Sized,
    L::Fitted: Predict,
{
    let (eras, groups) = (panel.eras(), splits.groups());
    if !groups.iter().flatten().copied().eq(0..eras.len()) {
        let given = groups.iter().map(Vec::len).sum();
        return Err(Error::OtherEras { given, expected: eras.len() }.into());
    }
    let mut pieces = Pieces::new(panel, splits);
    let mut runs = Vec::with_capacity(splits.folds().len());
    let runner = Runner::new(panel, metrics, observer);
    runner.refit(learner, splits.folds(), &mut |split, mut tested| {
        runs.push(std::mem::take(&mut tested.run));
        pieces.take(split, tested);
    })?;
    Ok(PathBacktest { splits: runs, paths: pieces.join(metrics) })
}

/// What splits answered, as parts of paths.
struct Pieces<'a> {
    panel: &'a Panel,
    splits: &'a Combinations,
    path_ids: Vec<Vec<usize>>,
    /// By path: the predictions.
    values: Vec<Vec<f32>>,
    /// By path and group: the scores and those of the constant predictor.
    scores: Vec<Vec<[Vec<Scores>; 2]>>,
}

impl<'a> Pieces<'a> {
    fn new(panel: &'a Panel, splits: &'a Combinations) -> Self {
        let (path_ids, groups) = (splits.path_ids(), splits.groups().len());
        let paths = splits.paths().len();
        Self {
            panel,
            splits,
            path_ids,
            values: vec![vec![f32::NAN; panel.rows()]; paths],
            scores: vec![vec![<[Vec<Scores>; 2]>::default(); groups]; paths],
        }
    }

    fn take(&mut self, split: usize, tested: Tested) {
        let (mut row, mut era) = (0, 0);
        for (&group, &path) in self.splits.tested(split).iter().zip(&self.path_ids[split]) {
            let eras = &self.splits.groups()[group];
            for &era in eras {
                let rows = self.panel.eras().range(era);
                let more = row + rows.len();
                self.values[path][rows].copy_from_slice(&tested.values[row..more]);
                row = more;
            }
            let part = |all: &[Scores]| -> Vec<Scores> {
                let cut = |s: &Scores| s.eras[era..era + eras.len()].to_vec();
                all.iter().map(|s| Scores { metric: s.metric.clone(), eras: cut(s) }).collect()
            };
            self.scores[path][group] = [part(&tested.scores), part(&tested.constant)];
            era += eras.len();
        }
    }

    fn join(self, metrics: &[&dyn Metric]) -> Vec<PathRun> {
        let eras: Vec<usize> = (0..self.panel.eras().len()).collect();
        let mut runs = Vec::with_capacity(self.values.len());
        let parts = self.splits.paths().into_iter().zip(self.values).zip(self.scores);
        for ((splits, values), groups) in parts {
            let (mut scores, mut constant) = (empty(metrics), empty(metrics));
            for [model, mean] in groups {
                append(&mut scores, model);
                append(&mut constant, mean);
            }
            let predictions = Predictions { eras: eras.clone(), values };
            runs.push(PathRun { splits, predictions, scores, constant });
        }
        runs
    }
}

impl PathBacktest {
    /// The scores of a metric, one series a path, in the order of the eras; NaN where not defined.
    ///
    /// # Errors
    /// When the backtest did not score the metric.
    pub fn matrix(&self, metric: &str) -> Result<Vec<Vec<f64>>, Error> {
        self.paths.iter().map(|path| Ok(path.scores(metric)?.values())).collect()
    }

    /// The Sharpe ratio of each path: mean over standard deviation (divisor n) of the scores that are
    /// defined; NaN for scores without spread.
    ///
    /// # Errors
    /// When the backtest did not score the metric.
    pub fn sharpes(&self, metric: &str) -> Result<Vec<f64>, Error> {
        self.paths.iter().map(|path| Ok(sharpe(&path.scores(metric)?.eras))).collect()
    }

    /// How the Sharpe ratios of the paths are spread.
    ///
    /// # Errors
    /// When the backtest did not score the metric.
    pub fn sharpe(&self, metric: &str) -> Result<PathSpread, Error> {
        Ok(PathSpread::of(&self.sharpes(metric)?))
    }
}

impl PathRun {
    /// The scores of a metric.
    ///
    /// # Errors
    /// When the backtest did not score the metric.
    pub fn scores(&self, metric: &str) -> Result<&Scores, Error> {
        let found = self.scores.iter().find(|scores| scores.metric == metric);
        found.ok_or_else(|| Error::NoMetric { metric: metric.to_owned() })
    }
}

impl PathSpread {
    /// The distribution of a number of each path; NaN and infinite ones are left out.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut kept: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        kept.sort_by(f64::total_cmp);
        let at = |share: f64| stats::quantile_sorted(&kept, share).unwrap_or(f64::NAN);
        let below = kept.iter().filter(|&&value| value < 0.0).count();
        Self {
            paths: kept.len(),
            undefined: values.len() - kept.len(),
            mean: stats::mean(&kept),
            std: stats::std(&kept, 1),
            least: at(0.0),
            lower: at(0.25),
            median: at(0.5),
            upper: at(0.75),
            most: at(1.0),
            below_zero: below as f64 / kept.len() as f64,
        }
    }
}

fn sharpe(scores: &[EraScore]) -> f64 {
    let kept: Vec<f64> = scores.iter().map(|s| s.value).filter(|value| value.is_finite()).collect();
    crate::summary::sharpe(&kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_by_hand() {
        let spread = PathSpread::of(&[2.0, f64::NAN, -1.0, 0.0, 1.0, 3.0]);
        assert_eq!((spread.paths, spread.undefined, spread.mean), (5, 1, 1.0));
        assert_eq!((spread.least, spread.lower, spread.median), (-1.0, 0.0, 1.0));
        assert_eq!((spread.upper, spread.most, spread.below_zero), (2.0, 3.0, 0.2));
        assert!((spread.std - 2.5_f64.sqrt()).abs() < 1e-15);
        let none = PathSpread::of(&[f64::NAN]);
        assert!(none.mean.is_nan() && none.median.is_nan() && none.below_zero.is_nan());
    }
}
