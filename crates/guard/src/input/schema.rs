//! What a gate knows, as plain data that is stored beside a model.
//!
//! The version stands first and is checked before anything else is read; unknown fields are refused.
//! Shares lie in `[0, 1]`; bounds are finite.

use serde::{Deserialize, Serialize};

use super::{EraRule, IdRule};
use crate::{Error, Result};

/// What a batch must look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateSchema {
    /// The version of this form.
    pub version: u32,
    /// What happens to refused rows.
    pub policy: Policy,
    /// What happens to columns that are not known.
    pub additional: Additional,
    /// The features, in order.
    pub features: Vec<Feature>,
    /// The targets.
    pub targets: Targets,
    /// Extra columns that may be there.
    pub extras: Vec<String>,
    /// The eras.
    pub eras: EraRule,
    /// The ids.
    pub ids: IdRule,
    /// Limits of a batch.
    pub batch: BatchLimits,
}

/// What happens to refused rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// One refused row refuses the batch.
    Strict,
    /// Refused rows are put aside, as long as they are few.
    #[default]
    Quarantine,
}

/// What happens to columns that are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Additional {
    /// They refuse the batch.
    #[default]
    Refuse,
    /// They are left out of the admitted panel, and the report says so.
    LeaveOut,
}

/// Whether targets are there.
///
/// Where they are, each value is held to what its column held in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// They must not be: the batch is to be predicted.
    Forbidden,
    /// They may be, and a row without a label yet may hold NaN in any of them: a week that is not over.
    #[default]
    Allowed,
    /// All of them must be, and a value may be NaN only where training values were.
    Required,
}

/// A column and the values it may hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Its missing values.
    pub missing: Missing,
    /// The largest share of a training era that one value filled, leaving out eras that were missing as a
    /// whole; 1 where no training era was large enough to tell.
    pub fullest: f64,
    /// Whether it equalled another feature in a training era.
    pub twin: bool,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Bins (`u8`), in rising order.
    Bins {
        /// The bins.
        allowed: Vec<u8>,
    },
    /// Few numbers (`f32`), in rising order.
    Set {
        /// The numbers.
        allowed: Vec<f32>,
    },
    /// Numbers (`f32`) of a range.
    Number {
        /// The least.
        low: f32,
        /// The largest.
        high: f32,
        /// Whether subnormal numbers may stand.
        subnormal: bool,
    },
}

/// Missing values of a column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The share of the training rows that were NaN. At 0 none may be.
    pub observed: f64,
    /// The least share of an era, before the slack of its number of rows.
    pub low: f64,
    /// The largest share of an era, before the slack of its number of rows.
    pub high: f64,
    /// Training eras in which the column was wholly missing: NaN, or the bin that stands for missing.
    pub wholly_eras: usize,
}

/// The targets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Whether they are there.
    pub presence: Presence,
    /// The columns. Their shares of missing values are not held to a band.
    pub columns: Vec<Feature>,
    /// Columns without a value in training: they may be there, and what they hold is not looked at.
    pub unchecked: Vec<String>,
}

/// Limits of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchLimits {
    /// The least number of admitted rows.
    pub least_rows: usize,
    /// The largest share of refused rows under [`Policy::Quarantine`].
    pub most_refused: f64,
    /// The most eras.
    pub most_eras: usize,
    /// The value that fills a feature which is missing in a whole era, bins and numbers alike.
    pub missing_bin: Option<u8>,
    /// Rows from which an era is looked at for such features.
    pub wholly_rows: usize,
    /// The largest share of such features in an era.
    pub most_wholly: f64,
    /// The largest number of such features in an era that never were so in training.
    pub most_newly: usize,
    /// The largest share of features in an era that hold one other value alone and did so in training.
    pub most_stuck: f64,
    /// The largest share of rows of an era that equal an earlier one in all features, before the slack of
    /// its number of rows.
    pub most_equal: f64,
}

impl GateSchema {
    /// The version that this build reads and writes.
    pub const VERSION: u32 = 2;

    /// Refuses what is not well formed.
    pub(crate) fn check(&self) -> Result<()> {
        if self.version != Self::VERSION {
            return Err(Error::Version { found: self.version.to_string(), known: Self::VERSION });
        }
        if self.features.is_empty() {
            return Err(Error::schema("features", "there are none"));
        }
        let columns = || self.features.iter().chain(&self.targets.columns);
        columns().try_for_each(Feature::check)?;
        let unchecked = self.targets.unchecked.iter();
        let names = columns().map(|column| &column.name).chain(unchecked).chain(&self.extras);
        let mut seen = std::collections::HashSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(Error::schema(format!("'{name}'"), "the name stands twice"));
            }
        }
        self.eras.check()?;
        self.ids.check()?;
        let limits = &self.batch;
        share("batch.most_refused", limits.most_refused)?;
        share("batch.most_wholly", limits.most_wholly)?;
        share("batch.most_stuck", limits.most_stuck)?;
        share("batch.most_equal", limits.most_equal)
    }
}

impl Feature {
    fn check(&self) -> Result<()> {
        let wrong = |reason: &str| Err(Error::schema(format!("'{}'", self.name), reason));
        if self.name.is_empty() {
            return wrong("the name is empty");
        }
        let rising = match &self.kind {
            Kind::Bins { allowed } => allowed.windows(2).all(|pair| pair[0] < pair[1]),
            Kind::Set { allowed } => {
                allowed.iter().all(|value| value.is_finite())
                    && allowed.windows(2).all(|pair| pair[0] < pair[1])
            }
            Kind::Number { low, high, .. } => low.is_finite() && high.is_finite() && low <= high,
        };
        if !rising {
            return wrong("values are not finite and rising");
        }
        let empty = match &self.kind {
            Kind::Bins { allowed } => allowed.is_empty(),
            Kind::Set { allowed } => allowed.is_empty(),
            Kind::Number { .. } => false,
        };
        if empty {
            return wrong("no value is allowed");
        }
        let Missing { observed, low, high, .. } = self.missing;
        for (name, value) in [("observed", observed), ("low", low), ("high", high)] {
            share(&format!("'{}' missing.{name}", self.name), value)?;
        }
        share(&format!("'{}' fullest", self.name), self.fullest)?;
        if low > high {
            return wrong("the band of missing shares is upside down");
        }
        if matches!(self.kind, Kind::Bins { .. }) && observed > 0.0 {
            return wrong("bins cannot be NaN");
        }
        Ok(())
    }
}

fn share(place: &str, value: f64) -> Result<()> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(Error::schema(place, format!("{value} is no share from 0 to 1"))),
    }
}
