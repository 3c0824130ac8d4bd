//! How much a submission changes from one round to the next.
//!
//! Churn `1 - spearman` over the shared ids, or one less the mean share of the top and bottom `k` that
//! stays; turnover `Σ |w_1 - w_2| / 2` of portfolio weights; neutral churn is the churn of what is left
//! of the Gaussianised ranks after each round's features are taken out.
//!
//! Constant series have no churn and are refused. A first submission churns by 1.
//!
//! Cost: a sort of the ids and two ranks.
//!
//! Reference: numerai-tools 0.7.2, `churn`, `turnover`, `neutral_churn`, `neutral_churn_penalty`,
//! `calculate_max_churn_and_turnover`.

use std::collections::HashSet;

use fattail_core::Values;
use fattail_stats::{GaussTable, Ranker, Ties, spearman};

use crate::error::{Error, Result, same_length};
use crate::score::{expect_known, is_constant, projector};
use crate::{Keyed, align};

/// `1 - spearman` over the ids that both rounds know.
///
/// ```
/// use fattail_evaluate::{Keyed, churn};
/// let ids = ["a", "b", "c"];
/// let (up, down) = ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]);
/// let round = |values| Keyed { ids: &ids, values };
/// assert_eq!(churn(round(&up), round(&down))?, 2.0);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
///
/// # Errors
/// When the rounds do not match ([`align`]) or one is constant.
pub fn churn(first: Keyed<'_>, second: Keyed<'_>) -> Result<f64> {
    let both = align(first, second)?;
    for (name, values) in [("first", &both.first), ("second", &both.second)] {
        if is_constant(values) {
            return Err(Error::Constant { name });
        }
    }
    Ok(1.0 - spearman(&both.first, &both.second)?)
}

/// One less the mean share of the `count` highest and of the `count` lowest that stays. Of equal values
/// the earlier row is the lower.
///
/// # Errors
/// When a value is NaN, an id is missing, or there are fewer than `count` rows.
pub fn top_bottom_churn(first: Keyed<'_>, second: Keyed<'_>, count: usize) -> Result<f64> {
    let ends = [ends("first", first, count)?, ends("second", second, count)?];
    let [(low, high), (other_low, other_high)] = ends;
    let stays = |a: &HashSet<&str>, b: &HashSet<&str>| a.intersection(b).count() as f64;
    Ok(1.0 - (stays(&low, &other_low) + stays(&high, &other_high)) / (2.0 * count as f64))
}

/// `Σ |w_1 - w_2| / 2` of portfolio weights over the ids that both rounds know.
///
/// # Errors
/// When the rounds do not match ([`align`]).
pub fn turnover(first: Keyed<'_>, second: Keyed<'_>) -> Result<f64> {
    let both = align(first, second)?;
    let changes = both.first.iter().zip(&both.second).map(|(a, b)| (a - b).abs());
    Ok(changes.sum::<f64>() / 2.0)
}

/// [`churn`] of Gaussianised ranks after each round's features, one row an id, are taken out.
///
/// # Errors
/// When a value or feature is NaN, or the residuals do not match ([`churn`]).
pub fn neutral_churn(
    first: (Keyed<'_>, &[Values<'_>]),
    second: (Keyed<'_>, &[Values<'_>]),
) -> Result<f64> {
    let (left, right) = (neutral(first.0, first.1)?, neutral(second.0, second.1)?);
    churn(Keyed { values: &left, ..first.0 }, Keyed { values: &right, ..second.0 })
}

/// The share of a positive payout that is kept at a neutral churn:
/// `min(1, 2 / (1 + exp(10 (churn - 0.1))))`.
#[must_use]
pub fn neutral_churn_penalty(neutral_churn: f64) -> f64 {
    let decay = (-10.0 * (neutral_churn - 0.1)).exp();
    if neutral_churn <= 0.1 { 1.0 } else { 2.0 * decay / (1.0 + decay) }
}

/// The largest [`churn`] against earlier rounds; 1 when none of them can be compared.
///
/// # Errors
/// When a round is constant or has an id twice.
pub fn max_churn(current: Keyed<'_>, earlier: &[Keyed<'_>]) -> Result<f64> {
    largest(earlier, |round| churn(current, round))
}

/// The largest [`turnover`] against earlier rounds; 1 when none of them can be compared.
///
/// # Errors
/// When a round has an id twice.
pub fn max_turnover(current: Keyed<'_>, earlier: &[Keyed<'_>]) -> Result<f64> {
    largest(earlier, |round| turnover(current, round))
}

/// Rounds that share too few ids are skipped.
fn largest<'a>(earlier: &[Keyed<'a>], change: impl Fn(Keyed<'a>) -> Result<f64>) -> Result<f64> {
    let mut most: Option<f64> = None;
    for &round in earlier {
        match change(round) {
            Ok(value) => most = Some(most.map_or(value.abs(), |known| known.max(value.abs()))),
            Err(Error::Overlap { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(most.unwrap_or(1.0))
}

fn neutral(round: Keyed<'_>, features: &[Values<'_>]) -> Result<Vec<f64>> {
    expect_known("values", round.values)?;
    let (mut scores, mut out) = (vec![0.0; round.values.len()], vec![0.0; round.values.len()]);
    Ranker::new().gaussian(round.values, Ties::Average, &mut GaussTable::new(), &mut scores)?;
    projector(features, None, scores.len())?.residual(&scores, 1.0, &mut out)?;
    Ok(out)
}

type Ends<'a> = (HashSet<&'a str>, HashSet<&'a str>);

fn ends<'a>(name: &'static str, round: Keyed<'a>, count: usize) -> Result<Ends<'a>> {
    let rows = round.values.len();
    same_length(name, rows, round.ids.len())?;
    expect_known(name, round.values)?;
    if count == 0 || count > rows {
        return Err(Error::TopBottom { given: count, rows });
    }
    let mut ranker = Ranker::new();
    let order: Vec<usize> = ranker.order(round.values)?.collect();
    let ids = |rows: &[usize]| rows.iter().map(|&row| round.ids[row]).collect();
    Ok((ids(&order[..count]), ids(&order[rows - count..])))
}
