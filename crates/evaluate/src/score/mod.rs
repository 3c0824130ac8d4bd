//! Numerai's scores of one era on slices, sharing their work.
//!
//! An [`EraScorer`] keeps buffers and the Gaussianised ranks of the last predictions, so that several
//! scores of the same predictions rank them once and nothing is allocated from era to era (the
//! factorisation of features apart).
//!
//! All slices are of one era, row by row, in the order of the ids: that order decides which of two
//! tied rows comes first where a score looks at the top and bottom only.
//!
//! A target, prediction or meta model that is NaN takes its row out; when more than 20 of 100 rows go,
//! the era is refused. Scores that are not defined, such as the correlation of a constant, are NaN.

mod blend;
mod contribution;
mod corr;
mod exposure;
mod neutral;
mod rows;
mod signals;

use fattail_stats::{GaussTable, Ranker, Ties};

pub use blend::{correlation_with_others, correlation_with_stake_weighted, stake_weighted};
pub use contribution::{Contribution, TargetScale, correlation_contribution};
pub use corr::{Corr, numerai_corr, pearson_corr, spearman_corr, tie_broken_rank_corr};
pub use exposure::{exposure_dissimilarity, feature_exposures, max_feature_correlation};
pub use neutral::{
    feature_neutral_corr, feature_neutral_spearman, neutral_contribution, neutral_correlation,
    neutralize,
};
pub use signals::{alpha, meta_portfolio_contribution, neutralized_weights};

use crate::Result;
pub(crate) use neutral::{expect_known, projector};
pub(crate) use rows::expect_share;
use rows::{Extremes, Known};

/// Scores one era after another in buffers that it keeps.
///
/// ```
/// use fattail_evaluate::{Corr, EraScorer};
/// let mut scorer = EraScorer::new();
/// let corr = scorer.corr(&[0.1, 0.4, 0.2, 0.9], &[0.0, 0.5, 0.5, 1.0], &Corr::default())?;
/// assert!(corr > 0.8);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct EraScorer {
    ranking: Ranking,
    prediction: Gaussian,
    other: Gaussian,
    known: Known,
    extremes: Extremes,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl EraScorer {
    /// A scorer with empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// What ranking needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranking {
    ranker: Ranker,
    table: GaussTable,
}

/// The Gaussianised ranks of the last values, ties kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaussian {
    of: Vec<f64>,
    scores: Vec<f64>,
}

impl Gaussian {
    /// The Gaussianised ranks of `values`, computed only when they are not those of the last call.
    fn of(&mut self, values: &[f64], ranking: &mut Ranking) -> Result<&[f64]> {
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        let known = self.of.len() == values.len() && self.of.iter().zip(values).all(same);
        if !known {
            self.of.clear();
            self.scores.resize(values.len(), 0.0);
            let Ranking { ranker, table } = ranking;
            ranker.gaussian(values, Ties::Average, table, &mut self.scores)?;
            self.of.extend_from_slice(values);
        }
        Ok(&self.scores)
    }
}

/// Whether all values are the same.
pub(crate) fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// `Σ x y`.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}
