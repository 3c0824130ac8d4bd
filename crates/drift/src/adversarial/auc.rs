//! The area under the receiver's curve, from ranks.

use fattail_stats::{Ties, rank};

use crate::error::{Error, Result, at_least};

/// The chance that a score of `current` lies above one of `reference`, ties half.
///
/// ```
/// assert_eq!(fattail_drift::auc(&[0.0, 1.0, 1.0], &[1.0, 2.0])?, 5.0 / 6.0);
/// # Ok::<(), fattail_drift::Error>(())
/// ```
///
/// # Errors
/// When a side is empty or a score is NaN.
pub fn auc(reference: &[f64], current: &[f64]) -> Result<f64> {
    at_least("reference", "rows", reference.len(), 1)?;
    at_least("current", "rows", current.len(), 1)?;
    let all: Vec<f64> = reference.iter().chain(current).copied().collect();
    if let Some(row) = all.iter().position(|score| score.is_nan()) {
        return Err(fattail_stats::Error::NotFinite { name: "score", column: 0, row }.into());
    }
    let sum: f64 = rank(&all, Ties::Average)?[reference.len()..].iter().sum();
    Ok(from_ranks(sum, reference.len() as f64, current.len() as f64))
}

fn from_ranks(sum: f64, n: f64, m: f64) -> f64 {
    (sum - 0.5 * m * (m + 1.0)) / (n * m)
}

/// Rank sums and rows of the units of a fold: what the AUC needs under any labels of the units.
pub(super) struct RankSums {
    sums: Vec<f64>,
    rows: Vec<f64>,
    chosen: Vec<u32>,
}

impl RankSums {
    /// `rows` names the unit of each prediction, `units` those of the fold in rising order.
    pub(super) fn new(
        prediction: &[f64],
        rows: &[usize],
        units: &[usize],
        is_current: &[bool],
    ) -> Result<Self> {
        if prediction.len() != rows.len() {
            let (given, expected) = (prediction.len(), rows.len());
            return Err(Error::Length { name: "prediction", given, expected });
        }
        let mut place = vec![0; is_current.len()];
        units.iter().enumerate().for_each(|(at, &unit)| place[unit] = at);
        let (mut sums, mut counts) = (vec![0.0; units.len()], vec![0.0; units.len()]);
        for (rank, &unit) in rank(prediction, Ties::Average)?.iter().zip(rows) {
            sums[place[unit]] += rank;
            counts[place[unit]] += 1.0;
        }
        let now = (0..).zip(units).filter(|(_, unit)| is_current[**unit]);
        Ok(Self { sums, rows: counts, chosen: now.map(|(at, _)| at).collect() })
    }

    pub(super) fn units(&self) -> usize {
        self.sums.len()
    }

    pub(super) fn current(&self) -> usize {
        self.chosen.len()
    }

    pub(super) fn auc(&self) -> f64 {
        self.auc_of(&self.chosen)
    }

    pub(super) fn auc_of(&self, chosen: &[u32]) -> f64 {
        let total = |of: &[f64]| chosen.iter().map(|&unit| of[unit as usize]).sum::<f64>();
        let (sum, m) = (total(&self.sums), total(&self.rows));
        let n = self.rows.iter().sum::<f64>() - m;
        from_ranks(sum, n, m)
    }
}
