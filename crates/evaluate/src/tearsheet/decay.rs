//! How long predictions stay right: their rank correlation with targets of later eras.
//!
//! `IC_k` is the mean over eras `e` of Spearman's correlation of the predictions of era `e` with the targets
//! of era `e + k` of the panel, over the ids of both whose prediction and target are known. Lag 0 takes the
//! rows as they stand and needs no ids: it is the mean of [`SpearmanCorr`](crate::SpearmanCorr).
//!
//! An era that shares too few rows, or is constant on one side, has no figure. A lag without figures is NaN
//! with the reason.
//!
//! Cost: two ranks an era and lag, and a pass over the rows to link them.
//!
//! Reference: Grinold and Kahn (1999), Active Portfolio Management, chapter 12; Qian, Hua and Sorensen (2007),
//! Quantitative Equity Portfolio Management, section 8.2 (horizon information coefficient).

use fattail_stats::Ties;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    information::correlations,
    links::{Links, Table},
    predicted::{Predicted, widen},
    settings::TearSettings,
};
use crate::{EraMean, EraScorer};

/// A rank correlation so many eras later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lagged {
    /// The eras between.
    pub lag: usize,
    /// The correlation over eras.
    pub correlation: EraMean,
    /// The mean share of an era's rows that are found again.
    #[serde(with = "fattail_core::null")]
    pub shared: f64,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Lagged {
    pub(super) fn none(lag: usize, reason: impl Into<String>) -> Self {
        let (correlation, reason) = (EraMean::of(&[], 0), Some(reason.into()));
        Self { lag, correlation, shared: f64::NAN, reason }
    }
}

/// Lag 0 and, where ids last, those after it.
pub(super) fn by_lag(
    predicted: &Predicted<'_>,
    links: Result<&Links, &str>,
    settings: &TearSettings,
    overlap: usize,
) -> Vec<Lagged> {
    let Some(target) = predicted.panel.schema().target() else {
        return vec![Lagged::none(0, "the panel has no target")];
    };
    let now = match correlations(predicted, target) {
        Ok(values) => {
            Lagged { lag: 0, correlation: EraMean::of(&values, overlap), shared: 1.0, reason: None }
        }
        Err(reason) => Lagged::none(0, reason),
    };
    let targets = |era: usize, out: &mut Vec<f64>| match predicted.panel.target() {
        Ok(column) if era < predicted.panel.eras().len() => {
            widen(column.era(era).iter(), out);
            true
        }
        _ => false,
    };
    let later = |lag| match links {
        Ok(links) => Follow { predicted, links, settings, overlap }.at(lag, targets),
        Err(reason) => Lagged::none(lag, reason),
    };
    std::iter::once(now).chain((1..=settings.lags).map(later)).collect()
}

/// Predictions followed by id.
pub(super) struct Follow<'a> {
    pub(super) predicted: &'a Predicted<'a>,
    pub(super) links: &'a Links,
    pub(super) settings: &'a TearSettings,
    pub(super) overlap: usize,
}

/// Buffers of a thread.
struct Hands {
    scorer: EraScorer,
    table: Table,
    pairs: Vec<(usize, usize)>,
    later: Vec<f64>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Follow<'_> {
    /// The correlation with what `later` writes of the era that comes `lag` eras later; it answers whether
    /// there is such an era.
    pub(super) fn at(
        &self,
        lag: usize,
        later: impl Fn(usize, &mut Vec<f64>) -> bool + Sync,
    ) -> Lagged {
        let hands = || Hands {
            scorer: EraScorer::new(),
            table: self.links.table(),
            pairs: Vec::new(),
            later: Vec::new(),
            x: Vec::new(),
            y: Vec::new(),
        };
        let of_era = |hands: &mut Hands, place: usize| {
            let to = self.predicted.eras[place] + lag;
            later(to, &mut hands.later).then(|| self.pair(hands, place, to))
        };
        let places = 0..self.predicted.eras.len();
        let eras: Vec<Option<(f64, f64)>> =
            places.into_par_iter().map_init(hands, of_era).collect();
        let eras: Vec<(f64, f64)> = eras.into_iter().flatten().collect();
        if eras.is_empty() {
            return Lagged::none(lag, format!("no era lies {lag} after a predicted one"));
        }
        let (shares, values): (Vec<f64>, Vec<f64>) = eras.into_iter().unzip();
        let least = self.settings.least_shared;
        let reason = values.iter().all(|value| value.is_nan()).then(|| {
            format!(
                "no era shares {least} of 100 rows with the one {lag} later and has a correlation"
            )
        });
        let correlation = EraMean::of(&values, self.overlap);
        Lagged { lag, correlation, shared: EraMean::of(&shares, 0).mean, reason }
    }

    /// The share of the known predictions that are found again, and their correlation.
    fn pair(&self, hands: &mut Hands, place: usize, to: usize) -> (f64, f64) {
        let Hands { scorer, table, pairs, later, x, y } = hands;
        let (panel, values) = (self.predicted.panel, self.predicted.values(place));
        self.links.shared(panel, [self.predicted.eras[place], to], table, pairs);
        x.clear();
        y.clear();
        for &(from, to) in &*pairs {
            if !values[from].is_nan() && !later[to].is_nan() {
                x.push(f64::from(values[from]));
                y.push(later[to]);
            }
        }
        let known = values.iter().filter(|value| !value.is_nan()).count();
        let share = x.len() as f64 / known as f64;
        if 100 * x.len() < usize::from(self.settings.least_shared) * known {
            return (share, f64::NAN);
        }
        (share, scorer.rank_corr(x, y, Ties::Average, true).unwrap_or(f64::NAN))
    }
}
