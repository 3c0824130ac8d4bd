//! What the data itself gives away: copies, an order that tells the target, features that know it.
//!
//! Copies: among pairs of a training and a test row of one fold that agree in id and in every feature, the targets
//! agree with the probability `q = Σ p_v²` of two rows drawn at random, were they no copies. With `m` pairs and `s`
//! that agree, the figure is `-log₁₀` of the binomial tail `P(S >= s)`. Order: `z` of the mean rank correlation
//! of place and target as in the canary. Oracle: the largest `|mean over eras of the rank correlation|` of a
//! feature with the target.
//!
//! Cost: one pass over features and rows.

use std::collections::HashMap;

use fattail_core::{ColumnView, Panel};
use fattail_stats::spearman;

use super::{Bench, Check, Finding};
use crate::{Result, disturb};

/// `-log₁₀` of the probability below which agreeing targets are no chance.
const COPIES: f64 = 8.0;
/// The `z` above which the order of rows tells the target.
const ORDER: f64 = 5.0;

impl Bench<'_> {
    pub(crate) fn copies(&self) -> Result<Finding> {
        let check = Check::Copies;
        let (figure, pairs, agree) = self.copied(self.panel)?;
        // The first fold with an era of copies of one that it trains on.
        let planted =
            self.folds.iter().find_map(|fold| Some((*fold.train.last()?, *fold.test.first()?)));
        let caught = match planted {
            Some((from, to)) => {
                Some(self.copied(&disturb::copied(self.panel, from, to)?)?.0 > COPIES)
            }
            None => None,
        };
        let note = format!(
            "{pairs} test rows agree with a training row in id and features, {agree} in target too"
        );
        Ok(Finding::of(check, figure, COPIES, caught, note))
    }

    /// The figure, the pairs and those that agree.
    fn copied(&self, panel: &Panel) -> Result<(f64, u64, u64)> {
        let (keys, target) = (row_keys(panel), panel.target()?.to_f32());
        let chance = agreement(&target);
        let (mut pairs, mut agree) = (0, 0);
        for fold in self.folds {
            let rows = |eras: &[usize]| -> Vec<usize> {
                eras.iter().flat_map(|&era| panel.eras().range(era)).collect()
            };
            let mut trained: HashMap<(u64, &str), Vec<u32>> = HashMap::new();
            for row in rows(&fold.train).into_iter().filter(|&row| !target[row].is_nan()) {
                let key = (keys[row], panel.id(row).unwrap_or_default());
                trained.entry(key).or_default().push(target[row].to_bits());
            }
            for row in rows(&fold.test).into_iter().filter(|&row| !target[row].is_nan()) {
                let key = (keys[row], panel.id(row).unwrap_or_default());
                if let Some(targets) = trained.get(&key) {
                    // One pair a test row: copies of copies are no news.
                    pairs += 1;
                    agree += u64::from(targets[0] == target[row].to_bits());
                }
            }
        }
        Ok((-log_tail(pairs, agree, chance), pairs, agree))
    }

    pub(crate) fn row_order(&self) -> Result<Finding> {
        let z = order(self.panel)?;
        let caught = order(&disturb::sorted(self.panel)?)?.abs() > ORDER;
        let note = format!("z of the mean rank correlation of place and target is {z:+.2}");
        Ok(Finding::of(Check::RowOrder, z.abs(), ORDER, Some(caught), note))
    }

    pub(crate) fn oracle(&self) -> Result<Finding> {
        let panel = self.panel;
        let (mut worst, mut name) = (0.0_f64, "none");
        for (at, feature) in panel.schema().features().iter().enumerate() {
            let level = level(panel, panel.feature(at))?;
            if level > worst {
                (worst, name) = (level, feature);
            }
        }
        let caught = level(panel, panel.target()?)? > self.settings.oracle;
        let note = format!("the closest feature is '{name}'");
        Ok(Finding::of(Check::Oracle, worst, self.settings.oracle, Some(caught), note))
    }
}

/// A hash of the features of each row (Fowler, Noll and Vo's, a word at a time).
fn row_keys(panel: &Panel) -> Vec<u64> {
    let mut keys = vec![0xcbf2_9ce4_8422_2325_u64; panel.rows()];
    for at in 0..panel.width() {
        for (key, value) in keys.iter_mut().zip(panel.feature(at).to_f32()) {
            *key = (*key ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
            *key ^= *key >> 29;
        }
    }
    keys
}

/// The probability that two rows have the same target.
fn agreement(target: &[f32]) -> f64 {
    let mut counts: HashMap<u32, u64> = HashMap::new();
    let known = target.iter().filter(|value| !value.is_nan());
    known.for_each(|value| *counts.entry(value.to_bits()).or_default() += 1);
    let total: u64 = counts.values().sum();
    let mut shares: Vec<u64> = counts.into_values().collect();
    shares.sort_unstable();
    shares.iter().map(|&count| (count as f64 / total as f64).powi(2)).sum()
}

/// `log₁₀ P(S >= s)` for a binomial `S` of `m` trials, by Chernoff's bound; 0 where `s` is not above what is
/// expected.
fn log_tail(m: u64, s: u64, q: f64) -> f64 {
    if m == 0 || s as f64 <= m as f64 * q {
        return 0.0;
    }
    let (m, share) = (m as f64, s as f64 / m as f64);
    let term = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
    -m * (term(share, q) + term(1.0 - share, 1.0 - q)) / std::f64::consts::LN_10
}

/// `z` of the mean rank correlation of place and target.
fn order(panel: &Panel) -> Result<f64> {
    let (mut sum, mut variance) = (0.0, 0.0);
    for era in panel.iter() {
        let target: Vec<f64> = era.target()?.iter().map(|&value| f64::from(value)).collect();
        let place: Vec<f64> = (0..target.len()).map(|at| at as f64).collect();
        let rho = spearman(&place, &target).map_err(fattail_core::Error::other)?;
        if rho.is_finite() && target.len() > 1 {
            sum += rho;
            variance += 1.0 / (target.len() - 1) as f64;
        }
    }
    Ok(if variance == 0.0 { 0.0 } else { sum / f64::sqrt(variance) })
}

/// `|mean over eras of the rank correlation|` of a column with the target.
fn level(panel: &Panel, column: ColumnView<'_>) -> Result<f64> {
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
    Ok(if eras == 0 { 0.0 } else { f64::abs(sum) / f64::from(eras) })
}
