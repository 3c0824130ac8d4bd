//! What the lowest to the highest predictions earned, era by era.
//!
//! With the average ranks `r_i` of the `n` predictions whose target is known, row `i` belongs to quantile
//! `⌊k (r_i - 1/2) / n⌋` of `k`, counted from 0. `m_q,e` is the mean target of quantile `q` in era `e`,
//! `c_e` that of all its rows. Figures of a quantile are means over eras of `m_q,e` and of the excess
//! `m_q,e - c_e`; spread `s_e = m_k-1,e - m_0,e`; monotonicity is Spearman's correlation of the means with
//! their quantiles.
//!
//! Rows whose prediction or target is NaN go; an era of which more than 20 of 100 rows go, and one with
//! fewer rows than quantiles, is NaN. Tied predictions stand together, in the quantile of their mean rank,
//! so a quantile may be empty: its mean is NaN, and so is a spread that needs it.
//!
//! Cost: one rank an era.
//!
//! Reference: Fama and MacBeth (1973), Risk, return, and equilibrium, Journal of Political Economy 81(3);
//! Quantopian (2016), alphalens, `mean_return_by_quantile`, whose `qcut` makes the same quantiles where
//! `k` divides `n` and no predictions tie.

use fattail_stats::{Ranker, Ties, mean, spearman};
use serde::{Deserialize, Serialize};

use super::{
    part::Part,
    predicted::Predicted,
    settings::{TargetColumn, TearSettings},
};
use crate::error::{Error, Result, same_length};
use crate::{EraMean, cumulative, score::expect_share};

/// Mean targets of the quantiles of predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantileSpreads {
    /// One entry a quantile, the lowest predictions first.
    pub quantiles: Vec<Quantile>,
    /// The labels of the eras.
    pub eras: Vec<String>,
    /// The mean target `m_q,e`: a row a quantile, a value an era.
    #[serde(with = "fattail_core::null::rows")]
    pub means: Vec<Vec<f64>>,
    /// The mean target `c_e` of all rows, era by era.
    #[serde(with = "fattail_core::null::list")]
    pub centre: Vec<f64>,
    /// Top less bottom quantile, era by era.
    #[serde(with = "fattail_core::null::list")]
    pub spread: Vec<f64>,
    /// The running sum of the spread.
    #[serde(with = "fattail_core::null::list")]
    pub cumulative_spread: Vec<f64>,
    /// The spread over eras.
    pub spread_mean: EraMean,
    /// Spearman's correlation of the mean excess with the quantile: 1 when each quantile earns more than
    /// the one below.
    #[serde(with = "fattail_core::null")]
    pub monotonicity: f64,
    /// The mean over eras of the same correlation in one era.
    #[serde(with = "fattail_core::null")]
    pub era_monotonicity: f64,
}

/// Mean values of one target in the quantiles of the predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetQuantiles {
    /// The target.
    pub target: String,
    /// The days that it covers.
    pub days: u32,
    /// Its quantiles, with the standard errors of its own overlap.
    pub spreads: Part<QuantileSpreads>,
}

/// One quantile over the eras.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// Its number, from 1 for the lowest predictions.
    pub quantile: usize,
    /// Its mean target.
    pub mean: EraMean,
    /// Its mean target less that of all rows of the era.
    pub excess: EraMean,
}

/// The mean target of each quantile of the predictions of one era, the lowest first; NaN where a quantile
/// is empty.
///
/// ```
/// let (prediction, target) = ([0.1, 0.9, 0.2, 0.8], [0.0, 1.0, 0.25, 0.5]);
/// let means = fattail_evaluate::quantile_means(&prediction, &target, 2)?;
/// assert_eq!(means, [0.125, 0.75]);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
///
/// # Errors
/// When there is no quantile, lengths differ, fewer than 80 of 100 rows are known, or fewer rows than
/// quantiles.
pub fn quantile_means(prediction: &[f64], target: &[f64], quantiles: usize) -> Result<Vec<f64>> {
    let places = places(prediction, Some(target), quantiles)?;
    let mut sums = vec![(0.0, 0_u32); quantiles];
    for (place, &target) in places.iter().zip(target) {
        if let Some(place) = place {
            sums[*place].0 += target;
            sums[*place].1 += 1;
        }
    }
    let mean = |(sum, count)| if count == 0 { f64::NAN } else { sum / f64::from(count) };
    Ok(sums.into_iter().map(mean).collect())
}

/// The quantile of each row; none where its prediction, or its target if there is one, is not known.
pub(super) fn places(
    prediction: &[f64],
    target: Option<&[f64]>,
    quantiles: usize,
) -> Result<Vec<Option<usize>>> {
    if quantiles == 0 {
        return Err(Error::Setting { name: "quantiles", given: 0, allowed: "at least 1" });
    }
    let mut known = prediction.to_vec();
    if let Some(target) = target {
        same_length("targets", target.len(), prediction.len())?;
        known.iter_mut().zip(target).filter(|(_, t)| t.is_nan()).for_each(|(p, _)| *p = f64::NAN);
    }
    let mut ranks = vec![0.0; known.len()];
    let n = Ranker::new().rank(&known, Ties::Average, &mut ranks)?;
    expect_share("predictions", n, known.len())?;
    if n < quantiles {
        return Err(Error::TooFewRows { given: n, least: quantiles });
    }
    // Twice an average rank is whole, so the quantile is exact.
    let place =
        |rank: &f64| (!rank.is_nan()).then(|| ((2.0 * rank) as usize - 1) * quantiles / (2 * n));
    Ok(ranks.iter().map(place).collect())
}

/// The quantiles of the panel's own target over the predicted eras.
pub(super) fn spreads(
    predicted: &Predicted<'_>,
    quantiles: usize,
    lag: usize,
) -> Part<QuantileSpreads> {
    match predicted.panel.schema().target() {
        Some(target) => spreads_of(predicted, target, quantiles, lag),
        None => Part::Missing { reason: "the panel has no target".into() },
    }
}

/// One entry a target that the settings name.
pub(super) fn by_target(
    predicted: &Predicted<'_>,
    settings: &TearSettings,
) -> Vec<TargetQuantiles> {
    let entry = |target: &TargetColumn| TargetQuantiles {
        target: target.name.clone(),
        days: target.days,
        spreads: spreads_of(predicted, &target.name, settings.quantiles, settings.lag_of(target)),
    };
    settings.targets.iter().map(entry).collect()
}

fn spreads_of(
    predicted: &Predicted<'_>,
    target: &str,
    quantiles: usize,
    lag: usize,
) -> Part<QuantileSpreads> {
    let eras = predicted.each(Some(target), |_, buffers| {
        let means = quantile_means(&buffers.prediction, &buffers.target, quantiles)?;
        Ok((means, known_mean(&buffers.prediction, &buffers.target)))
    });
    let gather = |eras: Vec<Option<(Vec<f64>, f64)>>| {
        if eras.iter().all(Option::is_none) {
            return Err(format!(
                "no era has {quantiles} rows of which prediction and target are known"
            ));
        }
        let none = || (vec![f64::NAN; quantiles], f64::NAN);
        let eras = eras.into_iter().map(|era| era.unwrap_or_else(none)).collect();
        Ok(gather(predicted.labels(), eras, lag))
    };
    eras.and_then(gather).into()
}

fn gather(labels: Vec<String>, eras: Vec<(Vec<f64>, f64)>, lag: usize) -> QuantileSpreads {
    let count = eras.first().map_or(0, |(means, _)| means.len());
    let numbers: Vec<f64> = (1..=count).map(|quantile| quantile as f64).collect();
    let monotonicity = |means: &[f64]| spearman(&numbers, means).unwrap_or(f64::NAN);
    let row = |q: usize| eras.iter().map(|(means, _)| means[q]).collect::<Vec<f64>>();
    let means: Vec<Vec<f64>> = (0..count).map(row).collect();
    let centre: Vec<f64> = eras.iter().map(|(_, centre)| *centre).collect();
    let quantile = |(q, means): (usize, &Vec<f64>)| {
        let excess: Vec<f64> =
            means.iter().zip(&centre).map(|(mean, centre)| mean - centre).collect();
        let (mean, excess) = (EraMean::of(means, lag), EraMean::of(&excess, lag));
        Quantile { quantile: q + 1, mean, excess }
    };
    let quantiles: Vec<Quantile> = means.iter().enumerate().map(quantile).collect();
    let excess: Vec<f64> = quantiles.iter().map(|quantile| quantile.excess.mean).collect();
    let spread: Vec<f64> = eras.iter().map(|(means, _)| means[count - 1] - means[0]).collect();
    let in_eras: Vec<f64> = eras.iter().map(|(means, _)| monotonicity(means)).collect();
    QuantileSpreads {
        cumulative_spread: cumulative(&spread),
        spread_mean: EraMean::of(&spread, lag),
        monotonicity: monotonicity(&excess),
        era_monotonicity: EraMean::of(&in_eras, lag).mean,
        quantiles,
        eras: labels,
        means,
        centre,
        spread,
    }
}

/// The mean of the targets whose prediction is known too.
fn known_mean(prediction: &[f64], target: &[f64]) -> f64 {
    let both = prediction.iter().zip(target).filter(|(p, t)| !p.is_nan() && !t.is_nan());
    let known: Vec<f64> = both.map(|(_, &target)| target).collect();
    mean(&known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_stand_together_and_leave_quantiles_empty() {
        let means = quantile_means(&[1.0, 1.0, 1.0, 2.0], &[0.0, 0.25, 0.5, 1.0], 4).unwrap();
        // The three ones share rank 2, which is in the second quarter.
        assert!(means[0].is_nan() && means[2].is_nan());
        assert_eq!((means[1], means[3]), (0.25, 1.0));
    }

    #[test]
    fn unknown_rows_go_and_too_many_of_them_are_refused() {
        let prediction = [5.0, f64::NAN, 1.0, 2.0, 3.0, 4.0];
        let target = [1.0, 9.0, 0.0, 0.0, 0.5, 0.5];
        let means = quantile_means(&prediction, &target, 5).unwrap();
        assert_eq!(means, [0.0, 0.0, 0.5, 0.5, 1.0]);
        let wide = quantile_means(&prediction, &target, 6).unwrap_err();
        assert_eq!(wide.to_string(), "a score needs at least 6 rows, there are 5");
        assert!(quantile_means(&[f64::NAN, f64::NAN, 1.0], &[1.0; 3], 1).is_err());
        assert!(quantile_means(&[1.0], &[], 1).is_err());
        let none = quantile_means(&prediction, &target, 0).unwrap_err().to_string();
        assert_eq!(none, "setting 'quantiles' is 0, allowed is at least 1");
    }
}
