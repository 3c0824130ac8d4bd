//! Is the best of many models better than the benchmark: reality check, SPA and stepwise tests.
//!
//! With `d_{k,t}` the score of model `k` minus that of the benchmark in era `t`, `d̄_k` its mean and
//! `ω̂_k²` the variance of `√n d̄_k`:
//!
//! ```text
//! reality check  max_k √n d̄_k        against  max_k √n (d̄*_k - d̄_k)
//! SPA            max_k √n d̄_k / ω̂_k  or 0     against  max_k √n (d̄*_k - g_k) / ω̂*_k  or 0
//!     lower       g_k = max(0, d̄_k)
//!     consistent  g_k = d̄_k where d̄_k >= -ω̂_k √(2 ln ln n / n), else 0
//!     upper       g_k = d̄_k
//! ```
//!
//! The p-value is `(1 + resampled at least as large) / (1 + draws)`. The upper form takes every model as
//! good as the benchmark; the consistent one forgets models that are plainly worse; the lower one
//! forgets all that are worse. `ω̂*` is the exact spread under the bootstrap. `ω̂` is the same in
//! Hansen's form; by default it is the prewhitened long-run variance, because blocks cut dependence off
//! and a test with `ω̂ = ω̂*` finds too much in autocorrelated scores. It varies more than `ω̂*`, and the
//! ratio is rather Student's t: the normal value that is as rare takes its place (`long_run`'s head has the
//! degrees).
//!
//! Scores of overlapping labels end their dependence at a lag, which neither finds well in few eras:
//! [`Studentised::Overlap`] takes slow waves alone.
//!
//! NaN is refused. Where the test is studentised, a model that never differs from the benchmark takes no part,
//! one whose difference is constant and not 0 is refused, as is one whose resampled mean never moves, as
//! of blocks of two under scores that go up and down; differences that move by rounding alone are
//! constant. In the reality check and in tests that divide by nothing, such models count as they are.
//!
//! Cost: `draws · n · models`.
//!
//! Reference: White (2000), A reality check for data snooping, Econometrica 68(5); Hansen (2005), A
//! test for superior predictive ability, JBES 23(4); Romano and Wolf (2005), Stepwise multiple testing
//! as formalized data snooping, Econometrica 73(4).

mod confidence_set;
mod excess;
mod step;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::resampling::{Resampling, length};
use excess::{Excess, first_largest};

pub use confidence_set::{ConfidenceSet, Equality, ModelSet};
pub use step::Stepwise;

/// A test of models against a benchmark.
///
/// ```
/// use fattail_luck::Superior;
/// let wave = |t: u32, k: u32| f64::from((t * 7 + k * 5) % 11) - 5.0;
/// let benchmark: Vec<f64> = (0..120).map(|t| wave(t, 0)).collect();
/// let same: Vec<f64> = (0..120).map(|t| wave(t, 3)).collect();
/// let better: Vec<f64> = (0..120).map(|t| wave(t, 1) + 2.0).collect();
/// let test = Superior::default();
/// let found = test.spa(&[&same, &better], &benchmark)?;
/// assert!(found.consistent < 0.01 && found.best == Some(1));
/// assert_eq!(test.stepwise(&[&same, &better], &benchmark)?.superior(0.05), [1]);
/// # Ok::<(), fattail_luck::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Superior {
    /// Whether large or small values are good.
    pub better: Better,
    /// What the mean differences are divided by.
    pub studentised: Studentised,
    /// How eras are drawn.
    pub resampling: Resampling,
}

/// Whether large or small values are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Values are scores.
    #[default]
    Higher,
    /// Values are losses.
    Lower,
}

impl Better {
    /// What makes larger values better.
    fn sign(self) -> f64 {
        match self {
            Self::Higher => 1.0,
            Self::Lower => -1.0,
        }
    }
}

/// What mean differences are divided by before models are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Studentised {
    /// Nothing: the noisiest model decides.
    No,
    /// The spread under the bootstrap, in both worlds (Hansen 2005).
    Bootstrap,
    /// In the world of the data the prewhitened long-run spread, and of Student's t the normal value that is
    /// as rare; the bootstrap's in its own.
    #[default]
    Prewhitened,
    /// The same with the spread of few cosines, for scores of overlapping labels.
    Overlap {
        /// Eras that a label spans: 4 for 20 days in weekly eras, 12 for 60.
        span: usize,
    },
}

/// What the reality check tells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RealityCheck {
    /// `max √n d̄_k`.
    pub statistic: f64,
    /// The model with the largest mean.
    pub best: usize,
    /// The probability of at least that without a better model.
    pub p_value: f64,
    /// Length of the blocks.
    pub block_length: f64,
}

/// What the test for superior predictive ability tells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spa {
    /// `max √n d̄_k / ω̂_k` or its normal value, at least 0.
    pub statistic: f64,
    /// The model that has it; none when no model is better than the benchmark.
    pub best: Option<usize>,
    /// p-value that forgets all models that are worse: liberal.
    pub lower: f64,
    /// p-value that forgets models that are plainly worse: the one to report.
    pub consistent: f64,
    /// p-value that forgets none: conservative.
    pub upper: f64,
    /// Length of the blocks.
    pub block_length: f64,
}

impl Superior {
    /// White's reality check, never studentised.
    ///
    /// # Errors
    /// Columns of different length or below 8 rows, values that are not finite, and settings outside
    /// their range.
    pub fn reality_check(&self, models: &[&[f64]], benchmark: &[f64]) -> Result<RealityCheck> {
        let excess = Excess::new(models, benchmark, self.better)?;
        let blocks = self.resampling.blocks(&excess.columns)?;
        let root = (excess.rows as f64).sqrt();
        let (best, largest) = first_largest(excess.count(), |k| root * excess.means[k]);
        let means = excess.resampled(blocks, &self.resampling)?;
        let above = means.chunks_exact(excess.count()).filter(|draw| {
            let centred = draw.iter().zip(&excess.means).map(|(star, mean)| star - mean);
            root * centred.fold(f64::NEG_INFINITY, f64::max) >= largest
        });
        let p_value = self.resampling.p_value(above.count());
        Ok(RealityCheck { statistic: largest, best, p_value, block_length: length(blocks) })
    }

    /// Hansen's test for superior predictive ability.
    ///
    /// # Errors
    /// Those of [`Superior::reality_check`], and [`crate::Error::Constant`] for a difference that is
    /// constant and not 0 or whose resampled mean never moves.
    pub fn spa(&self, models: &[&[f64]], benchmark: &[f64]) -> Result<Spa> {
        let excess = Excess::new(models, benchmark, self.better)?;
        let blocks = self.resampling.blocks(&excess.columns)?;
        let scales = excess.scales(blocks, self.studentised)?;
        let n = excess.rows as f64;
        let statistics = excess.statistics(&scales, f64::INFINITY);
        let (best, largest) = first_largest(excess.count(), |k| statistics[k]);
        let statistic = largest.max(0.0);
        let near = (2.0 * n.ln().ln() / n).sqrt();
        let centres = |form: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            excess.means.iter().enumerate().map(|(k, &mean)| form(k, mean)).collect()
        };
        let spread = match self.studentised {
            Studentised::No => excess.bootstrap_spreads(blocks),
            _ => scales.data,
        };
        let forms = [
            centres(&|_, mean| mean.max(0.0)),
            centres(&|k, mean| if mean >= -spread[k] * near { mean } else { 0.0 }),
            centres(&|_, mean| mean),
        ];
        let means = excess.resampled(blocks, &self.resampling)?;
        let p_values = forms.map(|centre| {
            let above = means.chunks_exact(excess.count()).filter(|draw| {
                let each = (0..draw.len()).map(|k| (draw[k] - centre[k]) / scales.bootstrap[k]);
                n.sqrt() * each.fold(0.0, f64::max) >= statistic
            });
            self.resampling.p_value(above.count())
        });
        let [lower, consistent, upper] = p_values;
        let best = (largest > 0.0).then_some(best);
        Ok(Spa { statistic, best, lower, consistent, upper, block_length: length(blocks) })
    }
}
