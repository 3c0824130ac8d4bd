//! The names of a panel's columns, and named sets of features.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The names of a panel's features, targets and extra columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    pub(crate) features: Names,
    pub(crate) targets: Names,
    pub(crate) extras: Names,
    /// The target that learners fit.
    pub(crate) main: usize,
}

/// The roles, as errors call them.
pub(crate) const FEATURE: &str = "feature";
pub(crate) const TARGET: &str = "target";
pub(crate) const EXTRA: &str = "extra column";

impl Schema {
    /// The schema, unless a name has two roles: what is to be predicted must not be a feature.
    pub(crate) fn checked(self) -> Result<Self> {
        let twice = |names: &Names, others: &Names, roles: [&'static str; 2]| {
            let name = names.list.iter().find(|name| others.index.contains_key(*name));
            name.map_or(Ok(()), |name| Err(Error::TwoRoles { name: name.to_string(), roles }))
        };
        twice(&self.targets, &self.features, [FEATURE, TARGET])?;
        twice(&self.extras, &self.features, [FEATURE, EXTRA])?;
        twice(&self.extras, &self.targets, [TARGET, EXTRA])?;
        Ok(self)
    }

    /// The names of the features.
    #[must_use]
    pub fn features(&self) -> &[Arc<str>] {
        &self.features.list
    }

    /// The names of the targets.
    #[must_use]
    pub fn targets(&self) -> &[Arc<str>] {
        &self.targets.list
    }

    /// The names of the extra columns, which learners never see.
    #[must_use]
    pub fn extras(&self) -> &[Arc<str>] {
        &self.extras.list
    }

    /// The name of the target that learners fit.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.targets.list.get(self.main).map(|name| &**name)
    }

    /// The position of a feature.
    ///
    /// # Errors
    /// When no feature has the name.
    pub fn feature_position(&self, name: &str) -> Result<usize> {
        self.features.position(FEATURE, name)
    }

    /// Answers whether `features` are this schema's, in order.
    ///
    /// # Errors
    /// Names the first difference.
    pub fn expect_features(&self, features: &[Arc<str>]) -> Result<()> {
        let found = self.features();
        for position in 0..features.len().max(found.len()) {
            let (want, have) = (features.get(position), found.get(position));
            if want != have {
                let text =
                    |name: Option<&Arc<str>>| name.map_or("nothing".into(), ToString::to_string);
                return Err(Error::FeatureMismatch {
                    expected: text(want),
                    found: text(have),
                    position,
                });
            }
        }
        Ok(())
    }
}

/// Unique names, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Names {
    pub(crate) list: Vec<Arc<str>>,
    index: HashMap<Arc<str>, usize>,
}

impl Names {
    pub(crate) fn new(kind: &'static str, list: Vec<Arc<str>>) -> Result<Self> {
        let mut index = HashMap::with_capacity(list.len());
        for (position, name) in list.iter().enumerate() {
            if index.insert(Arc::clone(name), position).is_some() {
                return Err(Error::DuplicateName { kind, name: name.to_string() });
            }
        }
        Ok(Self { list, index })
    }

    pub(crate) fn position(&self, kind: &'static str, name: &str) -> Result<usize> {
        self.index.get(name).copied().ok_or_else(|| Error::UnknownColumn {
            kind,
            name: name.to_owned(),
            nearest: nearest(name, self.list.iter().map(|known| &**known)),
        })
    }
}

/// Named sets of features, as `features.json` holds them.
///
/// ```
/// use fattail_core::FeatureSets;
/// let sets = FeatureSets::from_iter([("small", vec!["feature_a", "feature_b"])]);
/// assert_eq!(sets.get("small").unwrap().len(), 2);
/// assert!(sets.get("smal").unwrap_err().to_string().contains("did you mean 'small'?"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureSets(BTreeMap<String, Vec<String>>);

impl FeatureSets {
    /// The features of a set.
    ///
    /// # Errors
    /// When no set has the name.
    pub fn get(&self, name: &str) -> Result<&[String]> {
        self.0.get(name).map(Vec::as_slice).ok_or_else(|| Error::UnknownColumn {
            kind: "feature set",
            name: name.to_owned(),
            nearest: nearest(name, self.names()),
        })
    }

    /// The names of the sets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<S: Into<String>, F: Into<String>> FromIterator<(S, Vec<F>)> for FeatureSets {
    fn from_iter<I: IntoIterator<Item = (S, Vec<F>)>>(sets: I) -> Self {
        let texts = |features: Vec<F>| features.into_iter().map(Into::into).collect();
        Self(sets.into_iter().map(|(name, features)| (name.into(), texts(features))).collect())
    }
}

/// The known name at the smallest edit distance, when it is near enough to be a slip.
///
/// ```
/// let known = ["target_20", "target_60"];
/// assert_eq!(fattail_core::nearest("target20", known), Some("target_20".into()));
/// assert_eq!(fattail_core::nearest("price", known), None);
/// ```
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let limit = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Insertions, deletions and substitutions from `a` to `b` (Levenshtein 1966).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_by_hand() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }
}
