//! How a gate is learnt.

use serde::{Deserialize, Serialize};

use super::{Additional, IdForm, Policy, Presence};
use crate::{Error, Result};

/// How a gate is learnt from training data; [`GateRecipe::learn`] does it.
///
/// ```
/// use fattail_guard::{Gate, GateRecipe, Policy};
/// use fattail_testing::Market;
///
/// let train = Market { eras: 30, rows: 100, ..Market::default() }.panel()?;
/// let gate = GateRecipe { policy: Policy::Strict, ..GateRecipe::default() }.learn(&train)?;
/// assert!(gate.batch(&train).is_admitted());
/// assert_eq!(Gate::from_json(&gate.to_json()?)?, gate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateRecipe {
    /// What happens to refused rows.
    pub policy: Policy,
    /// What happens to columns that are not known.
    pub additional: Additional,
    /// Whether batches have targets.
    pub targets: Presence,
    /// Bins that every column of bins may hold; empty, those that it holds in training.
    pub bins: Vec<u8>,
    /// Distinct values up to which a column of numbers is a set, once each stands for a hundred rows.
    pub most_set: usize,
    /// The fences stand at the quantiles `tail` and `1 - tail`, which lie a spread apart, ..
    pub tail: f64,
    /// .. and this many spreads beyond them, or beyond the extreme training values by as many times what
    /// those lie beyond the quantiles, whatever is further out.
    pub margin: f64,
    /// Spreads beyond the inner values from which a training value is an error and refuses to be learnt; more
    /// of them where there are more than `50 / tail` values.
    pub reach: f64,
    /// No fence lies below it, and no training value may.
    pub hard_low: f32,
    /// No fence lies above it, and no training value may.
    pub hard_high: f32,
    /// How far the share of missing values in an era may leave that of the training eras.
    pub missing_margin: f64,
    /// The value that fills a feature which is missing in a whole era, bins and numbers alike.
    pub missing_bin: Option<u8>,
    /// Rows from which an era is looked at for such features, for features that hold one value alone, and
    /// for equal rows and columns.
    pub wholly_rows: usize,
    /// How far the share of features that are wholly missing, or hold one value alone, in an era may exceed
    /// that of the training eras.
    pub wholly_margin: f64,
    /// How far the share of rows that equal another of their era may exceed that of the training eras.
    pub equal_margin: f64,
    /// The largest number of features in an era that are wholly missing and never were in training; the same
    /// of features that hold one value alone.
    pub most_newly: usize,
    /// Whether training eras that are unlike all others are learnt, and widen the bands; otherwise they are
    /// errors.
    pub keep_odd_eras: bool,
    /// How far, as a share, an era's rows may leave those of the training eras.
    pub rows_margin: f64,
    /// The least number of rows that a batch is left with.
    pub least_rows: usize,
    /// The most eras of a batch.
    pub most_eras: usize,
    /// The largest share of refused rows under [`Policy::Quarantine`].
    pub most_refused: f64,
    /// The form of ids; without it, the form that those of the training data have.
    pub id: Option<IdForm>,
    /// Labels of eras beside those of the training data, such as `eraX`.
    pub eras: Vec<String>,
    /// Whether eras must come after the last training era. A gate that stays in use is moved on by
    /// [`Gate::after`](super::Gate::after), so that the same week does not come twice.
    pub after_training: bool,
}

impl Default for GateRecipe {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            additional: Additional::default(),
            targets: Presence::default(),
            bins: Vec::new(),
            most_set: 16,
            tail: 0.005,
            margin: 1.0,
            reach: 1000.0,
            hard_low: f32::MIN,
            hard_high: f32::MAX,
            missing_margin: 0.05,
            missing_bin: Some(2),
            wholly_rows: 20,
            wholly_margin: 0.01,
            equal_margin: 0.01,
            most_newly: 0,
            keep_odd_eras: false,
            rows_margin: 0.25,
            least_rows: 1,
            most_eras: 10_000,
            most_refused: 0.01,
            id: None,
            eras: Vec::new(),
            after_training: false,
        }
    }
}

impl GateRecipe {
    pub(crate) fn check(&self) -> Result<()> {
        let shares = [
            ("missing_margin", self.missing_margin),
            ("wholly_margin", self.wholly_margin),
            ("equal_margin", self.equal_margin),
            ("most_refused", self.most_refused),
        ];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, value, "0 to 1"));
            }
        }
        if !(0.0..0.5).contains(&self.tail) {
            return Err(Error::setting("tail", self.tail, "0 to below 0.5"));
        }
        for (name, value) in [("margin", self.margin), ("rows_margin", self.rows_margin)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::setting(name, value, "0 or more"));
            }
        }
        if self.reach.is_nan() || self.reach < self.margin {
            return Err(Error::setting("reach", self.reach, "at least `margin`"));
        }
        let (low, high) = (self.hard_low, self.hard_high);
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return Err(Error::setting("hard_low", low, "finite and at most `hard_high`"));
        }
        Ok(())
    }
}
