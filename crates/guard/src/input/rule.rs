//! The rules of a gate and the verdicts that name them.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What a row or a batch was refused for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $name,)+
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }

        impl fmt::Display for Rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)+
                })
            }
        }
    };
}

rules! {
    /// A row with too few or too many values.
    Width = "the row has another width",
    /// A missing value where the training data had none.
    Missing = "a value is missing",
    /// An infinite value.
    Infinite = "a value is infinite",
    /// A number that is no whole number where bins stand.
    Fraction = "a bin is no whole number",
    /// A whole number that is none of the bins.
    UnknownBin = "a bin was never seen",
    /// A number that is none of the few that stand in the column.
    UnknownValue = "a value is none of the known ones",
    /// A number below the range.
    Below = "a value lies below the range",
    /// A number above the range.
    Above = "a value lies above the range",
    /// `-0.0` where bins or known values stand: arithmetic has been here.
    NegativeZero = "a zero has a sign",
    /// A number too small to have all its digits: often an integer whose bits were read as a float.
    Subnormal = "a value is subnormal",
    /// A whole number that `f32` cannot hold exactly.
    Inexact = "a whole number is too long to be exact",
    /// A text that stands for a missing value: empty, blank, `NaN`, `NULL`, in letters that only look
    /// Latin as well.
    TextMissing = "a text stands for a missing value",
    /// A text that reads as a number.
    TextNumber = "a number comes as text",
    /// A text that reads as true or false.
    TextTruth = "a truth value comes as text",
    /// Any other text.
    Text = "a text stands where a number must",
    /// True or false where a number must be.
    Truth = "a truth value stands where a number must",
    /// A list or an object where a number must be.
    Nested = "a list or object stands where a number must",
    /// A row without an id.
    IdMissing = "the row has no id",
    /// An id that is empty.
    IdEmpty = "the id is empty",
    /// An id with white space or control characters.
    IdSpace = "the id holds white space or control characters",
    /// An id of another form.
    IdForm = "the id has another form",
    /// An id that stands twice.
    IdTwice = "an id stands twice",
    /// An id although the training data had none.
    IdUnexpected = "rows have ids, the training data had none",
    /// An era label of another form.
    EraForm = "the era's label has another form",
    /// An era that comes after a later one.
    EraOrder = "eras do not increase",
    /// An era that is not after the last one trained on.
    EraStale = "the era is not after the training eras",
    /// An era with too few or too many rows.
    EraRows = "the era has an unusual number of rows",
    /// A weight that is negative, NaN or infinite.
    Weight = "a weight is negative or not finite",
    /// A batch with too few rows left.
    FewRows = "the batch has too few rows",
    /// An era in which too many features are wholly the bin that stands for missing.
    AllMissing = "too many features are wholly missing in an era",
    /// Features that are wholly the bin that stands for missing and never were.
    NewlyMissing = "features are wholly missing that never were",
    /// A feature whose share of missing values is unusual.
    MissingShare = "the share of missing values is unusual",
    /// Features that hold one value alone in an era: ones that never did, or too many that did.
    Stuck = "features hold one value alone in an era",
    /// Rows of an era that are equal in all features, more of them than there were in training.
    RowsEqual = "too many rows of an era are equal",
    /// A feature that equals another one, or a target, in an era and never did.
    ColumnsEqual = "a feature equals another column",
    /// More eras than a batch may have: often an id read as the era.
    ManyEras = "the batch has too many eras",
    /// Too many refused rows.
    RefusedShare = "too many rows are refused",
    /// A column that must be there.
    ColumnMissing = "a column is missing",
    /// A column that must not be there.
    ColumnAdditional = "a column is additional",
    /// A column under another name.
    ColumnRenamed = "a column has another name",
    /// A column that stands twice.
    ColumnTwice = "a column stands twice",
    /// Columns in another order.
    ColumnOrder = "columns stand in another order",
    /// A column of numbers where bins stood, or the other way round.
    ColumnKind = "a column is of another kind",
    /// A target in a batch that must have none.
    TargetPresent = "a target is there, which must not be",
    /// A target that must be there.
    TargetMissing = "a target is missing",
}

/// Why a row is refused: one fault of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{rule}: '{column}' is {value}, allowed is {allowed}")]
pub struct RowVerdict {
    /// The rule.
    pub rule: Rule,
    /// The column: a feature, a target, `id`, `era`, `weights`, or `row` for its width.
    pub column: String,
    /// The feature's position, if it is one.
    pub position: Option<usize>,
    /// What stands there.
    pub value: String,
    /// What may stand there.
    pub allowed: String,
}

/// Faults of a row that are told in words.
pub(crate) const TOLD_OF_A_ROW: usize = 8;

/// Why a row of a batch is refused: its first faults, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The row of the batch.
    pub row: usize,
    /// Its era.
    pub era: String,
    /// Its id, if rows have ids.
    pub id: Option<String>,
    /// Faults of the row.
    pub faults: u32,
    /// The first one, ids and eras before features, features before targets.
    pub first: RowVerdict,
    /// The next ones, seven at most.
    pub next: Vec<RowVerdict>,
}

/// Why a batch is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{rule}: {value}, allowed is {allowed}")]
pub struct BatchVerdict {
    /// The rule.
    pub rule: Rule,
    /// The era, where it is about one: the first, or the one that is furthest off.
    pub era: Option<String>,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// What was found.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
    /// Faults of this kind.
    pub count: usize,
}

impl BatchVerdict {
    /// One fault that is about neither an era nor a column.
    pub(crate) fn new(rule: Rule, value: impl ToString, allowed: impl ToString) -> Self {
        let (value, allowed) = (value.to_string(), allowed.to_string());
        Self { rule, era: None, column: None, value, allowed, count: 1 }
    }

    pub(crate) fn column(self, column: impl Into<String>) -> Self {
        Self { column: Some(column.into()), ..self }
    }

    pub(crate) fn era(self, era: impl Into<String>) -> Self {
        Self { era: Some(era.into()), ..self }
    }
}

impl RowVerdict {
    /// A fault of something that is no feature.
    pub(crate) fn of(
        rule: Rule,
        column: &str,
        value: impl ToString,
        allowed: impl ToString,
    ) -> Self {
        let (value, allowed) = (value.to_string(), allowed.to_string());
        Self { rule, column: column.into(), position: None, value, allowed }
    }
}
