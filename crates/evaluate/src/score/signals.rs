//! Scores of portfolio weights: alpha and the contribution to the meta portfolio.
//!
//! Weights `w = (s - N (Nᵀ (v ⊙ s))) ⊙ v` with `s = pow(g)` the Gaussianised tie-kept ranks to the
//! power 1.5, `N` the neutraliser's columns, `v` the sample weights. The columns must be orthonormal
//! under the weights, `Nᵀ diag(v) N = I`, or they are not taken out; this is not checked. Alpha
//! `w · (t - t̄) / n`. The contribution to the meta portfolio is the slope of the stake-weighted
//! portfolio's alpha in each stake: with `W` the centred weights, `p = W · stakes`,
//! `((W - p (Wᵀp) / (p·p))ᵀ t) / |p| / 50`.
//!
//! NaN in weights or neutralisers is refused. More than 20 of 100 unknown predictions or targets are
//! refused.
//!
//! Cost: one rank and `2 n k` multiplications a submission.
//!
//! Reference: numerai-tools 0.7.2, `generate_neutralized_weights`, `alpha`,
//! `meta_portfolio_contribution`.

use fattail_stats::{GaussTable, Ranker, Ties, mean, orthogonalise, power_signed};

use super::dot;
use super::neutral::expect_known;
use super::rows::expect_share;
use crate::error::{Error, Result, same_length};

/// The scale of the meta portfolio's contribution.
const CONTRIBUTION_SCALE: f64 = 50.0;

/// Portfolio weights of predictions, neutral to the columns of `neutralizers` under `sample_weights`.
///
/// # Errors
/// When lengths differ or a value is NaN.
pub fn neutralized_weights(
    prediction: &[f64],
    neutralizers: &[&[f64]],
    sample_weights: &[f64],
) -> Result<Vec<f64>> {
    expect_known("predictions", prediction)?;
    check("sample weights", sample_weights, prediction.len())?;
    let mut s = vec![0.0; prediction.len()];
    Ranker::new().gaussian(prediction, Ties::Average, &mut GaussTable::new(), &mut s)?;
    s.iter_mut().for_each(|score| *score = power_signed(*score));
    let weighted: Vec<f64> = s.iter().zip(sample_weights).map(|(s, v)| s * v).collect();
    for column in neutralizers {
        check("neutralizers", column, prediction.len())?;
        let exposure = dot(column, &weighted);
        s.iter_mut().zip(*column).for_each(|(slot, value)| *slot -= exposure * value);
    }
    s.iter_mut().zip(sample_weights).for_each(|(slot, weight)| *slot *= weight);
    Ok(s)
}

/// The return of the neutralised weights of predictions.
///
/// # Errors
/// When lengths differ, a weight or neutraliser is NaN, or too few rows are known.
pub fn alpha(
    prediction: &[f64],
    neutralizers: &[&[f64]],
    sample_weights: &[f64],
    target: &[f64],
) -> Result<f64> {
    same_length("targets", target.len(), prediction.len())?;
    let known: Vec<f64> = target.iter().copied().filter(|value| !value.is_nan()).collect();
    let centre = mean(&known);
    let rows = known_rows(&[prediction], target)?;
    let columns: Vec<Vec<f64>> = neutralizers.iter().map(|column| take(column, &rows)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let weights =
        neutralized_weights(&take(prediction, &rows), &columns, &take(sample_weights, &rows))?;
    let returns: Vec<f64> = rows.iter().map(|&row| target[row] - centre).collect();
    Ok(dot(&weights, &returns) / rows.len() as f64)
}

/// What each submission adds to the stake-weighted portfolio, in the order of `predictions`. A stake
/// that is NaN counts as none.
///
/// # Errors
/// When lengths differ, stakes do not sum to one after normalisation, a weight or neutraliser is NaN,
/// or too few rows are known.
pub fn meta_portfolio_contribution(
    predictions: &[&[f64]],
    stakes: &[f64],
    neutralizers: &[&[f64]],
    sample_weights: &[f64],
    target: &[f64],
) -> Result<Vec<f64>> {
    same_length("stakes", stakes.len(), predictions.len())?;
    let rows = known_rows(predictions, target)?;
    let columns: Vec<Vec<f64>> = neutralizers.iter().map(|column| take(column, &rows)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let (sample_weights, returns) = (take(sample_weights, &rows), centred(take(target, &rows)));
    let stakes = normalised(stakes)?;
    let mut portfolio = vec![0.0; rows.len()];
    let mut weights = Vec::with_capacity(predictions.len());
    for (prediction, stake) in predictions.iter().zip(stakes) {
        let own = neutralized_weights(&take(prediction, &rows), &columns, &sample_weights)?;
        let own = centred(own);
        portfolio.iter_mut().zip(&own).for_each(|(slot, weight)| *slot += stake * weight);
        weights.push(own);
    }
    let portfolio = centred(portfolio);
    let scale = dot(&portfolio, &portfolio).sqrt() * CONTRIBUTION_SCALE;
    let mut rest = vec![0.0; rows.len()];
    let slope = |own: Vec<f64>| {
        orthogonalise(&own, &portfolio, &mut rest)?;
        Ok(dot(&rest, &returns) / scale)
    };
    weights.into_iter().map(slope).collect()
}

/// Stakes over the sum of their sizes.
fn normalised(stakes: &[f64]) -> Result<Vec<f64>> {
    let known: Vec<f64> = stakes.iter().map(|s| if s.is_nan() { 0.0 } else { *s }).collect();
    let size: f64 = known.iter().map(|stake| stake.abs()).sum();
    let shares: Vec<f64> = known.iter().map(|stake| stake / size).collect();
    let sum: f64 = shares.iter().sum();
    // As numpy's `isclose`.
    if (sum - 1.0).abs() <= 1e-8 + 1e-5 { Ok(shares) } else { Err(Error::Stakes { sum }) }
}

fn known_rows(predictions: &[&[f64]], target: &[f64]) -> Result<Vec<usize>> {
    for prediction in predictions {
        same_length("predictions", prediction.len(), target.len())?;
    }
    let known = |row: &usize| {
        !target[*row].is_nan() && predictions.iter().all(|prediction| !prediction[*row].is_nan())
    };
    let rows: Vec<usize> = (0..target.len()).filter(known).collect();
    expect_share("predictions", rows.len(), target.len())?;
    Ok(rows)
}

/// The rows of a column; a column that is too short keeps the rows it has and is refused later.
fn take(column: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().filter_map(|&row| column.get(row).copied()).collect()
}

fn centred(mut values: Vec<f64>) -> Vec<f64> {
    let centre = mean(&values);
    values.iter_mut().for_each(|value| *value -= centre);
    values
}

fn check(name: &'static str, values: &[f64], rows: usize) -> Result<()> {
    same_length(name, values.len(), rows)?;
    expect_known(name, values)
}
