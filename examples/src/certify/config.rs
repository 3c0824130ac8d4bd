//! What is certified, from a file.

use std::path::Path;

use fattail::{
    Eras,
    certificate::{Certifier, Claim, Side},
    evaluate::{
        Blocked, EmbargoRule, Expanding, Fold, Horizon, PurgedKFold, Split, WalkForward, Window,
    },
};
use serde::{Deserialize, Serialize};

use super::Workflow;
use crate::Outcome;

/// A pipeline and how its eras are split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The pipeline.
    pub workflow: Workflow,
    /// How its eras are split.
    #[serde(default)]
    pub split: SplitChoice,
    /// What keeps training labels and test eras apart.
    #[serde(default)]
    pub rule: EmbargoRule,
    /// The settings of the certificate and what it claims; without them the usual ones, and the claim that follows
    /// from the three above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certifier: Option<Certifier>,
}

/// How eras are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitChoice {
    /// All eras before each test block.
    Expanding {
        /// Test blocks.
        folds: usize,
    },
    /// Chunks of one length, each predicted by what was before it.
    WalkForward {
        /// Eras a chunk.
        chunk: usize,
        /// How much of the past is trained on.
        #[serde(default)]
        window: Window,
    },
    /// Blocks trained on both sides.
    Blocked {
        /// Blocks.
        folds: usize,
    },
    /// Blocks trained on both sides, purged and embargoed.
    PurgedKFold {
        /// Blocks.
        folds: usize,
        /// Days after the test block that are left out as well.
        embargo_days: u32,
    },
}

impl Default for SplitChoice {
    fn default() -> Self {
        Self::Expanding { folds: 4 }
    }
}

impl Config {
    /// The usual pipeline on targets of a horizon.
    ///
    /// # Errors
    /// When the horizon has no days.
    pub fn usual(horizon: Horizon) -> Outcome<Self> {
        let (split, rule) = (SplitChoice::default(), EmbargoRule::default());
        Ok(Self { workflow: Workflow::usual(horizon)?, split, rule, certifier: None })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When there is none, or it says what is not known.
    pub fn read(path: &Path) -> Outcome<Self> {
        let told = |error: &dyn std::fmt::Display| format!("'{}': {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
        Ok(serde_json::from_str(&text).map_err(|error| told(&error))?)
    }

    /// The folds.
    ///
    /// # Errors
    /// When the eras are too few.
    pub fn folds(&self, eras: &Eras) -> Outcome<Vec<Fold>> {
        let (horizon, rule) = (self.workflow.horizon, self.rule);
        let folds = match self.split {
            SplitChoice::Expanding { folds } => Expanding { folds, horizon, rule }.folds(eras),
            SplitChoice::WalkForward { chunk, window } => {
                let split = WalkForward { chunk, window, horizon, rule, ..WalkForward::default() };
                split.folds(eras)
            }
            SplitChoice::Blocked { folds } => Blocked { folds, horizon, rule }.folds(eras),
            SplitChoice::PurgedKFold { folds, embargo_days } => {
                PurgedKFold { folds, horizon, rule, embargo_days }.folds(eras)
            }
        };
        Ok(folds?)
    }

    /// The settings of its certificate.
    #[must_use]
    pub fn certifier(&self) -> Certifier {
        if let Some(certifier) = &self.certifier {
            return certifier.clone();
        }
        let side = match self.split {
            SplitChoice::Expanding { .. } | SplitChoice::WalkForward { .. } => Side::Past,
            SplitChoice::Blocked { .. } | SplitChoice::PurgedKFold { .. } => Side::Both,
        };
        let (horizon, rule) = (self.workflow.horizon, self.rule);
        let claim = Claim { horizon, rule, side, ..Claim::default() };
        Certifier { claim, ..Certifier::default() }
    }

    /// Refuses horizons that are shorter than that of the labels: a pipeline that knows its labels too early would be
    /// certified by its own mistake.
    ///
    /// # Errors
    /// Names the horizon, the day and what they have to be.
    pub fn expect_horizon(&self, labels: Horizon) -> Outcome {
        let claimed = self.certifier().claim.horizon;
        for (whose, given) in [("workflow", self.workflow.horizon), ("certifier", claimed)] {
            let days = [
                ("days", given.days, labels.days),
                ("lag_days", given.lag_days, labels.lag_days),
                ("data_lag_days", given.data_lag_days, labels.data_lag_days),
            ];
            if let Some((name, given, least)) =
                days.into_iter().find(|(_, given, least)| given < least)
            {
                return Err(format!(
                    "the horizon of the {whose}: '{name}' is {given}, the labels need at least {least}; \
                     --label-days says that they are shorter"
                )
                .into());
            }
            if given.era_days > labels.era_days {
                let (given, most) = (given.era_days, labels.era_days);
                return Err(format!(
                    "the horizon of the {whose}: 'era_days' is {given}, eras have at most {most}"
                )
                .into());
            }
        }
        Ok(())
    }
}
