//! Distances of binned samples: population stability index, chi-squared, Jensen and Shannon's.
//!
//! Bins: a feature with at most `B` distinct values has one bin a value. Any other is cut at the
//! reference's quantiles `k / B`, `k = 1..B`, each the least value with at least that share of the
//! reference at or below it; bins are closed above, open at both ends, and a value that alone holds a
//! share of `1 / B` of the reference is a bin of its own. Missing values are one bin more, where there
//! are any. With shares `a_i` of the reference's `n` rows and `b_i` of the current `m`, over the
//! bins that are not empty in both:
//!
//! `PSI = Σ (a_i - b_i) ln(a_i / b_i)`, where a bin that is empty in one sample counts as `floor`
//! rows of it, half a row by default, so that the index is finite;
//! `χ² = Σ (O - E)² / E` over both samples, with `E` from the margins;
//! `JS = √(½ Σ a_i ln(a_i / m_i) + ½ Σ b_i ln(b_i / m_i))`, `m_i = (a_i + b_i) / 2`, natural
//! logarithms.
//!
//! Nulls. Without drift `PSI`, `8 JS²` and `(1/n + 1/m) χ²` all go to `(1/n + 1/m) χ²_{B'-1}` with
//! `B'` bins in use, whether the cuts are given or the reference's own quantiles, since
//! `G_m ∘ F_n⁻¹` less the identity has the variance of `1/n + 1/m`. Thus `E PSI ≈ (B' - 1)(1/n + 1/m)`:
//! the folklore limits 0.1 and 0.25 mean nothing without the row counts. `Auto` takes the limit where
//! a bin expects at least 20 rows in the smaller sample, and deals otherwise. A deal hands the pooled
//! rows to the samples anew and cuts at the dealt reference's quantiles, so its p-value is exact.
//!
//! Cost: one pass over the distinct values, and one for each deal.
//!
//! Reference: Yurdakul and Naranjo (2020), Statistical properties of the population stability index,
//! Journal of Risk Model Validation 14(4); Pearson (1900); Lin (1991), Divergence measures based on the
//! Shannon entropy, IEEE Transactions on Information Theory 37(1).

use fattail_stats::Counter;
use serde::{Deserialize, Serialize};

use super::{Tally, deal::deal};
use crate::{
    error::{Error, Result},
    null::{Method, Null, Outcome, permutation_p},
    special::chi_squared_tail,
};

/// How a feature is cut into bins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Binning {
    /// Quantile bins `B` of a feature with more distinct values than that; at least 2.
    pub bins: usize,
    /// Rows that an empty bin counts as in PSI; above 0, at most 1.
    pub floor: f64,
}

impl Default for Binning {
    fn default() -> Self {
        Self { bins: 10, floor: 0.5 }
    }
}

impl Binning {
    pub(crate) fn check(&self) -> Result<()> {
        if self.bins < 2 {
            return Err(Error::setting("bins", self.bins, "at least 2"));
        }
        if !(self.floor > 0.0 && self.floor <= 1.0) {
            return Err(Error::setting("floor", self.floor, "above 0, at most 1"));
        }
        Ok(())
    }
}

/// Population stability index, with its p-value.
///
/// ```
/// use fattail_drift::{Binning, Null, Tally, psi};
/// let tally = Tally::of_counts(&[50, 50], &[80, 20])?;
/// let found = psi(&tally, &Binning::default(), &Null::default())?;
/// // (.5 - .8) ln(.5 / .8) + (.5 - .2) ln(.5 / .2)
/// assert!((found.statistic - 0.3 * 4f64.ln()).abs() < 1e-15 && found.p < 1e-4);
/// # Ok::<(), fattail_drift::Error>(())
/// ```
///
/// # Errors
/// When a setting is out of its range.
pub fn psi(tally: &Tally, binning: &Binning, null: &Null) -> Result<Outcome> {
    let scale = |[n, m]: [f64; 2]| 1.0 / (1.0 / n + 1.0 / m);
    binned(tally, binning, null, |table| psi_of(table, binning.floor), scale)
}

/// Pearson's chi-squared of the two samples' bins.
///
/// # Errors
/// When a setting is out of its range.
pub fn chi_squared(tally: &Tally, binning: &Binning, null: &Null) -> Result<Outcome> {
    binned(tally, binning, null, chi_squared_of, |_| 1.0)
}

/// Jensen and Shannon's distance, in `[0, √ln 2]`.
///
/// # Errors
/// When a setting is out of its range.
pub fn jensen_shannon(tally: &Tally, binning: &Binning, null: &Null) -> Result<Outcome> {
    let scale = |[n, m]: [f64; 2]| 8.0 / (1.0 / n + 1.0 / m);
    let squared = binned(tally, binning, null, jensen_shannon_squared, scale)?;
    Ok(Outcome { statistic: squared.statistic.sqrt(), ..squared })
}

/// Rows that the rarest bin must expect in the smaller sample before the limit is believed.
const ENOUGH: f64 = 20.0;

/// A statistic of bins whose product with `scale` goes to chi-squared.
fn binned(
    tally: &Tally,
    binning: &Binning,
    null: &Null,
    statistic: impl Fn(&Table) -> f64,
    scale: impl Fn([f64; 2]) -> f64,
) -> Result<Outcome> {
    binning.check()?;
    let distinct = tally.values().len();
    let pooled = tally.pooled();
    let mut reference = tally.reference().to_vec();
    reference.resize(pooled.len(), tally.missing()[0]);
    let mut table = Table::default();
    table.fill(&reference, &pooled, distinct, binning.bins);
    let observed = statistic(&table);
    let rows = tally.rows();
    let (draws, seed) = match *null {
        Null::Permutation { draws, seed } => (draws, seed),
        Null::Auto { draws, seed } if table.least_expected() < ENOUGH => (draws, seed),
        Null::Asymptotic | Null::Auto { .. } => {
            let scaled = observed * scale(rows.map(|rows| rows as f64));
            let p = chi_squared_tail(scaled, table.used().saturating_sub(1));
            return Ok(Outcome { statistic: observed, p, method: Method::Asymptotic });
        }
    };
    let counter = Counter::new(seed);
    let p = permutation_p(observed, draws, |draw| {
        deal(&pooled, rows[0], &mut counter.draw(draw), &mut reference);
        table.fill(&reference, &pooled, distinct, binning.bins);
        statistic(&table)
    })?;
    Ok(Outcome { statistic: observed, p, method: Method::Permutation })
}

/// Walks over rising values and says where bins end.
struct Cutter {
    bins: u64,
    present: u64,
    edge: u64,
    below: u64,
}

impl Cutter {
    fn new(present: u64, bins: usize) -> Self {
        Self { bins: bins as u64, present, edge: 1, below: 0 }
    }

    /// Whether a bin ends before the next value, and after it.
    fn step(&mut self, rows: u64) -> (bool, bool) {
        let heavy = rows > 0 && rows * self.bins >= self.present;
        self.below += rows;
        let share = self.below * self.bins;
        let full = self.present > 0 && self.edge < self.bins && share >= self.edge * self.present;
        if heavy || full {
            self.edge = self.edge.max(share / self.present + 1);
        }
        (heavy, heavy || full)
    }
}

/// The last value of each bin; values above the last belong to it.
pub(crate) fn bin_ends(values: &[f64], rows: &[u64], bins: usize) -> Vec<f64> {
    if values.len() <= bins {
        return values.to_vec();
    }
    let mut cutter = Cutter::new(rows.iter().sum(), bins);
    let mut ends: Vec<f64> = Vec::new();
    for (at, &count) in rows.iter().enumerate() {
        let (before, after) = cutter.step(count);
        if before && at > 0 && ends.last() != Some(&values[at - 1]) {
            ends.push(values[at - 1]);
        }
        if after {
            ends.push(values[at]);
        }
    }
    ends.extend(values.last().filter(|last| ends.last() != Some(*last)));
    ends
}

/// Rows of both samples in each bin.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) reference: Vec<u64>,
    pub(crate) current: Vec<u64>,
}

impl Table {
    /// Cuts `distinct` rising values, and what follows them, into bins.
    fn fill(&mut self, reference: &[u64], pooled: &[u64], distinct: usize, bins: usize) {
        self.reference.clear();
        self.current.clear();
        let cells = reference.iter().zip(pooled).map(|(&here, &all)| (here, all - here));
        if distinct <= bins {
            cells.for_each(|cell| self.push(cell));
            return;
        }
        let mut cutter = Cutter::new(reference[..distinct].iter().sum(), bins);
        let mut open = (0, 0);
        for (here, there) in cells.clone().take(distinct) {
            let (before, after) = cutter.step(here);
            if before {
                self.push(std::mem::take(&mut open));
            }
            open = (open.0 + here, open.1 + there);
            if after {
                self.push(std::mem::take(&mut open));
            }
        }
        self.push(open);
        cells.skip(distinct).for_each(|cell| self.push(cell));
    }

    /// One more bin, unless it is empty in both samples.
    fn push(&mut self, (here, there): (u64, u64)) {
        if here + there > 0 {
            self.reference.push(here);
            self.current.push(there);
        }
    }

    fn used(&self) -> usize {
        self.reference.len()
    }

    fn rows(&self) -> [f64; 2] {
        [&self.reference, &self.current].map(|side| side.iter().sum::<u64>() as f64)
    }

    fn cells(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.reference.iter().zip(&self.current).map(|(&a, &b)| (a as f64, b as f64))
    }

    /// Rows that the rarest bin expects in the smaller sample.
    fn least_expected(&self) -> f64 {
        let [n, m] = self.rows();
        let rarest = self.cells().map(|(a, b)| a + b).fold(f64::INFINITY, f64::min);
        rarest * n.min(m) / (n + m)
    }
}

/// The index of a table; rows of a sample without any have no shares, and the index is NaN.
pub(crate) fn psi_of(table: &Table, floor: f64) -> f64 {
    let [n, m] = table.rows();
    let term = |(a, b): (f64, f64)| {
        let (a, b) = (a.max(floor) / n, b.max(floor) / m);
        (a - b) * (a / b).ln()
    };
    table.cells().map(term).sum()
}

fn chi_squared_of(table: &Table) -> f64 {
    let [n, m] = table.rows();
    let total = n + m;
    let term = |(a, b): (f64, f64)| {
        let (here, there) = ((a + b) * n / total, (a + b) * m / total);
        (a - here).powi(2) / here + (b - there).powi(2) / there
    };
    table.cells().map(term).sum()
}

fn jensen_shannon_squared(table: &Table) -> f64 {
    let [n, m] = table.rows();
    let part =
        |share: f64, middle: f64| if share > 0.0 { share * (share / middle).ln() } else { 0.0 };
    let term = |(a, b): (f64, f64)| {
        let (a, b) = (a / n, b / m);
        let middle = 0.5 * (a + b);
        part(a, middle) + part(b, middle)
    };
    // Rounding may leave equal shares a hair below zero.
    (0.5 * table.cells().map(term).sum::<f64>()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(reference: &[u64], current: &[u64], bins: usize) -> Table {
        let pooled: Vec<u64> = reference.iter().zip(current).map(|(a, b)| a + b).collect();
        let mut table = Table::default();
        table.fill(reference, &pooled, pooled.len(), bins);
        table
    }

    #[test]
    fn quantile_bins_by_hand() {
        // Eight distinct values, two of the reference in each quarter.
        let table = cut(&[1; 8], &[0, 0, 3, 0, 0, 0, 0, 5], 4);
        assert_eq!((&table.reference[..], &table.current[..]), (&[2; 4][..], &[0, 3, 0, 5][..]));
        // The third value holds more than a quarter of the reference: a bin of its own.
        let table = cut(&[1, 1, 10, 1, 1, 1], &[1, 0, 0, 0, 1, 1], 4);
        assert_eq!(table.reference, [2, 10, 3]);
        assert_eq!(table.current, [1, 0, 2]);
    }

    #[test]
    fn values_past_the_reference_are_seen() {
        let table = cut(&[0, 2, 2, 2, 0, 0], &[3, 0, 0, 0, 3, 1], 3);
        assert_eq!(table.reference, [0, 2, 2, 2, 0]);
        assert_eq!(table.current, [3, 0, 0, 0, 4]);
    }

    #[test]
    fn an_empty_bin_counts_as_half_a_row() {
        let tally = Tally::of_counts(&[10, 0], &[5, 5]).unwrap();
        let found = psi(&tally, &Binning::default(), &Null::Asymptotic).unwrap();
        let plain = (1.0 - 0.5) * 2f64.ln() + (0.05 - 0.5) * (0.05 / 0.5_f64).ln();
        assert!((found.statistic - plain).abs() < 1e-15);
    }

    #[test]
    fn missing_values_are_a_bin() {
        let with =
            Tally::of_values(&[1.0, 2.0, f64::NAN, f64::NAN], &[1.0, 2.0, 1.0, 2.0]).unwrap();
        let found = chi_squared(&with, &Binning::default(), &Null::Asymptotic).unwrap();
        // 2 x 3 table (1, 1, 2 | 2, 2, 0).
        assert!((found.statistic - 8.0 / 3.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn settings_are_refused_by_name() {
        let tally = Tally::of_counts(&[1, 1], &[1, 1]).unwrap();
        let wrong = Binning { bins: 1, ..Binning::default() };
        let error = psi(&tally, &wrong, &Null::default()).unwrap_err();
        assert_eq!(error.to_string(), "setting 'bins' is 1, allowed is at least 2");
        let wrong = Binning { floor: 0.0, ..Binning::default() };
        assert!(psi(&tally, &wrong, &Null::default()).is_err());
        let none = Null::Permutation { draws: 0, seed: 0 };
        assert!(psi(&tally, &Binning::default(), &none).is_err());
    }
}
