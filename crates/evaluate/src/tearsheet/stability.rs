//! How much predictions change: churn, rank autocorrelation, turnover of quantiles.
//!
//! Churn and turnover of neighbouring eras as [`era_churns`]. Rank autocorrelation at lag `k`: the mean over
//! eras `e` of Spearman's correlation of the predictions of `e` with those of `e + k`, over the ids of both.
//! Turnover of quantile `q`: the mean over eras of the share of its ids that are not in quantile `q` an era
//! before, ids that were not predicted then included.
//!
//! Eras are neighbours when they are in the panel: where an era between two was not predicted, the second has
//! no figure. Ids that do not last give no part, with the reason.
//!
//! Cost: two ranks an era and lag, and a pass over the rows to link them.
//!
//! Reference: Quantopian (2016), alphalens, `factor_rank_autocorrelation`, `quantile_turnover`.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    decay::{Follow, Lagged},
    links::Links,
    part::Part,
    predicted::{Predicted, widen},
    quantiles::places,
    settings::TearSettings,
};
use crate::{EraMean, Scores, era_churns};

/// How much of a quantile is new in each era.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantileTurnover {
    /// Its number, from 1 for the lowest predictions.
    pub quantile: usize,
    /// The share of its rows that were not in it an era before.
    pub turnover: EraMean,
}

/// Churn and turnover from era to era.
pub(super) fn churn(predicted: &Predicted<'_>) -> Part<Vec<Scores>> {
    found_churn(predicted).into()
}

fn found_churn(predicted: &Predicted<'_>) -> Result<Vec<Scores>, String> {
    if predicted.eras.len() < 2 {
        return Err("fewer than two eras were predicted".into());
    }
    if !predicted.panel.has_ids() {
        return Err("the panel has no ids".into());
    }
    // Without features: neutral churn would factorise all of them twice an era.
    let bare = predicted.panel.select::<&str>(&[]).and_then(|panel| panel.cut(predicted.eras));
    let bare = bare.map_err(|error| error.to_string())?;
    let mut scores = era_churns(&bare, predicted.all()).map_err(|error| error.to_string())?;
    if scores.is_empty() {
        return Err("no id lasts from one era to the next".into());
    }
    for score in scores.iter_mut().flat_map(|scores| scores.eras.iter_mut().enumerate()) {
        let (at, score) = score;
        if predicted.eras[at] + 1 != predicted.eras[at + 1] {
            score.value = f64::NAN;
            score.reason = Some("the era before it was not predicted".into());
        }
    }
    Ok(scores)
}

/// Rank autocorrelation at lags from 1.
pub(super) fn by_lag(
    predicted: &Predicted<'_>,
    links: Result<&Links, &str>,
    settings: &TearSettings,
    overlap: usize,
) -> Result<Vec<Lagged>, String> {
    let links = links.map_err(str::to_owned)?;
    let predictions = |era: usize, out: &mut Vec<f64>| match predicted.eras.binary_search(&era) {
        Ok(place) => {
            widen(predicted.values(place).iter().copied(), out);
            true
        }
        Err(_) => false,
    };
    let follow = Follow { predicted, links, settings, overlap };
    Ok((1..=settings.lags).map(|lag| follow.at(lag, predictions)).collect())
}

/// What is new in each quantile.
pub(super) fn of_quantiles(
    predicted: &Predicted<'_>,
    links: Result<&Links, &str>,
    settings: &TearSettings,
    overlap: usize,
) -> Result<Vec<QuantileTurnover>, String> {
    let links = links.map_err(str::to_owned)?;
    let count = settings.quantiles;
    let in_eras = predicted.each(None, |_, b| places(&b.prediction, None, count))?;
    let pairs: Vec<Vec<f64>> = (1..predicted.eras.len())
        .into_par_iter()
        .map_init(
            || (links.table(), Vec::new()),
            |(table, shared), place| {
                let [from, to] = [predicted.eras[place - 1], predicted.eras[place]];
                match (&in_eras[place - 1], &in_eras[place]) {
                    (Some(before), Some(now)) if from + 1 == to => {
                        links.shared(predicted.panel, [from, to], table, shared);
                        fresh(before, now, shared, count)
                    }
                    _ => vec![f64::NAN; count],
                }
            },
        )
        .collect();
    let turnover = |q: usize| {
        let values: Vec<f64> = pairs.iter().map(|pair| pair[q]).collect();
        QuantileTurnover { quantile: q + 1, turnover: EraMean::of(&values, overlap) }
    };
    Ok((0..count).map(turnover).collect())
}

/// The share of each quantile's rows that were not in it before; NaN of an empty one.
fn fresh(
    before: &[Option<usize>],
    now: &[Option<usize>],
    shared: &[(usize, usize)],
    count: usize,
) -> Vec<f64> {
    let (mut rows, mut stayed) = (vec![0_u32; count], vec![0_u32; count]);
    now.iter().flatten().for_each(|&q| rows[q] += 1);
    for &(from, to) in shared {
        if let Some(q) = now[to].filter(|_| before[from] == now[to]) {
            stayed[q] += 1;
        }
    }
    let share = |(&stayed, &rows): (&u32, &u32)| 1.0 - f64::from(stayed) / f64::from(rows);
    stayed.iter().zip(&rows).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_by_hand() {
        let (before, now) =
            ([Some(0), Some(0), Some(1), Some(1)], [Some(0), Some(1), Some(1), None]);
        // Rows a, b, c, d before; a, d, b, c now.
        let shared = [(0, 0), (3, 1), (1, 2), (2, 3)];
        assert_eq!(fresh(&before, &now, &shared, 3)[..2], [0.0, 0.5]);
        assert!(fresh(&before, &now, &shared, 3)[2].is_nan());
    }
}
