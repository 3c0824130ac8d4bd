//! How columns become bins.

use std::collections::BTreeMap;

use fattail_core::{Error as CoreError, Schema};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of binning, with LightGBM's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binning {
    /// The most bins of a column, the one for missing values included: 2 to 65,536.
    pub max_bins: usize,
    /// Other limits for some features, by name.
    pub max_bins_by_feature: BTreeMap<String, usize>,
    /// Sampled values that a bin of numbers holds at least.
    pub min_data_in_bin: usize,
    /// Rows that the boundaries are chosen from.
    pub sample: usize,
    /// Seed of that sample; its low 32 bits count.
    pub seed: u64,
    /// Whether missing values are treated apart.
    pub use_missing: bool,
    /// Whether zero counts as missing.
    pub zero_as_missing: bool,
    /// The features that are categories, by name.
    pub categorical: Vec<String>,
    /// Boundaries that must be among those of a feature, by name.
    pub forced: BTreeMap<String, Vec<f64>>,
}

impl Default for Binning {
    fn default() -> Self {
        Self {
            max_bins: 255,
            max_bins_by_feature: BTreeMap::new(),
            min_data_in_bin: 3,
            sample: 200_000,
            seed: 1,
            use_missing: true,
            zero_as_missing: false,
            categorical: Vec::new(),
            forced: BTreeMap::new(),
        }
    }
}

/// What the settings say about one column.
#[derive(Debug, Clone)]
pub(crate) struct Plan<'a> {
    pub(crate) max_bins: usize,
    pub(crate) min_data: usize,
    pub(crate) use_missing: bool,
    pub(crate) zero_as_missing: bool,
    pub(crate) categorical: bool,
    pub(crate) forced: &'a [f64],
}

impl Binning {
    /// The most bins that a code can count.
    pub const MAX_BINS: usize = 65_536;

    /// Checks the settings and answers what they say about each feature.
    pub(crate) fn plan(&self, schema: &Schema) -> fattail_core::Result<Vec<Plan<'_>>> {
        self.check_numbers()?;
        let plan = Plan {
            max_bins: self.max_bins,
            min_data: self.min_data_in_bin,
            use_missing: self.use_missing,
            zero_as_missing: self.zero_as_missing,
            categorical: false,
            forced: &[],
        };
        let mut plans = vec![plan; schema.features().len()];
        for (name, &limit) in &self.max_bins_by_feature {
            plans[schema.feature_position(name)?].max_bins = limit;
        }
        for name in &self.categorical {
            plans[schema.feature_position(name)?].categorical = true;
        }
        for (name, forced) in &self.forced {
            let plan = &mut plans[schema.feature_position(name)?];
            if plan.categorical {
                return Err(CoreError::setting(
                    "forced",
                    name,
                    "features that are not categorical",
                ));
            }
            check_forced(name, forced)?;
            plan.forced = forced;
        }
        Ok(plans)
    }

    fn check_numbers(&self) -> fattail_core::Result<()> {
        let allowed = 2..=Self::MAX_BINS;
        let limits = std::iter::once(("max_bins", self.max_bins))
            .chain(self.max_bins_by_feature.values().map(|&n| ("max_bins_by_feature", n)));
        for (name, limit) in limits {
            if !allowed.contains(&limit) {
                return Err(CoreError::setting(name, limit, "2 to 65,536"));
            }
        }
        for (name, value) in [("min_data_in_bin", self.min_data_in_bin), ("sample", self.sample)] {
            if value == 0 {
                return Err(CoreError::setting(name, value, "1 or more"));
            }
        }
        Ok(())
    }
}

fn check_forced(feature: &str, forced: &[f64]) -> Result<(), Error> {
    let wrong = |at: &usize| !forced[*at].is_finite() || *at > 0 && forced[*at - 1] >= forced[*at];
    match (0..forced.len()).find(wrong) {
        Some(at) => Err(Error::Forced { feature: feature.to_owned(), value: forced[at], at }),
        None => Ok(()),
    }
}
