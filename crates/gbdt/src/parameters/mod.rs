//! Parameters as LightGBM 4.7 names them, read into settings and written from them.
//!
//! Names and aliases are LightGBM's, with dashes or underscores; so are the rules which of several
//! values counts. What LightGBM has and this engine does not is refused unless it is left at its
//! default; what has no meaning here is accepted and noted. Reference: LightGBM 4.7,
//! `docs/Parameters.rst`.

mod column;
mod conf;
mod conflicts;
mod draft;
mod entry;
mod error;
mod metrics;
mod names;
mod objective;
mod positions;
mod seeds;
mod table;
mod value;

use std::sync::Arc;

use crate::Gbdt;

pub use column::{Column, ColumnName};
pub use conf::read_conf;
pub use error::{ParameterError, ParameterResult};
pub use names::full_name;

use draft::Draft;
use entry::{Role, Saved, Shown};
use names::Given;
use positions::Positions;
use value::Value;

/// What LightGBM's parameters ask for.
///
/// ```
/// use fattail_gbdt::parameters::Parameters;
///
/// let asked = [("num-leaves", "63"), ("eta", "0.05"), ("device", "gpu")];
/// let parameters = Parameters::parse(asked)?;
/// let gbdt = parameters.gbdt::<&str>(&["feature_a", "feature_b"])?;
/// assert_eq!((gbdt.leaves, gbdt.learning_rate), (63, 0.05));
/// assert_eq!(parameters.notes[0].parameter, "device_type");
///
/// let told = Parameters::parse([("num_leafs", "63")]).unwrap_err().to_string();
/// assert_eq!(told, "unknown parameter 'num_leafs', did you mean 'num_leaf'?");
/// # Ok::<(), fattail_gbdt::parameters::ParameterError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// The settings, without what is named by the position of a feature.
    gbdt: Gbdt,
    positions: Positions,
    /// What is to be done.
    pub task: Task,
    /// Files.
    pub files: Files,
    /// Columns of the data that are no features.
    pub columns: Columns,
    /// What is predicted.
    pub prediction: Prediction,
    /// The metrics, by name, such as `l2`, `ndcg@5` or `huber@1.5`; empty for the objective's own. What
    /// a name leaves open is the objective's: `Objective::evaluation_named`.
    pub metrics: Vec<String>,
    /// Threads; 0 for all.
    pub threads: usize,
    /// The weight of the old leaves in a refit.
    pub refit_decay: f64,
    /// What was given and does not count.
    pub notes: Vec<Note>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Task {
    /// Train a model.
    #[default]
    Train,
    /// Predict with one.
    Predict,
    /// Write it in another format.
    Convert,
    /// Fit its leaves again.
    Refit,
}

/// Files that parameters name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The training data.
    pub data: Option<String>,
    /// Validation data.
    pub valid: Vec<String>,
    /// A configuration file.
    pub config: Option<String>,
    /// The model to predict with or to train on from.
    pub input_model: Option<String>,
    /// Where the model goes.
    pub output_model: Option<String>,
    /// Where predictions go.
    pub output_result: Option<String>,
    /// Where a converted model goes.
    pub convert_model: Option<String>,
    /// Splits that every tree begins with, as JSON.
    pub forced_splits: Option<String>,
    /// Boundaries of bins, as JSON.
    pub forced_bins: Option<String>,
}

/// Columns that are no features.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Whether text files begin with names; none when it was not said.
    pub header: Option<bool>,
    /// The label.
    pub label: Option<ColumnName>,
    /// Weights of the rows.
    pub weight: Option<ColumnName>,
    /// The queries of ranking: eras.
    pub group: Option<ColumnName>,
    /// Columns to leave out.
    pub ignore: Vec<ColumnName>,
}

/// What is predicted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prediction {
    /// Raw scores.
    pub raw: bool,
    /// Leaves.
    pub leaves: bool,
    /// Contributions of the features.
    pub contributions: bool,
    /// The first iteration that counts.
    pub start: usize,
    /// How many of them count; none for all.
    pub iterations: Option<usize>,
}

/// A parameter that was accepted and does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The parameter.
    pub parameter: String,
    /// Why.
    pub reason: String,
}

impl Parameters {
    /// Reads names and values; of the same name, the first one counts.
    ///
    /// # Errors
    /// Names the parameter that is unknown, out of its range, not supported or contradicted.
    pub fn parse<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> ParameterResult<Self> {
        let mut draft = Draft::default();
        draft.out.refit_decay = 0.9;
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        let given = Given::new(pairs, &mut draft.out.notes)?;
        for (entry, text) in given.iter() {
            match entry.role {
                Role::Set(set) => set(&mut draft, &Value { name: entry.name, text })?,
                Role::Ignored(reason) => draft
                    .out
                    .notes
                    .push(Note { parameter: entry.name.into(), reason: reason.into() }),
                Role::Unsupported { default, reason } if !same(text, default) => {
                    return Err(ParameterError::Unsupported { name: entry.name, reason });
                }
                Role::Unsupported { .. } => {}
            }
        }
        draft.finish(&given)
    }

    /// The settings for data whose columns beside the label are these features; lists go by their
    /// positions.
    ///
    /// # Errors
    /// When a list has another length or a position or name does not exist.
    pub fn gbdt<S: AsRef<str>>(&self, features: &[S]) -> ParameterResult<Gbdt> {
        let columns: Vec<Column> =
            features.iter().map(|name| Column::feature(name.as_ref())).collect();
        self.gbdt_of(&columns)
    }

    /// The settings for a file with these columns, all but the label, in its order.
    ///
    /// As in LightGBM a position counts all of them, and `monotone_constraints`, `feature_contri` and
    /// `max_bin_by_feature` have a value for each: columns of weights, eras or ids, ignored ones and
    /// other targets keep their places. What is said of a column that is no feature does not count.
    ///
    /// ```
    /// use fattail_gbdt::parameters::{Column, Parameters};
    ///
    /// // A file of `era, y, a, b` whose label is `y`.
    /// let era = Column { name: "era".into(), is_feature: false };
    /// let columns = [era, Column::feature("a"), Column::feature("b")];
    /// let asked = [("categorical_feature", "2"), ("monotone_constraints", "0,1,0")];
    /// let gbdt = Parameters::parse(asked)?.gbdt_of(&columns)?;
    /// assert_eq!((&*gbdt.bins.categorical[0], gbdt.constraints.monotone["a"]), ("b", 1));
    /// # Ok::<(), fattail_gbdt::parameters::ParameterError>(())
    /// ```
    ///
    /// # Errors
    /// When a list has another length or a position or name does not exist.
    pub fn gbdt_of(&self, columns: &[Column]) -> ParameterResult<Gbdt> {
        let mut gbdt = self.gbdt.clone();
        self.positions.apply(columns, &mut gbdt)?;
        Ok(gbdt)
    }
}

/// Names and values of settings, in the order of LightGBM's model files, era options at the end.
#[must_use]
pub fn describe(gbdt: &Gbdt, features: &[Arc<str>]) -> Vec<(String, String)> {
    let shown = Shown { gbdt, features };
    let value = |saved: Saved| match saved {
        Saved::No => None,
        Saved::Text(text) => Some(text.to_owned()),
        Saved::Of(show) => Some(show(&shown)),
        Saved::Some(show) => show(&shown),
    };
    let rows = table::all().filter_map(|entry| Some((entry.name.to_owned(), value(entry.saved)?)));
    rows.collect()
}

/// Whether a value is the default, as text or as a number.
fn same(text: &str, default: &str) -> bool {
    let number = |text: &str| match &*text.to_lowercase() {
        "true" | "+" => Some(1.0),
        "false" | "-" => Some(0.0),
        text => text.parse::<f64>().ok(),
    };
    text == default || number(text).is_some_and(|value| Some(value) == number(default))
}

#[cfg(test)]
mod tests;
