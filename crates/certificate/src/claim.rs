//! What a procedure claims not to have seen.
//!
//! A label of era `l` stands for days `D l + lag` to `D l + lag + days`, both ends among them, and is known from
//! day `D l + lag + days + data lag` on, with `D` days an era. For a prediction of era `e` a label is allowed
//! where its days do not meet those of label `e` ([`EmbargoRule::LabelDisjoint`]): `D |e - l| > days`; or where it
//! is known by then ([`EmbargoRule::RealTime`]): `e - l >= gap`, `gap` of the rule; other rules likewise with
//! theirs. Splits leave `gap` eras between, one more than has to be in real time.

use fattail_evaluate::{EmbargoRule, Fold, Horizon};
use serde::{Deserialize, Serialize};

use crate::Result;

/// On which sides of a test era training labels may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before it: what could have been done at the time.
    #[default]
    Past,
    /// Before and after it, as in purged cross-validation.
    Both,
}

/// What a procedure claims not to have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Claim {
    /// How far labels look ahead.
    pub horizon: Horizon,
    /// What keeps labels apart.
    pub rule: EmbargoRule,
    /// On which sides training labels may lie.
    pub side: Side,
    /// Extra columns that are known with the features, such as a meta model's predictions. Others are known with
    /// the labels at the earliest, and a prediction that depends on them is a leak.
    pub known: Vec<String>,
}

impl Default for Claim {
    fn default() -> Self {
        Self {
            horizon: Horizon::NUMERAI_20,
            rule: EmbargoRule::default(),
            side: Side::default(),
            known: Vec::new(),
        }
    }
}

impl Claim {
    /// Whether the label of era `label` may be used for predictions of era `at`.
    ///
    /// ```
    /// use fattail_certificate::Claim;
    /// let claim = Claim::default();
    /// assert!(claim.allows(95, 100)? && !claim.allows(96, 100)? && !claim.allows(120, 100)?);
    /// # Ok::<(), fattail_certificate::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the horizon has no days.
    pub fn allows(&self, label: usize, at: usize) -> Result<bool> {
        let (gap, days) = (self.rule.gap(&self.horizon)?, self.horizon.days as usize);
        let apart = label.abs_diff(at);
        let far = match self.rule {
            EmbargoRule::LabelDisjoint => {
                apart.saturating_mul(self.horizon.era_days as usize) > days
            }
            _ => apart >= gap,
        };
        Ok(far && (self.side == Side::Both || label < at))
    }

    /// The first era score that a decision at era `at` may not read, scores of later eras with it.
    ///
    /// # Errors
    /// When the horizon has no days.
    pub fn scores_known_below(&self, at: usize) -> Result<usize> {
        let gap = EmbargoRule::RealTime.gap(&self.horizon)?;
        Ok((at + 1).saturating_sub(gap))
    }

    /// A training era of the fold whose label is not allowed for one of its test eras.
    pub(crate) fn broken_by(&self, fold: &Fold) -> Result<Option<(usize, usize)>> {
        for &train in &fold.train {
            // Distances are least at the ends of the runs of test eras around it.
            let at = fold.test.partition_point(|&test| test < train);
            let nearest = [at.checked_sub(1), Some(at)].into_iter().flatten();
            let nearest = nearest.filter_map(|at| fold.test.get(at)).chain(fold.test.first());
            for &test in nearest {
                if !self.allows(train, test)? {
                    return Ok(Some((train, test)));
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_by_hand() {
        let real = Claim::default();
        let disjoint = Claim { rule: EmbargoRule::LabelDisjoint, ..real.clone() };
        let both = Claim { side: Side::Both, ..disjoint.clone() };
        // Days 2 to 22 of era 0 and 22 to 42 of era 4 share a day.
        assert!(!disjoint.allows(0, 4).unwrap() && disjoint.allows(0, 5).unwrap());
        assert!(!real.allows(0, 4).unwrap() && real.allows(0, 5).unwrap());
        assert!(!disjoint.allows(9, 4).unwrap() && both.allows(9, 4).unwrap());
        assert!(!both.allows(8, 4).unwrap());
        assert_eq!(real.scores_known_below(10).unwrap(), 6);
    }

    #[test]
    fn a_fold_that_is_too_near_is_named() {
        let claim = Claim::default();
        let fold =
            |train: &[usize], test: &[usize]| Fold { train: train.into(), test: test.into() };
        assert_eq!(claim.broken_by(&fold(&[0, 1, 2], &[7, 8])).unwrap(), None);
        assert_eq!(claim.broken_by(&fold(&[0, 1, 3], &[7, 8])).unwrap(), Some((3, 7)));
        assert_eq!(claim.broken_by(&fold(&[0, 9], &[7, 20])).unwrap(), Some((9, 7)));
        let both = Claim { side: Side::Both, ..claim };
        assert_eq!(both.broken_by(&fold(&[0, 13], &[5, 8, 18])).unwrap(), None);
    }
}
