//! The columns of a file: its own names, or numbers like LightGBM's where it has none.

use std::path::{Path, PathBuf};

use fattail::{
    gbdt::parameters::ColumnName,
    store::{ReadOptions, TextForm, read_names},
};

use super::columns::{Asked, Label, Part};
use crate::Outcome;

/// The columns of a file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) names: Vec<String>,
    /// The labels of a file without names.
    pub(super) labels: Vec<String>,
    pub(super) libsvm: bool,
    pub(super) form: TextForm,
}

/// Words that stand for missing numbers.
const MISSING: [&str; 10] = ["NA", "na", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "?"];

impl File {
    /// Reads the names; features of a model are called so in a file that has none.
    pub(super) fn open(path: &Path, asked: &Asked, part: Part<'_>) -> Outcome<Self> {
        let missing: Vec<String> = MISSING.map(str::to_owned).into();
        let form = TextForm { missing, ..TextForm::default() };
        let options = ReadOptions { text: form.clone(), ..ReadOptions::default() };
        let names = read_names(path, &options)?;
        let number = |name: &String| name.parse::<f64>().is_ok() || form.missing.contains(name);
        let header = asked.header.unwrap_or_else(|| !names.iter().all(number));
        let second = names.get(1).is_some_and(|name| name == "qid" || name == "Column_0");
        let libsvm = second && names.first().is_some_and(|name| name == "label");
        let labels = names.first().filter(|_| libsvm).cloned().into_iter().collect();
        let mut file = Self { path: path.into(), names, labels, libsvm, form };
        if !header && !libsvm {
            file.number(asked, part)?;
        }
        Ok(file)
    }

    /// Reads the names; a file that has none takes those of another one by position.
    pub(super) fn open_like(path: &Path, asked: &Asked, names: &[String]) -> Outcome<Self> {
        let part = Part { label: Label::Needed, features: None };
        let mut file = Self::open(path, &asked.without_columns(), part)?;
        if file.form.header || file.libsvm {
            return Ok(file);
        }
        if file.names.len() != names.len() {
            let (path, found) = (path.display(), file.names.len());
            let told = format!("'{path}' has {found} columns, the training data {}", names.len());
            return Err(told.into());
        }
        file.names = names.to_vec();
        file.form.names = names.to_vec();
        Ok(file)
    }

    /// Names the labels, and the others by number or by the features.
    fn number(&mut self, asked: &Asked, part: Part<'_>) -> Outcome {
        let labels = self.label_positions(asked, part)?;
        let mut others = 0..;
        let name = |at: usize| match labels.iter().position(|label| *label == at) {
            Some(_) if labels.len() == 1 => "label".into(),
            Some(label) => format!("label_{label}"),
            None => format!("Column_{}", others.next().unwrap_or(0)),
        };
        self.names = (0..self.names.len()).map(name).collect();
        if let Some(features) = part.features.filter(|_| !asked.asks_for_others()) {
            self.call(features, &labels)?;
        }
        let label = |at: &usize| self.names.get(*at).cloned();
        self.labels = labels.iter().filter_map(label).collect();
        self.form.header = false;
        self.form.names = self.names.clone();
        Ok(())
    }

    /// Where the labels stand: in front, unless it is said or there are no columns but features.
    fn label_positions(&self, asked: &Asked, part: Part<'_>) -> Outcome<Vec<usize>> {
        let position = |label: &ColumnName| match label {
            ColumnName::Position(at) => Ok(*at),
            ColumnName::Name(name) => {
                let path = self.path.display();
                let told = format!("'{path}' has no header: name the label by column=0");
                Err(format!("{told}, not '{name}'").into())
            }
        };
        let labels = asked.labels(&[]);
        let width = self.names.len();
        let all = part.features.is_some_and(|features| features.len() == width);
        if labels.is_empty() && !(all && part.label != Label::Needed) {
            return Ok(vec![0]);
        }
        labels.iter().map(position).collect()
    }

    /// Calls the columns but the labels as features.
    fn call(&mut self, features: &[String], labels: &[usize]) -> Outcome {
        let others = self.names.iter_mut().enumerate().filter(|(at, _)| !labels.contains(at));
        let others: Vec<&mut String> = others.map(|(_, name)| name).collect();
        if others.len() != features.len() {
            let (path, found) = (self.path.display(), others.len());
            let told = format!("'{path}' has {found} features, the model {}", features.len());
            return Err(told.into());
        }
        others.into_iter().zip(features).for_each(|(name, feature)| name.clone_from(feature));
        Ok(())
    }

    /// A column's name; positions leave the labels out where they are known.
    pub(super) fn name(&self, column: &ColumnName, labels: &[String]) -> Outcome<String> {
        let at = match column {
            ColumnName::Name(name) => return Ok(name.clone()),
            // A file may call its columns by numbers.
            ColumnName::Position(at) if self.names.contains(&at.to_string()) => {
                return Ok(at.to_string());
            }
            ColumnName::Position(at) => *at,
        };
        let found = self.names.iter().filter(|name| !labels.contains(name)).nth(at);
        let refuse = || {
            let (path, width) = (self.path.display(), self.names.len());
            format!("'{path}' has no column {at}: it has {width} columns")
        };
        Ok(found.cloned().ok_or_else(refuse)?)
    }
}
