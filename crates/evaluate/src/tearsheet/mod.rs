//! A tear sheet: what a backtest's predictions earn, how long they last, what they follow and how they fail.
//!
//! Each part states its formulas in its own file. Means over eras carry the standard error and interval of
//! [`EraMean`](crate::EraMean) with the lag at which labels of the horizon still overlap.
//!
//! What cannot be had, such as links between eras when ids do not last, is [`Part::Missing`] with the
//! reason, never an error; one era of a part is NaN.
//!
//! Cost: a few ranks an era, an exposure a feature and era, and a pass over the rows a lag.
//!
//! Reference: Grinold and Kahn (1999), Active Portfolio Management, chapters 6 and 12; Quantopian (2016),
//! alphalens, the figures of a factor tear sheet.

mod autocorrelation;
mod decay;
mod distribution;
mod drawdowns;
mod exposure;
mod information;
mod links;
mod part;
mod predicted;
mod quantiles;
mod rolling;
mod settings;
mod stability;

use fattail_core::{Panel, Result};
use serde::{Deserialize, Serialize};

pub use autocorrelation::{Autocorrelation, LagCorrelation};
pub use decay::Lagged;
pub use distribution::{Distribution, QuantilePoint};
pub use drawdowns::{Drawdown, Drawdowns};
pub use exposure::{ExposurePath, FeatureExposure};
pub use information::Information;
pub use part::Part;
pub use quantiles::{Quantile, QuantileSpreads, TargetQuantiles, quantile_means};
pub use rolling::Rolling;
pub use settings::{TargetColumn, TearSettings};
pub use stability::QuantileTurnover;

use crate::{Horizon, Predictions, Scores};
use links::Links;
use predicted::Predicted;

/// The figures of a backtest, part by part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TearSheet {
    /// The metric whose scores drawdowns, rolling figures, distribution and autocorrelation are of.
    pub metric: String,
    /// How far labels look ahead: standard errors and bands follow from it.
    pub horizon: Horizon,
    /// What the lowest to the highest predictions earned.
    pub quantiles: Part<QuantileSpreads>,
    /// The same of each target that the settings name, in their order.
    #[serde(default)]
    pub target_quantiles: Vec<TargetQuantiles>,
    /// Rank correlation of the predictions with each target, in the order of the settings.
    pub information: Vec<Information>,
    /// Rank correlation of the predictions of an era with the target of the same ids so many eras later;
    /// lag 0 needs no ids.
    pub decay: Vec<Lagged>,
    /// Rank correlation of the predictions of an era with those of the same ids so many eras later.
    pub rank_autocorrelation: Part<Vec<Lagged>>,
    /// Churn and turnover from each predicted era to the next, [`era_churns`](crate::era_churns).
    pub churn: Part<Vec<Scores>>,
    /// The share of each quantile's rows that were not in it an era before.
    pub quantile_turnover: Part<Vec<QuantileTurnover>>,
    /// How closely predictions follow single features.
    pub exposure: Part<ExposurePath>,
    /// The running sum of the scores and its worst falls.
    pub drawdowns: Part<Drawdowns>,
    /// Mean and Sharpe of the last eras.
    pub rolling: Part<Rolling>,
    /// The scores as a histogram and against the normal distribution.
    pub distribution: Part<Distribution>,
    /// How much scores resemble earlier ones, and how much of that overlapping labels explain.
    pub autocorrelation: Part<Autocorrelation>,
}

impl TearSheet {
    /// The tear sheet of `predictions` on eras of `panel` and of their `scores` by one metric.
    ///
    /// ```
    /// use fattail_core::Panel;
    /// use fattail_evaluate::{
    ///     EraScore, Predictions, Scores, SpearmanCorr, TearSettings, TearSheet, score_predictions,
    /// };
    /// // 20 eras of 10 rows; the prediction is right in all but one row of each.
    /// let eras: Vec<String> = (0..200).map(|row| format!("{:04}", row / 10)).collect();
    /// let target: Vec<f32> = (0..200).map(|row| (row % 10) as f32 / 10.0).collect();
    /// let panel = Panel::builder().eras(&eras)?.target("target", target.clone()).build()?;
    /// let mut values = target;
    /// values.iter_mut().step_by(10).for_each(|value| *value = 0.45);
    /// let predictions = Predictions { eras: (0..20).collect(), values };
    ///
    /// let scores = score_predictions(&panel, &predictions, &[&SpearmanCorr])?;
    /// let sheet = TearSheet::of(&panel, &predictions, &scores[0], &TearSettings::default())?;
    /// let quantiles = sheet.quantiles.found().unwrap();
    /// assert_eq!(quantiles.quantiles.len(), 5);
    /// assert!(quantiles.spread_mean.mean > 0.69);
    /// // The mean of the era-by-era rank correlation is the metric's.
    /// assert!((sheet.information[0].correlation.mean - scores[0].mean()).abs() < 1e-12);
    /// assert_eq!(sheet.exposure.reason(), Some("the panel has no features"));
    /// # Ok::<(), fattail_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a setting is out of its range, eras are not positions of the panel in rising order, there is not
    /// one prediction a row of them, or the scores are not of these eras one by one.
    pub fn of(
        panel: &Panel,
        predictions: &Predictions,
        scores: &Scores,
        settings: &TearSettings,
    ) -> Result<Self> {
        let lag = settings.check()?;
        let predicted = Predicted::new(panel, predictions)?;
        predicted.check_scores(scores)?;
        let links = Links::of(panel);
        let links = links.as_ref().map_err(String::as_str);
        Ok(Self {
            metric: scores.metric.clone(),
            horizon: settings.horizon,
            quantiles: quantiles::spreads(&predicted, settings.quantiles, lag),
            target_quantiles: quantiles::by_target(&predicted, settings),
            information: information::by_target(&predicted, settings),
            decay: decay::by_lag(&predicted, links, settings, lag),
            rank_autocorrelation: stability::by_lag(&predicted, links, settings, lag).into(),
            quantile_turnover: stability::of_quantiles(&predicted, links, settings, lag).into(),
            churn: stability::churn(&predicted),
            exposure: exposure::path(&predicted, settings.top_features),
            drawdowns: drawdowns::of(scores, settings.worst).into(),
            rolling: rolling::of(scores, settings.window, lag).into(),
            distribution: distribution::of(&scores.values()).into(),
            autocorrelation: autocorrelation::of(&scores.values(), settings).into(),
        })
    }
}
