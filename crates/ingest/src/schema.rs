//! The columns that a file has to have, kept in a file of their own, and how far it may differ.

use std::{collections::HashSet, fs::File, path::Path};

use fattail_mend::{Column, Kind};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The columns of a table.
///
/// A run leaves its schema beside its output; a later run that is given it refuses other columns and
/// takes values of other kinds for misfits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns, in the order of the output.
    pub columns: Vec<Column>,
}

impl Schema {
    /// Reads a schema file.
    ///
    /// # Errors
    /// When the file cannot be read, is not a schema or has a name twice.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::read(path))?;
        let schema: Self = serde_json::from_reader(std::io::BufReader::new(file))
            .map_err(|source| Error::Schema { path: path.into(), source })?;
        let mut seen = HashSet::new();
        match schema.columns.iter().find(|column| !seen.insert(&column.name)) {
            Some(column) => Err(Error::Twice { path: path.into(), name: column.name.clone() }),
            None => Ok(schema),
        }
    }
}

/// What happens where a file has other columns than its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evolution {
    /// It is refused. The order of columns is free where they have names.
    #[default]
    Refuse,
    /// Columns that the file lacks are missing values; columns that the schema lacks come behind.
    Extend,
    /// As `Extend`, and where values do not fit a column's kind but a wider one, the column gets it.
    Widen,
}

/// Where each column of the output is found in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The columns as the file has them, under the kinds that are asked for.
    pub(crate) file: Vec<Column>,
    /// The columns of the output, each with its place in the file.
    pub(crate) output: Vec<(Column, Option<usize>)>,
}

impl Mapping {
    /// Every column of the file, in its order.
    pub(crate) fn whole(columns: Vec<Column>) -> Self {
        let output = columns.iter().cloned().zip((0..).map(Some)).collect();
        Self { file: columns, output }
    }

    /// The columns of a schema in a file with `columns`, whose names the file tells where `named`.
    pub(crate) fn new(
        path: &Path,
        schema: &Schema,
        mut columns: Vec<Column>,
        named: bool,
        evolution: Evolution,
    ) -> Result<Self> {
        if !named {
            columns
                .iter_mut()
                .zip(&schema.columns)
                .for_each(|(found, known)| found.name.clone_from(&known.name));
        }
        let place = |name: &str| columns.iter().position(|column| column.name == name);
        let known = |column: &&Column| schema.columns.iter().any(|known| known.name == column.name);
        let missing: Vec<String> = schema
            .columns
            .iter()
            .filter(|column| place(&column.name).is_none())
            .map(|column| column.name.clone())
            .collect();
        let added: Vec<Column> = columns.iter().filter(|column| !known(column)).cloned().collect();
        if evolution == Evolution::Refuse && !(missing.is_empty() && added.is_empty()) {
            let added = added.into_iter().map(|column| column.name).collect();
            return Err(Error::Columns { path: path.into(), missing, added });
        }
        let all = schema.columns.iter().cloned().chain(added);
        let output: Vec<_> = all
            .map(|column| {
                let at = place(&column.name);
                (column, at)
            })
            .collect();
        for (column, at) in &output {
            if let Some(at) = *at {
                // The kind that is asked for, and the shape that is found: ragged rows go by it.
                columns[at].kind = column.kind;
                columns[at].missing.clone_from(&column.missing);
                columns[at].declared = evolution != Evolution::Widen && known(&column);
            }
        }
        Ok(Self { file: columns, output })
    }

    /// Gives a column of the file another kind.
    pub(crate) fn widen(&mut self, at: usize, kind: Kind) {
        let output = self.output.iter_mut().filter(|(_, place)| *place == Some(at));
        for column in output.map(|(column, _)| column).chain([&mut self.file[at]]) {
            column.kind = kind;
            if kind.is_text() {
                // What stood for no number is a text now.
                column.missing.clear();
            }
        }
    }
}
