//! Reads the data that LightGBM's parameters and a few options name.

use std::path::{Path, PathBuf};

use clap::Args;
use fattail::{
    Observer, Panel,
    gbdt::parameters::{Column, Parameters},
    store::{Features, Missing, ReadOptions, Targets, read},
};

use super::{
    arguments::Pairs,
    beside::{add_beside, refuse_beside},
    columns::{Asked, Label, Part, Roles},
    file::File,
};
use crate::Outcome;

/// The options that say what is read.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Data: Parquet, CSV, TSV (with or without a header), LIBSVM or Arrow IPC
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Label: a name, `name:NAME` or `column=0`, several with commas; without it the first column of
    /// files without a header
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Eras (or the queries of a ranking), sorted; without it the column `era` where there is one, or
    /// the file DATA.query
    #[arg(long, value_name = "COLUMN")]
    pub era: Option<String>,
    /// Weights of the rows; without it the file DATA.weight where there is one
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// Ids; without it the column `id` where there is one
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// LightGBM configuration file: `name = value` lines
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Data that was read.
#[derive(Debug)]
pub struct Source {
    /// The rows.
    pub panel: Panel,
    /// What was left out and does not count.
    pub notes: Vec<String>,
    /// Whether the data says what its eras are.
    pub has_eras: bool,
    pub(super) path: PathBuf,
    pub(super) roles: Roles,
    /// The names of all columns of the file.
    names: Vec<String>,
    /// The columns that positions count: all of the file but the labels.
    pub(super) columns: Vec<Column>,
}

impl SourceArgs {
    /// The parameters of the command line: those of the options and the others.
    ///
    /// # Errors
    /// When a file cannot be read, or a parameter is unknown, out of range or contradicted.
    pub fn parameters(&self, others: &Pairs) -> Outcome<Parameters> {
        let data = self.data.as_ref().map(|path| path.to_string_lossy().into_owned());
        let mut pairs = Pairs::new();
        // Full names: they count before the aliases of a configuration file.
        for (name, value) in
            [("data", &data), ("label_column", &self.label), ("weight_column", &self.weight)]
        {
            pairs.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        pairs.extend_from_slice(others);
        super::parameters(pairs, self.config.as_deref())
    }

    /// Reads the data.
    ///
    /// # Errors
    /// When there is no file, or a column is not there or not what it should be.
    pub fn read(
        &self,
        parameters: &Parameters,
        part: Part<'_>,
        observer: Observer<'_>,
    ) -> Outcome<Source> {
        let path = parameters.files.data.as_deref().ok_or("no data: name a file with --data")?;
        let asked = Asked::new(self, &parameters.columns);
        let file = File::open(Path::new(path), &asked, part)?;
        let roles = Roles::new(&file, &asked, part)?;
        Source::read(file, roles, part, observer)
    }

    /// Reads another file as the training data was read: the same features, and columns in the same
    /// roles, by name; by position where it has no names.
    ///
    /// # Errors
    /// When a column is not there or not what it should be.
    pub fn read_like(
        &self,
        train: &Source,
        path: &str,
        parameters: &Parameters,
        observer: Observer<'_>,
    ) -> Outcome<Source> {
        let (features, asked) = (train.features(), Asked::new(self, &parameters.columns));
        let part = Part { label: Label::Needed, features: Some(&features) };
        let file = File::open_like(Path::new(path), &asked, &train.names)?;
        let roles = Roles::new(&file, &train.roles.asked(&asked), part)?;
        Source::read(file, roles, part, observer)
    }
}

impl Source {
    fn read(file: File, roles: Roles, part: Part<'_>, observer: Observer<'_>) -> Outcome<Self> {
        let features = part.features.map(<[String]>::to_vec);
        let options = ReadOptions {
            features: features.map_or(Features::All, Features::Named),
            targets: Targets::Named(roles.labels.clone()),
            era: roles.era.clone(),
            id: roles.id.clone(),
            weight: roles.weight.clone(),
            missing: Missing::Keep,
            text: file.form.clone(),
            ..ReadOptions::default()
        };
        if part.label == Label::Needed {
            refuse_beside(&file.path)?;
        }
        let panel = read(&file.path, &options, observer)?;
        let (panel, notes) = match part.features {
            Some(features) => {
                if let Some(name) = roles.ignored.iter().find(|name| features.contains(name)) {
                    let told = format!("parameter 'ignore_column' names '{name}'");
                    return Err(format!("{told}, which is a feature of the model").into());
                }
                (panel, Vec::new())
            }
            None => choose(panel, &file, &roles)?,
        };
        let (has_eras, columns) = (roles.era.is_some(), columns(&file, &roles, &panel));
        let File { path, names, .. } = file;
        let source = Self { panel, notes, has_eras, path, roles, names, columns };
        if part.label == Label::Unread { Ok(source) } else { add_beside(source) }
    }

    /// The names of the features.
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        self.panel.schema().features().iter().map(ToString::to_string).collect()
    }
}

/// The columns of a file without the labels, and without the queries of LIBSVM, which are no column;
/// behind them features that LIBSVM leaves out.
fn columns(file: &File, roles: &Roles, panel: &Panel) -> Vec<Column> {
    let is_query = |name: &String| file.libsvm && name == "qid";
    let is_counted = |name: &&String| !roles.labels.contains(name) && !is_query(name);
    let column = |name: &String| {
        let is_feature = panel.schema().feature_position(name).is_ok();
        Column { name: name.clone(), is_feature }
    };
    let features = panel.schema().features().iter();
    let absent =
        features.filter(|feature| file.libsvm && !file.names.iter().any(|n| **n == ***feature));
    let absent = absent.map(|feature| Column::feature(feature));
    file.names.iter().filter(is_counted).map(column).chain(absent).collect()
}

/// The panel without the columns to ignore, and notes of those that became no features by themselves.
fn choose(panel: Panel, file: &File, roles: &Roles) -> Outcome<(Panel, Vec<String>)> {
    if let Some(name) = roles.ignored.iter().find(|name| !file.names.contains(name)) {
        let told = format!("'{}' has no column '{name}' to ignore", file.path.display());
        return Err(told.into());
    }
    let all = panel.schema().features().iter().map(ToString::to_string);
    let kept: Vec<String> = all.filter(|name| !roles.ignored.contains(name)).collect();
    let others = [&roles.era, &roles.id, &roles.weight].into_iter().flatten();
    let roles: Vec<&String> = others.chain(&roles.labels).chain(&roles.ignored).collect();
    let left = file.names.iter().filter(|name| !kept.contains(name) && !roles.contains(name));
    let (targets, texts): (Vec<&String>, Vec<&String>) =
        left.partition(|name| name.starts_with("target"));
    let notes = [(targets, "whose names begin with 'target'"), (texts, "that hold no numbers")];
    let notes = notes.into_iter().filter(|(names, _)| !names.is_empty());
    let notes =
        notes.map(|(names, why)| format!("columns {why} are no features: {}", list(&names)));
    let notes = notes.collect();
    Ok((panel.select(&kept)?, notes))
}

/// So many names are told.
const TOLD: usize = 10;

fn list(names: &[&String]) -> String {
    let told: Vec<&str> = names.iter().take(TOLD).map(|name| name.as_str()).collect();
    let more = names.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    told.join(", ") + &more
}
