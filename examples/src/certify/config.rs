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
        Ok(Self { workflow: Workflow::usual(horizon)?, split, rule })
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

    /// What it claims.
    #[must_use]
    pub fn certifier(&self) -> Certifier {
        let side = match self.split {
            SplitChoice::Expanding { .. } | SplitChoice::WalkForward { .. } => Side::Past,
            SplitChoice::Blocked { .. } | SplitChoice::PurgedKFold { .. } => Side::Both,
        };
        let claim = Claim { horizon: self.workflow.horizon, rule: self.rule, side };
        Certifier { claim, ..Certifier::default() }
    }
}
