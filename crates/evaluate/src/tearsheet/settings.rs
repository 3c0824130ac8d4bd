//! What a tear sheet shows and how far it looks.

use serde::{Deserialize, Serialize};

use crate::{Error, Horizon, Result};

/// The most eras that anything looks ahead or back: twenty years of weeks.
const MOST_ERAS: usize = 1_040;

/// The settings of a [`TearSheet`](crate::TearSheet).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TearSettings {
    /// Quantiles of the predictions of an era: 2 to 100.
    pub quantiles: usize,
    /// How far the label of the scores and of the panel's target looks ahead: 1,040 eras at most.
    pub horizon: Horizon,
    /// The targets whose rank correlation with the predictions and whose quantiles are shown; the panel's own
    /// when none is named.
    pub targets: Vec<TargetColumn>,
    /// Eras up to which predictions are followed by id: 1,040 at most.
    pub lags: usize,
    /// The share of an era's rows that must be found so many eras later, in percent.
    pub least_shared: u8,
    /// Features with the largest mean exposure that are shown era by era.
    pub top_features: usize,
    /// Drawdowns listed.
    pub worst: usize,
    /// Eras of a rolling figure: at least 2.
    pub window: usize,
    /// Lags of the autocorrelation of the scores: 1,040 at most.
    pub score_lags: usize,
}

/// A target and how many days of the market it covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetColumn {
    /// The target's name in the panel.
    pub name: String,
    /// The days that it covers; its standard error follows from them.
    pub days: u32,
}

impl TargetColumn {
    /// A target of so many days.
    pub fn new(name: impl Into<String>, days: u32) -> Self {
        Self { name: name.into(), days }
    }
}

impl Default for TearSettings {
    fn default() -> Self {
        Self {
            quantiles: 5,
            horizon: Horizon::NUMERAI_20,
            targets: Vec::new(),
            lags: 12,
            least_shared: 50,
            top_features: 20,
            worst: 5,
            window: 52,
            score_lags: 26,
        }
    }
}

impl TearSettings {
    /// The lag at which labels of a target still overlap.
    pub(super) fn lag_of(&self, target: &TargetColumn) -> usize {
        // Checked before.
        Horizon { days: target.days, ..self.horizon }.overlap_lag().unwrap_or(0)
    }

    /// The lag at which labels still overlap, if all settings are in range.
    pub(super) fn check(&self) -> Result<usize> {
        let refuse = |name, given, allowed| Err(Error::Setting { name, given, allowed });
        if !(2..=100).contains(&self.quantiles) {
            return refuse("quantiles", self.quantiles, "2 to 100");
        }
        if self.window < 2 {
            return refuse("window", self.window, "at least 2");
        }
        if self.least_shared > 100 {
            return refuse("least_shared", usize::from(self.least_shared), "0 to 100");
        }
        for (name, given) in [("lags", self.lags), ("score_lags", self.score_lags)] {
            if given > MOST_ERAS {
                return refuse(name, given, "0 to 1040");
            }
        }
        let main = [self.horizon.days].into_iter();
        for days in main.chain(self.targets.iter().map(|target| target.days)) {
            if (Horizon { days, ..self.horizon }).label_eras()? > MOST_ERAS {
                return refuse("days", days as usize, "1 to 1040 eras");
            }
        }
        self.horizon.overlap_lag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let with = |change: fn(&mut TearSettings)| {
            let mut settings = TearSettings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|_| ()), Ok(3));
        assert_eq!(
            with(|s| s.quantiles = 1),
            Err("setting 'quantiles' is 1, allowed is 2 to 100".into())
        );
        assert!(with(|s| s.window = 1).unwrap_err().contains("'window' is 1"));
        assert!(with(|s| s.least_shared = 101).unwrap_err().contains("'least_shared' is 101"));
        assert!(with(|s| s.horizon.era_days = 0).unwrap_err().contains("era_days"));
        for (name, most) in [
            ("lags", with(|s| s.lags = 1_041)),
            ("score_lags", with(|s| s.score_lags = usize::MAX)),
            ("days", with(|s| s.horizon.days = 5_201)),
            ("days", with(|s| s.targets = vec![TargetColumn::new("long", u32::MAX)])),
        ] {
            let told = most.unwrap_err();
            assert!(told.contains(name) && told.contains("1040"), "{told}");
        }
        assert!(with(|s| (s.lags, s.score_lags, s.horizon.days) = (1_040, 1_040, 5_200)).is_ok());
        let no_days = with(|s| s.targets = vec![TargetColumn::new("target_60", 0)]);
        assert!(no_days.unwrap_err().contains("'days' is 0"));
    }
}
