//! What parameters say of columns by position, until the columns are known.

use std::collections::BTreeMap;

use super::{Column, ColumnName, ParameterError, ParameterResult};
use crate::Gbdt;

/// Lists that go by the positions of columns, the label left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Positions {
    pub(super) monotone: Vec<i8>,
    pub(super) contribution: Vec<f64>,
    pub(super) max_bins: Vec<usize>,
    pub(super) interaction: Vec<Vec<usize>>,
    pub(super) categorical: Vec<ColumnName>,
}

impl Positions {
    /// Puts the lists into the settings, by name, without columns that are no features.
    pub(super) fn apply(&self, columns: &[Column], gbdt: &mut Gbdt) -> ParameterResult<()> {
        let constraints = &mut gbdt.constraints;
        constraints.monotone = by_name("monotone_constraints", &self.monotone, columns)?;
        constraints.monotone.retain(|_, sign| *sign != 0);
        constraints.contribution = by_name("feature_contri", &self.contribution, columns)?;
        gbdt.bins.max_bins_by_feature = by_name("max_bin_by_feature", &self.max_bins, columns)?;
        let group = |group: &Vec<usize>| {
            let named = group.iter().map(|&at| ColumnName::Position(at));
            features("interaction_constraints", named, columns)
        };
        constraints.interaction = self.interaction.iter().map(group).collect::<Result<_, _>>()?;
        let categorical = self.categorical.iter().cloned();
        gbdt.bins.categorical = features("categorical_feature", categorical, columns)?;
        Ok(())
    }
}

/// The features among the columns that a parameter names.
fn features(
    name: &'static str,
    named: impl Iterator<Item = ColumnName>,
    columns: &[Column],
) -> ParameterResult<Vec<String>> {
    let found: Vec<&Column> =
        named.map(|column| find(name, &column, columns)).collect::<Result<_, _>>()?;
    let features = found.into_iter().filter(|column| column.is_feature);
    Ok(features.map(|column| column.name.clone()).collect())
}

fn find<'a>(
    name: &'static str,
    given: &ColumnName,
    columns: &'a [Column],
) -> ParameterResult<&'a Column> {
    let (found, given) = match given {
        ColumnName::Position(at) => (columns.get(*at), at.to_string()),
        ColumnName::Name(name) => {
            (columns.iter().find(|column| column.name == *name), format!("'{name}'"))
        }
    };
    found.ok_or(ParameterError::Position { name, given, columns: columns.len() })
}

/// One value a column; an empty list says nothing.
fn by_name<T: Copy>(
    name: &'static str,
    values: &[T],
    columns: &[Column],
) -> ParameterResult<BTreeMap<String, T>> {
    if !values.is_empty() && values.len() != columns.len() {
        let (given, columns) = (values.len(), columns.len());
        return Err(ParameterError::Length { name, given, columns });
    }
    let pairs = columns.iter().zip(values).filter(|(column, _)| column.is_feature);
    Ok(pairs.map(|(column, &value)| (column.name.clone(), value)).collect())
}
