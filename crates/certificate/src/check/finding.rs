//! What a check found, and which checks may be left out for which reason.

use serde::{Deserialize, Serialize};

use super::Check;
use crate::{Claim, Side};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was found.
    Passed,
    /// A leak was found, or a run does not repeat itself or learns nothing.
    Failed,
    /// The check does not apply, for the reason in [`Finding::skip`].
    Skipped,
    /// The check applies and could not be made: nothing is shown, and the certificate is void.
    Unknown,
}

/// Why a check does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Training eras lie on both sides of test eras, and there is no panel without what comes later.
    TwoSided,
    /// The panel has no ids.
    NoIds,
    /// Every fold has one test era, so nothing in it comes later.
    OneTestEra,
    /// Eras are too small for the disturbance to change anything, such as the order of one row.
    SmallEras,
    /// No copy could be told from chance: the rows have no ids, and features or targets that many rows share.
    NotDistinct,
    /// The procedure has read no score.
    NoReads,
}

impl Skip {
    /// The reason, as a sentence.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::TwoSided => "training eras lie on both sides of test eras",
            Self::NoIds => "the panel has no ids",
            Self::OneTestEra => "every fold has one test era",
            Self::SmallEras => "eras are too small for anything to change",
            Self::NotDistinct => "a copy could not be told from chance in so few or so equal rows",
            Self::NoReads => "the procedure reports no read of a score",
        }
    }

    /// Whether a check may be left out for this reason, under a claim.
    #[must_use]
    pub fn is_allowed(self, check: Check, claim: &Claim) -> bool {
        match self {
            Self::TwoSided => check == Check::Prefix && claim.side == Side::Both,
            Self::NoIds => check == Check::FutureIds,
            Self::OneTestEra => matches!(check, Check::TestRows | Check::Streaming),
            Self::SmallEras => matches!(
                check,
                Check::FutureRows
                    | Check::Order
                    | Check::RowOrder
                    | Check::Oracle
                    | Check::Shuffled
            ),
            Self::NotDistinct => check == Check::Copies,
            Self::NoReads => check == Check::Ledger,
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// How it ended.
    pub state: State,
    /// Why it was skipped; `None` where it was not.
    pub skip: Option<Skip>,
    /// Whether it saw its planted leak; `None` where nothing was planted.
    pub plant_caught: Option<bool>,
    /// The largest figure that was found: of disturbances a difference in spreads of the predictions, of others
    /// what `note` says.
    #[serde(with = "fattail_core::null")]
    pub figure: f64,
    /// The figure above which the check fails; [`Check::Alive`] fails below it.
    #[serde(with = "fattail_core::null")]
    pub limit: f64,
    /// Where the largest figure was found, or why there is none.
    pub note: String,
}

impl Finding {
    /// Failed where the figure is not below the limit, NaN included.
    pub(super) fn of(
        check: Check,
        figure: f64,
        limit: f64,
        caught: Option<bool>,
        note: String,
    ) -> Self {
        let state = if figure <= limit { State::Passed } else { State::Failed };
        Self { check, state, skip: None, plant_caught: caught, figure, limit, note }
    }

    pub(super) fn skipped(check: Check, skip: Skip) -> Self {
        let note = skip.reason().to_owned();
        Self { skip: Some(skip), ..Self::without(check, State::Skipped, note) }
    }

    pub(super) fn unknown(check: Check, note: impl Into<String>) -> Self {
        Self::without(check, State::Unknown, note.into())
    }

    fn without(check: Check, state: State, note: String) -> Self {
        let (figure, limit) = (f64::NAN, f64::NAN);
        Self { check, state, skip: None, plant_caught: None, figure, limit, note }
    }

    /// Whether it is part of what a certificate needs to pass: the check passed and saw its plant, or it does not
    /// apply for a reason that holds for it. [`Check::Alive`] has no plant.
    #[must_use]
    pub fn counts(&self, claim: &Claim) -> bool {
        match self.state {
            State::Passed if self.check == Check::Alive => true,
            State::Passed => self.plant_caught == Some(true) && self.figure <= self.limit,
            State::Skipped => self.skip.is_some_and(|skip| skip.is_allowed(self.check, claim)),
            State::Failed | State::Unknown => false,
        }
    }

    /// Whether it shows a leak. A run that does not repeat itself or learns nothing leaks nothing that could be seen.
    #[must_use]
    pub fn is_leak(&self) -> bool {
        self.state == State::Failed && !matches!(self.check, Check::Repeat | Check::Alive)
    }

    /// How it ended, in a word or two.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Passed => "passed",
            State::Failed if self.is_leak() => "LEAK",
            State::Failed => "not so",
            State::Skipped => "skipped",
            State::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use fattail_evaluate::EmbargoRule;

    use super::*;

    #[test]
    fn what_counts() {
        let claim = Claim::default();
        let both = Claim { side: Side::Both, rule: EmbargoRule::LabelDisjoint, ..claim.clone() };
        let passed = |check, caught| Finding::of(check, 0.0, 1.0, caught, String::new());
        assert!(passed(Check::Labels, Some(true)).counts(&claim));
        assert!(!passed(Check::Labels, Some(false)).counts(&claim));
        assert!(!passed(Check::Labels, None).counts(&claim));
        assert!(passed(Check::Alive, None).counts(&claim));
        let skipped = |check, skip| Finding::skipped(check, skip);
        assert!(skipped(Check::Prefix, Skip::TwoSided).counts(&both));
        assert!(!skipped(Check::Prefix, Skip::TwoSided).counts(&claim));
        assert!(!skipped(Check::Labels, Skip::SmallEras).counts(&claim));
        assert!(!Finding::unknown(Check::Shuffled, "it errs").counts(&claim));
        let bare = Finding { skip: None, ..skipped(Check::FutureIds, Skip::NoIds) };
        assert!(!bare.counts(&claim));
        // A figure above its limit that says that it passed.
        let forged = Finding { figure: 2.0, ..passed(Check::Labels, Some(true)) };
        assert!(!forged.counts(&claim));
    }
}
