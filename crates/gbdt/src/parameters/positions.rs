//! What parameters say of features by position, until the features are known.

use std::collections::BTreeMap;

use super::{ColumnName, ParameterError, ParameterResult};
use crate::Gbdt;

/// Lists that go by the positions of features.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Positions {
    pub(super) monotone: Vec<i8>,
    pub(super) contribution: Vec<f64>,
    pub(super) max_bins: Vec<usize>,
    pub(super) interaction: Vec<Vec<usize>>,
    pub(super) categorical: Vec<ColumnName>,
}

impl Positions {
    /// Puts the lists into the settings, by name.
    pub(super) fn apply(&self, features: &[&str], gbdt: &mut Gbdt) -> ParameterResult<()> {
        let constraints = &mut gbdt.constraints;
        constraints.monotone = by_name("monotone_constraints", &self.monotone, features)?;
        constraints.monotone.retain(|_, sign| *sign != 0);
        constraints.contribution = by_name("feature_contri", &self.contribution, features)?;
        gbdt.bins.max_bins_by_feature = by_name("max_bin_by_feature", &self.max_bins, features)?;
        let group = |group: &Vec<usize>| {
            let name = |at: &usize| feature("interaction_constraints", *at, features);
            group.iter().map(name).collect::<ParameterResult<Vec<_>>>()
        };
        constraints.interaction = self.interaction.iter().map(group).collect::<Result<_, _>>()?;
        let column = |column: &ColumnName| match column {
            ColumnName::Position(at) => feature("categorical_feature", *at, features),
            ColumnName::Name(name) if features.contains(&&**name) => Ok(name.clone()),
            ColumnName::Name(name) => Err(ParameterError::Position {
                name: "categorical_feature",
                given: format!("'{name}'"),
                features: features.len(),
            }),
        };
        gbdt.bins.categorical = self.categorical.iter().map(column).collect::<Result<_, _>>()?;
        Ok(())
    }
}

fn feature(name: &'static str, at: usize, features: &[&str]) -> ParameterResult<String> {
    let found = features.get(at).map(|feature| (*feature).to_owned());
    let (given, features) = (at.to_string(), features.len());
    found.ok_or(ParameterError::Position { name, given, features })
}

/// One value a feature; an empty list says nothing.
fn by_name<T: Copy>(
    name: &'static str,
    values: &[T],
    features: &[&str],
) -> ParameterResult<BTreeMap<String, T>> {
    if !values.is_empty() && values.len() != features.len() {
        let (given, features) = (values.len(), features.len());
        return Err(ParameterError::Length { name, given, features });
    }
    let pairs = features.iter().zip(values);
    Ok(pairs.map(|(feature, &value)| ((*feature).to_owned(), value)).collect())
}
