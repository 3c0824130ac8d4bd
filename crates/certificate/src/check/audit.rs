//! What the data itself gives away: an order that tells the target, features that know it.
//!
//! **Order.** `ρ_e` is the rank correlation of place and target in an era, of rows whose target is known. Were the
//! order of rows chosen without the target, `ρ_e` had mean 0 and variance `v_e = 1 / (n_e - 1)`. Eras are not
//! independent: where rows stand in one order in all eras, by their id, labels that share days give correlations
//! that are as alike as the labels, `1 - k / L` at a distance of `k` eras with labels over `L`. The variance of the
//! sum is then `L Σ v_e`. An order that goes with something lasting, such as an industry, is worse still, which Newey
//! and West's variance with `L - 1` lags shows. `z` takes the larger of the two errors.
//!
//! An order may tell something honestly, and a procedure that does not look at it cannot use it. So where
//! [`Check::Order`] has passed, only an order that is nearly that of the target fails, as a fault of the data that
//! whatever is done next may look at: the figure is `|mean ρ_e / ρ*_e|`, with `ρ*_e = √(1 - Σ (t³ - t) / (n³ - n))`
//! the largest that ties `t` of the target leave, and its limit that of features. Where it has not, the figure is
//! `|z|`.
//!
//! **Oracle.** The largest `|mean over eras of the rank correlation|` of a feature with the target. Leaks that are
//! weaker than the limit, and such as take several features, are not seen.
//!
//! Cost: one pass over features and rows.

use std::collections::HashMap;

use fattail_core::{ColumnView, Panel};
use fattail_stats::{long_run_variance, spearman};

use super::{Bench, Check, Finding, Skip};
use crate::{Result, disturb};

/// The rank correlation of place and target in an era.
struct Placed {
    rho: f64,
    /// The largest that ties leave.
    most: f64,
    rows: usize,
}

impl Bench<'_> {
    /// `unused`: whether predictions are known not to depend on the order.
    pub(super) fn row_order(&self, unused: bool) -> Result<Finding> {
        let (check, settings) = (Check::RowOrder, self.settings);
        let own = placed(self.panel)?;
        if own.is_empty() {
            return Ok(Finding::skipped(check, Skip::SmallEras));
        }
        let sorted = placed(&disturb::sorted(self.panel)?)?;
        let labels = settings.claim.horizon.label_eras()?;
        let z = z(&own, labels)?;
        let (figure, planted, limit, note) = if unused {
            let note = format!("no prediction depends on it; z is {z:+.2}");
            (share(&own).abs(), share(&sorted).abs(), settings.oracle, note)
        } else {
            let note = format!("z of the mean rank correlation of place and target is {z:+.2}");
            (z.abs(), self::z(&sorted, labels)?.abs(), settings.order, note)
        };
        Ok(Finding::of(check, figure, limit, Some(planted > limit), note))
    }

    pub(super) fn oracle(&self) -> Result<Finding> {
        let (panel, limit) = (self.panel, self.settings.oracle);
        let Some(planted) = level(panel, panel.target()?)? else {
            return Ok(Finding::skipped(Check::Oracle, Skip::SmallEras));
        };
        let (mut worst, mut name) = (0.0_f64, "none");
        for (at, feature) in panel.schema().features().iter().enumerate() {
            let level = level(panel, panel.feature(at))?.unwrap_or_default();
            if level > worst {
                (worst, name) = (level, feature);
            }
        }
        let note = format!("the closest feature is '{name}'");
        Ok(Finding::of(Check::Oracle, worst, limit, Some(planted > limit), note))
    }
}

/// The eras in which place and target have a correlation.
fn placed(panel: &Panel) -> Result<Vec<Placed>> {
    let mut all = Vec::new();
    for era in panel.iter() {
        let known = era.target()?.iter().enumerate().filter(|(_, value)| !value.is_nan());
        let (place, target): (Vec<f64>, Vec<f64>) =
            known.map(|(at, &value)| (at as f64, f64::from(value))).unzip();
        let rho = spearman(&place, &target).map_err(fattail_core::Error::other)?;
        if rho.is_finite() {
            all.push(Placed { rho, most: most(&target), rows: target.len() });
        }
    }
    Ok(all)
}

/// The rank correlation of a target with ties and its own order.
fn most(target: &[f64]) -> f64 {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    target.iter().for_each(|value| *counts.entry((value + 0.0).to_bits()).or_default() += 1);
    let cube = |n: usize| (n as f64).powi(3) - n as f64;
    let mut ties: Vec<usize> = counts.into_values().collect();
    // A sum whose order is that of a hash table differs from run to run.
    ties.sort_unstable();
    (1.0 - ties.into_iter().map(cube).sum::<f64>() / cube(target.len())).sqrt()
}

/// The mean correlation as a share of the largest.
fn share(placed: &[Placed]) -> f64 {
    placed.iter().map(|era| era.rho / era.most).sum::<f64>() / placed.len() as f64
}

/// `z` of the mean correlation, where labels reach over `labels` eras.
fn z(placed: &[Placed], labels: usize) -> Result<f64> {
    let eras = placed.len() as f64;
    let rho: Vec<f64> = placed.iter().map(|era| era.rho).collect();
    let chance = placed.iter().map(|era| 1.0 / (era.rows - 1) as f64).sum::<f64>() / eras;
    let lags = (labels - 1).min(rho.len() - 1);
    let seen = long_run_variance(&rho, lags).map_err(fattail_core::Error::other)?;
    let variance = seen.max(labels as f64 * chance) / eras;
    Ok(rho.iter().sum::<f64>() / eras / variance.sqrt())
}

/// `|mean over eras of the rank correlation|` of a column with the target; `None` where no era has one.
fn level(panel: &Panel, column: ColumnView<'_>) -> Result<Option<f64>> {
    let (mut sum, mut eras) = (0.0, 0_u32);
    for (era, values) in panel.iter().zip(column.eras()) {
        let known = values.iter().zip(era.target()?).filter(|(x, y)| !x.is_nan() && !y.is_nan());
        let (x, y): (Vec<f64>, Vec<f64>) =
            known.map(|(x, &y)| (f64::from(x), f64::from(y))).unzip();
        let rho = spearman(&x, &y).map_err(fattail_core::Error::other)?;
        if rho.is_finite() {
            sum += rho;
            eras += 1;
        }
    }
    Ok((eras > 0).then(|| f64::abs(sum) / f64::from(eras)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn era(rho: f64) -> Placed {
        Placed { rho, most: 1.0, rows: 101 }
    }

    #[test]
    fn the_error_of_an_order_that_lasts() {
        // 100 eras of 101 rows: chance alone gives a mean an error of 0.01, labels over 4 eras one of 0.02.
        let quiet: Vec<Placed> =
            (0..100).map(|at| era(if at % 2 == 0 { 0.06 } else { 0.04 })).collect();
        assert!((z(&quiet, 1).unwrap() - 5.0).abs() < 1e-9);
        assert!((z(&quiet, 4).unwrap() - 2.5).abs() < 1e-9);
        // Correlations that stay above zero for 20 eras and below for the next 20.
        let waves: Vec<Placed> =
            (0..100).map(|at| era(if at / 20 % 2 == 0 { 0.5 } else { -0.5 })).collect();
        let (wide, narrow) = (z(&waves, 8).unwrap(), z(&waves, 1).unwrap());
        assert!(wide < narrow / 2.0 && narrow < 2.1, "{wide} {narrow}");
        assert!((share(&quiet) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn ties_leave_so_much() {
        let target = [0.0, 0.0, 1.0, 1.0];
        let sorted = spearman(&[0.0, 1.0, 2.0, 3.0], &target).unwrap();
        assert!((most(&target) - sorted).abs() < 1e-12);
        assert_eq!(most(&[3.0, 1.0, 2.0]), 1.0);
    }
}
