//! How much predictions change from each era of a panel to the next.
//!
//! [`churn`], [`turnover`] and, where the panel has features, [`neutral_churn`] of two neighbouring eras
//! over the ids that both have. The first era has no era before it and no score.
//!
//! A pair that cannot be compared (too few shared ids, a constant, a NaN under features) is NaN with the
//! reason. Ids that never last, as in Numerai's classic data, give no scores at all.
//!
//! Cost: a sort of the ids and two ranks a pair, and a factorisation of the features for each side of it.

use std::collections::HashSet;

use fattail_core::{Panel, Values};
use rayon::prelude::*;

use crate::error::{Result, same_length};
use crate::{EraScore, Keyed, Scores, churn, neutral_churn, turnover};

/// Churn, turnover and neutral churn of `predictions`, one a row of `panel`, from each era to the next;
/// nothing when the panel has no ids or no id lasts from an era to the next.
///
/// ```
/// use fattail_core::{Ids, Panel};
/// use fattail_evaluate::era_churns;
/// let ids: Ids = ["a", "b", "c", "a", "b", "c"].into_iter().collect();
/// let panel = Panel::builder().eras(&["1", "1", "1", "2", "2", "2"])?.ids(ids).build()?;
/// let scores = era_churns(&panel, &[0.1, 0.2, 0.3, 0.3, 0.2, 0.1])?;
/// assert_eq!((&scores[0].metric[..], &scores[0].eras[0].era[..]), ("churn", "2"));
/// assert_eq!(scores[0].eras[0].value, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there is not one prediction a row, or an era has an id twice.
pub fn era_churns(panel: &Panel, predictions: &[f32]) -> Result<Vec<Scores>> {
    same_length("predictions", predictions.len(), panel.rows())?;
    if !panel.has_ids() || !ids_last(panel) {
        return Ok(Vec::new());
    }
    let names = ["churn", "turnover", "neutral_churn"];
    let names = if panel.width() > 0 { &names[..] } else { &names[..2] };
    let pairs: Vec<Vec<EraScore>> = (1..panel.eras().len())
        .into_par_iter()
        .map(|era| pair(panel, predictions, era))
        .collect::<Result<_>>()?;
    let scores = |(at, name): (usize, &&str)| {
        let eras = pairs.iter().map(|pair| pair[at].clone()).collect();
        Scores { metric: (*name).to_owned(), eras }
    };
    Ok(names.iter().enumerate().map(scores).collect())
}

/// Every score of `era` against the era before it.
fn pair(panel: &Panel, predictions: &[f32], era: usize) -> Result<Vec<EraScore>> {
    let round = |era| Round::new(panel, predictions, era);
    let (before, now) = (round(era - 1), round(era));
    let (first, second) = (now.keyed(), before.keyed());
    let mut values = vec![churn(first, second), turnover(first, second)];
    if panel.width() > 0 {
        values.push(neutral_churn((first, &now.features), (second, &before.features)));
    }
    let score = |value: Result<f64>| {
        let era = panel.eras().label(era).to_owned();
        match value {
            Ok(value) => Ok(EraScore { era, value, reason: None }),
            Err(error) if error.is_of_era() => {
                Ok(EraScore { era, value: f64::NAN, reason: Some(error.to_string()) })
            }
            Err(error) => Err(error),
        }
    };
    values.into_iter().map(score).collect()
}

/// One era's ids and predictions.
struct Round<'a> {
    ids: Vec<&'a str>,
    values: Vec<f64>,
    features: Vec<Values<'a>>,
}

impl<'a> Round<'a> {
    fn new(panel: &'a Panel, predictions: &[f32], era: usize) -> Self {
        let rows = panel.eras().range(era);
        let era = panel.era(era);
        Self {
            ids: era.ids().into_iter().flatten().collect(),
            values: predictions[rows].iter().map(|&value| f64::from(value)).collect(),
            features: era.features().collect(),
        }
    }

    fn keyed(&self) -> Keyed<'_> {
        Keyed { ids: &self.ids, values: &self.values }
    }
}

/// Whether an era knows an id of the era before it.
fn ids_last(panel: &Panel) -> bool {
    let ids = |era| panel.era(era).ids().into_iter().flatten();
    let last = |era| {
        let before: HashSet<&str> = ids(era - 1).collect();
        ids(era).any(|id| before.contains(id))
    };
    (1..panel.eras().len()).into_par_iter().any(last)
}

#[cfg(test)]
mod tests {
    use fattail_core::Ids;

    use super::*;

    const ERAS: [&str; 9] = ["1", "1", "1", "2", "2", "2", "3", "3", "3"];

    fn panel(ids: [&str; 9], features: bool) -> Panel {
        let mut builder =
            Panel::builder().eras(&ERAS).unwrap().ids(ids.into_iter().collect::<Ids>());
        if features {
            builder = builder.feature("x", vec![0_u8, 1, 0, 0, 1, 0, 0, 1, 0]);
        }
        builder.build().unwrap()
    }

    #[test]
    fn by_hand() {
        let panel = panel(["a", "b", "c", "c", "b", "a", "a", "b", "c"], true);
        let predictions = [0.25, 0.5, 0.75, 0.25, 0.5, 0.75, 0.5, 0.5, 0.5];
        let found = era_churns(&panel, &predictions).unwrap();
        let names: Vec<&str> = found.iter().map(|scores| &scores.metric[..]).collect();
        assert_eq!(names, ["churn", "turnover", "neutral_churn"]);
        let labels: Vec<&str> = found[0].eras.iter().map(|score| &score.era[..]).collect();
        assert_eq!(labels, ["2", "3"]);
        // The order turns over: a and c swap 0.25 and 0.75.
        assert_eq!((found[0].eras[0].value, found[1].eras[0].value), (2.0, 0.5));
        // A constant has a turnover and no churn.
        let last = &found[0].eras[1];
        assert!(last.value.is_nan() && last.reason.as_deref() == Some("'first' is constant"));
        assert_eq!((found[1].eras[1].value, &found[1].eras[1].reason), (0.25, &None));
    }

    #[test]
    fn ids_that_do_not_last_and_panels_without_features() {
        let fresh = panel(["a", "b", "c", "d", "e", "f", "g", "h", "i"], true);
        assert_eq!(era_churns(&fresh, &[0.5; 9]), Ok(Vec::new()));
        // Ids that last later only are found, and too few of them are told.
        let late = panel(["a", "b", "c", "d", "e", "f", "d", "e", "f"], false);
        let predictions = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3];
        let found = era_churns(&late, &predictions).unwrap();
        assert_eq!((found.len(), found[0].eras[1].value), (2, 0.0));
        let reason = found[0].eras[0].reason.as_deref().unwrap_or_default();
        assert!(reason.contains("share 0 of 3 rows"), "{reason}");
        assert!(era_churns(&late, &[0.5; 8]).is_err());
    }
}
