//! Which columns of a file are label, weight, era and features, as LightGBM says it.

use std::path::{Path, PathBuf};

use clap::Args;
use fattail::{
    Observer, Panel,
    gbdt::parameters::{ColumnName, Columns, Parameters},
    store::{Features, Missing, ReadOptions, Targets, TextForm, read, read_names},
};

use super::arguments::Pairs;
use crate::Outcome;

/// The options that say what is read.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Data: Parquet, CSV, TSV (with or without a header), LIBSVM or Arrow IPC
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Label: a name, `name:NAME` or `column=0`; without it the first column of files without a header
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Eras (or the queries of a ranking), sorted; without it the column `era` where there is one
    #[arg(long, value_name = "COLUMN")]
    pub era: Option<String>,
    /// Weights of the rows
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// Ids; without it the column `id` where there is one
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// LightGBM configuration file: `name = value` lines
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl SourceArgs {
    /// The parameters of the command line: those of the options and the others.
    ///
    /// # Errors
    /// When a file cannot be read, or a parameter is unknown, out of range or contradicted.
    pub fn parameters(&self, others: &Pairs) -> Outcome<Parameters> {
        let data = self.data.as_ref().map(|path| path.to_string_lossy().into_owned());
        let mut pairs = Pairs::new();
        for (name, value) in [("data", &data), ("label", &self.label), ("weight", &self.weight)] {
            pairs.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        pairs.extend_from_slice(others);
        super::parameters(pairs, self.config.as_deref())
    }

    /// Reads the data; `features` are those of a model, in its order, or none to take what there is.
    ///
    /// # Errors
    /// When there is no file, or a column is not there or not what it should be.
    pub fn read(
        &self,
        parameters: &Parameters,
        features: Option<&[String]>,
        observer: Observer<'_>,
    ) -> Outcome<Panel> {
        let path = parameters.files.data.as_deref().ok_or("no data: name a file with --data")?;
        let file = File::open(Path::new(path), &parameters.columns, features)?;
        let roles = self.roles(&file, &parameters.columns, features)?;
        let options = ReadOptions {
            features: features.map_or(Features::All, |names| Features::Named(names.to_vec())),
            targets: Targets::Named(roles.label.into_iter().collect()),
            era: roles.era,
            id: roles.id,
            weight: roles.weight,
            missing: Missing::Keep,
            text: file.form,
            ..ReadOptions::default()
        };
        let panel = read(path, &options, observer)?;
        if roles.ignored.is_empty() || features.is_some() {
            return Ok(panel);
        }
        let all = panel.schema().features().iter().map(ToString::to_string);
        let kept: Vec<String> = all.filter(|name| !roles.ignored.contains(name)).collect();
        Ok(panel.select(&kept)?)
    }

    fn roles(&self, file: &File, columns: &Columns, features: Option<&[String]>) -> Outcome<Roles> {
        let predicting = features.is_some();
        let usual = |name: &str| {
            let is = |known: &String| known == name;
            let spare = !features.is_some_and(|features| features.iter().any(is));
            (spare && file.names.iter().any(is)).then(|| name.to_owned())
        };
        let label = match &columns.label {
            Some(column) => Some(file.name(column, None)?),
            None if file.numbered && !predicting => file.names.first().cloned(),
            None if predicting => None,
            None => return Err("no label: name its column with --label".into()),
        };
        let at = label.as_ref().and_then(|label| file.names.iter().position(|name| name == label));
        let other = |column: &Option<ColumnName>| -> Outcome<Option<String>> {
            column.as_ref().map(|column| file.name(column, at)).transpose()
        };
        let named = |column: &Option<String>| {
            let column: Option<ColumnName> = column.as_ref().and_then(|name| name.parse().ok());
            other(&column)
        };
        let era = named(&self.era)?.map_or_else(|| other(&columns.group), |era| Ok(Some(era)))?;
        let ignored = columns.ignore.iter().map(|column| file.name(column, at));
        let ids = |name: &String| Some(name) != label.as_ref();
        Ok(Roles {
            era: era
                .or_else(|| usual("era"))
                .or_else(|| file.libsvm.then(|| usual("qid")).flatten()),
            id: named(&self.id)?.or_else(|| usual("id")).filter(ids),
            weight: other(&columns.weight)?,
            ignored: ignored.collect::<Outcome<_>>()?,
            label,
        })
    }
}

/// The names of the columns that are no features.
struct Roles {
    label: Option<String>,
    era: Option<String>,
    id: Option<String>,
    weight: Option<String>,
    ignored: Vec<String>,
}

/// The columns of a file.
struct File {
    path: PathBuf,
    names: Vec<String>,
    /// Whether the names are not the file's.
    numbered: bool,
    libsvm: bool,
    form: TextForm,
}

/// Words that stand for missing numbers.
const MISSING: [&str; 10] = ["NA", "na", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "?"];

impl File {
    fn open(path: &Path, columns: &Columns, features: Option<&[String]>) -> Outcome<Self> {
        let missing: Vec<String> = MISSING.map(str::to_owned).into();
        let form = TextForm { missing, ..TextForm::default() };
        let options = ReadOptions { text: form.clone(), ..ReadOptions::default() };
        let names = read_names(path, &options)?;
        let number = |name: &String| name.parse::<f64>().is_ok() || form.missing.contains(name);
        let header = columns.header.unwrap_or_else(|| !names.iter().all(number));
        let second = names.get(1).is_some_and(|name| name == "qid" || name == "Column_0");
        let libsvm = second && names.first().is_some_and(|name| name == "label");
        let mut file = Self { path: path.into(), names, numbered: libsvm, libsvm, form };
        if !header && !libsvm {
            file.number(columns, features)?;
        }
        Ok(file)
    }

    /// Names columns like LightGBM: the label, and the others by number, or the features of a model.
    fn number(&mut self, columns: &Columns, features: Option<&[String]>) -> Outcome {
        let width = self.names.len();
        let label = match &columns.label {
            Some(ColumnName::Position(at)) => Some(*at),
            Some(ColumnName::Name(name)) => {
                let told =
                    format!("'{}' has no header: name the label by column=0", self.path.display());
                return Err(format!("{told}, not '{name}'").into());
            }
            None if features.is_some_and(|features| features.len() == width) => None,
            None => Some(0),
        };
        let mut others = 0..;
        self.names = (0..width)
            .map(|at| {
                if label == Some(at) {
                    "label".into()
                } else {
                    format!("Column_{}", others.next().unwrap_or(0))
                }
            })
            .collect();
        let plain =
            columns.weight.is_none() && columns.group.is_none() && columns.ignore.is_empty();
        if let Some(features) = features.filter(|_| plain) {
            let found = width - usize::from(label.is_some());
            if found != features.len() {
                let path = self.path.display();
                let told = format!("'{path}' has {found} features, the model {}", features.len());
                return Err(told.into());
            }
            let mut names = features.iter();
            for name in self.names.iter_mut().filter(|name| *name != "label") {
                *name = names.next().cloned().unwrap_or_default();
            }
        }
        self.form.header = false;
        self.form.names = self.names.clone();
        self.numbered = true;
        Ok(())
    }

    /// A column's name; positions leave the label out where it is known.
    fn name(&self, column: &ColumnName, label: Option<usize>) -> Outcome<String> {
        let at = match column {
            ColumnName::Name(name) => return Ok(name.clone()),
            // A file may call its columns by numbers.
            ColumnName::Position(at) if self.names.contains(&at.to_string()) => {
                return Ok(at.to_string());
            }
            ColumnName::Position(at) => at + usize::from(label.is_some_and(|label| label <= *at)),
        };
        let refuse = || {
            let (path, width) = (self.path.display(), self.names.len());
            format!("'{path}' has no column {at}: it has {width} columns")
        };
        Ok(self.names.get(at).cloned().ok_or_else(refuse)?)
    }
}
