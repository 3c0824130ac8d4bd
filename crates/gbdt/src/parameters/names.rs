//! Names and aliases, and which of several values counts.
//!
//! LightGBM's rules: of the same name, the first value; of a name and its aliases, the name's own; of
//! aliases, the shortest one's, then the one first in the alphabet.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{Note, ParameterError, ParameterResult, entry, table};
use fattail_core::nearest;

/// A value and the name that it was given by.
#[derive(Debug, Clone)]
struct Named {
    entry: &'static entry::Entry,
    name: String,
    value: String,
}

/// The values that count.
#[derive(Debug, Clone, Default)]
pub(super) struct Given(BTreeMap<&'static str, Named>);

impl Given {
    /// Takes names and values; tells `notes` which values do not count.
    pub(super) fn new(
        pairs: impl IntoIterator<Item = (String, String)>,
        notes: &mut Vec<Note>,
    ) -> ParameterResult<Self> {
        let mut given: BTreeMap<&'static str, Named> = BTreeMap::new();
        for (name, value) in pairs {
            let name = normal(&name);
            let value = value.trim().trim_matches(['"', '\'']).to_owned();
            let parameter = table::find(&name).ok_or_else(|| unknown(&name))?;
            let new = Named { entry: parameter, name, value };
            let mut slot = match given.entry(parameter.name) {
                Entry::Vacant(slot) => {
                    slot.insert(new);
                    continue;
                }
                Entry::Occupied(slot) => slot,
            };
            let loser = if wins(&new, slot.get()) { slot.insert(new) } else { new };
            let winner = slot.get();
            if !loser.value.is_empty() && loser.value != winner.value {
                let reason = format!("{}={} counts", winner.name, winner.value);
                notes.push(Note { parameter: loser.name, reason });
            }
        }
        Ok(Self(given))
    }

    /// Whether a parameter is given.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.iter().any(|(entry, _)| entry.name == name)
    }

    /// The parameters and their values; an empty value stands for the default.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static entry::Entry, &str)> {
        let given = self.0.values().filter(|named| !named.value.is_empty());
        given.map(|named| (named.entry, &*named.value))
    }
}

/// Whether a later value counts; empty ones, which stand for the default, only come first.
fn wins(new: &Named, old: &Named) -> bool {
    if new.value.is_empty() || old.value.is_empty() {
        return false;
    }
    let rank = |named: &Named| (named.name != named.entry.name, named.name.len());
    (rank(new), &new.name) < (rank(old), &old.name)
}

/// Without dashes, in small letters.
fn normal(name: &str) -> String {
    name.trim().trim_start_matches('-').replace('-', "_").to_lowercase()
}

/// The name that a parameter has in LightGBM, from that name or an alias, with dashes or underscores.
///
/// ```
/// use fattail_gbdt::parameters::full_name;
/// assert_eq!(full_name("eta")?, "learning_rate");
/// # Ok::<(), fattail_gbdt::parameters::ParameterError>(())
/// ```
///
/// # Errors
/// Names the nearest parameter when there is none of this name.
pub fn full_name(name: &str) -> ParameterResult<&'static str> {
    let name = normal(name);
    table::find(&name).map(|entry| entry.name).ok_or_else(|| unknown(&name))
}

fn unknown(name: &str) -> ParameterError {
    let known = table::all().flat_map(|entry| entry.aliases.iter().chain([&entry.name]).copied());
    ParameterError::Unknown { name: name.to_owned(), nearest: nearest(name, known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(&str, &str)]) -> (String, usize) {
        let mut notes = Vec::new();
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let given = Given::new(pairs, &mut notes).unwrap();
        let value = given.iter().next().map(|(_, value)| value.to_owned()).unwrap();
        (value, notes.len())
    }

    #[test]
    fn precedence_is_lightgbms() {
        assert_eq!(counts(&[("learning_rate", "1"), ("learning_rate", "2")]), ("1".into(), 1));
        assert_eq!(counts(&[("eta", "1"), ("learning-rate", "2")]), ("2".into(), 1));
        assert_eq!(counts(&[("shrinkage_rate", "1"), ("eta", "2")]), ("2".into(), 1));
        assert_eq!(counts(&[("num_tree", "1"), ("max_iter", "2")]), ("2".into(), 1));
        assert_eq!(counts(&[("num_tree", "1"), ("max_iter", "1")]), ("1".into(), 0));
        assert_eq!(counts(&[("num_tree", "1"), ("num_iterations", "")]), ("1".into(), 0));
        assert_eq!(
            counts(&[("num_tree", ""), ("num_iterations", "1"), ("eta", "2")]),
            ("2".into(), 1)
        );
    }

    #[test]
    fn unknown_names_tell_the_nearest() {
        let pairs = [("num-leafs".to_owned(), "3".to_owned())];
        let told = Given::new(pairs, &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(told, "unknown parameter 'num_leafs', did you mean 'num_leaf'?");
    }
}
