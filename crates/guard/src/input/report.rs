//! What a gate found in a batch.

use fattail_core::Panel;
use serde::Serialize;

use super::{BatchVerdict, Verdict};

/// What a gate found in a batch, and the batch.
#[derive(Debug, Clone, Serialize)]
pub struct BatchReport {
    /// Rows of the batch.
    pub rows: usize,
    /// Eras of the batch.
    pub eras: usize,
    /// Rows that are refused for what they hold.
    pub refused: usize,
    /// Why the batch is refused whole; empty when it is not.
    pub batch: Vec<BatchVerdict>,
    /// The refused rows, in order.
    pub verdicts: Vec<Verdict>,
    /// Refused rows without a verdict here, which only a batch that is refused whole has.
    pub untold: usize,
    /// Features with refused or missing values.
    pub columns: Vec<ColumnShare>,
    /// Columns that are not known and are left out.
    pub left_out: Vec<BatchVerdict>,
    #[serde(skip)]
    pub(crate) refused_rows: Vec<usize>,
    #[serde(skip)]
    pub(crate) checked: Checked,
    /// Names of the features, targets and extra columns that are kept.
    #[serde(skip)]
    pub(crate) names: [Vec<String>; 3],
}

/// What a report is of.
#[derive(Debug, Clone)]
pub(crate) enum Checked {
    /// A panel.
    Panel(Panel),
    /// Rows as they came from outside: those that are admitted, as a panel of the features.
    Rows(Option<Panel>),
}

/// A feature's share of values that are refused or missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnShare {
    /// The feature.
    pub name: String,
    /// The share refused.
    pub refused: f64,
    /// The share missing, where it may be.
    pub missing: f64,
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// All rows are admitted.
    Admitted,
    /// Some rows are put aside, the others are admitted.
    Quarantined,
    /// No row is admitted.
    Refused,
}

impl BatchReport {
    /// What becomes of the batch.
    #[must_use]
    pub fn decision(&self) -> Decision {
        match (self.batch.is_empty(), self.refused) {
            (false, _) => Decision::Refused,
            (true, 0) => Decision::Admitted,
            (true, _) => Decision::Quarantined,
        }
    }

    /// Whether all rows are admitted.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.decision() == Decision::Admitted
    }

    /// The rows that are refused for what they hold, in order.
    #[must_use]
    pub fn refused_rows(&self) -> &[usize] {
        &self.refused_rows
    }
}
