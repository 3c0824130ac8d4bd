//! Which columns and rows of a file become a panel.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Bytes of an id: sixteen characters, and where they end.
pub(crate) const ID_BYTES: usize = 16 + size_of::<usize>();

/// What to read, the same for every format. The defaults are those of Numerai's files: features
/// `feature_*`, targets `target*`, eras in `era`, ids in `id`.
///
/// ```
/// use fattail_store::{Features, Filter, ReadOptions};
/// let options = ReadOptions {
///     features: Features::Named(vec!["feature_a".into(), "feature_b".into()]),
///     main_target: Some("target_20".into()),
///     filter: Some(Filter { column: "data_type".into(), value: "validation".into() }),
///     ..ReadOptions::default()
/// };
/// assert_eq!(options.era.as_deref(), Some("era"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadOptions {
    /// The features.
    pub features: Features,
    /// The targets. A missing value is NaN: not known.
    pub targets: Targets,
    /// The target that learners fit; it is read even where `targets` leaves it out. `None` takes
    /// the target called `target`, or else the first.
    pub main_target: Option<String>,
    /// The column of eras: text, integers, dates or timestamps. `None` makes one era in all.
    pub era: Option<String>,
    /// The column of ids. `None` reads no ids.
    pub id: Option<String>,
    /// Columns that learners never see.
    pub extras: Vec<String>,
    /// The column of row weights. None may be missing.
    pub weight: Option<String>,
    /// Reads only rows with a given text.
    pub filter: Option<Filter>,
    /// Reads only some eras.
    pub eras: EraChoice,
    /// What a missing feature is.
    pub missing: Missing,
    /// What a missing value of an extra column is.
    pub missing_extras: Missing,
    /// How a text file is written.
    pub text: TextForm,
    /// The most bytes that the panel may take with its ids: a Parquet file with more is refused before a column
    /// is decoded, a text as soon as so many are read. `None` leaves it to the machine.
    pub max_bytes: Option<u64>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            features: Features::default(),
            targets: Targets::default(),
            main_target: None,
            era: Some("era".into()),
            id: Some("id".into()),
            extras: Vec::new(),
            weight: None,
            filter: None,
            eras: EraChoice::default(),
            missing: Missing::default(),
            missing_extras: Missing::Keep,
            text: TextForm::default(),
            max_bytes: None,
        }
    }
}

impl ReadOptions {
    /// Refuses a panel of more bytes than are allowed.
    pub(crate) fn expect_room(&self, path: &Path, bytes: usize) -> Result<()> {
        let needed = bytes as u64;
        match self.max_bytes {
            Some(allowed) if needed > allowed => {
                Err(Error::TooLarge { path: path.into(), needed, allowed })
            }
            _ => Ok(()),
        }
    }
}

/// How a text file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextForm {
    /// Whether the first line holds the names.
    pub header: bool,
    /// The names where there is no header; columns beyond them are `Column_0`, `Column_1`... by position.
    pub names: Vec<String>,
    /// What stands between cells; `None` takes the tab where the first line has one and no comma,
    /// else the comma.
    pub separator: Option<u8>,
    /// Texts that stand for a missing number, as an empty cell does.
    pub missing: Vec<String>,
}

impl Default for TextForm {
    fn default() -> Self {
        Self { header: true, names: Vec::new(), separator: None, missing: Vec::new() }
    }
}

/// Which columns are features, in the order of the file unless they are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Features {
    /// Every column of numbers that has no other role and whose name does not begin with `target`:
    /// the targets that are not read know the answer too.
    All,
    /// Every column whose name begins so and that has no other role; names that begin with `target`
    /// only where the prefix does.
    Prefix(String),
    /// These, in this order. One that has another role is refused.
    Named(Vec<String>),
}

impl Default for Features {
    fn default() -> Self {
        Self::Prefix("feature_".into())
    }
}

/// Which columns are targets, in the order of the file unless they are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// Every column whose name begins so; there may be none.
    Prefix(String),
    /// These, in this order.
    Named(Vec<String>),
}

impl Default for Targets {
    fn default() -> Self {
        Self::Prefix("target".into())
    }
}

/// Keeps the rows whose `column` is `value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The column, text or integers.
    pub column: String,
    /// The text.
    pub value: String,
}

/// Which eras to read, of those that [`ReadOptions::filter`] leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EraChoice {
    /// The first era, in natural order; it need not exist.
    pub first: Option<String>,
    /// The last era, in natural order; it need not exist.
    pub last: Option<String>,
    /// Keeps the first of every so many eras; 1 keeps all.
    pub every: usize,
}

impl Default for EraChoice {
    fn default() -> Self {
        Self { first: None, last: None, every: 1 }
    }
}

/// What a missing value (a null, an empty cell, NaN) is. Infinity is refused either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// An error that names its place.
    #[default]
    Refuse,
    /// NaN in an `f32` column.
    Keep,
}
