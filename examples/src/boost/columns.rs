//! Which columns of a file are label, weight, eras and ids, as LightGBM says it.

use fattail::gbdt::parameters::{ColumnName, Columns};

use super::{file::File, source::SourceArgs};
use crate::Outcome;

/// The columns that are asked for, by name or position.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// Whether text files begin with names; none when it was not said.
    pub(super) header: Option<bool>,
    labels: Vec<ColumnName>,
    era: Option<ColumnName>,
    id: Option<ColumnName>,
    weight: Option<ColumnName>,
    ignore: Vec<ColumnName>,
}

impl Asked {
    pub(super) fn new(args: &SourceArgs, columns: &Columns) -> Self {
        let parse = |name: &Option<String>| name.as_ref().map(|name| column(name));
        Self {
            header: columns.header,
            labels: columns.label.iter().cloned().collect(),
            era: parse(&args.era).or_else(|| columns.group.clone()),
            id: parse(&args.id),
            weight: columns.weight.clone(),
            ignore: columns.ignore.clone(),
        }
    }

    /// Nothing but whether files begin with names.
    pub(super) fn without_columns(&self) -> Self {
        Self { header: self.header, ..Self::default() }
    }

    /// The labels: a name with commas that no column has stands for several.
    pub(super) fn labels(&self, names: &[String]) -> Vec<ColumnName> {
        let several = |label: &ColumnName| match label {
            ColumnName::Name(list) if !names.contains(list) => {
                list.split(',').map(column).collect()
            }
            label => vec![label.clone()],
        };
        self.labels.iter().flat_map(several).collect()
    }

    /// Whether columns but the label are asked for.
    pub(super) fn asks_for_others(&self) -> bool {
        let others = [&self.era, &self.id, &self.weight];
        others.into_iter().any(Option::is_some) || !self.ignore.is_empty()
    }
}

fn column(name: &str) -> ColumnName {
    name.parse().unwrap_or_else(|never| match never {})
}

/// What of a file is read.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Which labels.
    pub label: Label,
    /// The features of a model, in its order, or none to take what there is.
    pub features: Option<&'a [String]>,
}

/// Which labels are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// There has to be one.
    Needed,
    /// Where it is named.
    Named,
    /// None, nor weights.
    Unread,
}

/// The names of the columns that are no features.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles {
    pub(super) labels: Vec<String>,
    pub(super) era: Option<String>,
    pub(super) id: Option<String>,
    pub(super) weight: Option<String>,
    pub(super) ignored: Vec<String>,
}

impl Roles {
    /// What is asked for, found in a file; a feature of a model has no other role unasked.
    pub(super) fn new(file: &File, asked: &Asked, part: Part<'_>) -> Outcome<Self> {
        let named = asked.labels(&file.names);
        let named = named.iter().map(|label| file.name(label, &[])).collect::<Outcome<Vec<_>>>()?;
        let known = if named.is_empty() { &file.labels } else { &named };
        let other = |column: &Option<ColumnName>| {
            column.as_ref().map(|column| file.name(column, known)).transpose()
        };
        let usual = |name: &str| {
            let is = |known: &String| known == name;
            let taken = known.iter().any(is) || part.features.is_some_and(|f| f.iter().any(is));
            (!taken && file.names.iter().any(is)).then(|| name.to_owned())
        };
        let query = || file.libsvm.then(|| usual("qid")).flatten();
        let ignored = asked.ignore.iter().map(|column| file.name(column, known));
        let weight = other(&asked.weight)?;
        let (labels, weight) = match part.label {
            Label::Unread => (Vec::new(), None),
            Label::Named => (named.clone(), weight),
            Label::Needed if known.is_empty() => {
                return Err("no label: name its column with --label".into());
            }
            Label::Needed => (known.clone(), weight),
        };
        Ok(Self {
            labels,
            era: other(&asked.era)?.or_else(|| usual("era")).or_else(query),
            id: other(&asked.id)?.or_else(|| usual("id")),
            weight,
            ignored: ignored.collect::<Outcome<_>>()?,
        })
    }

    /// The same columns asked for by name. Eras and ids that were not asked for are not now.
    pub(super) fn asked(&self, asked: &Asked) -> Asked {
        let name = |name: &String| ColumnName::Name(name.clone());
        let other = |asked: &Option<ColumnName>, role: &Option<String>| {
            asked.as_ref().and(role.as_ref()).map(name)
        };
        Asked {
            header: asked.header,
            labels: self.labels.iter().map(name).collect(),
            era: other(&asked.era, &self.era),
            id: other(&asked.id, &self.id),
            weight: other(&asked.weight, &self.weight),
            ignore: self.ignored.iter().map(name).collect(),
        }
    }
}
