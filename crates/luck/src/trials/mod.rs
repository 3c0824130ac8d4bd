//! How many trials there were, how many of them count, and how far their Sharpe ratios spread.
//!
//! With the correlation matrix `C` of `N` trials and its eigenvalues `λ_i`, `p_i = λ_i / N`: effective
//! rank `exp(-Σ p_i ln p_i)`, from 1 (all trials the same) to `N`. Clusters: average linkage on the
//! distance `√((1 - ρ)/2)`, cut where the mean correlation between two clusters falls below a limit.
//! Variance: that of the trials' Sharpe ratios with divisor `N - 1`, which estimates `V` when no trial
//! has skill and is larger when some have.
//!
//! Every trial counts, also the ones that failed: a Sharpe ratio that is NaN is counted and left out of
//! the variance. Fewer than two of them leave the variance NaN. A constant trial is refused where
//! correlations are asked for.
//!
//! Cost: `T N min(T, N)` for the correlations and `min(T, N)³` for the eigenvalues; clusters `N²` memory
//! and `N²` to `N³` time.
//!
//! Reference: Roy and Vetterli (2007), The effective rank: a measure of effective dimensionality,
//! EUSIPCO; López de Prado and Lewis (2019), Detection of false investment strategies using
//! unsupervised learning methods, Quantitative Finance 19(9).

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

impl Trials {
    /// Trials known by their Sharpe ratios alone: each counts as independent.
    #[must_use]
    pub fn from_sharpes(sharpes: &[f64]) -> Self {
        let defined: Vec<f64> = sharpes.iter().copied().filter(|s| s.is_finite()).collect();
        let count = sharpes.len();
        Self { count, effective: count as f64, variance: variance(&defined, 1) }
    }

    /// Trials with their era scores, one column a trial; `effective` is the effective rank.
    ///
    /// The effective rank of `N` independent trials over `T` eras is below `N`, about `N - N²/(2T)`
    /// for `N` well below `T`, because sampled correlations are not zero.
    ///
    /// ```
    /// use fattail_luck::Trials;
    /// let (up, down) = ([1.0, 2.0, 3.0, 5.0], [3.0, 1.0, 5.0, 4.0]);
    /// let same = Trials::from_scores(&[&up, &up, &up])?;
    /// assert!((same.effective - 1.0).abs() < 1e-9);
    /// assert!(Trials::from_scores(&[&up, &up, &down])?.effective > 1.5);
    /// # Ok::<(), fattail_luck::Error>(())
    /// ```
    ///
    /// # Errors
    /// Columns of different length or below 4 rows, values that are not finite, constant columns.
    pub fn from_scores(scores: &[&[f64]]) -> Result<Self> {
        let standard = standardised(scores)?;
        Ok(Self { effective: effective_rank(&standard)?, ..Self::from_sharpes(&sharpes(scores)) })
    }

    /// Trials with their era scores, put into clusters by [`cluster`]: `effective` is the number of
    /// clusters, and the variance is that of the Sharpe ratios of the clusters' mean trials.
    ///
    /// # Errors
    /// Those of [`Trials::from_scores`], and a `least_correlation` outside `[-1, 1]`.
    pub fn from_clusters(scores: &[&[f64]], least_correlation: f64) -> Result<Self> {
        let clusters = cluster(scores, least_correlation)?;
        let mut means = vec![vec![0.0; scores[0].len()]; clusters.count];
        for (trial, &label) in scores.iter().zip(&clusters.labels) {
            // Trials of unit spread, so that a loud one does not speak for its cluster.
            let spread = std(trial, 1);
            let slots = means[label].iter_mut().zip(*trial);
            slots.for_each(|(slot, value)| *slot += value / spread);
        }
        let columns: Vec<&[f64]> = means.iter().map(Vec::as_slice).collect();
        let spread = Self::from_sharpes(&sharpes(&columns)).variance;
        Ok(Self { count: scores.len(), effective: clusters.count as f64, variance: spread })
    }

    /// The Sharpe ratio expected of the best trial when none has skill: `√variance E[M_K]`, 0 for one
    /// trial.
    #[must_use]
    pub fn expected_maximum(&self) -> f64 {
        if self.effective <= 1.0 {
            return 0.0;
        }
        self.variance.sqrt() * expected_maximum(self.effective)
    }
}

/// Columns with mean 0 and standard deviation 1 (divisor `T - 1`).
fn standardised(scores: &[&[f64]]) -> Result<Vec<Vec<f64>>> {
    error::columns("scores", scores, 4)?;
    let standard = |(at, column): (usize, &&[f64])| {
        error::varied("scores", at, column)?;
        let (centre, spread) = (mean(column), std(column, 1));
        Ok(column.iter().map(|v| (v - centre) / spread).collect())
    };
    scores.iter().enumerate().map(standard).collect()
}

fn sharpes(scores: &[&[f64]]) -> Vec<f64> {
    scores.iter().map(|column| mean(column) / std(column, 1)).collect()
}

/// `exp` of the entropy of the eigenvalues of the correlation matrix; rows and columns change places
/// where there are more columns, because the eigenvalues that are not zero are the same.
fn effective_rank(standard: &[Vec<f64>]) -> Result<f64> {
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
    let total: f64 = eigen.values().iter().filter(|v| **v > 0.0).sum();
    let entropy: f64 = eigen
        .values()
        .iter()
        .map(|value| value / total)
        .filter(|share| *share > 0.0)
        .map(|share| -share * share.ln())
        .sum();
    Ok(entropy.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_plain_cases() {
        let (a, b) = ([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]);
        let two = Trials::from_scores(&[&a, &b]).unwrap();
        assert!((two.effective - 2.0).abs() < 1e-9);
        // Eigenvalues 2 and 1 of 3: shares 2/3 and 1/3.
        let three = Trials::from_scores(&[&a, &a, &b]).unwrap().effective;
        let entropy = -(2.0 / 3.0_f64).ln() * 2.0 / 3.0 - (1.0 / 3.0_f64).ln() / 3.0;
        assert!((three - entropy.exp()).abs() < 1e-9);
        // More trials than eras.
        let many = Trials::from_scores(&[&a, &a, &a, &a, &b, &b, &b, &b]).unwrap();
        assert!((many.effective - 2.0).abs() < 1e-9);
    }

    #[test]
    fn one_trial_and_none() {
        let one = Trials::from_sharpes(&[0.3]);
        assert!(one.variance.is_nan() && one.expected_maximum() == 0.0);
        assert_eq!(Trials::from_sharpes(&[]).expected_maximum(), 0.0);
        assert!(Trials::from_scores(&[]).is_err() && Trials::from_scores(&[&[1.0; 5]]).is_err());
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(json, r#"{"count":1,"effective":1.0,"variance":null}"#);
        assert!(serde_json::from_str::<Trials>(&json).unwrap().variance.is_nan());
    }
}
