//! What a line leaves of the target, era by era: losses, slopes and the scores of the coefficients.
//!
//! With psi the slope of the loss at the residual, the score of an era is
//! `(sum w psi, sum w psi (x - c))`: zero in sum where an unpenalised fit stands. Rows without a known
//! target or weight count nowhere. Cost: rows times width.

use fattail_core::{Panel, Result};
use fattail_descent::{Loss, Truth};
use rayon::prelude::*;

use crate::{gather::weighted_sum, problem::Line};

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
