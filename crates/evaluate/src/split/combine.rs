//! Combinatorial purged cross-validation: every choice of k among N groups of eras is tested once.
//!
//! The eras are cut into N groups in time order, N - 1 of them of `⌊T/N⌋` eras and the last of the rest.
//! The `C(N, k)` choices come in lexicographic order. Each group is tested by `φ = C(N-1, k-1)` of them;
//! path p takes, for each group, the p-th split that tests it, so that every path predicts every era once.
//! Around each maximal run of test groups, the gap goes on both sides, and the embargo after it.
//!
//! [`Cpcv`] is not a [`Split`](crate::Split): a split tests an era once, and what stands on splits (one
//! series of scores, a ledger, tuning) relies on it. Here an era has φ predictions, so there is a result
//! of its own, [`Combinations`], and a backtest of its own,
//! [`backtest_paths`](crate::backtest_paths). Models train on eras after those that they predict: paths tell
//! how much a result owes to one arrangement of history, not what would have been earned.
//!
//! Cost: `C(N, k)` times the eras.
//! Reference: López de Prado (2018), Advances in Financial Machine Learning, section 12.4.

use std::ops::Range;

use fattail_core::Eras;
use serde::{Deserialize, Serialize};

use super::{Fold, outside};
use crate::error::{Error, Result};
use crate::{EmbargoRule, Horizon};

/// More splits than this are a mistake: each is a fit.
const MOST: usize = 100_000;

/// Combinatorial purged cross-validation over eras.
///
/// ```
/// use fattail_core::Eras;
/// use fattail_evaluate::Cpcv;
/// let eras = Eras::from_labels((1..=120).map(|era| format!("{era:04}")))?;
/// let splits = Cpcv { groups: 6, tests: 2, ..Cpcv::default() }.splits(&eras)?;
/// assert_eq!((splits.folds().len(), splits.paths().len()), (15, 5));
/// // The second split tests the groups 0 and 2, and is on the second path of group 0.
/// assert_eq!((splits.tested(1), &splits.path_ids()[1][..]), (&[0, 2][..], &[1, 0][..]));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpcv {
    /// The number of groups, N.
    pub groups: usize,
    /// The groups that a split tests, k.
    pub tests: usize,
    /// How far the label looks ahead.
    pub horizon: Horizon,
    /// What the gap must ensure.
    pub rule: EmbargoRule,
    /// Days after each run of test groups and its gap that are left out as well.
    pub embargo_days: u32,
}

impl Default for Cpcv {
    fn default() -> Self {
        let (horizon, rule) = (Horizon::NUMERAI_20, EmbargoRule::LabelDisjoint);
        Self { groups: 10, tests: 3, horizon, rule, embargo_days: 5 }
    }
}

impl Cpcv {
    /// The splits of the eras of a panel.
    ///
    /// # Errors
    /// When a setting is out of range, or a split has nothing to train on.
    pub fn splits(&self, eras: &Eras) -> Result<Combinations> {
        let gap = self.rule.gap(&self.horizon)?;
        let embargo = self.horizon.eras_of(self.embargo_days)?;
        let groups = Groups::of(self.groups, self.tests, eras.len())?;
        groups.combine(|fold, test| {
            let train = outside(test.iter().cloned(), eras.len(), gap, embargo);
            if train.is_empty() {
                let split = "a combinatorial split";
                return Err(Error::TooFewEras { split, fold, eras: eras.len(), gap });
            }
            Ok(Fold { train, test: test.iter().cloned().flatten().collect() })
        })
    }
}

/// Places in time cut into groups.
pub(super) struct Groups {
    count: usize,
    tests: usize,
    places: usize,
}

impl Groups {
    pub(super) fn of(count: usize, tests: usize, places: usize) -> Result<Self> {
        if count < 2 || count > places {
            let allowed = "at least 2 and at most the number of eras, or times";
            return Err(Error::Setting { name: "groups", given: count, allowed });
        }
        if tests == 0 || tests >= count {
            let allowed = "at least 1 and below the number of groups";
            return Err(Error::Setting { name: "tests", given: tests, allowed });
        }
        match choices(count, tests) {
            Some(splits) if splits <= MOST => Ok(Self { count, tests, places }),
            _ => Err(Error::Combinations { groups: count, tests, most: MOST }),
        }
    }

    pub(super) fn range(&self, group: usize) -> Range<usize> {
        let length = self.places / self.count;
        let end = if group + 1 == self.count { self.places } else { (group + 1) * length };
        group * length..end
    }

    /// The splits, each made from its number and the maximal runs of places that it tests.
    pub(super) fn combine(
        &self,
        fold: impl Fn(usize, &[Range<usize>]) -> Result<Fold>,
    ) -> Result<Combinations> {
        let mut all = Combinations {
            groups: (0..self.count).map(|group| self.range(group).collect()).collect(),
            tested: Vec::new(),
            folds: Vec::new(),
        };
        let mut chosen = Some((0..self.tests).collect::<Vec<usize>>());
        while let Some(groups) = chosen {
            let mut runs: Vec<Range<usize>> = Vec::new();
            for place in groups.iter().map(|&group| self.range(group)) {
                match runs.last_mut().filter(|run| run.end == place.start) {
                    Some(run) => run.end = place.end,
                    None => runs.push(place),
                }
            }
            all.folds.push(fold(all.folds.len(), &runs)?);
            chosen = next(&groups, self.count);
            all.tested.push(groups);
        }
        Ok(all)
    }
}

/// `C(n, k)`, if it can be counted.
fn choices(n: usize, k: usize) -> Option<usize> {
    // Each step is itself a number of choices, so the division leaves no rest.
    (0..k.min(n - k)).try_fold(1_usize, |product, i| Some(product.checked_mul(n - i)? / (i + 1)))
}

/// The next choice of groups in lexicographic order.
fn next(chosen: &[usize], count: usize) -> Option<Vec<usize>> {
    let k = chosen.len();
    let at = (0..k).rev().find(|&i| chosen[i] < count - k + i)?;
    Some(chosen[..at].iter().copied().chain((chosen[at] + 1..).take(k - at)).collect())
}

/// The splits of a combinatorial cross-validation, and the paths that they make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Combinations {
    pub(super) groups: Vec<Vec<usize>>,
    tested: Vec<Vec<usize>>,
    folds: Vec<Fold>,
}

impl Combinations {
    /// The eras (or rows, of a split of rows) of each group.
    #[must_use]
    pub fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// The folds, in the published order of the splits; the test eras of one are those of its groups.
    #[must_use]
    pub fn folds(&self) -> &[Fold] {
        &self.folds
    }

    /// The groups that a split tests.
    ///
    /// # Panics
    /// When there is no such split, as indexing a slice does.
    #[must_use]
    pub fn tested(&self, split: usize) -> &[usize] {
        &self.tested[split]
    }

    /// The path of each group that a split tests, split by split: the number of earlier splits that test the
    /// same group.
    #[must_use]
    pub fn path_ids(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![0; self.groups.len()];
        let mut path = |&group: &usize| {
            seen[group] += 1;
            seen[group] - 1
        };
        self.tested.iter().map(|groups| groups.iter().map(&mut path).collect()).collect()
    }

    /// The split that predicts each group, path by path.
    #[must_use]
    pub fn paths(&self) -> Vec<Vec<usize>> {
        let mut splits = vec![Vec::new(); self.groups.len()];
        for (split, groups) in self.tested.iter().enumerate() {
            groups.iter().for_each(|&group| splits[group].push(split));
        }
        let paths = splits.first().map_or(0, Vec::len);
        (0..paths).map(|path| splits.iter().map(|splits| splits[path]).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_by_hand() {
        assert_eq!(
            (choices(6, 2), choices(10, 3), choices(10, 7)),
            (Some(15), Some(120), Some(120))
        );
        assert_eq!((choices(5, 1), choices(300, 150)), (Some(5), None));
        let mut all = vec![vec![0, 1]];
        while let Some(choice) = next(all.last().unwrap(), 4) {
            all.push(choice);
        }
        assert_eq!(all, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
    }

    #[test]
    fn the_published_example_of_six_groups() {
        let eras = Eras::from_labels((0..60).map(|era| format!("{era:02}"))).unwrap();
        let splits = Cpcv { groups: 6, tests: 2, ..Cpcv::default() }.splits(&eras).unwrap();
        // Figure 12.1 of the reference: path 1 is made of splits S1, S1, S2, S3, S4, S5.
        assert_eq!(splits.paths()[0], [0, 0, 1, 2, 3, 4]);
        assert_eq!(splits.paths()[4], [4, 8, 11, 13, 14, 14]);
    }

    #[test]
    fn wrong_settings_are_refused_by_name() {
        let eras = Eras::from_labels((0..60).map(|era| format!("{era:02}"))).unwrap();
        let refusal = |groups, tests| {
            let horizon = Horizon::NUMERAI_60;
            let cpcv = Cpcv { groups, tests, horizon, ..Cpcv::default() };
            cpcv.splits(&eras).unwrap_err().to_string()
        };
        assert!(refusal(1, 1).contains("'groups' is 1"));
        assert!(refusal(61, 2).contains("'groups' is 61"));
        assert!(refusal(6, 0).contains("'tests' is 0"));
        assert!(refusal(6, 6).contains("'tests' is 6"));
        let many = "30 of 60 groups make more than 100000 splits, each of which is a fit";
        assert_eq!(refusal(60, 30), many);
        assert!(refusal(6, 5).starts_with("a combinatorial split with a gap of 12 eras"));
    }
}
