//! How far a label looks ahead, and the gap between training and test eras that follows.
//!
//! `gap = ⌈days / era_days⌉` whole eras lie between the last training and the first test era, where
//! `days` is what the rule counts. Ends are closed: labels that touch count as overlapping.
//!
//! Eras are counted by position. A panel that keeps every fourth era only is therefore purged more
//! widely than it must be, never less.
//!
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, section 7.4.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How far a label looks ahead, in days of the market.
///
/// ```
/// use fattail_evaluate::{EmbargoRule, Horizon};
/// assert_eq!(EmbargoRule::LabelDisjoint.gap(&Horizon::NUMERAI_20)?, 4);
/// assert_eq!(EmbargoRule::RealTime.gap(&Horizon::NUMERAI_60)?, 13);
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    /// Days that the label covers.
    pub days: u32,
    /// Days between the prediction and the start of the label.
    pub lag_days: u32,
    /// Days between the end of the label and the day its value is known.
    pub data_lag_days: u32,
    /// Days from one era to the next.
    pub era_days: u32,
}

impl Horizon {
    /// Numerai's 20-day targets in weekly eras.
    pub const NUMERAI_20: Self = Self { days: 20, lag_days: 2, data_lag_days: 2, era_days: 5 };
    /// Numerai's 60-day targets in weekly eras.
    pub const NUMERAI_60: Self = Self { days: 60, ..Self::NUMERAI_20 };

    /// The number of eras over whose start days labels overlap, this era included.
    ///
    /// # Errors
    /// When an era has no days or the label has none.
    pub fn label_eras(&self) -> Result<usize> {
        self.eras_of(self.days)
    }

    /// Autocovariances that overlapping labels make: one less than [`Horizon::label_eras`].
    ///
    /// # Errors
    /// When an era has no days or the label has none.
    pub fn overlap_lag(&self) -> Result<usize> {
        Ok(self.label_eras()? - 1)
    }

    /// Whole eras that cover `days`.
    pub(crate) fn eras_of(&self, days: u32) -> Result<usize> {
        let allowed = "at least 1";
        if self.era_days == 0 {
            return Err(Error::Setting { name: "era_days", given: 0, allowed });
        }
        if self.days == 0 {
            return Err(Error::Setting { name: "days", given: 0, allowed });
        }
        Ok(days.div_ceil(self.era_days) as usize)
    }
}

/// What the gap between training and test must ensure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbargoRule {
    /// No training label shares a day with a test label: 4 eras for 20 days, 12 for 60.
    LabelDisjoint,
    /// Every training label is known on the day of the first test prediction, lags included: 5 eras
    /// for 20 days, 13 for 60.
    #[default]
    RealTime,
    /// As Numerai's benchmark models: four eras more than the label's, 8 for 20 days, 16 for 60.
    NumeraiBenchmark,
}

/// Eras that the benchmark models leave out beyond the label's.
const BENCHMARK_MARGIN: usize = 4;

impl EmbargoRule {
    /// The whole eras between training and test.
    ///
    /// # Errors
    /// When an era has no days or the label has none.
    pub fn gap(&self, horizon: &Horizon) -> Result<usize> {
        match self {
            Self::LabelDisjoint => horizon.label_eras(),
            Self::RealTime => {
                let lags = horizon.lag_days.saturating_add(horizon.data_lag_days);
                horizon.eras_of(horizon.days.saturating_add(lags))
            }
            Self::NumeraiBenchmark => Ok(horizon.label_eras()? + BENCHMARK_MARGIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_numerai() {
        let gaps = |rule: EmbargoRule| {
            [Horizon::NUMERAI_20, Horizon::NUMERAI_60].map(|h| rule.gap(&h).unwrap())
        };
        assert_eq!(gaps(EmbargoRule::LabelDisjoint), [4, 12]);
        assert_eq!(gaps(EmbargoRule::RealTime), [5, 13]);
        assert_eq!(gaps(EmbargoRule::NumeraiBenchmark), [8, 16]);
        assert_eq!(Horizon::NUMERAI_20.overlap_lag(), Ok(3));
    }

    #[test]
    fn zero_days_are_refused_by_name() {
        let wrong = Horizon { era_days: 0, ..Horizon::NUMERAI_20 };
        let error = EmbargoRule::RealTime.gap(&wrong).unwrap_err();
        assert_eq!(error.to_string(), "setting 'era_days' is 0, allowed is at least 1");
        let wrong = Horizon { days: 0, ..Horizon::NUMERAI_20 };
        assert!(EmbargoRule::LabelDisjoint.gap(&wrong).is_err());
    }
}
