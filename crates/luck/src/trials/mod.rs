//! How many trials there were, how many of them count, and how far their Sharpe ratios spread.
//!
//! With the correlation matrix `C` of `N` trials, its eigenvalues `λ_i` and `p_i = λ_i / N`:
//!
//! ```text
//! roots           (Σ √p_i)²            between the rank below and N; for tests of a maximum
//! effective rank  exp(-Σ p_i ln p_i)   how many directions the trials have
//! clusters        average linkage on √((1 - ρ)/2), cut where the mean correlation of two clusters falls
//!                 below a limit
//! ```
//!
//! All are 1 when the trials are the same and `N` when none is correlated. The maximum of alike trials
//! spreads more widely than their effective rank says, so that a Sharpe ratio deflated by it rejects too
//! often; roots are nearer to what a maximum asks for.
//! Variance: that of the trials' Sharpe ratios with divisor `N - 1`, which estimates `V` when no trial
//! has skill and is larger when some have.
//!
//! Every trial counts, also the ones that failed: a Sharpe ratio that is NaN is counted and left out of
//! the variance, and failed trials beside era scores are counted by [`Trials::with_failed`]. Fewer than two
//! Sharpe ratios leave the variance NaN. A constant trial has none; it is refused where correlations are
//! asked for.
//!
//! Cost: `T N min(T, N)` for the correlations and `min(T, N)³` for the eigenvalues; clusters `N²` memory
//! and `N²` to `N³` time.
//!
//! Reference: Roy and Vetterli (2007), The effective rank: a measure of effective dimensionality,
//! EUSIPCO; López de Prado and Lewis (2019), Detection of false investment strategies using
//! unsupervised learning methods, Quantitative Finance 19(9); Galwey (2009), A new measure of the
//! effective number of tests, Genetic Epidemiology 33(7).

mod cluster;

use fattail_stats::{eigh, gram, mean, std, variance};
use serde::{Deserialize, Serialize};

use crate::error::{self, Result};
use crate::null;
use crate::sharpe::expected_maximum;

pub use cluster::{Clusters, cluster};

/// The trials behind a chosen strategy, as a study log hands them over.
///
/// ```
/// use fattail_luck::Trials;
/// let trials = Trials::from_sharpes(&[0.1, -0.1, 0.3, f64::NAN]);
/// assert_eq!((trials.count, trials.effective), (4, 4.0));
/// assert!((trials.variance - 0.04).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trials {
    /// Trials made, failed ones included.
    pub count: usize,
    /// Trials that count as independent, `K`, from 1 to `count`.
    #[serde(with = "null")]
    pub effective: f64,
    /// Variance of the trials' Sharpe ratios, per era.
    #[serde(with = "null")]
    pub variance: f64,
}

/// How trials that are alike are counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Each as one: conservative when they are alike.
    All,
    /// `(Σ √p_i)²` (Galwey 2009).
    #[default]
    Roots,
    /// `exp(-Σ p_i ln p_i)` (Roy and Vetterli 2007).
    EffectiveRank,
    /// Clusters by [`cluster`]; the variance is that of the Sharpe ratios of the clusters' mean trials.
    Clusters {
        /// Mean correlation below which clusters stay apart.
        least_correlation: f64,
    },
}

impl Trials {
    /// Trials known by their Sharpe ratios alone: each counts as independent.
    #[must_use]
    pub fn from_sharpes(sharpes: &[f64]) -> Self {
        let defined: Vec<f64> = sharpes.iter().copied().filter(|s| s.is_finite()).collect();
        let count = sharpes.len();
        Self { count, effective: count as f64, variance: variance(&defined, 1) }
    }

    /// Trials with their era scores, one column a trial.
    ///
    /// Sampled correlations are not zero, so that the effective rank of `N` independent trials over `T`
    /// eras is about `N exp(-N/(2T))`, and roots count about `N (1 - N/(8T))²`.
    ///
    /// ```
    /// use fattail_luck::{Counting, Trials};
    /// let (up, down) = ([1.0, 2.0, 3.0, 5.0], [3.0, 1.0, 5.0, 4.0]);
    /// let same = Trials::from_scores(&[&up, &up, &up], Counting::Roots)?;
    /// assert!((same.effective - 1.0).abs() < 1e-9);
    /// assert!(Trials::from_scores(&[&up, &up, &down], Counting::Roots)?.effective > 1.5);
    /// # Ok::<(), fattail_luck::Error>(())
    /// ```
    ///
    /// # Errors
    /// Columns of different length or below 4 rows, values that are not finite, and a least correlation
    /// outside `[-1, 1]`; constant columns unless all count.
    pub fn from_scores(scores: &[&[f64]], counting: Counting) -> Result<Self> {
        error::columns("scores", scores, 4)?;
        let sharpes = sharpes(scores);
        let all = Self::from_sharpes(&sharpes);
        let effective = match counting {
            Counting::All => all.effective,
            Counting::Roots => {
                let shares = shares(&standardised(scores)?)?;
                shares.iter().map(|share| share.sqrt()).sum::<f64>().powi(2)
            }
            Counting::EffectiveRank => {
                let shares = shares(&standardised(scores)?)?;
                shares.iter().map(|p| -p * p.ln()).sum::<f64>().exp()
            }
            Counting::Clusters { least_correlation } => {
                return Self::from_clusters(scores, &sharpes, least_correlation);
            }
        };
        // Rounding must not make one trial less than one.
        Ok(Self { effective: effective.clamp(1.0, all.effective), ..all })
    }

    fn from_clusters(scores: &[&[f64]], own: &[f64], least_correlation: f64) -> Result<Self> {
        let standard = cluster::checked(scores, least_correlation)?;
        let clusters = cluster::joined(&standard, least_correlation)?;
        let mut means = vec![vec![0.0; scores[0].len()]; clusters.count];
        for ((trial, sharpe), &label) in standard.iter().zip(own).zip(&clusters.labels) {
            // Trials of unit spread, so that a loud one does not speak for its cluster.
            let slots = means[label].iter_mut().zip(trial);
            slots.for_each(|(slot, value)| *slot += value + sharpe);
        }
        let columns: Vec<&[f64]> = means.iter().map(Vec::as_slice).collect();
        let spread = Self::from_sharpes(&sharpes(&columns)).variance;
        Ok(Self { count: scores.len(), effective: clusters.count as f64, variance: spread })
    }

    /// The same trials and so many that failed and left no scores. Each of them counts as independent.
    ///
    /// ```
    /// use fattail_luck::{Counting, Trials};
    /// let (up, down) = ([1.0, 2.0, 3.0, 5.0], [3.0, 1.0, 5.0, 4.0]);
    /// let kept = Trials::from_scores(&[&up, &down], Counting::All)?;
    /// let study = kept.with_failed(8);
    /// assert_eq!((study.count, study.effective, study.variance), (10, 10.0, kept.variance));
    /// # Ok::<(), fattail_luck::Error>(())
    /// ```
    #[must_use]
    pub fn with_failed(self, failed: usize) -> Self {
        let (count, effective) =
            (self.count.saturating_add(failed), self.effective + failed as f64);
        Self { count, effective, ..self }
    }

    /// The Sharpe ratio expected of the best trial when none has skill: `√variance E[M_K]`, 0 for one
    /// trial, NaN for less.
    #[must_use]
    pub fn expected_maximum(&self) -> f64 {
        if self.effective == 1.0 {
            return 0.0;
        }
        self.variance.sqrt() * expected_maximum(self.effective)
    }
}

/// Checked columns with mean 0 and standard deviation 1 (divisor `T - 1`).
fn standardised(scores: &[&[f64]]) -> Result<Vec<Vec<f64>>> {
    let standard = |(at, column): (usize, &&[f64])| {
        error::varied("scores", at, column)?;
        let (centre, spread) = (mean(column), std(column, 1));
        Ok(column.iter().map(|v| (v - centre) / spread).collect())
    };
    scores.iter().enumerate().map(standard).collect()
}

/// NaN for a column without spread.
fn sharpes(scores: &[&[f64]]) -> Vec<f64> {
    let sharpe = |column: &&[f64]| {
        let flat = error::constant(column, error::size(column));
        if flat { f64::NAN } else { mean(column) / std(column, 1) }
    };
    scores.iter().map(sharpe).collect()
}

/// The eigenvalues of the correlation matrix that are above zero, over their sum; rows and columns change
/// places where there are more columns, because the eigenvalues that are not zero are the same.
fn shares(standard: &[Vec<f64>]) -> Result<Vec<f64>> {
    let (columns, rows) = (standard.len(), standard[0].len());
    let turned: Vec<Vec<f64>>;
    let sides = if columns <= rows {
        standard
    } else {
        turned = (0..rows).map(|t| standard.iter().map(|column| column[t]).collect()).collect();
        &turned
    };
    let slices: Vec<&[f64]> = sides.iter().map(Vec::as_slice).collect();
    let eigen = eigh(&gram(&slices)?, slices.len())?;
    let total: f64 = eigen.values().iter().filter(|value| **value > 0.0).sum();
    // What rounding leaves of a zero has a root that would count.
    let shares = eigen.values().iter().map(|value| value / total);
    Ok(shares.filter(|share| *share > 1e-13).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_plain_cases() {
        let (a, b) = ([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]);
        let rank = Counting::EffectiveRank;
        let two = Trials::from_scores(&[&a, &b], rank).unwrap();
        assert!((two.effective - 2.0).abs() < 1e-9);
        // Eigenvalues 2 and 1 of 3: shares 2/3 and 1/3.
        let three = Trials::from_scores(&[&a, &a, &b], rank).unwrap().effective;
        let entropy = -(2.0 / 3.0_f64).ln() * 2.0 / 3.0 - (1.0 / 3.0_f64).ln() / 3.0;
        assert!((three - entropy.exp()).abs() < 1e-9);
        // √2 and 1 over √3, squared.
        let roots = Trials::from_scores(&[&a, &a, &b], Counting::Roots).unwrap().effective;
        assert!((roots - (2_f64.sqrt() + 1.0).powi(2) / 3.0).abs() < 1e-9);
        let limit = Counting::Clusters { least_correlation: 0.5 };
        let clusters = Trials::from_scores(&[&a, &b, &a], limit).unwrap();
        assert_eq!((clusters.count, clusters.effective), (3, 2.0));
        // More trials than eras.
        let many = Trials::from_scores(&[&a, &a, &a, &a, &b, &b, &b, &b], rank).unwrap();
        assert!((many.effective - 2.0).abs() < 1e-9);
    }

    #[test]
    fn one_trial_and_none() {
        let one = Trials::from_sharpes(&[0.3]);
        assert!(one.variance.is_nan() && one.expected_maximum() == 0.0);
        assert!(Trials::from_sharpes(&[]).expected_maximum().is_nan());
        assert!(Trials::from_scores(&[], Counting::All).is_err());
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(json, r#"{"count":1,"effective":1.0,"variance":null}"#);
        assert!(serde_json::from_str::<Trials>(&json).unwrap().variance.is_nan());
    }

    #[test]
    fn failed_trials_count() {
        let (a, b, flat) = ([1.0, -1.0, 1.0, -2.0], [1.0, 1.0, -1.0, -1.0], [0.1; 4]);
        let all = Trials::from_scores(&[&a, &b, &flat], Counting::All).unwrap();
        let two = Trials::from_scores(&[&a, &b], Counting::All).unwrap();
        assert_eq!(all, two.with_failed(1));
        let clusters = Counting::Clusters { least_correlation: 0.5 };
        for counting in [Counting::Roots, Counting::EffectiveRank, clusters] {
            assert!(Trials::from_scores(&[&a, &b, &flat], counting).is_err(), "{counting:?}");
            let twins = Trials::from_scores(&[&a, &a, &a], counting).unwrap();
            assert_eq!(twins.with_failed(2).effective, 3.0, "{counting:?}");
        }
    }
}
