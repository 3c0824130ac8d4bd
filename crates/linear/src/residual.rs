//! What a line leaves of the target, era by era: losses, slopes and the scores of the coefficients.
//!
//! With psi the slope of the loss at the residual, the score of an era is
//! `(sum w psi, sum w psi (x - c))`: zero in sum where an unpenalised fit stands. Rows without a known
//! target or weight count nowhere. Cost: rows times width.

use fattail_core::{Panel, Result};
use fattail_descent::{Loss, Squared, Truth};
use rayon::prelude::*;

use crate::{
    gather::{dot, weighted_sum},
    moments::Moments,
    problem::Line,
    train::Train,
};

/// The scores of an era whose rows count: downhill, that is minus the gradient.
#[derive(Debug, Clone)]
pub(crate) struct EraScore {
    /// The sum of weights times losses.
    pub(crate) loss: f64,
    /// The pull on the level, then on each slope.
    pub(crate) pull: Vec<f64>,
}

/// The scores of each era, about `centre`.
pub(crate) fn scores(
    panel: &Panel,
    line: &Line,
    centre: &[f64],
    loss: &dyn Loss,
) -> Result<Vec<EraScore>> {
    let eras: Vec<Option<EraScore>> = (0..panel.eras().len())
        .into_par_iter()
        .map(|era| score(panel, era, line, centre, loss))
        .collect::<Result<_>>()?;
    Ok(eras.into_iter().flatten().collect())
}

/// The scores of a squared loss, from the moments of the eras where they are at hand: the residual's are
/// `W r` and `S_xy - S_xx b + W (mean_x - c) r` with `r = mean_y - a - b' mean_x`, at the square of the width
/// an era instead of rows times width.
pub(crate) fn squared_scores(
    train: &Train<'_>,
    line: &Line,
    centre: &[f64],
) -> Result<Vec<EraScore>> {
    let Some(eras) = train.eras else { return scores(train.panel, line, centre, &Squared) };
    let eras: Vec<Option<EraScore>> =
        eras.par_iter().map(|era| era.map(|era| squared_score(era, line, centre))).collect();
    Ok(eras.into_iter().flatten().collect())
}

fn squared_score(era: &Moments, line: &Line, centre: &[f64]) -> EraScore {
    let (width, slopes) = (era.width(), &line.slopes);
    let lift: f64 = slopes.iter().zip(&era.mean).map(|(slope, mean)| slope * mean).sum();
    let level = era.weight * (era.mean[width] - line.intercept - lift);
    let mut pull = vec![level; width + 1];
    for (j, pull) in pull[1..].iter_mut().enumerate() {
        *pull = era.at(width, j) + (era.mean[j] - centre[j]) * level;
    }
    let mut square = 0.0;
    for j in 0..width {
        let below = &era.scatter[j * (width + 1) + j..][..width - j];
        let moved = dot(below, &slopes[j..]);
        for (pull, scatter) in pull[j + 2..].iter_mut().zip(&below[1..]) {
            *pull -= scatter * slopes[j];
        }
        pull[j + 1] -= moved;
        square += slopes[j] * (2.0 * moved - below[0] * slopes[j]);
    }
    let cross: f64 = slopes.iter().enumerate().map(|(j, slope)| slope * era.at(width, j)).sum();
    let squares = era.at(width, width) - 2.0 * cross + square + level * level / era.weight;
    EraScore { loss: 0.5 * squares, pull }
}

fn score(
    panel: &Panel,
    index: usize,
    line: &Line,
    centre: &[f64],
    loss: &dyn Loss,
) -> Result<Option<EraScore>> {
    let era = panel.era(index);
    let prediction = line.at(panel, index);
    let truth = Truth::new(era.target()?);
    let truth = match era.weights() {
        Some(weights) => truth.with_weights(weights)?,
        None => truth,
    };
    let weight = truth.total_weight();
    if weight <= 0.0 {
        return Ok(None);
    }
    let (mut gradient, mut curvature) = (vec![0.0; era.rows()], vec![0.0; era.rows()]);
    loss.slopes(&truth, &prediction, &mut gradient, &mut curvature);
    let level: f64 = gradient.iter().sum();
    let pulls = era.features().zip(centre);
    let pulls = pulls.map(|(column, centre)| centre * level - weighted_sum(&column, &gradient));
    let pull = std::iter::once(-level).chain(pulls).collect();
    Ok(Some(EraScore { loss: weight * loss.value(&truth, &prediction), pull }))
}

/// Target minus prediction of each row, NaN where it is unknown.
pub(crate) fn residuals(panel: &Panel, line: &Line) -> Result<Vec<f64>> {
    let eras: Vec<Vec<f64>> = (0..panel.eras().len())
        .into_par_iter()
        .map(|index| {
            let target = panel.era(index).target()?;
            let values = target.iter().zip(line.at(panel, index));
            Ok(values.map(|(&target, value)| f64::from(target) - value).collect())
        })
        .collect::<Result<_>>()?;
    Ok(eras.concat())
}
